# daemon/store/local.mk - the records: index, segments, namespaces. Knows nothing above it.

noinst_LIBRARIES += daemon/store/libstore.a
daemon_store_libstore_a_SOURCES = \
	daemon/store/store.h \
	daemon/store/store_policy.h \
	daemon/store/store_status.h
include daemon/store/lifecycle/local.mk
include daemon/store/access/local.mk
include daemon/store/reclaim/local.mk
include daemon/store/records/local.mk
include daemon/store/index/local.mk
include daemon/store/arena/local.mk
