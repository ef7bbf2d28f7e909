/*
 * terms_fixture.c - calls of the store with its terms spelled out; see terms_fixture.h.
 */
#include "tests/store/terms_fixture.h"

struct fixture terms_fixture;

void terms_setup(void)
{
    fixture_open(&terms_fixture, 16 * FIXTURE_MIB, FIXTURE_MIB);
}

void terms_teardown(void)
{
    fixture_close(&terms_fixture);
}

void terms_locate(const char *name, const char *key, struct store_key *at)
{
    store_enter(terms_fixture.thread);
    store_tick(terms_fixture.thread, terms_fixture.now);
    FIXTURE_OK(store_locate(terms_fixture.thread, slice_of(name), slice_of(key), at));
}

enum store_status terms_put(const char *key, const struct store_terms *terms, struct slice value,
                            uint64_t *version)
{
    struct store_key at;
    terms_locate("ns", key, &at);
    enum store_status status =
        store_put(terms_fixture.thread, &at, terms, value, terms_fixture.now, version);
    store_leave(terms_fixture.thread);
    return status;
}

enum store_status terms_look(const char *key, const struct store_terms *terms,
                             struct store_view *view)
{
    struct store_key at;
    terms_locate("ns", key, &at);
    enum store_status status =
        store_inspect(terms_fixture.thread, &at, terms, terms_fixture.now, view);
    if (status == STORE_OK) {
        store_view_put(view);
    }
    store_leave(terms_fixture.thread);
    return status;
}

uint64_t terms_version_of(const char *key)
{
    const struct store_terms terms = {.ttl = TTL_KEEP, .tells_version = true};
    struct store_view view;
    FIXTURE_OK(terms_look(key, &terms, &view));
    return view.version;
}
