# daemon/store/access/local.mk - the calls of store.h that read and write records.

daemon_store_libstore_a_SOURCES += \
	daemon/store/access/cursor.c \
	daemon/store/access/cursor.h \
	daemon/store/access/cursor_owed.c \
	daemon/store/access/cursor_state.h \
	daemon/store/access/incr.c \
	daemon/store/access/inspect.c \
	daemon/store/access/large_append.c \
	daemon/store/access/large_write.c \
	daemon/store/access/large_write.h \
	daemon/store/access/modify.c \
	daemon/store/access/modify.h \
	daemon/store/access/put.c \
	daemon/store/access/read.c \
	daemon/store/access/revisits.c \
	daemon/store/access/revisits.h \
	daemon/store/access/store_stats.c \
	daemon/store/access/write_stats.c \
	daemon/store/access/write_stats.h \
	daemon/store/access/write_txn.c \
	daemon/store/access/write_txn.h
