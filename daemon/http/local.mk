# daemon/http/local.mk - HTTP listeners: figures, health and the live page.

noinst_LIBRARIES += daemon/http/libhttp.a
daemon_http_libhttp_a_SOURCES = \
	daemon/http/http.h \
	daemon/http/http_conns.h \
	daemon/http/http_exchange.h \
	daemon/http/http_figures.h \
	daemon/http/http_host.h \
	daemon/http/http_inspect.h \
	daemon/http/http_page.h \
	daemon/http/http_reply.h \
	daemon/http/http_scrape.h \
	daemon/http/http_site.h \
	daemon/http/http_text.h \
	daemon/http/http_tls.h

if HTTP
daemon_http_libhttp_a_SOURCES += \
	daemon/http/http.c \
	daemon/http/http_conns.c \
	daemon/http/http_exchange.c \
	daemon/http/http_figures.c \
	daemon/http/http_host.c \
	daemon/http/http_inspect.c \
	daemon/http/http_reply.c \
	daemon/http/http_scrape.c \
	daemon/http/http_text.c
nodist_daemon_http_libhttp_a_SOURCES = daemon/http/http_page.c
if TLS
daemon_http_libhttp_a_SOURCES += daemon/http/http_tls.c
else
daemon_http_libhttp_a_SOURCES += daemon/http/http_tls_none.c
endif
else
daemon_http_libhttp_a_SOURCES += daemon/http/http_none.c
endif

EXTRA_DIST += daemon/http/families-to-mdoc daemon/http/page-to-c daemon/http/page.html
CLEANFILES += daemon/http/http_page.c

daemon/http/http_page.c: daemon/http/page.html daemon/http/page-to-c
	$(AM_V_GEN)$(MKDIR_P) daemon/http
	$(AM_V_at)$(SHELL) $(srcdir)/daemon/http/page-to-c $(srcdir)/daemon/http/page.html >$@.new
	$(AM_V_at)mv $@.new $@
