# tests/conn/local.mk - tests of a worker and its connections, over socket pairs.

check_LIBRARIES += tests/conn/libfixtures.a
tests_conn_libfixtures_a_SOURCES = \
	tests/conn/loop_fixture.c \
	tests/conn/loop_fixture.h

conn_tests = \
	tests/conn/check_pressure \
	tests/conn/check_scheduler \
	tests/conn/check_worker \
	tests/conn/check_worker_auth
if TLS
conn_tests += tests/conn/check_worker_tls
endif

tests_conn_check_pressure_LDADD = tests/conn/libfixtures.a $(conn_test_libs)
tests_conn_check_scheduler_LDADD = tests/conn/libfixtures.a $(conn_test_libs)
tests_conn_check_worker_LDADD = $(conn_test_libs)
tests_conn_check_worker_auth_LDADD = $(conn_test_libs)
tests_conn_check_worker_tls_LDADD = $(net_fixtures) $(conn_test_libs)
