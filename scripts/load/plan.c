/*
 * plan.c - the generator's options, in one table.
 *
 * Every plan is bounded: what has no bound by count gets one by time.
 */
#include "scripts/load/plan.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define REQUESTS_AT_ONCE_MAX ((uint64_t)1 << 30) /* bytes composed for one connection */

static const struct option options[] = {
    {"host", required_argument, NULL, 'h'},
    {"port", required_argument, NULL, 'p'},
    {"protocol", required_argument, NULL, 'P'},
    {"trust", no_argument, NULL, 'T'},
    {"mode", required_argument, NULL, 'm'},
    {"connections", required_argument, NULL, 'c'},
    {"pipeline", required_argument, NULL, 'd'},
    {"rate", required_argument, NULL, 'R'},
    {"keys", required_argument, NULL, 'n'},
    {"key-bytes", required_argument, NULL, 'k'},
    {"value-bytes", required_argument, NULL, 'v'},
    {"ratio", required_argument, NULL, 'r'},
    {"zipf", required_argument, NULL, 'z'},
    {"namespace", required_argument, NULL, 's'},
    {"namespaces", required_argument, NULL, 'S'},
    {"ttl", required_argument, NULL, 't'},
    {"brief", required_argument, NULL, 'b'},
    {"cache-aside", no_argument, NULL, 'a'},
    {"requests", required_argument, NULL, 'q'},
    {"seconds", required_argument, NULL, 'x'},
    {"warmup", required_argument, NULL, 'w'},
    {"seed", required_argument, NULL, 'e'},
    {"pid", required_argument, NULL, 'i'},
    {"tls", no_argument, NULL, 'E'},
    {NULL, 0, NULL, 0},
};

static const char usage[] =
    "usage: loadgen --port=N --protocol=native|memcache|redis|inline [option...]\n"
    "  --host=ADDRESS     numeric (127.0.0.1)\n"
    "  --mode=MODE        fill, read: every record once, in order; mix: random; idle\n"
    "  --connections=N    (1)    --pipeline=N  sent at once, then awaited (1)\n"
    "  --rate=N           requests a second on schedule, instead of as fast as answered\n"
    "  --keys=N           (1000000)   --key-bytes=N  (16)   --value-bytes=N  (100)\n"
    "  --ratio=SETS:GETS  (1:10)      --zipf=S  skew (uniform)\n"
    "  --namespace=NAME   (bench)     --namespaces=N  NAME0, NAME1, ... in turns\n"
    "  --ttl=MIN[:MAX]    milliseconds, spread evenly over the records (never)\n"
    "  --brief=N          milliseconds that half of the records live instead\n"
    "  --cache-aside      store what a get missed\n"
    "  --requests=N       stop after so many   --seconds=S  measured (10)\n"
    "  --warmup=S         before that (0)      --seed=N     (1)\n"
    "  --pid=N            of the server, for its CPU time\n"
    "  --trust            judge the form of replies only\n"
    "  --tls              whatever the server's certificate\n";

static bool whole(const char *text, uint64_t low, uint64_t high, uint64_t *number)
{
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return errno == 0 && end != text && *end == '\0' && *number >= low && *number <= high;
}

static bool small(const char *text, unsigned low, unsigned high, unsigned *number)
{
    uint64_t n;
    if (!whole(text, low, high, &n)) {
        return false;
    }
    *number = (unsigned)n;
    return true;
}

static bool size(const char *text, size_t low, size_t high, size_t *number)
{
    uint64_t n;
    if (!whole(text, low, high, &n)) {
        return false;
    }
    *number = (size_t)n;
    return true;
}

static bool real(const char *text, double *number)
{
    char *end;
    *number = strtod(text, &end);
    return end != text && *end == '\0' && *number >= 0 && *number <= 1e6;
}

/* `A:B`, or `A` alone, which leaves *second as it is. */
static bool pair(const char *text, unsigned *first, unsigned *second)
{
    char left[16];
    const char *colon = strchrnul(text, ':');
    size_t length = (size_t)(colon - text);
    if (length >= sizeof left) {
        return false;
    }
    memcpy(left, text, length);
    left[length] = '\0';
    return small(left, 0, 1u << 31, first) && (!*colon || small(colon + 1, 0, 1u << 31, second));
}

