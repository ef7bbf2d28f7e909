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
#
# Fixtures are libraries, so that a program needs one line: what it is linked with.

check_LIBRARIES += tests/support/libsupport.a
tests_support_libsupport_a_SOURCES = tests/support/instance.h tests/support/scratch.c \
	tests/support/scratch.h tests/support/suite.h

fixture_libs = tests/support/libsupport.a $(CHECK_LIBS)
conf_test_libs = tests/conf/libfixtures.a $(conf_libs) $(fixture_libs)
protocol_test_libs = tests/protocol/libfixtures.a protocol/libprotocol.a $(fixture_libs)
base_test_libs = $(base_libs) $(fixture_libs)
os_test_libs = $(os_libs) $(fixture_libs)
store_test_libs = tests/store/libfixtures.a $(store_libs) $(fixture_libs)
maintenance_test_libs = $(maintenance_libs) $(fixture_libs)
watch_test_libs = $(watch_libs) $(fixture_libs)
net_test_libs = $(net_fixtures) $(net_libs) $(fixture_libs)
auth_test_libs = tests/auth/libfixtures.a $(auth_libs) $(fixture_libs)
cluster_test_libs = tests/cluster/libfixtures.a $(cluster_libs) $(fixture_libs)
request_test_libs = tests/request/libfixtures.a $(request_libs) $(fixture_libs)
conn_test_libs = $(conn_libs) $(fixture_libs)
http_test_libs = $(http_libs) $(fixture_libs)

include tests/conf/local.mk
include tests/protocol/local.mk
include tests/base/local.mk
include tests/os/local.mk
include tests/maintenance/local.mk
include tests/net/local.mk
include tests/watch/local.mk
include tests/auth/local.mk
include tests/cluster/local.mk
include tests/secret/local.mk
include tests/request/local.mk
include tests/conn/local.mk
include tests/http/local.mk
include tests/store/local.mk
include tests/cli/local.mk
include tests/clients/c/local.mk

daemon_tests = $(base_tests) $(os_tests) $(maintenance_tests) $(watch_tests) $(net_tests) $(secret_tests) $(auth_tests) \
	$(cluster_tests) $(request_tests) $(conn_tests) $(http_tests)
unit_tests = $(conf_tests) $(protocol_tests) $(daemon_tests) $(store_tests) $(cli_tests) $(kvc_tests)

# Those that take longest go first: others run beside them.
if HAVE_PYTHON3
TESTS += tests/e2e/run
endif
if HAVE_CHECK
TESTS += tests/store/over_file
endif
if HAVE_PYTHON3
TESTS += tests/e2e/failover tests/e2e/over_cluster
if TLS
TESTS += tests/e2e/over_tls
endif
endif

# The sample and the manual page are held to the table of options.
dist_check_SCRIPTS += tests/conf/check_documents
TESTS += tests/conf/check_documents

if HAVE_CHECK
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
dist_check_SCRIPTS += tests/store/over_file
endif

# What runs under ThreadSanitizer.
thread_tests = tests/e2e/run tests/store/over_file tests/auth/check_authenticator tests/auth/check_authenticator_order \
	tests/maintenance/check_housekeeper tests/base/check_log tests/base/check_log_stall \
	tests/conn/check_worker_auth tests/store/threads/threads_exact \
	tests/auth/threads_authenticator tests/store/threads/threads_policy tests/store/threads/threads_store tests/store/threads/threads_windows \
	tests/watch/threads_watch
if TLS
thread_tests += tests/conn/check_worker_tls tests/e2e/over_tls
endif

# --- fuzzers ------------------------------------------------------------------
#
# Not part of `make check`: each runs until it is told to stop. They start from
# the corpus of their name, and what they find is added to it.

if FUZZERS
fuzz_programs = tests/fuzz/fuzz_arena tests/fuzz/fuzz_cluster tests/fuzz/fuzz_conf tests/fuzz/fuzz_glob tests/fuzz/fuzz_memcache \
	tests/fuzz/fuzz_native tests/fuzz/fuzz_reply tests/fuzz/fuzz_time
