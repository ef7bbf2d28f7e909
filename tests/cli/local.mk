# tests/cli/local.mk - tests of kvcached-cli's library.

if CLI
cli_tests = \
	tests/cli/check_message \
	tests/cli/check_records \
	tests/cli/check_reply \
	tests/cli/check_words
endif

cli_test_libs = $(cli_libs) $(kvc_libs) $(fixture_libs)

tests_cli_check_message_LDADD = $(cli_test_libs)
tests_cli_check_records_LDADD = $(cli_test_libs)
tests_cli_check_reply_CFLAGS = $(cli_cflags)
tests_cli_check_reply_LDADD = $(cli_test_libs)
tests_cli_check_words_LDADD = $(cli_test_libs)

if CLI
TESTS += tests/cli/check_documents
dist_check_SCRIPTS += tests/cli/check_documents
else
EXTRA_DIST += tests/cli/check_documents
endif
