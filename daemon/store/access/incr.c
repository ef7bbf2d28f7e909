/*
 * incr.c - records that hold a number: incr and decr.
 */
#include <stdio.h>

#include "daemon/store/access/modify.h"

enum { DIGITS_MAX = 20 /* of 2^64 - 1 */ };

struct addition {
    const struct store_terms *terms;
    struct store_sum *sum;
    char digits[DIGITS_MAX + 1];
};

static struct slice without_blanks(struct slice text)
{
    while (text.length > 0 && text.bytes[0] == ' ') {
        text.bytes++;
        text.length--;
    }
    while (text.length > 0 && text.bytes[text.length - 1] == ' ') {
        text.length--;
    }
    return text;
}

static bool parse_number(struct slice text, uint64_t *number)
{
    *number = 0;
    if (text.length == 0 || text.length > DIGITS_MAX) {
        return false;
    }
    for (size_t i = 0; i < text.length; i++) {
        unsigned digit = (unsigned)(unsigned char)text.bytes[i] - '0';
        if (digit > 9 || __builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, digit, number)) {
            return false;
        }
    }
    return true;
}

static enum store_status add(const struct record *old, struct store_sum *sum)
{
    struct slice text = {old->value, old->value_length};
    uint64_t number = 0;
    if (old->span || !parse_number(sum->wraps ? without_blanks(text) : text, &number)) {
        return STORE_NOT_A_NUMBER;
    }
    if (sum->subtract) {
        sum->number = number > sum->by ? number - sum->by : 0;
    } else if (__builtin_add_overflow(number, sum->by, &sum->number) && !sum->wraps) {
        return STORE_OVERFLOW;
    }
    return STORE_OK;
}

static void compose_new(struct write_txn *txn, const struct store_terms *terms, struct draft *draft)
{
    draft->record = (struct record){.key = txn->at->key,
                                    .client_flags = terms->client_flags,
                                    .read_at = record_time(txn->now),
                                    .noted = terms->noted};
}

static enum store_status compose_sum(struct write_txn *txn, void *context, struct draft *draft)
{
    struct addition *addition = context;
    const struct store_terms *terms = addition->terms;
    struct store_sum *sum = addition->sum;
    bool stale = false;
    enum store_status status = modify_allowed(txn, terms, &stale);
    sum->made = !txn->lives;
    if (status != STORE_OK || (!txn->lives && !terms->makes)) {
        return status != STORE_OK ? status : STORE_NOT_FOUND;
    }
    if (txn->lives) {
        status = add(&txn->old.record, sum);
        modify_copy(txn, draft);
        draft->record.noted = txn->old.record.noted || terms->noted;
    } else {
        sum->number = sum->initial;
        compose_new(txn, terms, draft);
    }
    bool takes_ttl = txn->lives || terms->ttl.kind != STORE_TTL_KEEP;
    if (status == STORE_OK) {
        status = modify_expiry(txn, takes_ttl ? terms->ttl : terms->make, &draft->expires);
    }
    draft->record.version = terms->version;
    draft->record.notes &= (uint8_t)~NOTE_TOLD;
    if (terms->tells_version || terms->version != 0) {
        draft->record.noted = true;
        draft->record.notes |= NOTE_TOLD;
    }
    draft->record.value = addition->digits;
    draft->record.value_length = (uint32_t)snprintf(addition->digits, sizeof addition->digits,
                                                    "%llu", (unsigned long long)sum->number);
    sum->expires = draft->expires == SEGMENT_NEVER ? STORE_NEVER : draft->expires;
    return status;
}

enum store_status store_add_number(struct store_thread *thread, struct store_key *at,
                                   const struct store_terms *terms, struct store_sum *sum,
                                   uint64_t now)
{
    struct addition addition = {.terms = terms, .sum = sum};
    struct modification modification = {.create = terms->makes ? WRITE_OR_CREATE : WRITE_EXISTING,
                                        .compose = compose_sum,
                                        .context = &addition};
    enum store_status status = modify_record(thread, at, &modification, now, &sum->version);
    if (status == STORE_OK) {
        struct store_counters *counters = store_thread_counters(thread, at->ns->id);
        uint64_t *changed = sum->subtract ? &counters->decrements : &counters->increments;
        store_thread_count(sum->made ? &counters->made : changed, 1);
    }
    return status;
}
