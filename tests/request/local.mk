# tests/request/local.mk - tests of from bytes to replies, without sockets.

check_LIBRARIES += tests/request/libfixtures.a
tests_request_libfixtures_a_SOURCES = \
	tests/request/fake_transport.c \
	tests/request/fake_transport.h \
	tests/request/workspace_fixture.c \
	tests/request/workspace_fixture.h

request_tests = \
	tests/request/check_pipeline \
	tests/request/check_pipeline_reload \
	tests/request/check_remote \
	tests/request/check_reply_queue \
	tests/request/check_survey

tests_request_check_pipeline_LDADD = $(request_test_libs)
tests_request_check_pipeline_reload_LDADD = tests/auth/libfixtures.a $(request_test_libs)
tests_request_check_remote_LDADD = $(request_test_libs)
tests_request_check_reply_queue_LDADD = $(request_test_libs)
tests_request_check_survey_LDADD = $(request_test_libs)
