# daemon/cluster/local.mk - questions to a Valkey or Redis Cluster.

noinst_LIBRARIES += daemon/cluster/libcluster.a
daemon_cluster_libcluster_a_SOURCES = \
	daemon/cluster/ask.c \
	daemon/cluster/cluster.h \
	daemon/cluster/link.h \
	daemon/cluster/link_dial.c \
	daemon/cluster/link_dial.h \
	daemon/cluster/link_io.c \
	daemon/cluster/link_io.h \
	daemon/cluster/link_state.h \
	daemon/cluster/links.c \
	daemon/cluster/question.c \
	daemon/cluster/question.h \
	daemon/cluster/reply.c \
	daemon/cluster/reply.h \
	daemon/cluster/resolver.c \
	daemon/cluster/resolver.h \
	daemon/cluster/resp.c \
	daemon/cluster/resp.h \
	daemon/cluster/script.c \
	daemon/cluster/script.h \
	daemon/cluster/slot.c \
	daemon/cluster/slots_reply.c \
	daemon/cluster/slots_reply.h \
	daemon/cluster/topology.c \
	daemon/cluster/topology.h \
	daemon/cluster/topology_refresh.c \
	daemon/cluster/topology_refresh.h \
	daemon/cluster/verdict.c \
	daemon/cluster/verdict.h
daemon_cluster_libcluster_a_CFLAGS = $(AM_CFLAGS) $(HIREDIS_CFLAGS)
