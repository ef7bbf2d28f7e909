# scripts/cli/local.mk - kvcached-cli. It links libkvcached, conf, protocol and daemon/secret, and of
# the daemon nothing else. Its tests have the same in one piece, without a shared library.

if CLI
noinst_LIBRARIES += scripts/cli/libcli.a
bin_PROGRAMS += scripts/cli/kvcached-cli
endif

cli_cflags = $(AM_CFLAGS) $(LIBEDIT_CFLAGS) $(NCURSES_CFLAGS) $(JSONC_CFLAGS) \
	$(HIREDIS_CFLAGS)
cli_cppflags = $(AM_CPPFLAGS) -DKVCACHED_CONF='"$(sysconfdir)/kvcached.conf"'
cli_libs = scripts/cli/libcli.a $(conf_libs) $(secret_libs) $(LIBEDIT_LIBS) \
	$(NCURSES_LIBS) $(JSONC_LIBS) $(HIREDIS_LIBS)

scripts_cli_libcli_a_CFLAGS = $(cli_cflags)
scripts_cli_libcli_a_CPPFLAGS = $(cli_cppflags)
scripts_cli_libcli_a_SOURCES = \
	scripts/cli/bytes.c \
	scripts/cli/bytes.h \
	scripts/cli/candidates.c \
	scripts/cli/candidates.h \
	scripts/cli/client.c \
	scripts/cli/client.h \
	scripts/cli/clock.h \
	scripts/cli/columns.c \
	scripts/cli/columns.h \
	scripts/cli/command.c \
	scripts/cli/command.h \
	scripts/cli/command_list.def \
	scripts/cli/command_texts.c \
	scripts/cli/command_texts.h \
	scripts/cli/commands.c \
	scripts/cli/commands.h \
	scripts/cli/credentials.c \
	scripts/cli/credentials.h \
	scripts/cli/dump.c \
	scripts/cli/dump.h \
	scripts/cli/dump_command.c \
	scripts/cli/editor.c \
	scripts/cli/editor.h \
	scripts/cli/endpoint.c \
	scripts/cli/endpoint.h \
	scripts/cli/exchange.c \
	scripts/cli/exchange.h \
	scripts/cli/file_reader.c \
	scripts/cli/file_reader.h \
	scripts/cli/finder.c \
	scripts/cli/finder.h \
	scripts/cli/hash_secret.c \
	scripts/cli/help.c \
	scripts/cli/hint.c \
	scripts/cli/hint.h \
	scripts/cli/history.c \
	scripts/cli/history.h \
	scripts/cli/hot.c \
	scripts/cli/import.c \
	scripts/cli/input.c \
	scripts/cli/input.h \
	scripts/cli/interactive.c \
	scripts/cli/interactive.h \
	scripts/cli/interrupt.c \
	scripts/cli/interrupt.h \
	scripts/cli/json.c \
	scripts/cli/json.h \
	scripts/cli/line.c \
	scripts/cli/line.h \
	scripts/cli/loader.c \
	scripts/cli/loader.h \
	scripts/cli/message.c \
	scripts/cli/message.h \
	scripts/cli/options.c \
	scripts/cli/options.def \
	scripts/cli/options.h \
	scripts/cli/printer.c \
	scripts/cli/printer.h \
	scripts/cli/progress.c \
	scripts/cli/progress.h \
	scripts/cli/reply.c \
	scripts/cli/reply.h \
	scripts/cli/sample.c \
	scripts/cli/sample.h \
	scripts/cli/script.c \
	scripts/cli/script.h \
	scripts/cli/session.c \
	scripts/cli/session.h \
	scripts/cli/sketch.c \
	scripts/cli/sketch.h \
	scripts/cli/source.c \
	scripts/cli/source.h \
	scripts/cli/source_memcached.c \
	scripts/cli/source_redis.c \
	scripts/cli/status.h \
	scripts/cli/table.c \
	scripts/cli/table.h \
	scripts/cli/top.c \
	scripts/cli/usage.c \
	scripts/cli/usage.h \
	scripts/cli/utf8.c \
	scripts/cli/utf8.h \
	scripts/cli/verbs.c \
	scripts/cli/verbs.h \
	scripts/cli/words.c \
	scripts/cli/words.h
scripts_cli_kvcached_cli_CFLAGS = $(cli_cflags)
scripts_cli_kvcached_cli_CPPFLAGS = $(cli_cppflags)
scripts_cli_kvcached_cli_SOURCES = scripts/cli/main.c
scripts_cli_kvcached_cli_LDADD = $(cli_libs) scripts/clients/c/libkvcached.la
scripts_cli_kvcached_cli_LINK = $(libtool_link) $(LINK)

# What is made from the lists of options, commands and verbs. The results are kept with the sources,
# so that a build needs nothing for them; a test tells when they are out of date.

if CLI
check_PROGRAMS += scripts/cli/cli-doc
endif
scripts_cli_cli_doc_CPPFLAGS = $(cli_cppflags)
scripts_cli_cli_doc_SOURCES = scripts/cli/cli-doc.c
scripts_cli_cli_doc_LDADD = $(cli_libs) $(kvc_libs)

.PHONY: cli-documents
cli-documents: scripts/cli/cli-doc
	scripts/cli/cli-doc bash >$(srcdir)/scripts/cli/completion.bash.new
	mv $(srcdir)/scripts/cli/completion.bash.new $(srcdir)/scripts/cli/completion.bash
	scripts/cli/cli-doc zsh >$(srcdir)/scripts/cli/completion.zsh.new
	mv $(srcdir)/scripts/cli/completion.zsh.new $(srcdir)/scripts/cli/completion.zsh

EXTRA_DIST += scripts/cli/completion.bash scripts/cli/completion.zsh scripts/cli/kvcached-cli.1

# Shells look for completions by name.
if CLI
bashcompletiondir = $(datadir)/bash-completion/completions
nodist_bashcompletion_DATA = installed/bash/kvcached-cli
zshcompletiondir = $(datadir)/zsh/site-functions
nodist_zshcompletion_DATA = installed/zsh/_kvcached-cli
nodist_man_MANS += installed/kvcached-cli.1
CLEANFILES += $(nodist_bashcompletion_DATA) $(nodist_zshcompletion_DATA)
endif

installed/bash/kvcached-cli: scripts/cli/completion.bash Makefile
	$(AM_V_GEN)$(MKDIR_P) installed/bash
	$(AM_V_at)cp $(srcdir)/scripts/cli/completion.bash $@

installed/zsh/_kvcached-cli: scripts/cli/completion.zsh Makefile
	$(AM_V_GEN)$(MKDIR_P) installed/zsh
	$(AM_V_at)cp $(srcdir)/scripts/cli/completion.zsh $@

installed/kvcached-cli.1: scripts/cli/kvcached-cli.1 Makefile
