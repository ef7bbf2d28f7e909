/*
 * conf_load.c - kvcached.conf, from the file to struct conf.
 *
 * conf_scan makes a text that is safe for libconfig, libconfig parses it, conf_value reads each
 * option of the table from libconfig's tree, conf_check compares options with each other, and
 * conf_report collects the mistakes of all these steps. A configuration with a mistake is not
 * returned.
 */
#include "conf/conf.h"

#include <libconfig.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_check.h"
#include "conf/conf_listen.h"
#include "conf/conf_machine.h"
#include "conf/conf_option.h"
#include "conf/conf_origin.h"
#include "conf/conf_report.h"
#include "conf/conf_scan.h"
#include "conf/conf_setting.h"
#include "conf/conf_text.h"
#include "conf/conf_value.h"

/* --- groups --------------------------------------------------------------- */

/* Reads the options of a scope from a group, or their fallbacks where it is NULL. */
static void read_group(enum conf_scope scope, const config_setting_t *group, void *fields,
                       struct conf_report *report)
{
    for (size_t i = 0; i < conf_option_count; i++) {
        const struct conf_option *option = &conf_options[i];
        if (option->scope != scope) {
            continue;
        }
        config_setting_t *setting =
            group != NULL ? config_setting_get_member(group, option->name) : NULL;
        conf_value_read(option, setting, fields, report);
    }
    if (group != NULL) {
        conf_check_names(group, (int)scope, report);
    }
}

/* The number of groups in a list. 0 when it is not a list, too short or too long, which is
 * reported. */
static size_t count_groups(const struct conf_option *option, config_setting_t *setting,
                           struct conf_report *report)
{
    struct conf_bounds bounds = conf_option_bounds(option);
    int type = config_setting_type(setting);
    size_t count;
    if (type != CONFIG_TYPE_LIST && type != CONFIG_TYPE_ARRAY) {
        conf_setting_refuse(option, setting, report, "not a list of groups");
        return 0;
    }
    count = (size_t)config_setting_length(setting);
    if (count >= bounds.least && count <= bounds.most) {
        return count;
    }
    conf_setting_refuse(option, setting, report, count == 0 ? "empty" : "too long");
    return 0;
}

/* The i-th group of a list; NULL where that element is not a group, which is reported. */
static const config_setting_t *get_group(const struct conf_option *option,
                                         const config_setting_t *list, size_t i,
                                         struct conf_report *report)
{
    const config_setting_t *group = config_setting_get_elem(list, (unsigned)i);
    if (config_setting_is_group(group)) {
        return group;
    }
    conf_report_option(report, group->line, option,
                       "number %zu of the list is not a group, write { name = value; ... }", i + 1);
    return NULL;
}

/* A Unix socket has neither address nor port, so their fallbacks do not apply. */
static void read_listener(const config_setting_t *group, struct conf_listen *listen,
                          struct conf_report *report)
{
    read_group(SCOPE_LISTEN, group, listen, report);
    if (group != NULL) {
        listen->line = (int)conf_text_place(report->text, group->line).line;
    }
    if (listen->path == NULL) {
        return;
    }
    free(listen->address);
    listen->address = NULL;
    listen->port = 0;
}

static void read_listeners(const struct conf_option *option, config_setting_t *setting,
                           struct conf *conf, struct conf_report *report)
{
    size_t count = setting != NULL ? count_groups(option, setting, report) : 1;
    conf->listen = calloc(count + 1, sizeof *conf->listen);
    if (conf->listen == NULL) {
        report->no_memory = true;
        return;
    }
    conf->listen_count = count;
    for (size_t i = 0; i < count; i++) {
        const config_setting_t *group =
            setting != NULL ? get_group(option, setting, i, report) : NULL;
        if (setting == NULL || group != NULL) {
            read_listener(group, &conf->listen[i], report);
        }
    }
    conf_listen_settle(conf);
}