static bool take_mode(struct plan *p, const char *text)
{
    static const char *const names[] = {"fill", "read", "mix", "idle"};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(text, names[i]) == 0) {
            p->mode = (enum plan_mode)i;
            return true;
        }
    }
    return false;
}

static bool take_ttl(struct plan *p, const char *text)
{
    p->keys.ttl_max = 0;
    if (!pair(text, &p->keys.ttl_min, &p->keys.ttl_max)) {
        return false;
    }
    if (p->keys.ttl_max < p->keys.ttl_min) {
        p->keys.ttl_max = p->keys.ttl_min;
    }
    return true;
}

static bool take_pid(struct plan *p, const char *text)
{
    unsigned pid;
    if (!small(text, 1, 1u << 30, &pid)) {
        return false;
    }
    p->pid = (pid_t)pid;
    return true;
}

/* What is asked for and in which words. */
static bool take_what(struct plan *p, int option, const char *text)
{
    switch (option) {
    case 'n':
        return whole(text, 1, 1u << 31, &p->keys.count);
    case 'k':
        return size(text, RECORD_KEY_MIN, RECORD_KEY_MAX, &p->keys.key_bytes);
    case 'v':
        return size(text, 1, 64u << 20, &p->value_bytes);
    case 'r':
        return pair(text, &p->sets, &p->gets) && p->sets + p->gets > 0;
    case 's':
        p->keys.name = text;
        return strlen(text) <= RECORD_NAMESPACE_MAX;
    case 'S':
        return small(text, 1, 1u << 31, &p->keys.namespaces);
    case 't':
        return take_ttl(p, text);
    case 'b':
        return small(text, 1, 1u << 31, &p->keys.brief);
    case 'P':
        p->dialect = dialect_find(text);
        return p->dialect != NULL;
    default:
        return false;
    }
}

/* Where, how fast, how long. */
static bool take_how(struct plan *p, int option, const char *text)
{
    switch (option) {
    case 'h':
        p->host = text;
        return true;
    case 'p':
        p->port = text;
        return true;
    case 'm':
        return take_mode(p, text);
    case 'c':
        return small(text, 1, 60000, &p->connections);
    case 'd':
        return small(text, 1, 4096, &p->pipeline);
    case 'R':
        return small(text, 1, 1000000, &p->rate);
    case 'q':
        return whole(text, 1, UINT64_MAX, &p->requests);
    case 'x':
        return real(text, &p->seconds) && p->seconds > 0;
    case 'w':
        return real(text, &p->warmup);
    case 'e':
        return whole(text, 0, UINT64_MAX, &p->seed);
    case 'i':
        return take_pid(p, text);
    default:
        return take_what(p, option, text);
    }
}

static bool complete(struct plan *p)
{
    if (!p->port || !p->dialect) {
        fputs(usage, stderr);
        return false;
    }
    if (p->seconds == 0) {
        p->seconds = p->mode == PLAN_MIX || p->mode == PLAN_IDLE ? 10 : 600;
    }
    if ((p->value_bytes + DIALECT_FORM_MAX) * p->pipeline > REQUESTS_AT_ONCE_MAX) {
        fputs("loadgen: --pipeline times --value-bytes is more than 1 GiB\n", stderr);
        return false;
    }
    return true;
}

bool plan_read(struct plan *plan, int argc, char **argv)
{
    *plan = (struct plan){
        .host = "127.0.0.1",
        .mode = PLAN_MIX,
        .connections = 1,
        .pipeline = 1,
        .keys = {.count = 1000000, .key_bytes = 16, .name = "bench", .namespaces = 1},
        .value_bytes = 100,
        .sets = 1,
        .gets = 10,
        .seed = 1,
    };
    double zipf = 0;
    for (int o, which = 0; (o = getopt_long(argc, argv, "", options, &which)) != -1;) {
        if (o == '?') {
            return fputs(usage, stderr), false;
        }
        bool *flag = o == 'T'   ? &plan->trust
                     : o == 'a' ? &plan->cache_aside
                     : o == 'E' ? &plan->tls
                                : NULL;
        if (flag) {
            *flag = true;
        } else if (o == 'z' ? !real(optarg, &zipf) : !take_how(plan, o, optarg)) {
            fprintf(stderr, "loadgen: --%s: %s is not understood or out of range\n",
                    options[which].name, optarg);
            return false;
        }
    }
    if (optind != argc) {
        return fputs(usage, stderr), false;
    }
    keyspace_init(&plan->keys, zipf);
    return complete(plan);
}
