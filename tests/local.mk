# tests/local.mk - a program for each room or side of it, linked with that room
# and nothing above it; tests/e2e talks to the daemon over real sockets.
#
# `make check` runs what stands in TESTS. Programs under libcheck are built for
# it only; the fuzzers only with ./configure --enable-fuzzers.

AM_TESTS_ENVIRONMENT = \
	KVCACHED='$(abs_top_builddir)/daemon/kvcached'; export KVCACHED; \
	PYTHONDONTWRITEBYTECODE=1; export PYTHONDONTWRITEBYTECODE; \
	srcdir='$(srcdir)'; export srcdir;

# --- units --------------------------------------------------------------------

conf_tests = tests/check_conf tests/check_conf_files tests/check_conf_table \
	tests/check_conf_units tests/check_conf_users
daemon_tests = tests/check_arena_watch tests/check_desk tests/check_desk_reload tests/check_gate \
	tests/check_gate_address tests/check_gate_queue tests/check_gate_room \
	tests/check_gate_turns \
	tests/check_hardening tests/check_housekeeper tests/check_listener tests/check_log \
	tests/check_log_ring tests/check_log_stuck \
	tests/check_outbox tests/check_pass tests/check_pidfile tests/check_pressure tests/check_safe_open \
	tests/check_schedule tests/check_secret \
	tests/check_sip tests/check_users tests/check_worker tests/threads_gate
if TLS
daemon_tests += tests/check_reception tests/check_tls tests/check_transport_tls
endif
if MALLOC_TRIM
daemon_tests += tests/check_heap
endif
protocol_tests = tests/check_glob tests/check_memcache tests/check_memcache_admin \
	tests/check_native tests/check_reply tests/check_token
store_tests = tests/check_arena_damage tests/check_collisions tests/check_ghost tests/check_owed \
	tests/check_seal tests/check_store \
	tests/check_store_arena tests/check_store_busy \
	tests/check_store_cursor tests/check_store_figures tests/check_store_file tests/check_store_fresh tests/check_store_join \
	tests/check_store_life \
	tests/check_store_memory tests/check_store_namespace tests/check_store_number \
	tests/check_store_policy tests/check_store_resize tests/check_store_resize_file \
	tests/check_store_resize_limits \
	tests/check_store_restart tests/check_store_share tests/check_store_shelf tests/check_store_terms \
	tests/check_store_ttl tests/check_store_ttl_ways \
	tests/check_store_write tests/kill_points tests/model_fresh tests/model_store tests/model_terms tests/simulate \
	tests/threads_exact tests/threads_killed tests/threads_policy tests/threads_store \
	tests/threads_windows

if HAVE_CHECK
check_PROGRAMS += $(conf_tests) $(daemon_tests) $(protocol_tests) $(store_tests)
TESTS += $(conf_tests) $(daemon_tests) $(protocol_tests) $(store_tests) tests/over_file
dist_check_SCRIPTS += tests/over_file
endif

# What runs under ThreadSanitizer.
thread_tests = tests/check_gate tests/check_gate_turns tests/check_housekeeper tests/check_log tests/check_log_stuck \
	tests/check_pass tests/threads_exact \
	tests/threads_gate tests/threads_policy tests/threads_store tests/threads_windows \
	tests/over_file tests/e2e/run
if TLS
thread_tests += tests/check_reception tests/over_tls
endif

protocol_test_libs = protocol/libprotocol.a $(CHECK_LIBS)
store_test_libs = daemon/store/libstore.a $(CHECK_LIBS)
store_test_box = tests/box.c tests/box.h tests/box_pattern.c

tests_check_glob_SOURCES = tests/check_glob.c tests/glob_model.c tests/glob_model.h
tests_check_glob_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_glob_LDADD = $(protocol_test_libs)

# The sample and the manual page are held to the table of options.
dist_check_SCRIPTS += tests/check_conf_documents
TESTS += tests/check_conf_documents

conf_test_libs = conf/libconf.a $(LIBCONFIG_LIBS) $(LIBCRYPT_LIBS) $(CHECK_LIBS)

tests_check_conf_SOURCES = tests/check_conf.c tests/verdict.c tests/verdict.h
tests_check_conf_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_conf_LDADD = $(conf_test_libs)

tests_check_conf_files_SOURCES = tests/check_conf_files.c
tests_check_conf_files_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_conf_files_LDADD = $(conf_test_libs)

