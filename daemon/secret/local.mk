# daemon/secret/local.mk - secrets as they are asked for and kept; kvcached-cli links it too.

noinst_LIBRARIES += daemon/secret/libsecret.a
daemon_secret_libsecret_a_SOURCES = \
	daemon/secret/secret.c \
	daemon/secret/secret.h \
	daemon/secret/secret_prompt.c \
	daemon/secret/secret_prompt.h
