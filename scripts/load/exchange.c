/*
 * exchange.c - the generator's hot path.
 *
 * One buffer to compose in and one to read into serve all links. A reply is
 * judged by its first line and the front of its value; the rest is skipped
 * without being looked at, except that it must end in a line end.
 */
#include "scripts/load/exchange.h"

#include "scripts/load/process.h"

#include <stdio.h>
#include <stdlib.h>

#define READ_BYTES ((size_t)256 << 10)

bool exchange_init(struct exchange *x, const struct plan *plan, struct source *source)
{
    memset(x, 0, sizeof *x);
    x->plan = plan;
    x->source = source;
    x->filler = malloc(plan->value_bytes);
    x->in = malloc(DIALECT_HEAD_MAX + READ_BYTES);
    x->out = malloc((plan->value_bytes + DIALECT_FORM_MAX) * plan->pipeline);
    if (!x->filler || !x->in || !x->out) {
        return false;
    }
    for (size_t i = 0; i < plan->value_bytes; i++) {
        x->filler[i] = (char)('a' + i % 26);
    }
    x->payload = (struct payload){x->filler, plan->value_bytes};
    keyspace_prepare(&plan->keys, &x->record);
    return true;
}

void exchange_deinit(struct exchange *x)
{
    free(x->filler);
    free(x->in);
    free(x->out);
    x->filler = x->in = x->out = NULL;
}

bool exchange_ask(struct exchange *x, struct link *l, unsigned most)
{
    const struct plan *plan = x->plan;
    char *out = x->out;
    uint64_t now = process_clock();
    unsigned room = plan->pipeline - l->asked_count;
    struct source_item item;
    for (unsigned i = 0; i < most && i < room && source_next(x->source, &item); i++) {
        keyspace_record(&plan->keys, item.record, &x->record);
        out = item.put ? plan->dialect->put(out, &x->record, &x->payload)
                       : plan->dialect->get(out, &x->record);
        uint32_t place = l->asked_from + l->asked_count++;
        if (place >= plan->pipeline) {
            place -= plan->pipeline;
        }
        l->asked[place] = (struct link_asked){now, item.record, item.put};
        x->under_way++;
    }
    return out == x->out || link_send(l, x->out, (size_t)(out - x->out)) != LINK_CLOSED;
}

static void note_deadline(struct exchange *x, uint32_t record, uint64_t now)
{
    uint64_t unit = x->plan->dialect->ttl_unit;
    keyspace_record(&x->plan->keys, record, &x->record);
    if (!x->record.ttl) {
        return;
    }
    uint64_t ttl = (x->record.ttl + unit - 1) / unit * unit;
    uint64_t deadline = now + ttl * 1000000;
    if (deadline > x->last_deadline) {
        x->last_deadline = deadline;
    }
    if (deadline < x->first_deadline || !x->first_deadline) {
        x->first_deadline = deadline;
    }
}

static void count_get(struct exchange *x, uint32_t record, bool hit)
{
    bool lasting = !keyspace_is_brief(&x->plan->keys, record);
    *(hit ? &x->tally.hits : &x->tally.misses) += 1;
    *(hit ? &x->tally.lasting_hits : &x->tally.lasting_misses) += lasting;
    if (!hit) {
        source_missed(x->source, record);
    }
}

/* The oldest request of the link has its whole reply. */
static void answered(struct exchange *x, struct link *l, enum verdict verdict, uint64_t now)
{
    struct link_asked asked = l->asked[l->asked_from];
    if (++l->asked_from == x->plan->pipeline) {
        l->asked_from = 0;
    }
    l->asked_count--;
    x->under_way--;
    x->answered++;
    x->tally.requests++;
    histogram_add(&x->tally.latency, now - asked.sent);
    switch (verdict) {
    case VERDICT_STORED:
        x->tally.stored++;
        if (x->plan->keys.ttl_max) {
            note_deadline(x, asked.record, now);
        }
        break;
    case VERDICT_HIT:
    case VERDICT_MISS:
        count_get(x, asked.record, verdict == VERDICT_HIT);
        break;
    default:
        x->tally.refused++;
        break;
    }
}

static bool nonsense(const char *in, size_t have, const char *what)
{
    size_t show = have < 60 ? have : 60;
    fprintf(stderr, "loadgen: %s: ", what);
    for (size_t i = 0; i < show; i++) {
        fputc(in[i] >= ' ' && in[i] < 127 ? in[i] : '.', stderr);
    }
    fputc('\n', stderr);
    return false;
}

/* One reply, or the rest of one, at in[0..have). *taken of 0: it needs more. */
static bool judge_one(struct exchange *x, struct link *l, const char *in, size_t have, uint64_t now,
                      size_t *taken)
{
    *taken = 0;
    if (l->rest) {
        *taken = l->rest < have ? l->rest : have;
        l->rest -= *taken;
        if (l->rest) {
            return true;
        }
        if (in[*taken - 1] != '\n') {
            return nonsense(in, have, "no line end after a value");
        }
        answered(x, l, l->verdict, now);
        return true;
    }
    if (!l->asked_count) {
        return nonsense(in, have, "a reply that nobody asked for");
    }
    const struct link_asked *asked = &l->asked[l->asked_from];
    keyspace_record(&x->plan->keys, asked->record, &x->record);
    struct expect expect = {&x->record, x->plan->value_bytes, asked->put, x->plan->trust};
    struct answer answer = x->plan->dialect->judge(in, have, &expect);
    if (answer.verdict == VERDICT_BROKEN) {
        return nonsense(in, have, "not a reply to what was asked");
    }
    if (answer.verdict == VERDICT_PARTIAL) {
        return have < DIALECT_HEAD_MAX || nonsense(in, have, "a reply without an end");
    }
    if (answer.verdict == VERDICT_REFUSED && !x->tally.refused) {
        nonsense(in, have, "the first refused request");
    }
    *taken = answer.head;
    l->verdict = answer.verdict;
    l->rest = answer.rest;
    if (!l->rest) {
        answered(x, l, l->verdict, now);
    }
    return true;
}

bool exchange_take(struct exchange *x, struct link *l)
{
    size_t length;
    char *in = x->in + DIALECT_HEAD_MAX - l->carry_length;
    enum link_result result = link_read(l, x->in + DIALECT_HEAD_MAX, READ_BYTES, &length);
    if (result == LINK_LATER) {
        return true;
    }
    if (result == LINK_CLOSED) {
        return nonsense("", 0, "the server closed the connection");
    }
    memcpy(in, l->carry, l->carry_length);
    uint64_t now = process_clock();
    for (size_t have = length + l->carry_length, taken; have; in += taken, have -= taken) {
        if (!judge_one(x, l, in, have, now, &taken)) {
            return false;
        }
        if (!taken) {
            memcpy(l->carry, in, have);
            l->carry_length = have;
            return true;
        }
    }
    l->carry_length = 0;
    return true;
}
