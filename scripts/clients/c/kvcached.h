/*
 * kvcached.h - libkvcached, a client of kvcached's native protocol: kvcached-protocol(7).
 *
 * Threads: a handle (struct kvc) is used by one thread at a time, and different handles by any
 * threads at the same time. A pool (struct kvc_pool) is used by all threads. There are no global
 * variables, no signal is handled or ignored, and no thread is started.
 *
 * Ownership: strings and bytes that are given to a call remain the caller's, and are copied where
 * they are needed longer than the call. Bytes that a call returns are the handle's, and are good
 * until the next call with that handle. What has to be freed is said where it is made.
 *
 * Memory: a handle has a buffer for what is sent and one for what has come. They grow as far as
 * the largest request and reply need, and shrink when the next call begins. Nothing else is
 * allocated after kvc_create but what OpenSSL allocates.
 *
 * Times are in milliseconds.
 */
#ifndef KVCACHED_H
#define KVCACHED_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- bytes ------------------------------------------------------------------------ */

/* Any bytes; there is no NUL behind them. */
struct kvc_bytes {
    const char *bytes;
    size_t length;
};

/* Those of a text that ends in a NUL. */
static inline struct kvc_bytes kvc_text(const char *text)
{
    struct kvc_bytes bytes;
    bytes.bytes = text;
    bytes.length = strlen(text);
    return bytes;
}

/* --- results and errors ----------------------------------------------------------- */

enum kvc_result {
    KVC_OK,
    KVC_NOT_FOUND, /* there is no such record, or no such namespace */
    KVC_EXISTS,    /* there is such a record already */
    /* What follows are errors, see kvc_last_error. Behind these the connection goes on: */
    KVC_ERROR_ARGUMENT, /* the call was refused, and nothing was sent */
    KVC_ERROR_CLIENT,   /* CLIENT_ERROR: something is wrong with the request */
    KVC_ERROR_SERVER,   /* SERVER_ERROR: the daemon could not do it */
    KVC_ERROR_UNKNOWN,  /* ERROR: the daemon does not know the verb */
    KVC_ERROR_DENIED,   /* user or secret are wrong */
    KVC_ERROR_MEMORY,   /* this process has no memory */
    KVC_ERROR_STOPPED,  /* the options' poll function failed with EINTR */
    /* And behind these it is closed: */
    KVC_ERROR_UNREACHABLE, /* no connection was made */
    KVC_ERROR_CLOSED,      /* it ended before the reply did */
    KVC_ERROR_TIMEOUT,     /* the reply did not come in time */
    KVC_ERROR_PROTOCOL     /* the reply is none that the request can have */
};

enum { KVC_TEXT_MAX = 512 };

struct kvc_error {
    enum kvc_result code;
    int in_doubt;            /* not 0: something was to be changed, and it is not known whether it
                                was, since the reply is lost */
    char text[KVC_TEXT_MAX]; /* for people; of the daemon's errors, what follows the first word */
};

/* --- a handle --------------------------------------------------------------------- */

struct kvc; /* a connection to a daemon, which is made when it is needed */

enum { KVC_PORT = 7171 };

/* As poll(2) for one descriptor. Where it returns -1 with EINTR, the call that waits ends with
 * KVC_ERROR_STOPPED. */
typedef int kvc_poll_function(void *context, int fd, short events, int timeout);

/* All that is 0 or NULL has a meaning, so `struct kvc_options options = {.size = sizeof options}`
 * is a start. */
struct kvc_options {
    size_t size;         /* sizeof(struct kvc_options) */
    const char *address; /* `HOST:PORT`, `HOST`, `[ADDRESS]:PORT`, `/PATH`, `./PATH` or `../PATH`;
                            NULL: 127.0.0.1 */
    int connect_timeout; /* of a connection and its TLS handshake; 0: 5000. The resolver of names
                            has a timeout of its own. */
    int timeout;         /* of a reply, that to AUTH too, and of a row of a listing; 0: 30000; below
                            0: none */
    int no_retry;        /* not 0: a request that only reads is not sent again when its connection
                            was lost. Others never are. */
    const char *user;    /* NULL: without AUTH */
    struct kvc_bytes secret;
    int tls;            /* not 0: with TLS 1.2 or newer. The daemon's certificate is checked. */
    const char *ca;     /* file of the authorities that it may be signed by, in PEM; NULL: the
                           system's */
    const char *pinned; /* file of the daemon's own certificate, in PEM, in place of `ca`: this one
                           is accepted, and what it has signed, whatever their names; or NULL */
    const char *cert;   /* files of the client's certificate and its key, in PEM; or NULL */
    const char *key;    /* NULL: as `cert` */
    kvc_poll_function *poll; /* NULL: poll(2) */
    void *poll_context;
};

