/*
 * terms_fixture.h - a store of 16 MiB, and calls of it with all terms spelled out.
 *
 * Keys are in the namespace "ns", where a call does not name one. One thread.
 */
#ifndef KVCACHED_TESTS_STORE_TERMS_FIXTURE_H
#define KVCACHED_TESTS_STORE_TERMS_FIXTURE_H

#include "tests/store/fixture.h"

extern struct fixture terms_fixture;

void terms_setup(void);
void terms_teardown(void);

/* Enters the store and finds the key's place; store_leave is the caller's. */
void terms_locate(const char *name, const char *key, struct store_key *at);
enum store_status terms_put(const char *key, const struct store_terms *terms, struct slice value,
                            uint64_t *version);
/* Small values only; what was looked at stays in *view but for its bytes. */
enum store_status terms_look(const char *key, const struct store_terms *terms,
                             struct store_view *view);
uint64_t terms_version_of(const char *key);

#endif
