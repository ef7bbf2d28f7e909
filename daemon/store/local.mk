# daemon/store/local.mk - the records: a library for each room, and what it may use. Nothing
# above daemon/base is linked.

noinst_HEADERS += daemon/store/store.h daemon/store/store_evicted.h daemon/store/store_policy.h \
	daemon/store/store_stats.h daemon/store/store_status.h

arena_libs = daemon/store/arena/libarena.a $(base_libs)
index_libs = daemon/store/index/libindex.a $(arena_libs)
records_libs = daemon/store/records/librecords.a $(index_libs)
reclaim_libs = daemon/store/reclaim/libreclaim.a $(records_libs)
access_libs = daemon/store/access/libaccess.a $(reclaim_libs)
store_libs = daemon/store/lifecycle/liblifecycle.a $(access_libs)

include daemon/store/lifecycle/local.mk
include daemon/store/access/local.mk
include daemon/store/reclaim/local.mk
include daemon/store/records/local.mk
include daemon/store/index/local.mk
include daemon/store/arena/local.mk