/* Makes a handle, and no connection yet. To be freed with kvc_destroy. NULL with *error, which may
 * be NULL: there is no memory, or an option is wrong. */
struct kvc *kvc_create(const struct kvc_options *options, struct kvc_error *error);
/* Closes the connection and wipes the secret. NULL is allowed. */
void kvc_destroy(struct kvc *kvc);

/* Of the last call with this handle that ended with an error; good as long as the handle. */
const struct kvc_error *kvc_last_error(const struct kvc *kvc);

/* Connects now, in place of a connection that there is, and authenticates. Requests that were
 * appended are forgotten. */
enum kvc_result kvc_connect(struct kvc *kvc);
void kvc_disconnect(struct kvc *kvc);
/* Whether there is a connection. */
int kvc_is_connected(const struct kvc *kvc);
/* Whether there is one that seems good for another request: nothing has come that was not asked
 * for. Otherwise it is closed. Does not wait. */
int kvc_is_good(struct kvc *kvc);
/* In place of the option, from the next call on; below 0: none. */
void kvc_set_timeout(struct kvc *kvc, int timeout);

/* --- requests --------------------------------------------------------------------- */
/*
 * Each of these sends one request and reads its replies; kvc_mput sends as many as there are
 * records. A connection is made first if there is none, or if the daemon has closed it.
 *
 * A namespace has 1 to 64 of A-Z a-z 0-9 _ . - , and "-" is the daemon's default one. A key has 1
 * to 1024 bytes of any kind, where each byte up to 0x20 and 0x7f counts as four.
 */

/* Times to live are milliseconds from 1, or one of these. */
enum {
    KVC_TTL_DEFAULT = -1, /* the namespace's own */
    KVC_TTL_NEVER = -2    /* the record does not expire */
};

/* KVC_OK, or an error. `flags` are a number that clients of memcached see. */
enum kvc_result kvc_put(struct kvc *kvc, const char *ns, struct kvc_bytes key,
                        struct kvc_bytes value, int64_t ttl, uint32_t flags);
/* KVC_EXISTS where there is such a record. */
enum kvc_result kvc_add(struct kvc *kvc, const char *ns, struct kvc_bytes key,
                        struct kvc_bytes value, int64_t ttl, uint32_t flags);
/* KVC_NOT_FOUND where there is none. *value is the handle's until its next call. */
enum kvc_result kvc_get(struct kvc *kvc, const char *ns, struct kvc_bytes key,
                        struct kvc_bytes *value);
/* KVC_NOT_FOUND where there is none. */
enum kvc_result kvc_delete(struct kvc *kvc, const char *ns, struct kvc_bytes key);
enum kvc_result kvc_touch(struct kvc *kvc, const char *ns, struct kvc_bytes key, int64_t ttl);
/* *ttl: what is left, rounded down, or KVC_TTL_NEVER. KVC_NOT_FOUND where there is no record. */
enum kvc_result kvc_ttl(struct kvc *kvc, const char *ns, struct kvc_bytes key, int64_t *ttl);
/* *number, which may be NULL: the new value. KVC_NOT_FOUND where there is no record. A decrement
 * stops at 0. */
enum kvc_result kvc_incr(struct kvc *kvc, const char *ns, struct kvc_bytes key, uint64_t by,
                         uint64_t *number);
enum kvc_result kvc_decr(struct kvc *kvc, const char *ns, struct kvc_bytes key, uint64_t by,
                         uint64_t *number);
/* *records, which may be NULL: how many there were. */
enum kvc_result kvc_flush_namespace(struct kvc *kvc, const char *ns, uint64_t *records);
enum kvc_result kvc_ping(struct kvc *kvc);
/* *version: `kvcached x.y.z`; the handle's until its next call. */
enum kvc_result kvc_server_version(struct kvc *kvc, struct kvc_bytes *version);
/* Authenticates this connection. Later ones use the user of the options all the same. */
enum kvc_result kvc_auth(struct kvc *kvc, const char *user, struct kvc_bytes secret);

struct kvc_record {
    struct kvc_bytes key;
    struct kvc_bytes value;
    int64_t ttl; /* as of kvc_put */
    uint32_t flags;
};

