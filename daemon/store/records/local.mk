# daemon/store/records/local.mk - records, segments, generations, namespaces.

noinst_LIBRARIES += daemon/store/records/librecords.a
daemon_store_records_librecords_a_SOURCES = \
	daemon/store/records/age.c \
	daemon/store/records/age.h \
	daemon/store/records/age_segment.c \
	daemon/store/records/age_segment.h \
	daemon/store/records/append.c \
	daemon/store/records/append.h \
	daemon/store/records/backlog.c \
	daemon/store/records/backlog.h \
	daemon/store/records/creators.c \
	daemon/store/records/creators.h \
	daemon/store/records/cursors.h \
	daemon/store/records/cursors_revisit.c \
	daemon/store/records/cursors_revisit.h \
	daemon/store/records/declared.c \
	daemon/store/records/declared.h \
	daemon/store/records/evict_state.h \
	daemon/store/records/expire.c \
	daemon/store/records/expire.h \
	daemon/store/records/fit.c \
	daemon/store/records/fit.h \
	daemon/store/records/flush.c \
	daemon/store/records/flush.h \
	daemon/store/records/generation.h \
	daemon/store/records/generation_segments.c \
	daemon/store/records/generation_segments.h \
	daemon/store/records/ghost.c \
	daemon/store/records/ghost.h \
	daemon/store/records/lookup.c \
	daemon/store/records/lookup.h \
	daemon/store/records/namespace.c \
	daemon/store/records/namespace.h \
	daemon/store/records/record.c \
	daemon/store/records/record.h \
	daemon/store/records/revisits.c \
	daemon/store/records/revisits.h \
	daemon/store/records/segment.c \
	daemon/store/records/segment.h \
	daemon/store/records/segment_numbers.c \
	daemon/store/records/segment_numbers.h \
	daemon/store/records/share.h \
	daemon/store/records/share_limits.c \
	daemon/store/records/share_limits.h \
	daemon/store/records/span.c \
	daemon/store/records/span.h \
	daemon/store/records/state.h \
	daemon/store/records/thread.c \
	daemon/store/records/thread.h \
	daemon/store/records/thread_list.c \
	daemon/store/records/ttl.h \
	daemon/store/records/view.c \
	daemon/store/records/view.h \
	daemon/store/records/write_txn.c \
	daemon/store/records/write_txn.h
