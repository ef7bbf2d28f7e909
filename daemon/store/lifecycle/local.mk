# daemon/store/lifecycle/local.mk - how a store begins, changes its settings, and ends.

noinst_LIBRARIES += daemon/store/lifecycle/liblifecycle.a
daemon_store_lifecycle_liblifecycle_a_SOURCES = \
	daemon/store/lifecycle/check.c \
	daemon/store/lifecycle/check_file.c \
	daemon/store/lifecycle/check_file.h \
	daemon/store/lifecycle/check_share.c \
	daemon/store/lifecycle/check_share.h \
	daemon/store/lifecycle/create.c \
	daemon/store/lifecycle/policy.c \
	daemon/store/lifecycle/recover.c \
	daemon/store/lifecycle/recover.h \
	daemon/store/lifecycle/recover_records.c \
	daemon/store/lifecycle/recover_records.h \
	daemon/store/lifecycle/recover_segments.c \
	daemon/store/lifecycle/recover_segments.h \
	daemon/store/lifecycle/recover_threads.c \
	daemon/store/lifecycle/recover_threads.h \
	daemon/store/lifecycle/recovery.h \
	daemon/store/lifecycle/resize.c
