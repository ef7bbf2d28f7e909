# tests/watch/local.mk - tests of what is told about a running daemon.

watch_tests = \
	tests/watch/check_ring \
	tests/watch/check_slow_log \
	tests/watch/check_watch \
	tests/watch/threads_watch

tests_watch_check_ring_LDADD = $(watch_test_libs)
tests_watch_check_slow_log_LDADD = $(watch_test_libs)
tests_watch_check_watch_LDADD = $(watch_test_libs)
tests_watch_threads_watch_LDADD = $(watch_test_libs)
