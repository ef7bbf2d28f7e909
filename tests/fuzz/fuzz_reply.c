/*
 * fuzz_reply.c - random replies for libkvcached.
 *
 * The first 2 bytes choose which lines have values and what the request was, the rest is what
 * comes. For any input the cutter keeps its contract: it reads and returns nothing beyond the
 * bytes, asks for more than there are where a reply is partial, and finds the same reply whether
 * the bytes end behind it or go on. What is then made of the reply is one of the results that its
 * request can have.
 */
#include <stdlib.h>

#include "scripts/clients/c/expect.h"
#include "scripts/clients/c/kvcached.h"

enum { HEADER = 2, REPLIES = 3, KINDS = EXPECT_AUTH + 1, VALUES = KVC_VALUES_NONE + 1 };

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void must_be_within(struct kvc_bytes part, struct kvc_bytes whole)
{
    must(part.bytes == NULL ||
         (part.bytes >= whole.bytes && part.bytes + part.length <= whole.bytes + whole.length));
}

/* Cuts a copy that has no byte behind its end. */
static enum kvc_cut cut_copy(struct kvc_bytes bytes, enum kvc_values values, size_t *taken)
{
    struct kvc_reply reply = {.number = 0};
    size_t wanted = 0;
    char *copy = malloc(bytes.length > 0 ? bytes.length : 1);
    must(copy != NULL);
    memcpy(copy, bytes.bytes, bytes.length);
    struct kvc_bytes copied = {copy, bytes.length};
    enum kvc_cut result = kvc_cut(copied, values, &reply, taken, &wanted);
    must(result != KVC_CUT_PARTIAL || wanted > bytes.length);
    if (result == KVC_CUT_WHOLE) {
        must(*taken > 0 && *taken <= bytes.length);
        must_be_within(reply.line, copied);
        must_be_within(reply.word, reply.line);
        must_be_within(reply.rest, reply.line);
        must_be_within(reply.value, copied);
    }
    free(copy);
    return result;
}

/* The same reply, or none yet, in fewer bytes. */
static void cut_shorter(struct kvc_bytes bytes, enum kvc_values values, size_t taken)
{
    size_t again = 0;
    must(cut_copy((struct kvc_bytes){bytes.bytes, taken}, values, &again) == KVC_CUT_WHOLE);
    must(again == taken);
    size_t step = taken / 16 + 1;
    for (size_t length = 0; length < taken; length += step) {
        enum kvc_cut result = cut_copy((struct kvc_bytes){bytes.bytes, length}, values, &again);
        must(result == KVC_CUT_PARTIAL);
    }
}

/* What the replies mean to a request. */
static void take(struct kvc_bytes bytes, enum expect_kind kind)
{
    struct expect_queue queue = {.at = NULL};
    struct buffer key = {.at = NULL};
    enum kvc_result result = KVC_OK;
    must(expect_push(&queue, kind, kind == EXPECT_GET || kind == EXPECT_DELETE ? REPLIES : 1));
    while (queue.count > 0 && result != KVC_ERROR_PROTOCOL) {
        struct kvc_reply reply;
        size_t taken = 0, wanted = 0;
        if (kvc_cut(bytes, KVC_VALUES, &reply, &taken, &wanted) != KVC_CUT_WHOLE) {
            break;
        }
        result = expect_take(&queue, &reply, &key);
        must(result != KVC_ERROR_ARGUMENT);
        must(result < KVC_ERROR_UNREACHABLE || result == KVC_ERROR_PROTOCOL);
        must(result < KVC_ERROR_ARGUMENT || result == KVC_ERROR_PROTOCOL || queue.count == 0);
        must(result != KVC_EXISTS || kind == EXPECT_ADD);
        must(kind != EXPECT_GET || result != KVC_OK || reply.value.bytes != NULL);
        bytes.bytes += taken;
        bytes.length -= taken;
    }
    buffer_deinit(&key);
    expect_deinit(&queue);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    size_t taken = 0;
    if (length < HEADER) {
        return 0;
    }
    enum kvc_values values = (enum kvc_values)(bytes[0] % VALUES);
    struct kvc_bytes wire = {(const char *)bytes + HEADER, length - HEADER};
    if (cut_copy(wire, values, &taken) == KVC_CUT_WHOLE) {
        cut_shorter(wire, values, taken);
    }
    take(wire, (enum expect_kind)(bytes[1] % KINDS));
    return 0;
}
