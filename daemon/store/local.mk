# The records: index, segments, namespaces. Knows nothing above it.
noinst_LIBRARIES += daemon/store/libstore.a
daemon_store_libstore_a_SOURCES = \
	daemon/store/age.c daemon/store/age.h \
	daemon/store/append.c daemon/store/append.h \
	daemon/store/arena.c daemon/store/arena.h \
	daemon/store/budget.h \
	daemon/store/change.c daemon/store/change.h \
	daemon/store/check.c daemon/store/check.h daemon/store/check_file.c \
	daemon/store/check_share.c \
	daemon/store/compact.c \
	daemon/store/cull.c daemon/store/cull.h \
	daemon/store/cursor.c daemon/store/cursor.h daemon/store/cursor_owed.c \
	daemon/store/cursor_state.h \
	daemon/store/declare.c \
	daemon/store/declared.c daemon/store/declared.h \
	daemon/store/evict.c daemon/store/evict.h \
	daemon/store/evict_own.c \
	daemon/store/expire.c daemon/store/expire.h \
	daemon/store/figures.c \
	daemon/store/file.c daemon/store/file.h \
	daemon/store/file_life.c \
	daemon/store/file_open.c \
	daemon/store/flush.c \
	daemon/store/fit.c daemon/store/fit.h daemon/store/frame.c daemon/store/frame.h \
	daemon/store/generation.c \
	daemon/store/ghost.c daemon/store/ghost.h \
	daemon/store/hash.c daemon/store/hash.h \
	daemon/store/index.c daemon/store/index.h \
	daemon/store/index_pool.c daemon/store/index_pool.h \
	daemon/store/index_resize.c \
	daemon/store/join.c \
	daemon/store/label.c daemon/store/label.h \
	daemon/store/lane.c daemon/store/lane.h \
	daemon/store/layout.h \
	daemon/store/lock.h \
	daemon/store/look.c \
	daemon/store/lookup.c daemon/store/lookup.h \
	daemon/store/makers.c daemon/store/makers.h \
	daemon/store/namespace.c daemon/store/namespace.h \
	daemon/store/number.c \
	daemon/store/owed.c daemon/store/owed.h \
	daemon/store/purge.c \
	daemon/store/read.c \
	daemon/store/reclaim.c \
	daemon/store/record.c daemon/store/record.h \
	daemon/store/recover.c daemon/store/recover.h \
	daemon/store/recover_crew.c \
	daemon/store/recover_label.c \
	daemon/store/recover_segment.c \
	daemon/store/relocate.c \
	daemon/store/reserve.h \
	daemon/store/resize.c daemon/store/resize.h \
	daemon/store/rewrite.c daemon/store/rewrite.h \
	daemon/store/roll.c daemon/store/roll.h \
	daemon/store/seal.c daemon/store/seal.h \
	daemon/store/segment.c daemon/store/segment.h \
	daemon/store/share.c daemon/store/share.h \
	daemon/store/shelf.c daemon/store/shelf.h \
	daemon/store/span.c daemon/store/span.h \
	daemon/store/span_move.c \
	daemon/store/state.h \
	daemon/store/store.c daemon/store/store.h \
	daemon/store/stream.c daemon/store/stream.h \
	daemon/store/tally.c daemon/store/tally.h \
	daemon/store/ttl.h \
	daemon/store/upkeep.c daemon/store/upkeep.h \
	daemon/store/victims.c daemon/store/victims.h \
	daemon/store/visit.c daemon/store/visit.h \
	daemon/store/window.c daemon/store/window.h \
	daemon/store/work.c daemon/store/work.h \
	daemon/store/write.c
