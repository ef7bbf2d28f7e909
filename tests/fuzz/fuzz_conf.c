/*
 * fuzz_conf.c - random configuration files. Each is accepted, and then has the properties that the
 * checks ensure, or it is refused with a line for each mistake. Texts with an @include are left
 * out: all input must come from the fuzzer.
 */
#include "conf/conf.h"

#include <stdlib.h>
#include <string.h>

/* libconfig 1.5 forgets the string that it was in when it meets a syntax error. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:libconfig.so";
}

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void check_patterns(const struct conf_patterns *patterns)
{
    static const char taken[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                "_.-*?[]";
    for (size_t i = 0; i < patterns->count; i++) {
        size_t length = strlen(patterns->of[i]);
        must(length >= 1 && length <= 64 && strspn(patterns->of[i], taken) == length);
        must(strcmp(patterns->of[i], "-") != 0);
    }
}

static void check_users(const struct conf *conf)
{
    for (size_t i = 0; i < conf->user_count; i++) {
        const struct conf_user *user = &conf->users[i];
        must(user->name != NULL && strlen(user->name) <= 64);
        must(user->secret == NULL || (user->secret[0] == '$' && strlen(user->secret) < 384));
        check_patterns(&user->read);
        check_patterns(&user->write);
        check_patterns(&user->admin);
    }
}

static void check_taken(const struct conf *conf)
{
    uint64_t quotas = 0;
    must(conf->listen_count >= 1 && conf->listen != NULL);
    for (size_t i = 0; i < conf->listen_count; i++) {
        must((conf->listen[i].path == NULL) != (conf->listen[i].address == NULL));
        must(conf->listen[i].protocol != NULL);
        must((conf->listen[i].tls_certificate == NULL) == (conf->listen[i].tls_key == NULL));
        must(conf->listen[i].tls_client_ca == NULL || conf->listen[i].tls_key != NULL);
    }
    for (size_t i = 0; i < conf->namespace_count; i++) {
        must(conf->namespaces[i].name != NULL && strlen(conf->namespaces[i].name) <= 64);
        quotas += conf->namespaces[i].memory;
    }
    check_users(conf);
    must(conf_exposed(conf, conf) == NULL);
    must(quotas <= conf->memory && conf->max_value <= conf->memory / 4);
    must(conf->threads >= 1 && conf->threads <= 64);
    must(conf->default_namespace != NULL && conf->log.to != NULL);
}

static void check_refused(const struct conf_errors *errors)
{
    size_t lines = 0;
    must(errors->count > 0 && errors->text != NULL);
    for (const char *at = errors->text; *at != '\0'; at++) {
        lines += *at == '\n';
    }
    must(lines == errors->count);
}

/* Against itself nothing has changed, and against the defaults whatever has fits. */
static void check_changes(const struct conf *conf)
{
    struct conf *defaults = NULL;
    struct conf_errors errors = {0};
    char text[128];
    must(conf_load(&(struct conf_source){.file = NULL}, &defaults, &errors));
    conf_changes(conf, conf, text, sizeof text);
    must(text[0] == '\0');
    conf_changes(conf, defaults, text, sizeof text);
    must(strlen(text) < sizeof text);
    conf_changes(defaults, conf, text, 1);
    must(text[0] == '\0');
    conf_destroy(&defaults);
    conf_errors_deinit(&errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct conf *conf = NULL;
    struct conf_errors errors = {0};
    if (memmem(bytes, length, "@include", strlen("@include")) != NULL) {
        return 0;
    }
    if (conf_load_text("f", (const char *)bytes, length, &conf, &errors)) {
        check_taken(conf);
        conf_needs_restart(conf, conf, (char[8]){0}, 8);
        check_changes(conf);
    } else {
        must(conf == NULL);
        check_refused(&errors);
    }
    conf_destroy(&conf);
    conf_errors_deinit(&errors);
    return 0;
}