noinst_PROGRAMS += $(fuzz_programs)
endif

tests_fuzz_fuzz_arena_SOURCES = tests/fuzz/fuzz_arena.c tests/store/crash/image.c tests/store/crash/image.h
tests_fuzz_fuzz_arena_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
tests_fuzz_fuzz_arena_LDADD = $(store_libs)

tests_fuzz_fuzz_cluster_SOURCES = tests/fuzz/fuzz_cluster.c
tests_fuzz_fuzz_cluster_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
tests_fuzz_fuzz_cluster_LDADD = $(cluster_libs)

tests_fuzz_fuzz_conf_SOURCES = tests/fuzz/fuzz_conf.c
tests_fuzz_fuzz_conf_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
tests_fuzz_fuzz_conf_LDADD = conf/libconf.a $(LIBCONFIG_LIBS) $(LIBCRYPT_LIBS)

tests_fuzz_fuzz_glob_SOURCES = tests/fuzz/fuzz_glob.c tests/protocol/glob_model.c tests/protocol/glob_model.h
tests_fuzz_fuzz_glob_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
tests_fuzz_fuzz_glob_LDADD = protocol/libprotocol.a

tests_fuzz_fuzz_memcache_SOURCES = tests/fuzz/fuzz_memcache.c tests/fuzz/cuts.c tests/fuzz/cuts.h \
	tests/protocol/transcript.c tests/protocol/transcript.h
tests_fuzz_fuzz_memcache_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
tests_fuzz_fuzz_memcache_LDADD = protocol/libprotocol.a

tests_fuzz_fuzz_native_SOURCES = tests/fuzz/fuzz_native.c tests/fuzz/cuts.c tests/fuzz/cuts.h \
	tests/protocol/transcript.c tests/protocol/transcript.h
tests_fuzz_fuzz_native_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
tests_fuzz_fuzz_native_LDADD = protocol/libprotocol.a

tests_fuzz_fuzz_reply_SOURCES = tests/fuzz/fuzz_reply.c
tests_fuzz_fuzz_reply_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
tests_fuzz_fuzz_reply_LDADD = $(kvc_libs)

tests_fuzz_fuzz_time_SOURCES = tests/fuzz/fuzz_time.c
tests_fuzz_fuzz_time_LDFLAGS = $(AM_LDFLAGS) $(FUZZER_LDFLAGS)
tests_fuzz_fuzz_time_LDADD = protocol/libprotocol.a

EXTRA_DIST += tests/fuzz/corpus tests/fuzz/cluster.dict tests/fuzz/memcache.dict tests/fuzz/native.dict tests/fuzz/reply.dict

# --- end to end ---------------------------------------------------------------

