/*
 * conf_show.c - see conf_show.h.
 *
 * The table of options says what there is to show, so that a new option needs nothing here.
 */
#include "conf/conf_show.h"

#include <inttypes.h>
#include <string.h>

#include "conf/conf_diff.h"
#include "conf/conf_option.h"
#include "conf/conf_origin.h"
#include "conf/conf_render.h"

/* A list of groups, or a group. */
struct groups {
    enum conf_scope scope; /* SCOPE_TOP: the option is neither */
    size_t count;          /* 1 for a group */
    bool is_list;
};

static struct groups groups_of(const struct conf_option *option, const struct conf *conf)
{
    enum conf_scope scope = conf_option_members(option);
    switch (scope) {
    case SCOPE_LISTEN:
        return (struct groups){scope, conf->listen_count, true};
    case SCOPE_NAMESPACES:
        return (struct groups){scope, conf->namespace_count, true};
    case SCOPE_USERS:
        return (struct groups){scope, conf->user_count, true};
    case SCOPE_TOP:
        return (struct groups){scope, 0, false};
    default:
        return (struct groups){scope, 1, false};
    }
}

/* The struct of the group's scope. */
static const void *fields_of(enum conf_scope scope, const struct conf *conf, size_t group)
{
    switch (scope) {
    case SCOPE_LISTEN:
        return &conf->listen[group];
    case SCOPE_NAMESPACES:
        return &conf->namespaces[group];
    case SCOPE_USERS:
        return &conf->users[group];
    default:
        return conf;
    }
}

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether the option means anything for that listener; else it may not be given. */
static bool applies(const struct conf_option *option, const struct conf_listen *listen)
{
    static const char *const of_tcp[] = {"address", "port"};
    static const char *const of_unix[] = {"path", "owner", "mode"};
    static const char *const of_tls[] = {"tls_certificate", "tls_key", "tls_client_ca"};
    const char *name = option->name;
    if (is_one_of(name, of_tcp, 2)) {
        return listen->path == NULL;
    }
    if (is_one_of(name, of_unix, 3)) {
        return listen->path != NULL;
    }
    if (is_one_of(name, of_tls, 3)) {
        return listen->tls_certificate != NULL;
    }
    if (strcmp(name, "tls_client") == 0) {
        return listen->tls_client_ca != NULL;
    }
    if (strcmp(name, "open") == 0) {
        return strcmp(listen->protocol, "http") == 0;
    }
    return (strcmp(name, "namespace") != 0 && strcmp(name, "prefix") != 0) ||
           strcmp(listen->protocol, "memcache") == 0;
}

/* --- one option -------------------------------------------------------------------- */

/* An option that is to be shown. */
struct item {
    const struct conf_option *option;
    const struct conf *conf; /* whose value is in force */
    const void *fields;      /* of the option's scope, in `conf` */
    size_t group;
    bool in_list;
};

/* Whether a namespace has the option's value from the top level. */
static bool is_inherited(const struct conf_option *option, const void *fields)
{
    const struct conf_namespace *ns = fields;
    if (option->scope != SCOPE_NAMESPACES) {
        return false;
    }
    return (strcmp(option->name, "ttl") == 0 && !ns->ttl_set) ||
           (strcmp(option->name, "engine") == 0 && !ns->engine_set);
}

/* Writes the value that holds. A namespace without a ttl or an engine has the one at the top. */
static void show_value(const struct item *item, FILE *out)
{
    if (is_inherited(item->option, item->fields)) {
        conf_render_value(conf_option_find(SCOPE_TOP, item->option->name), item->conf, out);
    } else {
        conf_render_value(item->option, item->fields, out);
    }
}

/* Blanks in the name of a file would end the word. */
static void show_file(const char *file, FILE *out)
{
    for (; *file != '\0'; file++) {
        unsigned char c = (unsigned char)*file;
        if (c <= ' ' || c == 0x7f) {
            fprintf(out, "\\x%02x", c);
        } else {
            fputc(c, out);
        }
    }
}

