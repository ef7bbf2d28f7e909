# daemon/os/local.mk - the process and the system that it runs on.

noinst_LIBRARIES += daemon/os/libos.a
daemon_os_libos_a_SOURCES = \
	daemon/os/cleanup.c \
	daemon/os/cleanup.h \
	daemon/os/daemonize.c \
	daemon/os/daemonize.h \
	daemon/os/event_errors.c \
	daemon/os/event_errors.h \
	daemon/os/fd_limit.c \
	daemon/os/fd_limit.h \
	daemon/os/hardening.c \
	daemon/os/hardening.h \
	daemon/os/pidfile.c \
	daemon/os/pidfile.h \
	daemon/os/privilege.c \
	daemon/os/privilege.h \
	daemon/os/service_manager.h \
	daemon/os/signals.c \
	daemon/os/signals.h

if SYSTEMD
daemon_os_libos_a_SOURCES += daemon/os/service_manager_systemd.c
else
daemon_os_libos_a_SOURCES += daemon/os/service_manager_none.c
endif
