# daemon/local.mk - a library for each room, and the libraries that it may use, so that an
# include that points upwards does not link. Where a feature may be missing, a file ending in
# _none takes the place of the other: chosen in the room's local.mk, never by #ifdef.

base_libs = daemon/base/libbase.a $(LIBEVENT_LIBS)
os_libs = daemon/os/libos.a $(base_libs) $(LIBSYSTEMD_LIBS)
conf_libs = conf/libconf.a $(LIBCONFIG_LIBS) $(LIBCRYPT_LIBS)
net_libs = daemon/net/libnet.a $(os_libs) $(conf_libs) protocol/libprotocol.a $(OPENSSL_LIBS)
watch_libs = daemon/watch/libwatch.a $(store_libs) $(base_libs) protocol/libprotocol.a
maintenance_libs = daemon/maintenance/libmaintenance.a $(watch_libs) $(os_libs)
secret_libs = daemon/secret/libsecret.a protocol/libprotocol.a $(LIBCRYPT_LIBS)
auth_libs = daemon/auth/libauth.a daemon/secret/libsecret.a $(net_libs)
cluster_libs = daemon/cluster/libcluster.a $(net_libs) $(HIREDIS_LIBS)
request_libs = daemon/request/librequest.a daemon/cluster/libcluster.a $(auth_libs) \
	$(maintenance_libs) $(HIREDIS_LIBS)
conn_libs = daemon/conn/libconn.a $(request_libs)
http_libs = daemon/http/libhttp.a $(auth_libs) $(watch_libs) $(HTTP_LIBS)
server_libs = daemon/server/libserver.a daemon/http/libhttp.a $(conn_libs) $(HTTP_LIBS)

include daemon/server/local.mk
include daemon/conn/local.mk
include daemon/http/local.mk
include daemon/request/local.mk
include daemon/cluster/local.mk
include daemon/auth/local.mk
include daemon/secret/local.mk
include daemon/net/local.mk
include daemon/watch/local.mk
include daemon/maintenance/local.mk
include daemon/os/local.mk
include daemon/base/local.mk

sbin_PROGRAMS += daemon/kvcached
daemon_kvcached_SOURCES = daemon/main.c
if THREAD_SANITIZER
daemon_kvcached_SOURCES += daemon/thread_sanitizer.c
endif
daemon_kvcached_CPPFLAGS = $(AM_CPPFLAGS) -DKVCACHED_CONF='"$(sysconfdir)/kvcached.conf"'
daemon_kvcached_LDADD = $(server_libs)