static void read_namespaces(const struct conf_option *option, config_setting_t *setting,
                            struct conf *conf, struct conf_report *report)
{
    size_t count = setting != NULL ? count_groups(option, setting, report) : 0;
    conf->namespaces = calloc(count + 1, sizeof *conf->namespaces);
    if (conf->namespaces == NULL) {
        report->no_memory = true;
        return;
    }
    conf->namespace_count = count;
    for (size_t i = 0; i < count; i++) {
        const config_setting_t *group = get_group(option, setting, i, report);
        if (group == NULL) {
            continue;
        }
        read_group(SCOPE_NAMESPACES, group, &conf->namespaces[i], report);
        conf->namespaces[i].ttl_set = conf_setting_given(group, "ttl");
        conf->namespaces[i].engine_set = conf_setting_given(group, "engine");
    }
}

static void read_users(const struct conf_option *option, config_setting_t *setting,
                       struct conf *conf, struct conf_report *report)
{
    size_t count = setting != NULL ? count_groups(option, setting, report) : 0;
    conf->users = calloc(count + 1, sizeof *conf->users);
    if (conf->users == NULL) {
        report->no_memory = true;
        return;
    }
    conf->user_count = count;
    conf->users_given = setting != NULL;
    for (size_t i = 0; i < count; i++) {
        const config_setting_t *group = get_group(option, setting, i, report);
        if (group != NULL) {
            read_group(SCOPE_USERS, group, &conf->users[i], report);
        }
    }
}

/* A string instead of the group is the value of `to`. */
static void read_log(const struct conf_option *option, config_setting_t *setting, struct conf *conf,
                     struct conf_report *report)
{
    if (setting == NULL || config_setting_is_group(setting)) {
        read_group(SCOPE_LOG, setting, conf, report);
        return;
    }
    read_group(SCOPE_LOG, NULL, conf, report);
    if (config_setting_type(setting) == CONFIG_TYPE_STRING) {
        conf_value_read(conf_option_find(SCOPE_LOG, "to"), setting, conf, report);
    } else {
        conf_setting_refuse(option, setting, report, "not a group");
    }
}

static void read_fields(const struct conf_option *option, config_setting_t *setting,
                        struct conf *conf, struct conf_report *report)
{
    bool group = setting != NULL && config_setting_is_group(setting);
    if (setting != NULL && !group) {
        conf_setting_refuse(option, setting, report, "not a group");
    }
    read_group(conf_option_members(option), group ? setting : NULL, conf, report);
}

/* --- the whole ------------------------------------------------------------ */

static void read_top(const config_setting_t *root, struct conf *conf, struct conf_report *report)
{
    conf->empty = config_setting_length(root) <= (int)report->text->overrides;
    for (size_t i = 0; i < conf_option_count; i++) {
        const struct conf_option *option = &conf_options[i];
        if (option->scope != SCOPE_TOP) {
            continue;
        }
        config_setting_t *setting = config_setting_get_member(root, option->name);
        if (option->type == TYPE_LISTENERS) {
            read_listeners(option, setting, conf, report);
        } else if (option->type == TYPE_NAMESPACES) {
            read_namespaces(option, setting, conf, report);
        } else if (option->type == TYPE_USERS) {
            read_users(option, setting, conf, report);
        } else if (option->type == TYPE_LOGGING) {
            read_log(option, setting, conf, report);
        } else if (conf_option_members(option) != SCOPE_TOP) {
            read_fields(option, setting, conf, report);
        } else {
            conf_value_read(option, setting, conf, report);
        }
    }
    conf_check_names(root, SCOPE_TOP, report);
}

/* libconfig stops at the first syntax error. The settings before it are checked all the same,
 * except the last, which may be incomplete. */
static void report_syntax(config_t *parsed, struct conf_report *report)
{
    config_setting_t *root = config_root_setting(parsed);
    int count = config_setting_length(root);
    conf_report_add(report, (unsigned)config_error_line(parsed),
                    "%s here or just before, a setting is written name = value;",
                    config_error_text(parsed));
    if (count > 0) {
        config_setting_remove_elem(root, (unsigned)count - 1);
    }
}

/* 0 stands for 1 thread per processor that this process may use. */
static void resolve_threads(struct conf *conf)
{
    struct conf_bounds bounds = conf_option_bounds(conf_option_find(SCOPE_TOP, "threads"));
    if (conf->threads != 0) {
        return;
    }
    conf->threads = conf_machine_processors("");
    if (conf->threads > bounds.most) {
        conf->threads = (unsigned)bounds.most;
    }
}

