# conf/local.mk - the room's files. Links libconfig and libcrypt.

noinst_LIBRARIES += conf/libconf.a
conf_libconf_a_SOURCES = \
	conf/conf.h \
	conf/conf_bare.c \
	conf/conf_bare.h \
	conf/conf_check.c \
	conf/conf_check.h \
	conf/conf_check_cluster.c \
	conf/conf_check_cluster.h \
	conf/conf_check_listen.c \
	conf/conf_check_listen.h \
	conf/conf_check_paths.c \
	conf/conf_check_paths.h \
	conf/conf_check_users.c \
	conf/conf_check_users.h \
	conf/conf_diff.c \
	conf/conf_diff.h \
	conf/conf_file.c \
	conf/conf_file.h \
	conf/conf_group.c \
	conf/conf_group.h \
	conf/conf_listen.c \
	conf/conf_listen.h \
	conf/conf_load.c \
	conf/conf_machine.c \
	conf/conf_machine.h \
	conf/conf_node.c \
	conf/conf_node.h \
	conf/conf_option.c \
	conf/conf_option.h \
	conf/conf_origin.c \
	conf/conf_origin.h \
	conf/conf_pattern.c \
	conf/conf_pattern.h \
	conf/conf_render.c \
	conf/conf_render.h \
	conf/conf_report.c \
	conf/conf_report.h \
	conf/conf_scan.c \
	conf/conf_scan.h \
	conf/conf_secret.c \
	conf/conf_secret.h \
	conf/conf_setting.c \
	conf/conf_setting.h \
	conf/conf_show.c \
	conf/conf_show.h \
	conf/conf_strings.c \
	conf/conf_strings.h \
	conf/conf_text.c \
	conf/conf_text.h \
	conf/conf_units.c \
	conf/conf_units.h \
	conf/conf_unknown.c \
	conf/conf_unknown.h \
	conf/conf_value.c \
	conf/conf_value.h \
	conf/foreign.def \
	conf/options.def

# What is made from options.def. The results are kept with the sources, so that
# a build needs nothing for them; a test tells when they are out of date.

check_PROGRAMS += conf/conf-doc
conf_conf_doc_SOURCES = conf/conf-doc.c
conf_conf_doc_LDADD = conf/libconf.a

EXTRA_DIST += conf/kvcached.conf.5.in

.PHONY: conf-documents
conf-documents: conf/conf-doc
	conf/conf-doc sample >$(srcdir)/conf/kvcached.conf.new
	mv $(srcdir)/conf/kvcached.conf.new $(srcdir)/conf/kvcached.conf
	conf/conf-doc page $(srcdir)/conf/kvcached.conf.5.in >$(srcdir)/conf/kvcached.conf.5.new
	mv $(srcdir)/conf/kvcached.conf.5.new $(srcdir)/conf/kvcached.conf.5
