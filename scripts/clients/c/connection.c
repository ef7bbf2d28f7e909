/*
 * connection.c - a handle's connection: made, authenticated, held against the next request.
 */
#include "scripts/clients/c/connection.h"

#include "scripts/clients/c/parse.h"
#include "scripts/clients/c/stream.h"
#include "scripts/clients/c/transfer.h"

static void drop(struct kvc *kvc)
{
    stream_close(&kvc->link);
    buffer_reset(&kvc->in);
    kvc->in_taken = 0;
}

int kvc_is_good(struct kvc *kvc)
{
    enum link_result state = LINK_LATER;
    if (!kvc_is_connected(kvc)) {
        return 0;
    }
    if (kvc->in_taken == kvc->in.length && transfer_take_in(kvc, &state) == KVC_OK &&
        state == LINK_LATER) {
        return 1;
    }
    drop(kvc);
    return 0;
}

/* --- AUTH ------------------------------------------------------------------------- */

static enum kvc_result send_secret(struct kvc *kvc)
{
    const struct settings *settings = &kvc->settings;
    struct buffer out = {.at = NULL};
    size_t sent = 0;
    buffer_append_text(&out, "AUTH ");
    buffer_append_text(&out, settings->user);
    buffer_append_text(&out, " ");
    buffer_append(&out, (struct slice){settings->secret, settings->secret_length});
    buffer_append_text(&out, "\r\n");
    enum kvc_result result = out.failed ? handle_fail(kvc, KVC_ERROR_MEMORY, "no memory")
                                        : transfer_flush(kvc, &out, &sent);
    buffer_wipe(&out);
    buffer_deinit(&out);
    return result;
}

static enum kvc_result authenticate(struct kvc *kvc)
{
    struct kvc_reply reply;
    size_t taken = 0;
    enum kvc_result result = send_secret(kvc);
    if (result == KVC_OK) {
        result = transfer_cut(kvc, 0, KVC_VALUES, &reply, &taken);
    }
    kvc->in_taken += taken;
    if (result == KVC_OK && !parse_is(&reply, "OK")) {
        result = handle_fail(kvc, KVC_ERROR_DENIED, "the server refuses user %s: %.*s",
                             kvc->settings.user, (int)reply.line.length, reply.line.bytes);
    }
    if (result != KVC_OK) {
        drop(kvc);
    }
    return result;
}

/* --- connecting ------------------------------------------------------------------- */

enum kvc_result connection_open(struct kvc *kvc)
{
    char name[KVC_NAME_MAX];
    drop(kvc);
    if (!stream_open(&kvc->link, kvc->settings.connect_timeout)) {
        settings_name(&kvc->settings, name);
        return handle_fail(kvc, KVC_ERROR_UNREACHABLE, "cannot connect to %s: %s", name,
                           kvc->link.error);
    }
    return kvc->settings.user != NULL ? authenticate(kvc) : KVC_OK;
}

enum kvc_result kvc_connect(struct kvc *kvc)
{
    kvc_disconnect(kvc);
    return connection_open(kvc);
}
