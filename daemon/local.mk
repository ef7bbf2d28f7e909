# daemon/local.mk - the daemon: all of it but main in a library, so that tests
# can link it.

noinst_LIBRARIES += daemon/libdaemon.a
daemon_libdaemon_a_CFLAGS = $(AM_CFLAGS) $(LIBCRYPT_CFLAGS) $(LIBEVENT_CFLAGS) \
	$(LIBSYSTEMD_CFLAGS) $(OPENSSL_CFLAGS)
daemon_libdaemon_a_SOURCES = \
	daemon/acceptor.c \
	daemon/acceptor.h \
	daemon/arena_watch.c \
	daemon/arena_watch.h \
	daemon/batch.c \
	daemon/batch.h \
	daemon/bell.c \
	daemon/bell.h \
	daemon/clock.c \
	daemon/clock.h \
	daemon/closes.def \
	daemon/closing.c \
	daemon/closing.h \
	daemon/conn.c \
	daemon/conn.h \
	daemon/conn_settings.h \
	daemon/conn_state.h \
	daemon/crew.c \
	daemon/crew.h \
	daemon/daemonize.c \
	daemon/daemonize.h \
	daemon/descriptors.c \
	daemon/descriptors.h \
	daemon/desk.c \
	daemon/desk.h \
	daemon/door.h \
	daemon/doors.c \
	daemon/doors.h \
	daemon/event_errors.c \
	daemon/event_errors.h \
	daemon/execute.c \
	daemon/execute.h \
	daemon/execute_dump.c \
	daemon/execute_guard.c \
	daemon/execute_list.c \
	daemon/execute_memory.c \
	daemon/execute_read.c \
	daemon/execute_verbs.h \
	daemon/execute_write.c \
	daemon/facts.h \
	daemon/gate.c \
	daemon/gate.h \
	daemon/gate_address.c \
	daemon/gate_queue.c \
	daemon/gate_queue.h \
	daemon/gate_wrongs.c \
	daemon/gate_wrongs.h \
	daemon/grants.c \
	daemon/grants.h \
	daemon/hardening.c \
	daemon/hardening.h \
	daemon/hash_secret.c \
	daemon/hash_secret.h \
	daemon/heap.h \
	daemon/heartbeat.c \
	daemon/heartbeat.h \
	daemon/housekeeper.c \
	daemon/housekeeper.h \
	daemon/inbox.c \
	daemon/inbox.h \
	daemon/listener.c \
	daemon/listener.h \
	daemon/litter.c \
	daemon/litter.h \
	daemon/log.c \
	daemon/log.h \
	daemon/log_ring.c \
	daemon/log_ring.h \
	daemon/log_target.c \
	daemon/log_target.h \
	daemon/log_writer.c \
	daemon/log_writer.h \
	daemon/metrics.c \
	daemon/metrics.def \
	daemon/metrics.h \
	daemon/notify.h \
	daemon/outbox.c \
	daemon/outbox.h \
	daemon/parcel.c \
	daemon/parcel.h \
	daemon/pass.c \
	daemon/pass.h \
	daemon/pidfile.c \
	daemon/pidfile.h \
	daemon/policy.c \
	daemon/policy.h \
	daemon/pool.c \
	daemon/pool.h \
	daemon/pressure.c \
	daemon/pressure.h \
	daemon/privilege.c \
	daemon/privilege.h \
	daemon/reception.c \
	daemon/reception.h \
	daemon/refusal.c \
	daemon/refusal.h \
	daemon/reload.c \
	daemon/reload.h \
	daemon/safe_open.c \
	daemon/safe_open.h \
	daemon/schedule.c \
	daemon/schedule.h \
	daemon/secret.c \
	daemon/secret.h \
	daemon/server.c \
	daemon/server.h \
	daemon/server_state.h \
	daemon/signals.c \
	daemon/signals.h \
	daemon/sip.c \
	daemon/sip.h \
	daemon/staff.c \
	daemon/staff.h \
	daemon/stats.c \
	daemon/stats.h \
	daemon/stats_conns.c \
	daemon/stats_detail.c \
	daemon/stats_settings.c \
	daemon/strangers.c \
	daemon/strangers.h \
	daemon/thread.c \
	daemon/thread.h \
	daemon/tls.h \
	daemon/transport.c \
	daemon/transport.h \
	daemon/turn.c \
	daemon/turn.h \
	daemon/upload.c \
	daemon/upload.h \
	daemon/users.c \
	daemon/users.h \
	daemon/vault.c \
	daemon/vault.h \
	daemon/watchdog.c \
	daemon/watchdog.h \
	daemon/worker.c \
	daemon/worker.h

# Who tells the service manager: chosen here, never by #ifdef.
if SYSTEMD
daemon_libdaemon_a_SOURCES += daemon/notify_systemd.c
else
daemon_libdaemon_a_SOURCES += daemon/notify_none.c
endif

# The same for TLS.
if TLS
daemon_libdaemon_a_SOURCES += daemon/tls.c daemon/tls_context.h daemon/transport_tls.c
else
daemon_libdaemon_a_SOURCES += daemon/tls_none.c
endif

# Likewise, what malloc keeps.
if MALLOC_TRIM
daemon_libdaemon_a_SOURCES += daemon/heap_glibc.c
else
daemon_libdaemon_a_SOURCES += daemon/heap_none.c
endif

sbin_PROGRAMS += daemon/kvcached
daemon_kvcached_CFLAGS = $(AM_CFLAGS) $(LIBEVENT_CFLAGS)
daemon_kvcached_SOURCES = daemon/main.c
daemon_kvcached_LDADD = daemon/libdaemon.a daemon/store/libstore.a conf/libconf.a \
	protocol/libprotocol.a $(LIBEVENT_LIBS) $(LIBCONFIG_LIBS) $(LIBCRYPT_LIBS) $(LIBSYSTEMD_LIBS) \
	$(OPENSSL_LIBS)
