# daemon/store/arena/local.mk - memory, and the file that it may lie in.

noinst_LIBRARIES += daemon/store/arena/libarena.a
daemon_store_arena_libarena_a_SOURCES = \
	daemon/store/arena/arena.c \
	daemon/store/arena/arena.h \
	daemon/store/arena/arena_shape.c \
	daemon/store/arena/arena_shape.h \
	daemon/store/arena/budget.h \
	daemon/store/arena/checksum.c \
	daemon/store/arena/checksum.h \
	daemon/store/arena/file.c \
	daemon/store/arena/file.h \
	daemon/store/arena/file_clock.c \
	daemon/store/arena/file_clock.h \
	daemon/store/arena/file_namespace.c \
	daemon/store/arena/file_namespace.h \
	daemon/store/arena/file_open.c \
	daemon/store/arena/file_segment.c \
	daemon/store/arena/file_segment.h \
	daemon/store/arena/layout.h \
	daemon/store/arena/lock.h \
	daemon/store/arena/pages.h \
	daemon/store/arena/race_window.c \
	daemon/store/arena/race_window.h

# The only unit of a room below that the store needs: in both libraries, so that tests of the
# store link nothing else of that room.
daemon_store_arena_libarena_a_SOURCES += daemon/base/siphash.c daemon/base/siphash.h