tests_check_conf_table_SOURCES = tests/check_conf_table.c tests/verdict.c tests/verdict.h
tests_check_conf_table_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_conf_table_LDADD = $(conf_test_libs)

tests_check_conf_units_SOURCES = tests/check_conf_units.c
tests_check_conf_units_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_conf_units_LDADD = $(conf_test_libs)

# Patterns are held against protocol/glob.h, which conf/ does not link.
tests_check_conf_users_SOURCES = tests/check_conf_users.c tests/verdict.c tests/verdict.h
tests_check_conf_users_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_conf_users_LDADD = $(conf_test_libs) protocol/libprotocol.a

tests_check_memcache_SOURCES = tests/check_memcache.c tests/transcript.c tests/transcript.h
tests_check_memcache_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_memcache_LDADD = $(protocol_test_libs)

tests_check_memcache_admin_SOURCES = tests/check_memcache_admin.c tests/transcript.c \
	tests/transcript.h
tests_check_memcache_admin_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_memcache_admin_LDADD = $(protocol_test_libs)

tests_check_native_SOURCES = tests/check_native.c tests/transcript.c tests/transcript.h
tests_check_native_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_native_LDADD = $(protocol_test_libs)

tests_check_reply_SOURCES = tests/check_reply.c
tests_check_reply_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_reply_LDADD = $(protocol_test_libs)

tests_check_token_SOURCES = tests/check_token.c
tests_check_token_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_token_LDADD = $(protocol_test_libs)

tests_check_collisions_SOURCES = tests/check_collisions.c
tests_check_collisions_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_collisions_LDADD = $(store_test_libs)

tests_check_ghost_SOURCES = tests/check_ghost.c
tests_check_ghost_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_ghost_LDADD = $(store_test_libs)

tests_check_owed_SOURCES = tests/check_owed.c
tests_check_owed_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_owed_LDADD = $(store_test_libs)

tests_check_seal_SOURCES = tests/check_seal.c $(store_test_box)
tests_check_seal_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_seal_LDADD = $(store_test_libs)

tests_check_store_SOURCES = tests/check_store.c $(store_test_box)
tests_check_store_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_store_LDADD = $(store_test_libs)

tests_check_store_arena_SOURCES = tests/check_store_arena.c tests/scratch.c tests/scratch.h
tests_check_store_arena_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_store_arena_LDADD = $(store_test_libs)

tests_check_store_busy_SOURCES = tests/check_store_busy.c $(store_test_box)
tests_check_store_busy_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_store_busy_LDADD = $(store_test_libs)

tests_check_store_cursor_SOURCES = tests/check_store_cursor.c $(store_test_box)
tests_check_store_cursor_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_store_cursor_LDADD = $(store_test_libs)

tests_check_store_figures_SOURCES = tests/check_store_figures.c $(store_test_box)
tests_check_store_figures_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_store_figures_LDADD = $(store_test_libs)

tests_check_store_file_SOURCES = tests/check_store_file.c tests/scratch.c tests/scratch.h
tests_check_store_file_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_store_file_LDADD = $(store_test_libs)

tests_check_store_join_SOURCES = tests/check_store_join.c $(store_test_box)
tests_check_store_join_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_store_join_LDADD = $(store_test_libs)

tests_check_store_life_SOURCES = tests/check_store_life.c
tests_check_store_life_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_store_life_LDADD = $(store_test_libs)

tests_check_store_memory_SOURCES = tests/check_store_memory.c $(store_test_box)
tests_check_store_memory_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_store_memory_LDADD = $(store_test_libs)

tests_check_store_namespace_SOURCES = tests/check_store_namespace.c $(store_test_box)
tests_check_store_namespace_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_store_namespace_LDADD = $(store_test_libs)

tests_check_store_resize_SOURCES = tests/check_store_resize.c $(store_test_box)
tests_check_store_resize_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_store_resize_LDADD = $(store_test_libs)

tests_check_store_resize_limits_SOURCES = tests/check_store_resize_limits.c $(store_test_box)
tests_check_store_resize_limits_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_store_resize_limits_LDADD = $(store_test_libs)

tests_check_store_resize_file_SOURCES = tests/check_store_resize_file.c tests/image.c tests/image.h \
	tests/scratch.c tests/scratch.h $(store_test_box)