/* Stores all of them, and goes on behind one that is refused. Returns the first error; results,
 * which may be NULL, has a place for that of each. An argument that is wrong refuses all. The
 * handle's buffer holds all requests at once. */
enum kvc_result kvc_mput(struct kvc *kvc, const char *ns, const struct kvc_record *records,
                         size_t count, enum kvc_result *results);
/* Sets values[i] to that of keys[i], or its bytes to NULL where there is none. The values are the
 * handle's until its next call. With an error no value is set. */
enum kvc_result kvc_mget(struct kvc *kvc, const char *ns, const struct kvc_bytes *keys,
                         size_t count, struct kvc_bytes *values);
/* results, which may be NULL: KVC_OK or KVC_NOT_FOUND for each key. */
enum kvc_result kvc_mdelete(struct kvc *kvc, const char *ns, const struct kvc_bytes *keys,
                            size_t count, enum kvc_result *results);

/* A row of a listing: a key, with its value where there is one; or the name of a figure and its
 * text. Good until the function returns, which must not use the handle. When it returns something
 * other than 0, the listing ends with KVC_OK, and the connection is closed. */
typedef int kvc_row_function(void *context, struct kvc_bytes key, struct kvc_bytes value);

/* `pattern` as in kvcached-protocol(7); NULL: all keys. */
enum kvc_result kvc_list(struct kvc *kvc, const char *ns, const char *pattern,
                         kvc_row_function *row, void *context);
enum kvc_result kvc_all(struct kvc *kvc, const char *ns, const char *pattern, kvc_row_function *row,
                        void *context);
/* `ns` NULL: those of the daemon. KVC_NOT_FOUND where there is no such namespace. */
enum kvc_result kvc_stats(struct kvc *kvc, const char *ns, kvc_row_function *row, void *context);

/* --- pipelines -------------------------------------------------------------------- */
/*
 * Requests that are appended are collected; kvc_next sends them all, and reads one reply of the
 * first that has one left. While replies are left, the calls above are refused. None of these is
 * sent again when a connection is lost: then all of them are forgotten, and kvc_next returns the
 * error once.
 */

/* What kvc_next reads. The bytes are the handle's until its next call. */
struct kvc_reply {
    struct kvc_bytes line;  /* the whole line, without its end */
    struct kvc_bytes word;  /* its first word */
    struct kvc_bytes rest;  /* what follows that, without the blank */
    struct kvc_bytes value; /* of VALUE and RECORD; of STAT and VERSION the text; else NULL */
    /* By kvc_next only: */
    struct kvc_bytes key; /* of KEY and RECORD, as it was before it was escaped; of STAT the name */
    uint64_t number;      /* of NUMBER and FLUSHED */
    int64_t ttl;          /* of TTL, or KVC_TTL_NEVER */
    int is_last;          /* not 0: no other reply to this request follows */
};

enum kvc_result kvc_append_put(struct kvc *kvc, const char *ns, struct kvc_bytes key,
                               struct kvc_bytes value, int64_t ttl, uint32_t flags);
enum kvc_result kvc_append_add(struct kvc *kvc, const char *ns, struct kvc_bytes key,
                               struct kvc_bytes value, int64_t ttl, uint32_t flags);
/* These have a reply for each key; an error is the last. None is appended without keys. */
enum kvc_result kvc_append_get(struct kvc *kvc, const char *ns, const struct kvc_bytes *keys,
                               size_t count);
enum kvc_result kvc_append_delete(struct kvc *kvc, const char *ns, const struct kvc_bytes *keys,
                                  size_t count);
enum kvc_result kvc_append_touch(struct kvc *kvc, const char *ns, struct kvc_bytes key,
                                 int64_t ttl);
enum kvc_result kvc_append_ttl(struct kvc *kvc, const char *ns, struct kvc_bytes key);
enum kvc_result kvc_append_incr(struct kvc *kvc, const char *ns, struct kvc_bytes key, uint64_t by);
enum kvc_result kvc_append_decr(struct kvc *kvc, const char *ns, struct kvc_bytes key, uint64_t by);
/* These have a reply for each row, and END as the last. */
enum kvc_result kvc_append_list(struct kvc *kvc, const char *ns, const char *pattern);
enum kvc_result kvc_append_all(struct kvc *kvc, const char *ns, const char *pattern);
enum kvc_result kvc_append_stats(struct kvc *kvc, const char *ns);
enum kvc_result kvc_append_flush(struct kvc *kvc, const char *ns);
enum kvc_result kvc_append_ping(struct kvc *kvc);
enum kvc_result kvc_append_version(struct kvc *kvc);

