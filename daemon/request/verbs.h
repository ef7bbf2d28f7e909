/*
 * verbs.h - the functions that carry out verbs. For dispatch.c, and for the files that hold them.
 *
 * A function here knows what a request means, and answers what became of it. How that is written
 * is the protocol's affair, where records are is the store's.
 */
#ifndef KVCACHED_DAEMON_REQUEST_VERBS_H
#define KVCACHED_DAEMON_REQUEST_VERBS_H

#include "daemon/request/command.h"

/* Carries out a command, or goes on with it where it has begun. Its key, if it has one, is
 * located. */
typedef enum outcome verb_function(struct command_context *ctx, struct command *cmd);

/* Frees what a command that has begun holds. It has not begun any more. */
typedef void verb_abandon(struct command *cmd);

/* get.c */
verb_function verb_get, verb_look, verb_ttl;

/* set.c */
verb_function verb_put, verb_append, verb_delete, verb_make_stale, verb_empty, verb_touch,
    verb_add_number;
verb_abandon verb_abandon_append;

/* list.c */
verb_function verb_list, verb_namespaces;
verb_abandon verb_abandon_list;

/* flush.c */
verb_function verb_flush;

/* metadump.c */
verb_function verb_metadump;
verb_abandon verb_abandon_metadump;

/* reload_command.c */
verb_function verb_reload;
verb_abandon verb_abandon_reload;

/* settings.c */
verb_function verb_settings;
verb_abandon verb_abandon_settings;

/* memory_limit.c */
verb_function verb_memory_limit;

/* auth_command.c */
verb_function verb_auth;

/* slow_command.c, watch_command.c, clients_command.c */
verb_function verb_slow, verb_watch, verb_clients, verb_kill;

/* stats.c; and its topics in stats_detail.c and stats_settings.c */
verb_function verb_stats;
verb_function stats_detail, stats_settings;

#endif
