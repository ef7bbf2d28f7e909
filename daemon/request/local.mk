# daemon/request/local.mk - from bytes to replies, without events.

noinst_LIBRARIES += daemon/request/librequest.a
daemon_request_librequest_a_SOURCES = \
	daemon/request/auth_command.c \
	daemon/request/authorize.c \
	daemon/request/authorize.h \
	daemon/request/batch.c \
	daemon/request/batch.h \
	daemon/request/command.c \
	daemon/request/command.h \
	daemon/request/dispatch.c \
	daemon/request/dispatch.h \
	daemon/request/each_key.c \
	daemon/request/each_key.h \
	daemon/request/flush.c \
	daemon/request/get.c \
	daemon/request/list.c \
	daemon/request/memory_limit.c \
	daemon/request/metadump.c \
	daemon/request/namespace_walk.c \
	daemon/request/namespace_walk.h \
	daemon/request/pipeline.c \
	daemon/request/pipeline.h \
	daemon/request/recv_buffer.c \
	daemon/request/recv_buffer.h \
	daemon/request/reload_command.c \
	daemon/request/reload_request.c \
	daemon/request/reload_request.h \
	daemon/request/reply_queue.c \
	daemon/request/reply_queue.h \
	daemon/request/set.c \
	daemon/request/settings.c \
	daemon/request/stats.c \
	daemon/request/stats_conns.c \
	daemon/request/stats_detail.c \
	daemon/request/stats_lines.c \
	daemon/request/stats_lines.h \
	daemon/request/stats_settings.c \
	daemon/request/survey.c \
	daemon/request/survey.h \
	daemon/request/upload.c \
	daemon/request/upload.h \
	daemon/request/verbs.h \
	daemon/request/workspace.h
