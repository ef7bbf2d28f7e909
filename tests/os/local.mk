# tests/os/local.mk - tests of the process.

os_tests = \
	tests/os/check_hardening \
	tests/os/check_pidfile

tests_os_check_hardening_LDADD = $(os_test_libs)
tests_os_check_pidfile_LDADD = $(os_test_libs)