/* False: it was not set. */
static bool show_origin(const struct conf *conf, const struct conf_option *option, size_t group,
                        FILE *out)
{
    unsigned line = 0;
    const char *file = conf_origin_of(conf, option, group, &line);
    if (file == NULL) {
        return false;
    }
    show_file(file, out);
    if (line > 0) {
        fprintf(out, ":%u", line);
    }
    return true;
}

static void show_name(const struct item *item, FILE *out)
{
    const struct conf_option *option = item->option;
    fprintf(out, "SETTING %s", conf_option_prefix(option->scope));
    if (option->scope == SCOPE_LISTEN) {
        fprintf(out, "%zu.", item->group + 1);
    } else if (option->scope == SCOPE_NAMESPACES) {
        fprintf(out, "%s.", item->conf->namespaces[item->group].name);
    } else if (option->scope == SCOPE_USERS) {
        fprintf(out, "%s.", item->conf->users[item->group].name);
    }
    fputs(option->name, out);
}

static void show_origin_and_default(const struct item *item, const struct conf *origin, FILE *out)
{
    fputc(' ', out);
    if (!show_origin(origin, item->option, item->group, out)) {
        fputs("default", out);
        return;
    }
    fputs(" default ", out);
    conf_render_fallback(item->option, out);
}

/* An option that is not a list. */
static void show_item(const struct item *item, const struct conf_in_force *in_force, FILE *out)
{
    const struct conf_option *option = item->option;
    const struct conf *now = in_force->now;
    bool waits = !item->in_list && option->change == CHANGE_RESTART &&
                 !conf_diff_same(option, in_force->first, now);
    show_name(item, out);
    fputc(' ', out);
    show_value(item, out);
    show_origin_and_default(item, item->in_list ? item->conf : now, out);
    if (waits) {
        fputs(" waits for a restart: ", out);
        conf_render_value(option, now, out);
    }
}

/* The memory may have been set by a client, or not be there. */
static void show_memory(const struct item *item, const struct conf_in_force *in_force, FILE *out)
{
    struct conf running = *in_force->now;
    struct item real = *item;
    running.memory = in_force->memory;
    real.fields = &running;
    show_item(&real, in_force, out);
    fputs(" configured: ", out);
    conf_render_value(item->option, in_force->now, out);
}

/* --- the walk ----------------------------------------------------------------------- */

/* An option that does not change without a restart is as it was at the start. A list that is the
 * same was perhaps moved to other lines. */
static const struct conf *conf_of(const struct conf_option *option,
                                  const struct conf_in_force *in_force)
{
    bool stays =
        option->change == CHANGE_RESTART && !conf_diff_same(option, in_force->first, in_force->now);
    return stays ? in_force->first : in_force->now;
}

static void show_list(const struct conf_option *option, const struct conf_in_force *in_force,
                      FILE *out)
{
    const struct conf *conf = conf_of(option, in_force);
    struct item item = {.option = option, .conf = conf, .fields = conf};
    show_name(&item, out);
    fprintf(out, " %zu", groups_of(option, conf).count);
    show_origin_and_default(&item, in_force->now, out);
    if (conf != in_force->now) {
        fprintf(out, " waits for a restart: %zu", groups_of(option, in_force->now).count);
    }
}

static void show_top(const struct conf_option *option, const struct conf_in_force *in_force,
                     FILE *out)
{
    const struct conf *conf = conf_of(option, in_force);
    struct item item = {.option = option, .conf = conf, .fields = conf};
    bool is_memory = option->type == TYPE_MEMORY;
    if (is_memory && in_force->memory != 0 && in_force->memory != conf->memory) {
        show_memory(&item, in_force, out);
    } else {
        show_item(&item, in_force, out);
    }
}

/* The member of the group at which the walk is; nothing where it is no option of a group's. */
static void show_member(const struct conf_walk *at, const struct groups *groups,
                        const struct conf *conf, const struct conf_in_force *in_force, FILE *out)
{
    size_t group = at->group - 1;
    const struct conf_option *option = &conf_options[at->member];
    if (option->scope != groups->scope ||
        (groups->scope == SCOPE_LISTEN && !applies(option, &conf->listen[group]))) {
        return;
    }
    if (!groups->is_list) {
        conf = conf_of(option, in_force);
    }
    show_item(&(struct item){.option = option,
                             .conf = conf,
                             .fields = fields_of(groups->scope, conf, group),
                             .group = group,
                             .in_list = groups->is_list},
              in_force, out);
}

