# tests/protocol/local.mk - tests of the two protocols.

check_LIBRARIES += tests/protocol/libfixtures.a
tests_protocol_libfixtures_a_SOURCES = \
	tests/protocol/native_fixture.c \
	tests/protocol/native_fixture.h \
	tests/protocol/transcript.c \
	tests/protocol/transcript.h \
	tests/protocol/glob_model.c \
	tests/protocol/glob_model.h

protocol_tests = \
	tests/protocol/check_foreign \
	tests/protocol/check_glob \
	tests/protocol/check_memcache \
	tests/protocol/check_memcache_admin \
	tests/protocol/check_native \
	tests/protocol/check_native_sizes \
	tests/protocol/check_reply \
	tests/protocol/check_token \
	tests/protocol/check_window

tests_protocol_check_foreign_LDADD = $(protocol_test_libs)
tests_protocol_check_glob_LDADD = $(protocol_test_libs)
tests_protocol_check_memcache_LDADD = $(protocol_test_libs)
tests_protocol_check_memcache_admin_LDADD = $(protocol_test_libs)
tests_protocol_check_native_sizes_LDADD = $(protocol_test_libs)
tests_protocol_check_native_LDADD = $(protocol_test_libs)
tests_protocol_check_reply_LDADD = $(protocol_test_libs)
tests_protocol_check_token_LDADD = $(protocol_test_libs)
tests_protocol_check_window_LDADD = $(protocol_test_libs)