tests_check_store_resize_file_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_store_resize_file_LDADD = $(store_test_libs)

tests_check_store_shelf_SOURCES = tests/check_store_shelf.c $(store_test_box)
tests_check_store_shelf_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_store_shelf_LDADD = $(store_test_libs)

tests_check_store_number_SOURCES = tests/check_store_number.c $(store_test_box)
tests_check_store_number_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_store_number_LDADD = $(store_test_libs)

tests_check_store_policy_SOURCES = tests/check_store_policy.c $(store_test_box)
tests_check_store_policy_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_store_policy_LDADD = $(store_test_libs)

# With its arena in a file.
store_test_file = tests/image.c tests/image.h tests/scratch.c tests/scratch.h $(store_test_box)

tests_check_arena_damage_SOURCES = tests/check_arena_damage.c $(store_test_file)
tests_check_arena_damage_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_arena_damage_LDADD = $(store_test_libs)

tests_check_store_restart_SOURCES = tests/check_store_restart.c $(store_test_file)
tests_check_store_restart_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_store_restart_LDADD = $(store_test_libs)

tests_kill_points_SOURCES = tests/kill_points.c tests/kill_operations.c \
	tests/kill_operations.h $(store_test_file)
tests_kill_points_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_kill_points_LDADD = $(store_test_libs)

tests_check_store_fresh_SOURCES = tests/check_store_fresh.c $(store_test_box)
tests_check_store_fresh_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_store_fresh_LDADD = $(store_test_libs)

tests_check_store_share_SOURCES = tests/check_store_share.c $(store_test_box)
tests_check_store_share_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_store_share_LDADD = $(store_test_libs)

tests_check_store_terms_SOURCES = tests/check_store_terms.c $(store_test_box)
tests_check_store_terms_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_store_terms_LDADD = $(store_test_libs)

tests_check_store_ttl_SOURCES = tests/check_store_ttl.c $(store_test_box)
tests_check_store_ttl_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_store_ttl_LDADD = $(store_test_libs)

tests_check_store_ttl_ways_SOURCES = tests/check_store_ttl_ways.c $(store_test_box)
tests_check_store_ttl_ways_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_store_ttl_ways_LDADD = $(store_test_libs)

tests_check_store_write_SOURCES = tests/check_store_write.c $(store_test_box)
tests_check_store_write_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_store_write_LDADD = $(store_test_libs)

# Millions of random operations beside a reference model; many threads at once.
tests_model_terms_SOURCES = tests/model_terms.c tests/scratch.c tests/scratch.h \
	$(store_test_box)
tests_model_terms_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_model_terms_LDADD = $(store_test_libs)

tests_model_fresh_SOURCES = tests/model_fresh.c $(store_test_box)
tests_model_fresh_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_model_fresh_LDADD = $(store_test_libs)

tests_model_store_SOURCES = tests/model_store.c tests/model_run.c tests/model_run.h \
	tests/model.c tests/model.h tests/scratch.c tests/scratch.h $(store_test_box)
tests_model_store_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_model_store_LDADD = $(store_test_libs)

# Eviction on made-up traces, beside other policies.
tests_simulate_SOURCES = tests/simulate.c tests/policies.c tests/policies.h \
	tests/trace.c tests/trace.h $(store_test_box)
tests_simulate_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_simulate_LDADD = $(store_test_libs)

store_test_crew = tests/crew.c tests/crew.h $(store_test_box)

tests_threads_exact_SOURCES = tests/threads_exact.c $(store_test_crew)
tests_threads_exact_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_threads_exact_LDADD = $(store_test_libs)

tests_threads_killed_SOURCES = tests/threads_killed.c tests/scratch.c tests/scratch.h \
	$(store_test_crew)
tests_threads_killed_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_threads_killed_LDADD = $(store_test_libs)

tests_threads_policy_SOURCES = tests/threads_policy.c $(store_test_box)
tests_threads_policy_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_threads_policy_LDADD = $(store_test_libs)

tests_threads_store_SOURCES = tests/threads_store.c $(store_test_crew)
tests_threads_store_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_threads_store_LDADD = $(store_test_libs)

# It has a window_pass of its own, which goes before the library's.
tests_threads_windows_SOURCES = tests/threads_windows.c $(store_test_crew)
tests_threads_windows_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_threads_windows_LDADD = $(store_test_libs)