/* To the next member, or group, or option. */
static void move_on(struct conf_walk *walk, const struct groups *groups)
{
    if (walk->group > 0 && ++walk->member < conf_option_count) {
        return;
    }
    walk->member = 0;
    if (walk->group < groups->count) {
        walk->group++;
        return;
    }
    walk->group = 0;
    walk->option++;
}

bool conf_show_next(struct conf_walk *walk, const struct conf_in_force *in_force, FILE *out)
{
    if (walk->option >= conf_option_count) {
        return false;
    }
    const struct conf_option *option = &conf_options[walk->option];
    if (option->scope != SCOPE_TOP) {
        walk->option++;
        return true;
    }
    const struct conf *conf = conf_of(option, in_force);
    struct groups groups = groups_of(option, conf);
    if (walk->group > 0) {
        show_member(walk, &groups, conf, in_force, out);
    } else if (groups.is_list) {
        show_list(option, in_force, out);
    } else if (groups.scope == SCOPE_TOP) {
        show_top(option, in_force, out);
    }
    move_on(walk, &groups);
    return true;
}

/* --- as a file ------------------------------------------------------------------------ */

/* A line of its own, with a comment that says where the option was set. All of it is a comment
 * where the option was not set, since a default need not be allowed as a setting, and for a
 * secret. */
static void print_setting(const struct item *item, const char *indent, FILE *out)
{
    const struct conf_option *option = item->option;
    unsigned line;
    bool is_set = conf_origin_of(item->conf, option, item->group, &line) != NULL &&
                  conf_render_has(option, item->fields) && option->type != TYPE_SECRET;
    fprintf(out, "%s%s%s = ", indent, is_set ? "" : "#", option->name);
    show_value(item, out);
    fputs("; # ", out);
    if (!show_origin(item->conf, option, item->group, out)) {
        fputs("default", out);
    }
    fputc('\n', out);
}

static void print_group(const struct conf *conf, const struct groups *groups, size_t group,
                        const char *indent, FILE *out)
{
    for (size_t i = 0; i < conf_option_count; i++) {
        const struct conf_option *option = &conf_options[i];
        struct item item = {.option = option,
                            .conf = conf,
                            .fields = fields_of(groups->scope, conf, group),
                            .group = group};
        if (option->scope == groups->scope &&
            (groups->scope != SCOPE_LISTEN || applies(option, &conf->listen[group]))) {
            print_setting(&item, indent, out);
        }
    }
}

static void print_groups(const struct conf *conf, const struct conf_option *option,
                         const struct groups *groups, FILE *out)
{
    fprintf(out, groups->is_list ? "%s = (\n" : "%s = {\n", option->name);
    for (size_t i = 0; i < groups->count; i++) {
        if (groups->is_list) {
            fputs(i > 0 ? "    }, {\n" : "    {\n", out);
        }
        print_group(conf, groups, i, groups->is_list ? "        " : "    ", out);
    }
    if (groups->is_list && groups->count > 0) {
        fputs("    }\n", out);
    }
    fputs(groups->is_list ? ");\n" : "};\n", out);
}

void conf_show_file(const struct conf *conf, FILE *out)
{
    for (size_t i = 0; i < conf_option_count; i++) {
        const struct conf_option *option = &conf_options[i];
        struct groups groups = groups_of(option, conf);
        struct item item = {.option = option, .conf = conf, .fields = conf};
        unsigned line;
        if (option->scope != SCOPE_TOP) {
            continue;
        }
        if (groups.scope == SCOPE_TOP) {
            print_setting(&item, "", out);
        } else if (groups.count == 0 && conf_origin_of(conf, option, 0, &line) == NULL) {
            fprintf(out, "#%s = (); # default\n", option->name);
        } else {
            print_groups(conf, option, &groups, out);
        }
    }
}
