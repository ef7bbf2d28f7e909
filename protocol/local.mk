# protocol/local.mk - bytes to requests, replies to bytes. Needs libc only.

noinst_LIBRARIES += protocol/libprotocol.a

protocol_libprotocol_a_SOURCES = \
	protocol/base64.c \
	protocol/base64.h \
	protocol/bytes.h \
	protocol/digits.c \
	protocol/digits.h \
	protocol/edit_distance.h \
	protocol/escape.h \
	protocol/foreign.c \
	protocol/foreign.h \
	protocol/frame.h \
	protocol/frame_keys.c \
	protocol/frame_parse.c \
	protocol/glob.c \
	protocol/glob.h \
	protocol/inspect.c \
	protocol/inspect.h \
	protocol/logfmt.c \
	protocol/logfmt.h \
	protocol/memcache.def \
	protocol/memcache.h \
	protocol/memcache_admin.c \
	protocol/memcache_dump.c \
	protocol/memcache_frame.c \
	protocol/memcache_inspect.c \
	protocol/memcache_line.c \
	protocol/memcache_reply.c \
	protocol/memcache_word.c \
	protocol/meta_line.c \
	protocol/meta_reply.c \
	protocol/native.h \
	protocol/native_frame.c \
	protocol/native_help.c \
	protocol/native_inspect.c \
	protocol/native_inspect_line.c \
	protocol/native_line.c \
	protocol/native_reply.c \
	protocol/native_unknown.c \
	protocol/native_value.c \
	protocol/protocol.h \
	protocol/protocol_find.c \
	protocol/reply.h \
	protocol/request.h \
	protocol/slice.h \
	protocol/token.c \
	protocol/token.h \
	protocol/verbs.def
