# daemon/conn/local.mk - a worker thread and its connections.

noinst_LIBRARIES += daemon/conn/libconn.a
daemon_conn_libconn_a_SOURCES = \
	daemon/conn/clients.c \
	daemon/conn/clients.h \
	daemon/conn/conn.c \
	daemon/conn/conn.h \
	daemon/conn/conn_io.c \
	daemon/conn/conn_io.h \
	daemon/conn/conn_memory.c \
	daemon/conn/conn_memory.h \
	daemon/conn/conn_state.h \
	daemon/conn/connections.c \
	daemon/conn/connections.h \
	daemon/conn/loop.c \
	daemon/conn/loop.h \
	daemon/conn/pressure.c \
	daemon/conn/pressure.h \
	daemon/conn/run_queue.c \
	daemon/conn/run_queue.h \
	daemon/conn/scheduler.c \
	daemon/conn/scheduler.h \
	daemon/conn/settings.h \
	daemon/conn/timeouts.c \
	daemon/conn/timeouts.h \
	daemon/conn/worker.c \
	daemon/conn/worker.h
