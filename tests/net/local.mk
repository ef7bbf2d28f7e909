# tests/net/local.mk - tests of listeners and transports.

if TLS
check_LIBRARIES += tests/net/libfixtures.a
tests_net_libfixtures_a_SOURCES = \
	tests/net/certificates.c \
	tests/net/certificates.h \
	tests/net/tls_client.c \
	tests/net/tls_client.h \
	tests/net/tls_pair.c \
	tests/net/tls_pair.h
net_fixtures = tests/net/libfixtures.a
endif

net_tests = \
	tests/net/check_listener \
	tests/net/check_listeners \
	tests/net/check_peer
if TLS
net_tests += tests/net/check_tls
endif
if TLS
net_tests += tests/net/check_transport_tls
endif

tests_net_check_listener_LDADD = $(net_test_libs)
tests_net_check_listeners_LDADD = $(net_test_libs)
tests_net_check_peer_LDADD = $(net_test_libs)
tests_net_check_tls_LDADD = $(net_test_libs)
tests_net_check_transport_tls_LDADD = $(net_test_libs)
