/*
 * fuzz_arena.c - an arena file with random changes. The input is a list of edits of 6 bytes: which
 * run of the file's data, 3 bytes for the offset in it, the byte to XOR with (0: write zeros) and
 * the length. A store must open with the file, pass store_check, and serve for each key its value
 * or none; keys that were deleted or flushed must not reappear.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/store/store.h"
#include "tests/store/crash/image.h"

enum {
    KEYS = 40,      /* of a namespace; of each four one is deleted again */
    LARGE = 12000,  /* bytes of every tenth value */
    EDIT = 6,       /* bytes of input */
    LONGEST = 4096, /* bytes of one edit */
};

static const char *const names[] = {"first", "second", "flushed"};

enum { NAMES = sizeof names / sizeof *names, FLUSHED = 2 };

static char directory[64];
static char path[80];
static struct image whole, damaged;
static struct store_options options = {.memory = STORE_MEMORY_MIN,
                                       .max_value = 1 << 20,
                                       .file = path,
                                       .clock = {.boot = {1}, .uptime = 1000},
                                       .file_secret = {1, 2, 3}};

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* --- the store that is damaged ------------------------------------------------- */

static struct slice value_of(unsigned name, unsigned key, char *bytes)
{
    size_t length = key % 10 == 9 ? LARGE : key * 7;
    for (size_t i = 0; i < length; i++) {
        bytes[i] = (char)(name * 101 + key * 31 + i * (key + 3));
    }
    return (struct slice){bytes, length};
}

static bool is_deleted(unsigned name, unsigned key)
{
    return name == FLUSHED || key % 4 == 1;
}

static void locate(struct store_thread *thread, unsigned name, unsigned key, char *bytes,
                   struct store_key *at)
{
    int length = snprintf(bytes, 16, "key%u", key);
    must(store_locate(thread, slice_of(names[name]), (struct slice){bytes, (size_t)length}, at) ==
         STORE_OK);
}

static void put_all(struct store_thread *thread)
{
    static char bytes[LARGE];
    char key_bytes[16];
    struct store_key at;
    uint64_t records = 0;
    for (unsigned i = 0; i < NAMES * KEYS; i++) {
        struct store_terms terms = {.ttl = {i % 3 == 0 ? STORE_TTL_FOR : STORE_TTL_NEVER, 1000000},
                                    .noted = i % 5 == 0};
        locate(thread, i % NAMES, i / NAMES, key_bytes, &at);
        must(store_put(thread, &at, &terms, value_of(i % NAMES, i / NAMES, bytes), 1000, NULL) ==
             STORE_OK);
        if (is_deleted(i % NAMES, i / NAMES) && i % NAMES != FLUSHED) {
            must(store_delete(thread, &at, NULL, 1000) == STORE_OK);
        }
    }
    must(store_flush(thread, slice_of(names[FLUSHED]), 1000, &records) == STORE_OK);
}

static void clean_up(void)
{
    unlink(path);
    rmdir(directory);
}

static void prepare(void)
{
    /* In memory, if there is such a place. */
    strcpy(directory, "/dev/shm/kvcached-fuzz-XXXXXX");
    if (mkdtemp(directory) == NULL) {
        strcpy(directory, "/tmp/kvcached-fuzz-XXXXXX");
        must(mkdtemp(directory) != NULL);
    }
    snprintf(path, sizeof path, "%s/arena", directory);
    atexit(clean_up);
    struct store *store = store_create(&options);
    must(store != NULL);
    struct store_thread *thread = store_thread_create(store);
    must(thread != NULL);
    store_enter(thread);
    put_all(thread);
    store_leave(thread);
    store_thread_destroy(&thread);
    store_destroy(&store);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    must(fd >= 0 && image_take(&whole, fd) && image_take(&damaged, fd));
    close(fd);
}

/* --- what is left of it ----------------------------------------------------------- */

static bool is_value(const struct store_view *view, struct slice value)
{
    struct iovec pieces[32];
    uint64_t from = 0;
    if (view->length != value.length || !view->pinned) {
        return view->length == value.length && memcmp(view->bytes, value.bytes, value.length) == 0;
    }
    size_t count = store_view_pieces(view, 0, pieces, 32);
    bool same = true;
    for (size_t i = 0; i < count && same; i++) {
        same = pieces[i].iov_len <= value.length - from &&
               memcmp(pieces[i].iov_base, value.bytes + from, pieces[i].iov_len) == 0;
        from += pieces[i].iov_len;
    }
    return same && from == value.length;
}

static void look_at_all(struct store_thread *thread)
{
    static char bytes[LARGE];
    char key_bytes[16];
    for (unsigned i = 0; i < NAMES * KEYS; i++) {
        struct store_key at;
        struct store_view view;
        locate(thread, i % NAMES, i / NAMES, key_bytes, &at);
        if (store_get(thread, &at, 1000, &view) == STORE_OK) {
            must(!is_deleted(i % NAMES, i / NAMES));
            must(is_value(&view, value_of(i % NAMES, i / NAMES, bytes)));
            store_view_put(&view);
        }
    }
}

static void open_and_look(void)
{
    struct store_recovery found = {.aside = NULL};
    options.recovery = &found;
    struct store *store = store_create(&options);
    must(store != NULL);
    struct store_thread *thread = store_thread_create(store);
    must(thread != NULL);
    store_enter(thread);
    must(store_check(thread, 1000) == NULL);
    look_at_all(thread);
    store_leave(thread);
    store_thread_destroy(&thread);
    store_destroy(&store);
    if (found.aside != NULL) {
        unlink(found.aside);
        free(found.aside);
    }
}

/* --- one input ----------------------------------------------------------------------- */

static void edit(const uint8_t *what)
{
    struct image_run *run = &damaged.runs[what[0] % damaged.count];
    size_t at = ((size_t)what[1] << 16 | (size_t)what[2] << 8 | what[3]) % run->length;
    size_t length = what[5] == 255 ? LONGEST : what[5] % 64 + 1u;
    for (size_t i = at; i < at + length && i < run->length; i++) {
        run->bytes[i] = what[4] == 0 ? 0 : (char)(run->bytes[i] ^ what[4]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (whole.count == 0) {
        prepare();
    }
    for (unsigned i = 0; i < whole.count; i++) {
        memcpy(damaged.runs[i].bytes, whole.runs[i].bytes, whole.runs[i].length);
    }
    for (; length >= EDIT; bytes += EDIT, length -= EDIT) {
        edit(bytes);
    }
    must(image_put(&damaged, path));
    open_and_look();
    open_and_look();
    return 0;
}
