# tests/maintenance/local.mk - tests of the housekeeper.

maintenance_tests = \
	tests/maintenance/check_arena_watch \
	tests/maintenance/check_eviction_watch \
	tests/maintenance/check_housekeeper
if MALLOC_TRIM
maintenance_tests += tests/maintenance/check_malloc_trim
endif

tests_maintenance_check_arena_watch_LDADD = $(maintenance_test_libs)
tests_maintenance_check_eviction_watch_LDADD = $(maintenance_test_libs)
tests_maintenance_check_housekeeper_LDADD = $(maintenance_test_libs)
tests_maintenance_check_malloc_trim_LDADD = $(maintenance_test_libs)