# The daemon without its sockets: a wire stands in for them.
daemon_test_libs = daemon/libdaemon.a daemon/store/libstore.a conf/libconf.a \
	protocol/libprotocol.a $(LIBEVENT_LIBS) $(LIBCONFIG_LIBS) $(LIBCRYPT_LIBS) $(LIBSYSTEMD_LIBS) \
	$(OPENSSL_LIBS) $(CHECK_LIBS)

tests_check_desk_SOURCES = tests/check_desk.c tests/facts_of_one.h tests/wire.c tests/wire.h
tests_check_desk_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(LIBEVENT_CFLAGS)
tests_check_desk_LDADD = $(daemon_test_libs)

tests_check_desk_reload_SOURCES = tests/check_desk_reload.c tests/facts_of_one.h \
	tests/members.c tests/members.h tests/wire.c tests/wire.h
tests_check_desk_reload_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(LIBEVENT_CFLAGS)
tests_check_desk_reload_LDADD = $(daemon_test_libs)

tests_check_outbox_SOURCES = tests/check_outbox.c tests/wire.c tests/wire.h
tests_check_outbox_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(LIBEVENT_CFLAGS)
tests_check_outbox_LDADD = $(daemon_test_libs)

tests_check_pass_SOURCES = tests/check_pass.c tests/facts_of_one.h
tests_check_pass_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(LIBEVENT_CFLAGS)
tests_check_pass_LDADD = $(daemon_test_libs)

tests_check_pressure_SOURCES = tests/check_pressure.c tests/facts_of_one.h tests/rig.c tests/rig.h
tests_check_pressure_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(LIBEVENT_CFLAGS)
tests_check_pressure_LDADD = $(daemon_test_libs)

tests_check_schedule_SOURCES = tests/check_schedule.c tests/facts_of_one.h tests/rig.c tests/rig.h
tests_check_schedule_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(LIBEVENT_CFLAGS)
tests_check_schedule_LDADD = $(daemon_test_libs)

tests_check_worker_SOURCES = tests/check_worker.c tests/facts_of_one.h
tests_check_worker_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(LIBEVENT_CFLAGS)
tests_check_worker_LDADD = $(daemon_test_libs)

tests_check_gate_SOURCES = tests/check_gate.c tests/members.c tests/members.h \
	tests/visitors.c tests/visitors.h
tests_check_gate_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_gate_LDADD = $(daemon_test_libs)

tests_check_gate_turns_SOURCES = tests/check_gate_turns.c tests/members.c tests/members.h \
	tests/visitors.c tests/visitors.h
tests_check_gate_turns_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_gate_turns_LDADD = $(daemon_test_libs)

tests_check_gate_address_SOURCES = tests/check_gate_address.c
tests_check_gate_address_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_gate_address_LDADD = $(daemon_test_libs)

tests_check_gate_queue_SOURCES = tests/check_gate_queue.c tests/line.c tests/line.h
tests_check_gate_queue_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_gate_queue_LDADD = $(daemon_test_libs)

tests_check_gate_room_SOURCES = tests/check_gate_room.c tests/line.c tests/line.h
tests_check_gate_room_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_gate_room_LDADD = $(daemon_test_libs)

# With a client of TLS, and certificates that are made on the spot.
tls_test_client = tests/certificates.c tests/certificates.h tests/scratch.c tests/scratch.h \
	tests/tls_client.c tests/tls_client.h

tls_test_pair = tests/tls_pair.c tests/tls_pair.h $(tls_test_client)

tests_check_reception_SOURCES = tests/check_reception.c tests/facts_of_one.h $(tls_test_client)
tests_check_reception_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
tests_check_reception_LDADD = $(daemon_test_libs)

tests_check_tls_SOURCES = tests/check_tls.c $(tls_test_pair)
tests_check_tls_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
tests_check_tls_LDADD = $(daemon_test_libs)

tests_check_heap_SOURCES = tests/check_heap.c
tests_check_heap_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_heap_LDADD = $(daemon_test_libs)

tests_check_hardening_SOURCES = tests/check_hardening.c
tests_check_hardening_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_hardening_LDADD = $(daemon_test_libs)

tests_check_transport_tls_SOURCES = tests/check_transport_tls.c $(tls_test_pair)
tests_check_transport_tls_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS) $(OPENSSL_CFLAGS)
tests_check_transport_tls_LDADD = $(daemon_test_libs)

