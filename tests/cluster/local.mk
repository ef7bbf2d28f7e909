# tests/cluster/local.mk - tests of links, redirections and topology, against nodes in the test's
# own event loop.

check_LIBRARIES += tests/cluster/libfixtures.a
tests_cluster_libfixtures_a_SOURCES = \
	tests/cluster/cluster_fixture.c \
	tests/cluster/cluster_fixture.h \
	tests/cluster/scripted_node.c \
	tests/cluster/scripted_node.h

cluster_tests = \
	tests/cluster/check_ask \
	tests/cluster/check_broken \
	tests/cluster/check_redirect \
	tests/cluster/check_resp \
	tests/cluster/check_slot \
	tests/cluster/check_topology
if TLS
cluster_tests += tests/cluster/check_cluster_tls
endif

tests_cluster_check_ask_LDADD = $(cluster_test_libs)
tests_cluster_check_broken_LDADD = $(cluster_test_libs)
tests_cluster_check_cluster_tls_LDADD = tests/cluster/libfixtures.a $(net_fixtures) $(cluster_libs) \
	$(fixture_libs)
tests_cluster_check_redirect_LDADD = $(cluster_test_libs)
tests_cluster_check_resp_LDADD = $(cluster_test_libs)
tests_cluster_check_slot_LDADD = $(cluster_test_libs)
tests_cluster_check_topology_LDADD = $(cluster_test_libs)
