# daemon/maintenance/local.mk - the housekeeper thread.

noinst_LIBRARIES += daemon/maintenance/libmaintenance.a
daemon_maintenance_libmaintenance_a_SOURCES = \
	daemon/maintenance/arena_watch.c \
	daemon/maintenance/arena_watch.h \
	daemon/maintenance/eviction_watch.c \
	daemon/maintenance/eviction_watch.h \
	daemon/maintenance/housekeeper.c \
	daemon/maintenance/housekeeper.h \
	daemon/maintenance/malloc_trim.h

if MALLOC_TRIM
daemon_maintenance_libmaintenance_a_SOURCES += daemon/maintenance/malloc_trim_glibc.c
else
daemon_maintenance_libmaintenance_a_SOURCES += daemon/maintenance/malloc_trim_none.c
endif
