/*
 * reply.c - makes and frees the nodes of replies.
 */
#include "daemon/cluster/reply.h"

#include <stdlib.h>

static struct cluster_reply *create(enum cluster_reply_type type)
{
    struct cluster_reply *reply = calloc(1, sizeof *reply);
    if (reply != NULL) {
        reply->type = type;
    }
    return reply;
}

struct cluster_reply *reply_text(enum cluster_reply_type type, struct slice text)
{
    struct cluster_reply *reply = create(type);
    char *copy = malloc(text.length + 1);
    if (reply == NULL || copy == NULL) {
        free(reply);
        free(copy);
        return NULL;
    }
    memcpy(copy, text.bytes, text.length);
    copy[text.length] = '\0';
    reply->text = (struct slice){copy, text.length};
    return reply;
}

struct cluster_reply *reply_array(size_t count)
{
    struct cluster_reply *reply = create(CLUSTER_ARRAY);
    if (reply != NULL && count > 0) {
        reply->elements = calloc(count, sizeof *reply->elements);
        reply->count = count;
        if (reply->elements == NULL) {
            free(reply);
            return NULL;
        }
    }
    return reply;
}

struct cluster_reply *reply_integer(int64_t integer)
{
    struct cluster_reply *reply = create(CLUSTER_INTEGER);
    if (reply != NULL) {
        reply->integer = integer;
    }
    return reply;
}

struct cluster_reply *reply_nil(void)
{
    return create(CLUSTER_NIL);
}

/* The reader bounds how deep it goes. */
void reply_free(struct cluster_reply **place)
{
    struct cluster_reply *reply = *place;
    *place = NULL;
    if (reply == NULL) {
        return;
    }
    for (size_t i = 0; i < reply->count; i++) {
        reply_free(&reply->elements[i]);
    }
    free(reply->elements);
    free(cluster_reply_take_text(reply));
    free(reply);
}

char *cluster_reply_take_text(struct cluster_reply *reply)
{
    char *text = (char *)reply->text.bytes;
    reply->text = (struct slice){NULL, 0};
    return text;
}

bool reply_begins(const struct cluster_reply *reply, enum cluster_reply_type type, const char *text)
{
    size_t length = strlen(text);
    return reply->type == type && reply->text.length >= length &&
           memcmp(reply->text.bytes, text, length) == 0;
}
