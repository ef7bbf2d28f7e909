# daemon/server/local.mk - start, reload and stop of the daemon.

noinst_LIBRARIES += daemon/server/libserver.a
daemon_server_libserver_a_SOURCES = \
	daemon/server/acceptor.c \
	daemon/server/acceptor.h \
	daemon/server/cluster_apply.c \
	daemon/server/cluster_apply.h \
	daemon/server/conf_apply.c \
	daemon/server/conf_apply.h \
	daemon/server/health.c \
	daemon/server/health.h \
	daemon/server/reload.c \
	daemon/server/reload.h \
	daemon/server/server.c \
	daemon/server/server.h \
	daemon/server/server_state.c \
	daemon/server/server_state.h \
	daemon/server/storage.c \
	daemon/server/storage.h \
	daemon/server/threads.c \
	daemon/server/threads.h \
	daemon/server/watchdog.c \
	daemon/server/watchdog.h
