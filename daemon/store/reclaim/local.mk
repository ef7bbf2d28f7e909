# daemon/store/reclaim/local.mk - giving space back: expiry, compaction, eviction.

noinst_LIBRARIES += daemon/store/reclaim/libreclaim.a
daemon_store_reclaim_libreclaim_a_SOURCES = \
	daemon/store/reclaim/compact.c \
	daemon/store/reclaim/compact.h \
	daemon/store/reclaim/evict.c \
	daemon/store/reclaim/evict.h \
	daemon/store/reclaim/evict_frame.c \
	daemon/store/reclaim/evict_frame.h \
	daemon/store/reclaim/evict_namespace.c \
	daemon/store/reclaim/evict_namespace.h \
	daemon/store/reclaim/evict_segment.c \
	daemon/store/reclaim/evict_segment.h \
	daemon/store/reclaim/housekeep.c \
	daemon/store/reclaim/housekeep.h \
	daemon/store/reclaim/purge.c \
	daemon/store/reclaim/purge.h \
	daemon/store/reclaim/reclaim.c \
	daemon/store/reclaim/reclaim.h \
	daemon/store/reclaim/relocate.c \
	daemon/store/reclaim/relocate.h \
	daemon/store/reclaim/shrink.c \
	daemon/store/reclaim/shrink.h \
	daemon/store/reclaim/span_move.c \
	daemon/store/reclaim/span_move.h \
	daemon/store/reclaim/victims.c \
	daemon/store/reclaim/victims.h \
	daemon/store/reclaim/visit.c \
	daemon/store/reclaim/visit.h
