/*
 * share_limits.h - what may be pinned or uploaded, and what is pressed; see share.h.
 *
 * All calls may be made by any thread.
 */
#ifndef KVCACHED_DAEMON_STORE_RECORDS_SHARE_LIMITS_H
#define KVCACHED_DAEMON_STORE_RECORDS_SHARE_LIMITS_H

#include "daemon/store/records/state.h"

/* The quotas of a new policy. */
void share_set_quotas(struct store *store, const struct store_policy *policy);

/* --- pinned segments ------------------------------------------------------------- */

/* Whether one more segment may be pinned, which takes so many bytes. */
bool share_admits_pin(struct store *store, struct namespace *ns, const struct segment *segment,
                      uint64_t bytes, uint64_t now);

/* One more reader. The segment is linked, and its bucket or its namespace locked. */
void share_pin(struct store *store, struct segment *segment, uint64_t bytes);

/* One reader less; frees a segment that nothing else holds. No lock may be held. */
void share_unpin(struct store *store, struct namespace *ns, struct segment *segment);
/* The same with the namespace locked. */
void share_unpin_locked(struct store *store, struct namespace *ns, struct segment *segment);

/* The owner's reference of an unlinked segment is dropped while readers hold it. Under the
 * namespace's lock. */
void share_orphan(struct namespace *ns, struct segment *segment);

/* --- uploads --------------------------------------------------------------------- */

/* Grants an upload that began then so many bytes. False: it has to wait. Where `begun` is 0 it
 * goes before all others that wait. */
bool share_grant(struct store *store, struct namespace *ns, uint64_t bytes, uint64_t begun,
                 uint64_t now, struct grant *grant);
/* Gives it back. */
void share_revoke(struct store *store, struct namespace *ns, struct grant *grant);

/* --- pressure -------------------------------------------------------------------- */

/* A writer found no room at all. `ns` may be NULL. */
void share_note_want(struct store *store, struct namespace *ns, uint64_t now);

/* Whether readers or uploads hold some of what the namespace may have: it comes back. */
bool share_is_lent(const struct store *store, const struct namespace *ns);

/* Whether uploads of that namespace are in the way of others. */
bool share_upload_presses(const struct store *store, const struct namespace *ns,
                          const struct store_pressure *pressure);

#endif