tests_check_housekeeper_SOURCES = tests/check_housekeeper.c
tests_check_housekeeper_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_housekeeper_LDADD = $(daemon_test_libs)

tests_check_listener_SOURCES = tests/check_listener.c tests/scratch.c tests/scratch.h
tests_check_listener_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_listener_LDADD = $(daemon_test_libs)

tests_check_arena_watch_SOURCES = tests/check_arena_watch.c tests/scratch.c tests/scratch.h
tests_check_arena_watch_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_arena_watch_LDADD = $(daemon_test_libs)

tests_check_log_SOURCES = tests/check_log.c tests/scratch.c tests/scratch.h
tests_check_log_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_log_LDADD = $(daemon_test_libs)

tests_check_log_ring_SOURCES = tests/check_log_ring.c
tests_check_log_ring_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_log_ring_LDADD = $(daemon_test_libs)

tests_check_log_stuck_SOURCES = tests/check_log_stuck.c tests/scratch.c tests/scratch.h
tests_check_log_stuck_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_log_stuck_LDADD = $(daemon_test_libs)

tests_check_pidfile_SOURCES = tests/check_pidfile.c tests/scratch.c tests/scratch.h
tests_check_pidfile_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_pidfile_LDADD = $(daemon_test_libs)

tests_check_safe_open_SOURCES = tests/check_safe_open.c tests/scratch.c tests/scratch.h
tests_check_safe_open_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_safe_open_LDADD = $(daemon_test_libs)

tests_check_secret_SOURCES = tests/check_secret.c
tests_check_secret_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_secret_LDADD = $(daemon_test_libs)

tests_check_sip_SOURCES = tests/check_sip.c
tests_check_sip_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_sip_LDADD = $(daemon_test_libs)

tests_check_users_SOURCES = tests/check_users.c tests/members.c tests/members.h
tests_check_users_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_check_users_LDADD = $(daemon_test_libs)

tests_threads_gate_SOURCES = tests/threads_gate.c tests/members.c tests/members.h
tests_threads_gate_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_threads_gate_LDADD = $(daemon_test_libs)

# --- fuzzers ------------------------------------------------------------------
#
# Not part of `make check`: each runs until it is told to stop. They start from
# the corpus of their name, and what they find is added to it.

if FUZZERS
fuzz_programs = tests/fuzz/fuzz_arena tests/fuzz/fuzz_conf tests/fuzz/fuzz_glob tests/fuzz/fuzz_memcache \
	tests/fuzz/fuzz_native tests/fuzz/fuzz_time
noinst_PROGRAMS += $(fuzz_programs)
endif

tests_fuzz_fuzz_arena_SOURCES = tests/fuzz/fuzz_arena.c tests/image.c tests/image.h
tests_fuzz_fuzz_arena_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
tests_fuzz_fuzz_arena_LDADD = daemon/store/libstore.a

tests_fuzz_fuzz_conf_SOURCES = tests/fuzz/fuzz_conf.c
tests_fuzz_fuzz_conf_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
tests_fuzz_fuzz_conf_LDADD = conf/libconf.a $(LIBCONFIG_LIBS) $(LIBCRYPT_LIBS)

tests_fuzz_fuzz_glob_SOURCES = tests/fuzz/fuzz_glob.c tests/glob_model.c tests/glob_model.h
tests_fuzz_fuzz_glob_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
tests_fuzz_fuzz_glob_LDADD = protocol/libprotocol.a

tests_fuzz_fuzz_memcache_SOURCES = tests/fuzz/fuzz_memcache.c tests/transcript.c \
	tests/transcript.h
tests_fuzz_fuzz_memcache_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
tests_fuzz_fuzz_memcache_LDADD = protocol/libprotocol.a

tests_fuzz_fuzz_native_SOURCES = tests/fuzz/fuzz_native.c tests/transcript.c tests/transcript.h
tests_fuzz_fuzz_native_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
tests_fuzz_fuzz_native_LDADD = protocol/libprotocol.a

tests_fuzz_fuzz_time_SOURCES = tests/fuzz/fuzz_time.c
tests_fuzz_fuzz_time_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
tests_fuzz_fuzz_time_LDADD = protocol/libprotocol.a

EXTRA_DIST += tests/fuzz/corpus tests/fuzz/memcache.dict tests/fuzz/native.dict

