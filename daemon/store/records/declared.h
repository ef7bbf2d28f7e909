/*
 * declared.h - the namespaces that a policy declares, by name.
 *
 * A table that is made once and does not change. It says what holds for a name whether there
 * is a namespace of that name or not, so that a namespace has its settings from the moment
 * in which it is made, whatever makes it: the policy, or a write.
 */
#ifndef KVCACHED_DAEMON_STORE_RECORDS_DECLARED_H
#define KVCACHED_DAEMON_STORE_RECORDS_DECLARED_H

#include "daemon/base/siphash.h"
#include "daemon/store/store.h"

struct declared;

/* Copies the names. Of two entries of one name the first counts. NULL without memory. Costs
 * time in proportion to the number of names. */
struct declared *declared_create(const struct store_policy *policy,
                                 const struct siphash_key *secret);
/* Sets *declared to NULL. Good for NULL. */
void declared_destroy(struct declared **declared);

/* Names; 0 for NULL. */
uint32_t declared_count(const struct declared *declared);
/* By number, from 0. */
const struct store_namespace_options *declared_at(const struct declared *declared, uint32_t number);
/* NULL: it is not declared. Good for a NULL table, which declares nothing. */
const struct store_namespace_options *declared_find(const struct declared *declared,
                                                    struct slice name);

#endif
