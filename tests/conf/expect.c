/*
 * expect.c - expectations about the text of a kvcached.conf.
 */
#include "tests/conf/expect.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

struct conf *verdict_good(const char *text)
{
    struct conf *conf;
    struct conf_errors errors;
    bool loaded = conf_load_text("f", text, strlen(text), &conf, &errors);
    ck_assert_msg(loaded, "%s\nis refused:\n%s", text, errors.text);
    ck_assert_ptr_null(errors.text);
    ck_assert_uint_eq(errors.count, 0);
    conf_errors_deinit(&errors);
    return conf;
}

void verdict_bad(const char *text, const char *expected)
{
    struct conf *conf;
    struct conf_errors errors;
    size_t lines = 0;
    bool loaded = conf_load_text("f", text, strlen(text), &conf, &errors);
    ck_assert_msg(!loaded, "%s\nis taken", text);
    ck_assert_ptr_null(conf);
    ck_assert_str_eq(errors.text, expected);
    for (const char *at = errors.text; *at != '\0'; at++) {
        lines += *at == '\n';
    }
    ck_assert_uint_eq(errors.count, lines);
    conf_errors_deinit(&errors);
}

void verdict_refused(const char *text, const char *message)
{
    char expected[512];
    snprintf(expected, sizeof expected, "f:1: %s\n", message);
    verdict_bad(text, expected);
}

void verdict_defaults(const struct conf *conf)
{
    ck_assert_uint_eq(conf->listen_count, 1);
    ck_assert_str_eq(conf->listen[0].address, "127.0.0.1");
    ck_assert_uint_eq(conf->listen[0].port, 7171);
    ck_assert_ptr_null(conf->listen[0].path);
    ck_assert_ptr_null(conf->listen[0].owner);
    ck_assert_str_eq(conf->listen[0].protocol, "native");
    ck_assert_str_eq(conf->default_namespace, "default");
    ck_assert_uint_eq(conf->ttl, CONF_NEVER);
    ck_assert_uint_eq(conf->namespace_count, 0);
    ck_assert_int_eq(conf->policy, CONF_OPEN);
    ck_assert_uint_eq(conf->memory, 64 << 20);
    ck_assert_uint_eq(conf->max_value, 1 << 20);
    ck_assert_uint_ge(conf->threads, 1);
    ck_assert_uint_le(conf->threads, 64);
    ck_assert_uint_eq(conf->max_connections, 10000);
    ck_assert_uint_eq(conf->idle_timeout, 0);
    ck_assert_uint_eq(conf->purge_interval, 100);
    ck_assert_uint_eq(conf->user_count, 0);
    ck_assert(!conf->insecure);
    ck_assert(!conf->core_dumps);
    ck_assert_ptr_null(conf->user);
    ck_assert_ptr_null(conf->pid_file);
    ck_assert_ptr_null(conf->arena.file);
    ck_assert_str_eq(conf->log.to, "stderr");
    ck_assert_int_eq(conf->log.level, LOG_INFO);
}
