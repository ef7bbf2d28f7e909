# tests/secret/local.mk - tests of secrets' hashes.

secret_tests = tests/secret/check_secret

tests_secret_check_secret_LDADD = $(secret_libs) $(fixture_libs)
