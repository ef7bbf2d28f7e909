# tests/clients/c/local.mk - tests of libkvcached. check_daemon talks to daemons that
# scripts/clients/c/check has started.

kvc_tests = \
	tests/clients/c/check_broken \
	tests/clients/c/check_vectors

check_LIBRARIES += tests/clients/c/libfixtures.a
tests_clients_c_libfixtures_a_SOURCES = \
	tests/clients/c/calls.c \
	tests/clients/c/calls.h \
	tests/clients/c/scripted.c \
	tests/clients/c/scripted.h \
	tests/clients/c/text.c \
	tests/clients/c/text.h \
	tests/clients/c/vectors.c \
	tests/clients/c/vectors.h

kvc_test_libs = tests/clients/c/libfixtures.a $(kvc_libs) $(fixture_libs)
tests_clients_c_check_broken_LDADD = $(kvc_test_libs)
tests_clients_c_check_vectors_LDADD = $(kvc_test_libs)

if HAVE_CHECK
check_PROGRAMS += tests/clients/c/check_daemon
endif
tests_clients_c_check_daemon_SOURCES = tests/clients/c/check_daemon.c
tests_clients_c_check_daemon_LDADD = $(kvc_test_libs)
