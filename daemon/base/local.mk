# daemon/base/local.mk - what every room above uses: log, clocks, threads, counters.

noinst_LIBRARIES += daemon/base/libbase.a
daemon_base_libbase_a_SOURCES = \
	daemon/base/clock.c \
	daemon/base/clock.h \
	daemon/base/close_reasons.def \
	daemon/base/cluster_desk.h \
	daemon/base/conf_in_use.c \
	daemon/base/conf_in_use.h \
	daemon/base/families.def \
	daemon/base/figures.def \
	daemon/base/heartbeat.c \
	daemon/base/heartbeat.h \
	daemon/base/histogram.c \
	daemon/base/histogram.h \
	daemon/base/instance.h \
	daemon/base/log.c \
	daemon/base/log.h \
	daemon/base/log_ring.c \
	daemon/base/log_ring.h \
	daemon/base/log_target.c \
	daemon/base/log_target.h \
	daemon/base/log_writer.c \
	daemon/base/log_writer.h \
	daemon/base/metrics.c \
	daemon/base/metrics.def \
	daemon/base/metrics.h \
	daemon/base/path_advice.c \
	daemon/base/path_advice.h \
	daemon/base/pool.c \
	daemon/base/pool.h \
	daemon/base/safe_open.c \
	daemon/base/safe_open.h \
	daemon/base/sha1.c \
	daemon/base/sha1.h \
	daemon/base/siphash.c \
	daemon/base/siphash.h \
	daemon/base/thread.c \
	daemon/base/thread.h \
	daemon/base/wakeup.c \
	daemon/base/wakeup.h
