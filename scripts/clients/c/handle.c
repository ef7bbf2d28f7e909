/*
 * handle.c - a handle's beginning and end, and its last error.
 */
#include "scripts/clients/c/handle.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "scripts/clients/c/stream.h"

const char *kvc_version(void)
{
    return PACKAGE_VERSION;
}

struct kvc *kvc_create(const struct kvc_options *options, struct kvc_error *error)
{
    struct kvc_error unused;
    struct kvc *kvc = calloc(1, sizeof *kvc);
    error = error != NULL ? error : &unused;
    if (kvc == NULL) {
        *error = (struct kvc_error){.code = KVC_ERROR_MEMORY, .text = "no memory"};
        return NULL;
    }
    if (!settings_init(&kvc->settings, options, error)) {
        free(kvc);
        return NULL;
    }
    kvc->link = (struct link){.fd = -1, .settings = &kvc->settings};
    kvc->timeout = kvc->settings.timeout;
    return kvc;
}

void kvc_destroy(struct kvc *kvc)
{
    if (kvc == NULL) {
        return;
    }
    kvc_disconnect(kvc);
    buffer_wipe(&kvc->out);
    buffer_deinit(&kvc->in);
    buffer_deinit(&kvc->out);
    buffer_deinit(&kvc->key);
    expect_deinit(&kvc->awaited);
    settings_deinit(&kvc->settings);
    free(kvc);
}

void handle_clear(struct kvc *kvc)
{
    buffer_reset(&kvc->in);
    buffer_reset(&kvc->out);
    kvc->in_taken = kvc->out_sent = 0;
    expect_clear(&kvc->awaited);
}

enum kvc_result handle_fail(struct kvc *kvc, enum kvc_result code, const char *format, ...)
{
    va_list values;
    kvc->error.code = code;
    kvc->error.in_doubt = 0;
    va_start(values, format);
    vsnprintf(kvc->error.text, sizeof kvc->error.text, format, values);
    va_end(values);
    return code;
}

int kvc_is_connected(const struct kvc *kvc)
{
    return kvc->link.fd >= 0;
}

void kvc_disconnect(struct kvc *kvc)
{
    stream_close(&kvc->link);
    handle_clear(kvc);
}

enum kvc_result handle_lose(struct kvc *kvc, enum kvc_result code, const char *why)
{
    enum kvc_result result = handle_fail(kvc, code, "%s", why);
    stream_close(&kvc->link);
    return result;
}

const struct kvc_error *kvc_last_error(const struct kvc *kvc)
{
    return &kvc->error;
}

void kvc_set_timeout(struct kvc *kvc, int timeout)
{
    kvc->timeout = timeout;
}

size_t kvc_awaited(const struct kvc *kvc)
{
    return kvc->awaited.count;
}
