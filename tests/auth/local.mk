# tests/auth/local.mk - tests of users and logins.

check_LIBRARIES += tests/auth/libfixtures.a
tests_auth_libfixtures_a_SOURCES = \
	tests/auth/users_fixture.c \
	tests/auth/users_fixture.h \
	tests/auth/logins_fixture.c \
	tests/auth/logins_fixture.h \
	tests/auth/queue_fixture.c \
	tests/auth/queue_fixture.h

auth_tests = \
	tests/auth/check_authenticator \
	tests/auth/check_authenticator_order \
	tests/auth/check_login_queue \
	tests/auth/check_login_queue_limits \
	tests/auth/check_users \
	tests/auth/threads_authenticator

tests_auth_check_authenticator_LDADD = $(auth_test_libs)
tests_auth_check_authenticator_order_LDADD = $(auth_test_libs)
tests_auth_check_login_queue_LDADD = $(auth_test_libs)
tests_auth_check_login_queue_limits_LDADD = $(auth_test_libs)
tests_auth_check_users_LDADD = $(auth_test_libs)
tests_auth_threads_authenticator_LDADD = $(auth_test_libs)