e2e_files = \
	tests/e2e/run \
	tests/e2e/lib/attackers.py \
	tests/e2e/lib/browser.py \
	tests/e2e/lib/cli.py \
	tests/e2e/lib/client.py \
	tests/e2e/lib/client_case.py \
	tests/e2e/lib/deadline.py \
	tests/e2e/lib/cluster_load.py \
	tests/e2e/lib/encryption.py \
	tests/e2e/lib/fake_node.py \
	tests/e2e/lib/harness.py \
	tests/e2e/lib/nodes.py \
	tests/e2e/lib/persistence.py \
	tests/e2e/lib/memcache.py \
	tests/e2e/lib/memcache_stream.py \
	tests/e2e/lib/threads_of.py \
	tests/e2e/lib/timing.py \
	tests/e2e/lib/reference.py \
	tests/e2e/lib/request_mix.py \
	tests/e2e/lib/web.py \
	tests/e2e/soak/soak \
	tests/e2e/soak/soak_actor.py \
	tests/e2e/soak/soak_client.py \
	tests/e2e/soak/soak_crowds.py \
	tests/e2e/soak/soak_daemon.py \
	tests/e2e/soak/soak_good.py \
	tests/e2e/soak/soak_holders.py \
	tests/e2e/soak/soak_log.py \
	tests/e2e/soak/soak_memcache.py \
	tests/e2e/soak/soak_model.py \
	tests/e2e/soak/soak_native.py \
	tests/e2e/soak/soak_ops.py \
	tests/e2e/soak/soak_pressed.py \
	tests/e2e/soak/soak_second.py \
	tests/e2e/soak/soak_secrets.py \
	tests/e2e/soak/soak_wire.py \
	tests/e2e/test_abuse.py \
	tests/e2e/test_alike.py \
	tests/e2e/test_arena.py \
	tests/e2e/test_cli.py \
	tests/e2e/test_cli_records.py \
	tests/e2e/test_cli_terminal.py \
	tests/e2e/test_cli_top.py \
	tests/e2e/test_cli_watching.py \
	tests/e2e/test_clients.py \
	tests/e2e/test_clients_node.py \
	tests/e2e/test_clients_perl.py \
	tests/e2e/test_clients_php.py \
	tests/e2e/test_clock.py \
	tests/e2e/test_cluster.py \
	tests/e2e/test_cluster_figures.py \
	tests/e2e/test_config.py \
	tests/e2e/test_deadline.py \
	tests/e2e/test_differential.py \
	tests/e2e/test_differential_table.py \
	tests/e2e/test_evictions.py \
	tests/e2e/test_failing.py \
	tests/e2e/test_failover.py \
	tests/e2e/test_files.py \
	tests/e2e/test_fresh.py \
	tests/e2e/test_hardening.py \
	tests/e2e/test_hash_secret.py \
	tests/e2e/test_http.py \
	tests/e2e/test_inspect.py \
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
	tests/e2e/test_observe.py \
	tests/e2e/test_page.py \
	tests/e2e/test_peers.py \
	tests/e2e/test_pieces.py \
	tests/e2e/test_precise.py \
	tests/e2e/test_pressure.py \
	tests/e2e/test_protocol.py \
	tests/e2e/test_reload.py \
	tests/e2e/test_remote.py \
	tests/e2e/test_replies.py \
	tests/e2e/test_restart.py \
	tests/e2e/test_run_valkey.py \
	tests/e2e/test_service.py \
	tests/e2e/test_sessions.py \
	tests/e2e/test_signals.py \
	tests/e2e/test_tls.py \
	tests/e2e/test_tls_users.py \
	tests/e2e/test_ttl.py \
	tests/e2e/test_users.py \
	tests/e2e/test_values.py

# Of packages and images; scripts/check runs them.
EXTRA_DIST += tests/package/cases.sh tests/package/check_image tests/package/check_kubernetes \
              tests/package/check_package tests/package/life_of_container \
              tests/package/life_of_package tests/package/tools_of_debian

EXTRA_DIST += $(e2e_files) tests/support/check_hardened tests/support/fail_alloc.c tests/support/fail_file.c tests/support/wall_clock.c

# Not linked with anything of ours, and without sanitizers: it stands before the C library.
check_DATA = tests/support/fail_alloc.so tests/support/fail_file.so tests/support/wall_clock.so
CLEANFILES += $(check_DATA)
preloaded = $(CC) -D_GNU_SOURCE -std=gnu11 $(WARNING_CFLAGS) -O1 -fPIC -shared
tests/support/fail_alloc.so: tests/support/fail_alloc.c
	@$(MKDIR_P) tests/support
	$(AM_V_CCLD)$(preloaded) -o $@ $(srcdir)/tests/support/fail_alloc.c -ldl
tests/support/fail_file.so: tests/support/fail_file.c
	@$(MKDIR_P) tests/support
	$(AM_V_CCLD)$(preloaded) -o $@ $(srcdir)/tests/support/fail_file.c
tests/support/wall_clock.so: tests/support/wall_clock.c
	@$(MKDIR_P) tests/support
	$(AM_V_CCLD)$(preloaded) -o $@ $(srcdir)/tests/support/wall_clock.c
dist_check_SCRIPTS += tests/e2e/failover tests/e2e/over_cluster tests/e2e/over_tls
