# tests/base/local.mk - tests of log, clocks, files.

base_tests = \
	tests/base/check_heartbeat \
	tests/base/check_histogram \
	tests/base/check_log \
	tests/base/check_log_ring \
	tests/base/check_log_stall \
	tests/base/check_path_advice \
	tests/base/check_safe_open \
	tests/base/check_sha1 \
	tests/base/check_siphash

tests_base_check_heartbeat_LDADD = $(base_test_libs)
tests_base_check_histogram_LDADD = $(base_test_libs)
tests_base_check_log_LDADD = $(base_test_libs)
tests_base_check_log_ring_LDADD = $(base_test_libs)
tests_base_check_log_stall_LDADD = $(base_test_libs)
tests_base_check_path_advice_LDADD = $(base_test_libs)
tests_base_check_safe_open_LDADD = $(base_test_libs)
tests_base_check_sha1_LDADD = $(base_test_libs)
tests_base_check_siphash_LDADD = $(base_test_libs)
