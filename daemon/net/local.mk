# daemon/net/local.mk - listeners, transports, TLS.

noinst_LIBRARIES += daemon/net/libnet.a
daemon_net_libnet_a_SOURCES = \
	daemon/net/close_reason.c \
	daemon/net/close_reason.h \
	daemon/net/endpoint.h \
	daemon/net/handoff.c \
	daemon/net/handoff.h \
	daemon/net/handshaker.c \
	daemon/net/handshaker.h \
	daemon/net/listener.c \
	daemon/net/listener.h \
	daemon/net/listeners.c \
	daemon/net/listeners.h \
	daemon/net/peer.c \
	daemon/net/peer.h \
	daemon/net/tls.h \
	daemon/net/transport.c \
	daemon/net/transport.h

if TLS
daemon_net_libnet_a_SOURCES += daemon/net/tls.c daemon/net/tls_context.h daemon/net/transport_tls.c
else
daemon_net_libnet_a_SOURCES += daemon/net/tls_none.c
endif
