# tests/conf/local.mk - tests of kvcached.conf.

check_LIBRARIES += tests/conf/libfixtures.a
tests_conf_libfixtures_a_SOURCES = \
	tests/conf/expect.c \
	tests/conf/expect.h

conf_tests = \
	tests/conf/check_bare \
	tests/conf/check_changes \
	tests/conf/check_files \
	tests/conf/check_listen \
	tests/conf/check_machine \
	tests/conf/check_options \
	tests/conf/check_show \
	tests/conf/check_table \
	tests/conf/check_units \
	tests/conf/check_unknown \
	tests/conf/check_users

tests_conf_check_bare_LDADD = $(conf_test_libs)
tests_conf_check_changes_LDADD = $(conf_test_libs)
tests_conf_check_files_LDADD = $(conf_test_libs)
tests_conf_check_listen_LDADD = $(conf_test_libs)
tests_conf_check_machine_LDADD = $(conf_test_libs)
tests_conf_check_options_LDADD = $(conf_test_libs)
tests_conf_check_show_LDADD = $(conf_test_libs)
tests_conf_check_table_LDADD = $(conf_test_libs)
tests_conf_check_units_LDADD = $(conf_test_libs)
tests_conf_check_unknown_LDADD = $(conf_test_libs)
tests_conf_check_users_LDADD = $(conf_test_libs) protocol/libprotocol.a
