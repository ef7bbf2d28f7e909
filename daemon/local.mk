# daemon/local.mk - the daemon: all of it but main in a library, so that tests
# can link it. Where a feature may be missing, a file ending in _none takes the place of
# the other: chosen here, never by #ifdef.

noinst_LIBRARIES += daemon/libdaemon.a
daemon_libdaemon_a_SOURCES =
include daemon/server/local.mk
include daemon/conn/local.mk
include daemon/http/local.mk
include daemon/request/local.mk
include daemon/auth/local.mk
include daemon/net/local.mk
include daemon/maintenance/local.mk
include daemon/os/local.mk
include daemon/base/local.mk

sbin_PROGRAMS += daemon/kvcached
daemon_kvcached_SOURCES = daemon/main.c
daemon_kvcached_CPPFLAGS = $(AM_CPPFLAGS) -DKVCACHED_CONF='"$(sysconfdir)/kvcached.conf"'
daemon_kvcached_LDADD = daemon/libdaemon.a daemon/store/libstore.a conf/libconf.a \
	protocol/libprotocol.a $(HTTP_LIBS) $(LIBEVENT_LIBS) $(LIBCONFIG_LIBS) $(LIBCRYPT_LIBS) $(LIBSYSTEMD_LIBS) \
	$(OPENSSL_LIBS)
