# daemon/store/access/local.mk - the calls of store.h that read and write records.

noinst_LIBRARIES += daemon/store/access/libaccess.a
daemon_store_access_libaccess_a_SOURCES = \
	daemon/store/access/cursor.c \
	daemon/store/access/cursor_second.c \
	daemon/store/access/cursor_second.h \
	daemon/store/access/cursor_visit.c \
	daemon/store/access/cursor_visit.h \
	daemon/store/access/incr.c \
	daemon/store/access/inspect.c \
	daemon/store/access/large_append.c \
	daemon/store/access/large_append.h \
	daemon/store/access/large_write.c \
	daemon/store/access/large_write.h \
	daemon/store/access/modify.c \
	daemon/store/access/modify.h \
	daemon/store/access/put.c \
	daemon/store/access/read.c \
	daemon/store/access/remote.c \
	daemon/store/access/store_stats.c \
	daemon/store/access/write_begin.c \
	daemon/store/access/write_begin.h \
	daemon/store/access/write_stats.c \
	daemon/store/access/write_stats.h