/* How many requests have replies left. */
size_t kvc_awaited(const struct kvc *kvc);
/* KVC_OK for STORED, DELETED, TOUCHED, a value, a number or a row; KVC_NOT_FOUND, KVC_EXISTS; or an
 * error. */
enum kvc_result kvc_next(struct kvc *kvc, struct kvc_reply *reply);

/* --- lines ------------------------------------------------------------------------ */
/*
 * For requests that this library has no call for: the bytes are sent as they are, and replies are
 * read one by one. They neither connect nor send again. The timeout begins anew with each byte
 * that comes or goes. KVC_ERROR_STOPPED leaves all as it is, so that the call can be made again.
 */

/* Which lines of replies have a value behind them. */
enum kvc_values {
    KVC_VALUES,      /* VALUE and RECORD; their last word is its length */
    KVC_VALUES_DUMP, /* PUT as well; its fifth word is the length */
    KVC_VALUES_NONE  /* none: lines for people */
};

/* Appends bytes to what kvc_flush and kvc_read send. */
enum kvc_result kvc_send(struct kvc *kvc, struct kvc_bytes bytes);
/* Sends them, and takes in replies meanwhile. */
enum kvc_result kvc_flush(struct kvc *kvc);
/* Reads a line of a reply, and its value. What came before a connection was lost is read too. */
enum kvc_result kvc_read(struct kvc *kvc, enum kvc_values values, struct kvc_reply *reply);
/* Reads a line that ends in a line feed, or in a carriage return and a line feed, without them. */
enum kvc_result kvc_read_line(struct kvc *kvc, struct kvc_bytes *line);
/* Reads exactly that many bytes. */
enum kvc_result kvc_read_bytes(struct kvc *kvc, size_t length, struct kvc_bytes *bytes);

enum kvc_cut {
    KVC_CUT_WHOLE,
    KVC_CUT_PARTIAL, /* more bytes have to come */
    KVC_CUT_BAD      /* this is no reply of the native protocol */
};

/* Cuts a line of a reply, and its value, from the front of the bytes, into which *reply then
 * points; *taken: how many it has. Where it is partial, *wanted is how many bytes there have to be
 * at least, as far as is known. Any thread. */
enum kvc_cut kvc_cut(struct kvc_bytes bytes, enum kvc_values values, struct kvc_reply *reply,
                     size_t *taken, size_t *wanted);

/* --- addresses -------------------------------------------------------------------- */

struct kvc_address {
    struct kvc_bytes host; /* a name or an address; its bytes are NULL where there is a path */
    uint16_t port;
    struct kvc_bytes path; /* of a Unix socket; or its bytes are NULL */
};

enum { KVC_NAME_MAX = 300 };

/* Reads an address as of the options, into which *address then points. `port`: where none is
 * named. 0: it is none. */
int kvc_address_parse(struct kvc_bytes text, uint16_t port, struct kvc_address *address);
/* Writes it as kvc_address_parse reads it, with a NUL behind it. */
void kvc_address_name(const struct kvc_address *address, char name[KVC_NAME_MAX]);

/* --- pools ------------------------------------------------------------------------ */

struct kvc_pool; /* handles that threads borrow */

/* Makes a pool of `size` handles, from 1, with the same options and without a connection yet. To be
 * freed with kvc_pool_destroy. NULL with *error, which may be NULL. */
struct kvc_pool *kvc_pool_create(const struct kvc_options *options, size_t size,
                                 struct kvc_error *error);
/* Every handle has to be back. NULL is allowed. */
void kvc_pool_destroy(struct kvc_pool *pool);
/* Borrows a handle, and waits up to `timeout` until one is back; below 0: without end. The one that
 * was used last comes first. NULL: none was. Any thread. */
struct kvc *kvc_pool_get(struct kvc_pool *pool, int timeout);
/* Gives it back. Its connection is kept, unless replies are left. Any thread. */
void kvc_pool_put(struct kvc_pool *pool, struct kvc *kvc);

/* --- the library ------------------------------------------------------------------ */

/* `x.y.z` of the library that is loaded. */
const char *kvc_version(void);

#ifdef __cplusplus
}
#endif

#endif
