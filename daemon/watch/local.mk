# daemon/watch/local.mk - what is told about a running daemon, from thread to thread.

noinst_LIBRARIES += daemon/watch/libwatch.a
daemon_watch_libwatch_a_SOURCES = \
	daemon/watch/client_query.c \
	daemon/watch/client_query.h \
	daemon/watch/observe.c \
	daemon/watch/observe.h \
	daemon/watch/ring.c \
	daemon/watch/ring.h \
	daemon/watch/slow_log.c \
	daemon/watch/slow_log.h \
	daemon/watch/watch.c \
	daemon/watch/watch.h