# --- end to end ---------------------------------------------------------------

e2e_files = \
	tests/e2e/run \
	tests/e2e/attackers.py \
	tests/e2e/client.py \
	tests/e2e/client_case.py \
	tests/e2e/deadline.py \
	tests/e2e/encryption.py \
	tests/e2e/harness.py \
	tests/e2e/lasting.py \
	tests/e2e/memcache.py \
	tests/e2e/memcache_stream.py \
	tests/e2e/patience.py \
	tests/e2e/reference.py \
	tests/e2e/request_mix.py \
	tests/e2e/soak \
	tests/e2e/soak_actor.py \
	tests/e2e/soak_client.py \
	tests/e2e/soak_crowds.py \
	tests/e2e/soak_daemon.py \
	tests/e2e/soak_good.py \
	tests/e2e/soak_holders.py \
	tests/e2e/soak_log.py \
	tests/e2e/soak_memcache.py \
	tests/e2e/soak_model.py \
	tests/e2e/soak_native.py \
	tests/e2e/soak_ops.py \
	tests/e2e/soak_pressed.py \
	tests/e2e/soak_second.py \
	tests/e2e/soak_secrets.py \
	tests/e2e/soak_wire.py \
	tests/e2e/test_abuse.py \
	tests/e2e/test_arena.py \
	tests/e2e/test_clients.py \
	tests/e2e/test_clients_node.py \
	tests/e2e/test_clients_perl.py \
	tests/e2e/test_clients_php.py \
	tests/e2e/test_clock.py \
	tests/e2e/test_cluster.py \
	tests/e2e/test_config.py \
	tests/e2e/test_deadline.py \
	tests/e2e/test_differential.py \
	tests/e2e/test_differential_table.py \
	tests/e2e/test_failing.py \
	tests/e2e/test_files.py \
	tests/e2e/test_fresh.py \
	tests/e2e/test_hardening.py \
	tests/e2e/test_hash_secret.py \
	tests/e2e/test_keys.py \
	tests/e2e/test_life.py \
	tests/e2e/test_limits.py \
	tests/e2e/test_listing.py \
	tests/e2e/test_logins.py \
	tests/e2e/test_long_lines.py \
	tests/e2e/test_log.py \
	tests/e2e/test_manual.py \
	tests/e2e/test_memcache.py \
	tests/e2e/test_memory.py \
	tests/e2e/test_nc.py \
	tests/e2e/test_newest.py \
	tests/e2e/test_peers.py \
	tests/e2e/test_pieces.py \
	tests/e2e/test_precise.py \
	tests/e2e/test_pressure.py \
	tests/e2e/test_protocol.py \
	tests/e2e/test_reload.py \
	tests/e2e/test_replies.py \
	tests/e2e/test_restart.py \
	tests/e2e/test_service.py \
	tests/e2e/test_sessions.py \
	tests/e2e/test_signals.py \
	tests/e2e/test_tls.py \
	tests/e2e/test_tls_users.py \
	tests/e2e/test_ttl.py \
	tests/e2e/test_users.py \
	tests/e2e/test_values.py

EXTRA_DIST += tests/suite.h
EXTRA_DIST += $(e2e_files) tests/check_hardened tests/failing.c tests/refusing.c tests/wall_clock.c

# Not linked with anything of ours, and without sanitizers: it stands before the C library.
check_DATA = tests/failing.so tests/refusing.so tests/wall_clock.so
CLEANFILES += $(check_DATA)
preloaded = $(CC) -D_GNU_SOURCE -std=gnu11 $(WARNING_CFLAGS) -O1 -fPIC -shared
tests/failing.so: tests/failing.c
	@$(MKDIR_P) tests
	$(AM_V_CCLD)$(preloaded) -o $@ $(srcdir)/tests/failing.c -ldl
tests/refusing.so: tests/refusing.c
	@$(MKDIR_P) tests
	$(AM_V_CCLD)$(preloaded) -o $@ $(srcdir)/tests/refusing.c
tests/wall_clock.so: tests/wall_clock.c
	@$(MKDIR_P) tests
	$(AM_V_CCLD)$(preloaded) -o $@ $(srcdir)/tests/wall_clock.c
if HAVE_PYTHON3
TESTS += tests/e2e/run
if TLS
TESTS += tests/over_tls
endif
endif
dist_check_SCRIPTS += tests/over_tls
