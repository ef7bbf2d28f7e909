# scripts/local.mk - what drives the build and the benchmark.

EXTRA_DIST += scripts/bench scripts/bench.svg scripts/hardened scripts/layers \
              scripts/load/chart.py scripts/load/cluster_nodes.py scripts/load/report.py \
              scripts/load/scenario_abuse.py scripts/load/scenario_cluster.py scripts/load/scenario_cpu.py \
              scripts/load/scenario_fill.py \
              scripts/load/scenario_memory.py \
              scripts/load/scenario_namespaces.py scripts/load/scenario_observed.py scripts/load/scenario_restart.py \
              scripts/load/scenario_tail.py scripts/load/scenario_tls.py \
              scripts/load/scenarios.py scripts/load/servers.py \
              scripts/load/tools.py

# Packages, images and manifests, and how they are made.
EXTRA_DIST += scripts/package scripts/rootfs scripts/kubernetes/README \
              scripts/kubernetes/configmap.yaml scripts/kubernetes/kustomization.yaml \
              scripts/kubernetes/podmonitor.yaml scripts/kubernetes/secret.yaml \
              scripts/kubernetes/service.yaml scripts/kubernetes/statefulset.yaml \
              scripts/container/Containerfile scripts/container/Containerfile.dockerignore \
              scripts/container/README scripts/container/image scripts/container/oci.py \
              scripts/debian/apparmor/usr.sbin.kvcached scripts/debian/changelog \
              scripts/debian/clean scripts/debian/control scripts/debian/copyright \
              scripts/debian/kvcached-tools.README.Debian scripts/debian/kvcached-tools.install \
              scripts/debian/kvcached.README.Debian scripts/debian/kvcached.dirs \
              scripts/debian/kvcached.docs scripts/debian/kvcached.examples \
              scripts/debian/kvcached.install scripts/debian/kvcached.lintian-overrides \
              scripts/debian/kvcached-tools.lintian-overrides scripts/debian/kvcached.logrotate \
              scripts/debian/kvcached.manpages scripts/debian/kvcached.postinst \
              scripts/debian/libkvcached-dev.docs scripts/debian/libkvcached-dev.examples \
              scripts/debian/libkvcached-dev.install scripts/debian/libkvcached-dev.lintian-overrides \
              scripts/debian/libkvcached-dev.manpages scripts/debian/libkvcached0.install \
              scripts/debian/libkvcached0.lintian-overrides scripts/debian/libkvcached0.symbols \
              scripts/debian/not-installed \
              scripts/debian/kvcached.postrm scripts/debian/kvcached.prerm scripts/debian/rules \
              scripts/debian/source/format scripts/debian/tests/control \
              scripts/debian/tests/e2e scripts/debian/tests/units

# The benchmark's programs are built when it runs, not with everything else.
load_programs = scripts/load/loadgen scripts/load/probe scripts/load/floor
if TLS
load_programs += scripts/load/greet
endif
EXTRA_PROGRAMS += $(load_programs)
CLEANFILES += $(load_programs)

load_common = scripts/load/chance.c scripts/load/chance.h \
              scripts/load/dialect.c scripts/load/dialect.h \
              scripts/load/dialect_memcache.c scripts/load/dialect_native.c \
              scripts/load/dialect_redis.c \
              scripts/load/keyspace.c scripts/load/keyspace.h \
              scripts/load/link.c scripts/load/link.h scripts/load/link_tls.h \
              scripts/load/process.c scripts/load/process.h
if TLS
load_common += scripts/load/link_tls.c
else
load_common += scripts/load/link_tls_none.c
endif

scripts_load_loadgen_SOURCES = scripts/load/loadgen.c $(load_common) \
                               scripts/load/exchange.c scripts/load/exchange.h \
                               scripts/load/histogram.c scripts/load/histogram.h \
                               scripts/load/plan.c scripts/load/plan.h \
                               scripts/load/source.c scripts/load/source.h
scripts_load_loadgen_LDADD = $(OPENSSL_LIBS) -lm

scripts_load_probe_SOURCES = scripts/load/probe.c $(load_common)
scripts_load_probe_LDADD = $(OPENSSL_LIBS) -lm

scripts_load_greet_SOURCES = scripts/load/greet.c $(load_common)
scripts_load_greet_LDADD = $(OPENSSL_LIBS) -lm

scripts_load_floor_SOURCES = scripts/load/floor.c
scripts_load_floor_LDADD = $(LIBEVENT_LIBS)

EXTRA_DIST += scripts/load/scenario_instructions.py

# A daemon that is optimized with a profile: build/pgo/daemon/kvcached. Takes a few minutes.
EXTRA_DIST += scripts/pgo scripts/load/train.py
.PHONY: pgo
pgo:
	$(srcdir)/scripts/pgo

# Takes some minutes, and a machine that does nothing else.
.PHONY: bench
bench: daemon/kvcached $(load_programs)
	$(PYTHON3) $(srcdir)/scripts/bench --kvcached=daemon/kvcached --tools=scripts/load \
	    --csv=bench.csv --svg=bench.svg $(BENCH_FLAGS)
