# daemon/auth/local.mk - users, secrets and rights.

noinst_LIBRARIES += daemon/auth/libauth.a
daemon_auth_libauth_a_SOURCES = \
	daemon/auth/acl.c \
	daemon/auth/acl.h \
	daemon/auth/authenticator.c \
	daemon/auth/authenticator.h \
	daemon/auth/identity.c \
	daemon/auth/identity.h \
	daemon/auth/login.h \
	daemon/auth/login_queue.c \
	daemon/auth/login_queue.h \
	daemon/auth/users.c \
	daemon/auth/users.h \
	daemon/auth/wrong_secrets.c \
	daemon/auth/wrong_secrets.h
