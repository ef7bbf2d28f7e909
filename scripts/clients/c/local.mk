# scripts/clients/c/local.mk - libkvcached, the client in C. It takes slices and words of protocol/,
# and OpenSSL where that is there.

# What is in the library, and is linked once more without it into its tests and its fuzzer.
kvc_sources = \
	protocol/slice.h \
	protocol/token.c \
	protocol/token.h \
	scripts/clients/c/address.c \
	scripts/clients/c/append.c \
	scripts/clients/c/append.h \
	scripts/clients/c/buffer.c \
	scripts/clients/c/buffer.h \
	scripts/clients/c/call.c \
	scripts/clients/c/call.h \
	scripts/clients/c/clock.h \
	scripts/clients/c/connection.c \
	scripts/clients/c/connection.h \
	scripts/clients/c/expect.c \
	scripts/clients/c/expect.h \
	scripts/clients/c/handle.c \
	scripts/clients/c/handle.h \
	scripts/clients/c/kvcached.h \
	scripts/clients/c/link.c \
	scripts/clients/c/link.h \
	scripts/clients/c/link_tls.h \
	scripts/clients/c/listing.c \
	scripts/clients/c/many.c \
	scripts/clients/c/parse.c \
	scripts/clients/c/parse.h \
	scripts/clients/c/pool.c \
	scripts/clients/c/settings.c \
	scripts/clients/c/settings.h \
	scripts/clients/c/stream.c \
	scripts/clients/c/stream.h \
	scripts/clients/c/transfer.c \
	scripts/clients/c/transfer.h
if TLS
kvc_sources += scripts/clients/c/link_tls.c
else
kvc_sources += scripts/clients/c/link_tls_none.c
endif

include_HEADERS = scripts/clients/c/kvcached.h
lib_LTLIBRARIES = scripts/clients/c/libkvcached.la
scripts_clients_c_libkvcached_la_SOURCES = $(kvc_sources)
scripts_clients_c_libkvcached_la_CFLAGS = -std=gnu11 -pthread $(WARNING_CFLAGS) \
	$(TUNING_CFLAGS) $(HARDENING_LIB_CFLAGS) $(SANITIZER_CFLAGS) $(OPENSSL_CFLAGS)
# current:revision:age. A release that changes code only raises revision; one that adds symbols
# raises current and age, and sets revision to 0; one that takes some away or changes them raises
# current, sets both others to 0, and so has another soname.
scripts_clients_c_libkvcached_la_LDFLAGS = -version-info 0:0:0 -no-undefined -pthread \
	-Wl,--version-script=$(srcdir)/scripts/clients/c/kvcached.map $(HARDENING_LIB_LDFLAGS) \
	$(SANITIZER_CFLAGS)
scripts_clients_c_libkvcached_la_LIBADD = $(OPENSSL_LIBS)
scripts_clients_c_libkvcached_la_DEPENDENCIES = scripts/clients/c/kvcached.map

check_LIBRARIES += scripts/clients/c/libkvc.a
scripts_clients_c_libkvc_a_SOURCES = $(kvc_sources)
kvc_libs = scripts/clients/c/libkvc.a $(OPENSSL_LIBS)

pkgconfigdir = $(libdir)/pkgconfig
nodist_pkgconfig_DATA = installed/kvcached.pc
CLEANFILES += $(nodist_pkgconfig_DATA)
installed/kvcached.pc: scripts/clients/c/kvcached.pc.in Makefile
	$(AM_V_GEN)$(MKDIR_P) installed
	$(AM_V_at)$(SED) -e 's|@prefix[@]|$(prefix)|' -e 's|@exec_prefix[@]|$(exec_prefix)|' \
		-e 's|@libdir[@]|$(libdir)|' -e 's|@includedir[@]|$(includedir)|' \
		-e 's|@VERSION[@]|$(VERSION)|' $(srcdir)/scripts/clients/c/kvcached.pc.in >$@.new
	$(AM_V_at)mv $@.new $@

nodist_man_MANS += installed/libkvcached.3
installed/libkvcached.3: scripts/clients/c/libkvcached.3 Makefile

EXTRA_DIST += scripts/clients/c/kvcached.map scripts/clients/c/kvcached.pc.in \
              scripts/clients/c/libkvcached.3 scripts/clients/c/README scripts/clients/c/example.c \
              scripts/clients/c/check
