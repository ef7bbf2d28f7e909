# tests/store/local.mk - tests of the records: single calls, models, threads, crashes, eviction.

check_LIBRARIES += tests/store/libfixtures.a
tests_store_libfixtures_a_SOURCES = \
	tests/store/fixture.c \
	tests/store/fixture.h \
	tests/store/pattern.c \
	tests/store/terms_fixture.c \
	tests/store/terms_fixture.h \
	tests/store/threads/threads.c \
	tests/store/threads/threads.h \
	tests/store/crash/image.c \
	tests/store/crash/image.h \
	tests/store/crash/kill_operations.c \
	tests/store/crash/kill_operations.h \
	tests/store/model/model.c \
	tests/store/model/model.h \
	tests/store/model/model_run.c \
	tests/store/model/model_run.h \
	tests/store/model/terms_model.c \
	tests/store/model/terms_model.h \
	tests/store/eviction/policies.c \
	tests/store/eviction/policies.h \
	tests/store/eviction/trace.c \
	tests/store/eviction/trace.h

store_tests = \
	tests/store/check_arena \
	tests/store/check_busy \
	tests/store/check_checksum \
	tests/store/check_collisions \
	tests/store/check_cursor \
	tests/store/check_file \
	tests/store/check_file_clock \
	tests/store/check_fresh \
	tests/store/check_ghost \
	tests/store/check_incr \
	tests/store/check_index \
	tests/store/check_large_append \
	tests/store/check_large_write \
	tests/store/check_memory \
	tests/store/check_namespace \
	tests/store/check_policy \
	tests/store/check_records \
	tests/store/check_resize \
	tests/store/check_resize_file \
	tests/store/check_resize_limits \
	tests/store/check_restart \
	tests/store/check_revisits \
	tests/store/check_segment_numbers \
	tests/store/check_share \
	tests/store/check_store_stats \
	tests/store/check_terms \
	tests/store/check_ttl \
	tests/store/check_ttl_ways \
	tests/store/crash/check_damage \
	tests/store/crash/check_marks \
	tests/store/crash/kill_points \
	tests/store/crash/threads_killed \
	tests/store/eviction/simulate \
	tests/store/model/model_fresh \
	tests/store/model/model_store \
	tests/store/model/model_terms \
	tests/store/threads/threads_exact \
	tests/store/threads/threads_policy \
	tests/store/threads/threads_store \
	tests/store/threads/threads_windows

tests_store_check_arena_LDADD = $(store_test_libs)
tests_store_check_busy_LDADD = $(store_test_libs)
tests_store_check_checksum_LDADD = $(store_test_libs)
tests_store_check_collisions_LDADD = $(store_test_libs)
tests_store_check_cursor_LDADD = $(store_test_libs)
tests_store_check_file_LDADD = $(store_test_libs)
tests_store_check_file_clock_LDADD = $(store_test_libs)
tests_store_check_fresh_LDADD = $(store_test_libs)
tests_store_check_ghost_LDADD = $(store_test_libs)
tests_store_check_incr_LDADD = $(store_test_libs)
tests_store_check_index_LDADD = $(store_test_libs)
tests_store_check_large_append_LDADD = $(store_test_libs)
tests_store_check_large_write_LDADD = $(store_test_libs)
tests_store_check_memory_LDADD = $(store_test_libs)
tests_store_check_namespace_LDADD = $(store_test_libs)
tests_store_check_policy_LDADD = $(store_test_libs)
tests_store_check_records_LDADD = $(store_test_libs)
tests_store_check_resize_LDADD = $(store_test_libs)
tests_store_check_resize_file_LDADD = $(store_test_libs)
tests_store_check_resize_limits_LDADD = $(store_test_libs)
tests_store_check_restart_LDADD = $(store_test_libs)
tests_store_check_revisits_LDADD = $(store_test_libs)
tests_store_check_segment_numbers_LDADD = $(store_test_libs)
tests_store_check_share_LDADD = $(store_test_libs)
tests_store_check_store_stats_LDADD = $(store_test_libs)
tests_store_check_terms_LDADD = $(store_test_libs)
tests_store_check_ttl_LDADD = $(store_test_libs)
tests_store_check_ttl_ways_LDADD = $(store_test_libs)
tests_store_crash_check_damage_LDADD = $(store_test_libs)
tests_store_crash_check_marks_LDADD = $(store_test_libs)
tests_store_crash_kill_points_LDADD = $(store_test_libs)
tests_store_crash_threads_killed_LDADD = $(store_test_libs)
tests_store_eviction_simulate_LDADD = $(store_test_libs)
tests_store_model_model_fresh_LDADD = $(store_test_libs)
tests_store_model_model_store_LDADD = $(store_test_libs)
tests_store_model_model_terms_LDADD = $(store_test_libs)
tests_store_threads_threads_exact_LDADD = $(store_test_libs)
tests_store_threads_threads_policy_LDADD = $(store_test_libs)
tests_store_threads_threads_store_LDADD = $(store_test_libs)
tests_store_threads_threads_windows_LDADD = $(store_test_libs)
