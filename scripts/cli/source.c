/*
 * source.c - what a record of another cache becomes.
 */
#include "scripts/cli/source.h"

#include "protocol/request.h"
#include "protocol/token.h"

static bool is_namespace(struct slice name)
{
    const char *end = name.bytes + name.length;
    return name.length > 0 && name.length <= REQUEST_NAMESPACE_MAX &&
           token_span(name.bytes, end, TOKEN_NAME) == end;
}

/* Cuts `NAMESPACE:KEY`; a key that has none, or none that can be one, stays whole. */
static void cut_namespace(const struct source *source, struct slice *key, struct slice *ns)
{
    const char *end = source->prefix != '\0' && key->length > 0
                          ? memchr(key->bytes, source->prefix, key->length)
                          : NULL;
    *ns = slice_of(source->ns);
    if (end != NULL) {
        struct slice name = {key->bytes, (size_t)(end - key->bytes)};
        struct slice rest = {end + 1, key->length - name.length - 1};
        if (is_namespace(name) && rest.length > 0) {
            *ns = name;
            *key = rest;
        }
    }
}

enum client_result source_put(struct source *source, struct loader *loader, struct slice key,
                              uint64_t ttl, uint64_t flags, struct slice value)
{
    struct loader_record record = {.ttl = ttl, .flags = flags, .value = value};
    struct bytes word = {.at = NULL};
    cut_namespace(source, &key, &record.ns);
    if (key.length == 0) {
        source->skipped++;
        return CLIENT_DONE;
    }
    message_add_word(&word, key, true);
    record.key = bytes_slice(&word);
    enum client_result result = loader_put(loader, &record);
    bytes_deinit(&word);
    return result;
}
