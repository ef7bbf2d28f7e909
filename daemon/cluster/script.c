/*
 * script.c - scripts, made once and sent often.
 */
#include "daemon/cluster/script.h"

#include <stdlib.h>

#include "daemon/base/sha1.h"
#include "daemon/cluster/resp.h"

struct cluster_script {
    struct slice by_digest, by_text; /* of memory of their own */
};

static struct slice arguments_of(const char *verb, struct slice text)
{
    struct slice name = slice_of(verb);
    size_t size =
        resp_frame_size(name.length) + name.length + resp_frame_size(text.length) + text.length;
    char *bytes = malloc(size);
    if (bytes == NULL) {
        return (struct slice){NULL, 0};
    }
    resp_put_argument(resp_put_argument(bytes, name), text);
    return (struct slice){bytes, size};
}

static void digest_of(struct slice text, char hex[2 * SHA1_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[SHA1_BYTES];
    struct sha1 sha1;
    sha1_begin(&sha1);
    sha1_add(&sha1, text);
    sha1_end(&sha1, digest);
    for (size_t i = 0; i < SHA1_BYTES; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 0xf];
    }
}

struct cluster_script *cluster_script_create(const char *text)
{
    char hex[2 * SHA1_BYTES];
    struct cluster_script *script = calloc(1, sizeof *script);
    if (script == NULL) {
        return NULL;
    }
    digest_of(slice_of(text), hex);
    script->by_digest = arguments_of("EVALSHA", (struct slice){hex, sizeof hex});
    script->by_text = arguments_of("EVAL", slice_of(text));
    if (script->by_digest.bytes == NULL || script->by_text.bytes == NULL) {
        cluster_script_destroy(&script);
    }
    return script;
}

void cluster_script_destroy(struct cluster_script **place)
{
    struct cluster_script *script = *place;
    *place = NULL;
    if (script != NULL) {
        free((char *)script->by_digest.bytes);
        free((char *)script->by_text.bytes);
        free(script);
    }
}

struct slice script_by_digest(const struct cluster_script *script)
{
    return script->by_digest;
}

struct slice script_by_text(const struct cluster_script *script)
{
    return script->by_text;
}