static void parse(struct conf_text *text, struct conf *conf, struct conf_report *report)
{
    config_t parsed;
    config_init(&parsed);
    bool whole = config_read_string(&parsed, text->bytes != NULL ? text->bytes : "");
    if (!whole) {
        report_syntax(&parsed, report);
    }
    read_top(config_root_setting(&parsed), conf, report);
    if (whole && !report->no_memory) {
        conf_check(config_root_setting(&parsed), conf, report);
    }
    if (conf_report_clean(report)) {
        report->no_memory |= !conf_origin_note(conf, config_root_setting(&parsed), text);
    }
    config_destroy(&parsed);
}

/* Makes a configuration of a scanned text, and *errors of all mistakes in it. Frees the text. */
static bool finish(struct conf_text *text, bool readable, const char *file, struct conf **conf,
                   struct conf_report *report, struct conf_errors *errors)
{
    *conf = calloc(1, sizeof **conf);
    if (*conf == NULL) {
        report->no_memory = true;
    }
    if (readable && !report->no_memory && !text->truncated) {
        parse(text, *conf, report);
    }
    if (*conf != NULL && file != NULL) {
        (*conf)->file = strdup(file);
        report->no_memory |= (*conf)->file == NULL;
    }
    if (conf_report_clean(report)) {
        resolve_threads(*conf);
    } else {
        conf_destroy(conf);
    }
    conf_report_finish(report, errors);
    conf_text_deinit(text);
    return *conf != NULL;
}

bool conf_load_text(const char *file, const char *bytes, size_t length, struct conf **conf,
                    struct conf_errors *errors)
{
    struct conf_text text = {0};
    struct conf_report report = {.text = &text};
    conf_scan_bytes(&text, file, bytes, length, &report);
    return finish(&text, true, file, conf, &report, errors);
}

bool conf_load(const struct conf_source *source, struct conf **conf, struct conf_errors *errors)
{
    struct conf_text text = {0};
    struct conf_report report = {.text = &text};
    bool readable = conf_scan(&text, source, &report);
    return finish(&text, readable, source->file, conf, &report, errors);
}

static void deinit_listener(struct conf_listen *listen)
{
    free(listen->address);
    free(listen->path);
    free(listen->owner);
    free(listen->protocol);
    free(listen->default_namespace);
    free(listen->prefix);
    free(listen->tls_certificate);
    free(listen->tls_key);
    free(listen->tls_client_ca);
}

static void deinit_patterns(struct conf_patterns *patterns)
{
    for (size_t i = 0; i < patterns->count; i++) {
        free(patterns->of[i]);
    }
    free(patterns->of);
}

static void deinit_user(struct conf_user *user)
{
    free(user->name);
    free(user->secret);
    free(user->unix_user);
    deinit_patterns(&user->read);
    deinit_patterns(&user->write);
    deinit_patterns(&user->watch);
    deinit_patterns(&user->admin);
}

static void free_conf(struct conf *it)
{
    for (size_t i = 0; i < it->listen_count; i++) {
        deinit_listener(&it->listen[i]);
    }
    for (size_t i = 0; i < it->user_count; i++) {
        deinit_user(&it->users[i]);
    }
    for (size_t i = 0; i < it->namespace_count; i++) {
        free(it->namespaces[i].name);
    }
    conf_origin_forget(it);
    free(it->listen);
    free(it->namespaces);
    free(it->users);
    free(it->default_namespace);
    free(it->user);
    free(it->pid_file);
    free(it->arena.file);
    deinit_patterns(&it->cluster.nodes);
    free(it->cluster.user);
    free(it->cluster.secret_file);
    free(it->cluster.tls_ca);
    free(it->cluster.tls_certificate);
    free(it->cluster.tls_key);
    free(it->log.to);
    free(it->file);
    free(it);
}

struct conf *conf_get(struct conf *conf)
{
    __atomic_fetch_add(&conf->references, 1, __ATOMIC_RELAXED);
    return conf;
}

void conf_destroy(struct conf **conf)
{
    struct conf *it = *conf;
    *conf = NULL;
    if (it != NULL && __atomic_fetch_sub(&it->references, 1, __ATOMIC_ACQ_REL) == 0) {
        free_conf(it);
    }
}

void conf_errors_deinit(struct conf_errors *errors)
{
    free(errors->text);
    *errors = (struct conf_errors){0};
}
