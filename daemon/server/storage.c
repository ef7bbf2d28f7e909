/*
 * storage.c - the store's beginning and end, and what is to be said about them.
 */
#include "daemon/server/storage.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/safe_open.h"
#include "daemon/maintenance/arena_watch.h"
#include "daemon/os/service_manager.h"
#include "daemon/os/signals.h"
#include "daemon/server/conf_apply.h"

enum {
    TELL_EVERY = 1000, /* ms between two lines about how far the reading is */
    STOP_TIME = 90000, /* ms that writing all of it to a disk may take */
    MORE_TIME = 30000, /* ms that the service manager is asked for each time */
};

/* What has been told about a file that is being read. */
struct reading {
    const char *file;
    uint64_t begun; /* on clock_now before it was set; 0: not yet */
    uint64_t told;
    const char *why;      /* it was not opened; NULL: it was */
    atomic_uint *percent; /* of it; for other threads */
};

/* --- sizes and places ---------------------------------------------------------- */

struct shown {
    char text[32];
};

static struct shown shown_size(uint64_t bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    struct shown shown;
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 1024 && unit + 1 < sizeof units / sizeof *units) {
        value /= 1024;
        unit++;
    }
    snprintf(shown.text, sizeof shown.text, "%.*f %s", unit > 1 && value < 10, value, units[unit]);
    return shown;
}

/* Bytes that the file could come to take, with those that it has. */
static uint64_t room_for(const char *file)
{
    struct stat has = {0};
    struct statvfs system;
    char *directory = strdup(file);
    if (directory == NULL) {
        return 0;
    }
    char *end = strrchr(directory, '/');
    end[end == directory] = '\0';
    uint64_t room = 0;
    if (stat(file, &has) == 0) {
        room = (uint64_t)has.st_blocks * 512;
    }
    if (statvfs(directory, &system) == 0) {
        room += (uint64_t)system.f_bavail * system.f_frsize;
    }
    free(directory);
    return room;
}

/* --- how the start went ----------------------------------------------------------- */

static void on_progress(void *context, uint64_t done, uint64_t all)
{
    struct reading *reading = context;
    uint64_t now = clock_now();
    unsigned percent = all == 0 ? 100 : (unsigned)((double)done * 100 / (double)all);

    atomic_store(reading->percent, percent);
    if (reading->begun == 0) {
        reading->begun = reading->told = now;
        log_notice("arena %s: reading %s", reading->file, shown_size(all / 2).text);
    } else if (now - reading->told >= TELL_EVERY) {
        reading->told = now;
        log_notice("arena %s: %u %% read", reading->file, percent);
    } else {
        return;
    }
    notify_status("Reading %s: %u %%", reading->file, percent);
    notify_extend(MORE_TIME);
}

static bool on_look(void *context)
{
    (void)context;
    return signals_noted() != 0;
}

static int open_file(void *context, const char *path, bool *made)
{
    struct reading *reading = context;
    const struct safe_terms terms = {
        .path = path, .flags = O_RDWR | O_CREAT, .mode = 0600, .user = geteuid()};

    reading->why = NULL;
    return safe_open(&terms, made, &reading->why);
}

static int failed_with_file(const char *file, uint64_t memory, int why)
{
    switch (why) {
    case ECANCELED: /* by a signal, which the caller knows of */
        return EX_TEMPFAIL;
    case EWOULDBLOCK:
        log_error("arena.file: %s: another kvcached uses it", file);
        return EX_UNAVAILABLE;
    case ENOSPC:
        log_error("arena.file: %s: memory asks for %s, the file system has room for %s", file,
                  shown_size(memory).text, shown_size(room_for(file)).text);
        return EX_CANTCREAT;
    case EFBIG:
        log_error("arena.file: %s: the process may not write files that large (ulimit -f)", file);
        return EX_CANTCREAT;
    case EINVAL:
        log_error("arena.file: %s: not a regular file", file);
        return EX_CANTCREAT;
    case ELOOP:
        log_error("arena.file: %s: a symbolic link is not followed", file);
        return EX_CANTCREAT;
    case EOPNOTSUPP:
        log_error("arena.file: %s: the file system cannot set blocks aside (fallocate)", file);
        return EX_CANTCREAT;
    default:
        log_error("arena.file: %s: %s", file, strerror(why));
        return why == EACCES || why == EPERM || why == EROFS ? EX_NOPERM : EX_CANTCREAT;
    }
}

static int failed(const struct store_options *options)
{
    const struct reading *reading = options->context;
    int why = errno;
    if (reading->why != NULL && why == EPERM) {
        log_error("arena.file: %s: %s", options->file, reading->why);
        return EX_NOPERM;
    }
    if (options->file != NULL && why != ENOMEM) {
        return failed_with_file(options->file, options->memory, why);
    }
    log_error("memory: cannot reserve %ju bytes: %s", (uintmax_t)options->memory, strerror(why));
    return EX_OSERR;
}

static void tell_losses(const char *file, const struct store_recovery *recovery, uint64_t memory)
{
    if (recovery->damaged_records + recovery->damaged_segments + recovery->damaged_namespaces > 0) {
        log_warning("arena %s: damaged and dropped (records: %" PRIu64 ", segments: %" PRIu64
                    ", namespaces: %" PRIu64 ")",
                    file, recovery->damaged_records, recovery->damaged_segments,
                    recovery->damaged_namespaces);
    }
    if (recovery->evicted > 0) {
        log_warning("arena %s: %" PRIu64 " records did not fit into %s", file, recovery->evicted,
                    shown_size(memory).text);
    }
    if (recovery->beyond > 0) {
        log_warning("memory: the arena file %s has no room for the last %s of %s; remove it to use "
                    "all",
                    file, shown_size(recovery->beyond).text, shown_size(memory).text);
    }
}

static void tell_recovery(const char *file, const struct store_recovery *recovery, uint64_t memory,
                          uint64_t took)
{
    switch (recovery->arena) {
    case STORE_ARENA_MEMORY:
        return;
    case STORE_ARENA_NEW:
        log_notice("arena %s: new", file);
        return;
    case STORE_ARENA_KEPT:
        log_notice("arena %s: kept %" PRIu64 " records in %.2f s (namespaces: %" PRIu64
                   ", expired: %" PRIu64 ")",
                   file, recovery->records, (double)took / 1000, recovery->namespaces,
                   recovery->expired);
        break;
    case STORE_ARENA_DISCARDED:
        log_notice("arena %s: emptied: %s", file, recovery->why);
        return;
    case STORE_ARENA_ASIDE:
        log_warning("arena %s: %s; set aside as %s, starting empty", file, recovery->why,
                    recovery->aside != NULL ? recovery->aside : "?");
        return;
    }
    tell_losses(file, recovery, memory);
}

/* --- beginning and end -------------------------------------------------------------- */

static bool is_known(const uint8_t boot[16])
{
    static const uint8_t unknown[16];
    return memcmp(boot, unknown, sizeof unknown) != 0;
}

static bool has_secrets(struct store_options *options)
{
    return getrandom(options->secret, sizeof options->secret, 0) == sizeof options->secret &&
           getrandom(options->file_secret, sizeof options->file_secret, 0) ==
               sizeof options->file_secret;
}

/* Where the file is mapped. */
static void watch_file(const struct store *store)
{
    struct store_file_stats figures;

    store_file_stats(store, &figures);
    if (figures.file != NULL) {
        arena_watch_range(figures.mapped, figures.length);
    }
}

/* How long the store's making took is told by the clock that it was given, so it is
 * measured on the uptime. */
static int make_store(struct storage *storage, struct store_options *options, atomic_uint *percent)
{
    struct reading reading = {.file = storage->file, .percent = percent};
    struct store_recovery recovery = {.arena = STORE_ARENA_MEMORY};
    uint64_t begun = options->clock.uptime;

    options->context = &reading;
    options->recovery = &recovery;
    storage->store = store_create(options);
    if (storage->store == NULL) {
        free(recovery.aside);
        return failed(options);
    }
    uint64_t took = clock_now() - begun;
    watch_file(storage->store);
    clock_continue(recovery.clock_offset);
    storage->recovered = recovery.records;
    tell_recovery(storage->file, &recovery, options->memory, took);
    free(recovery.aside);
    return EX_OK;
}

int storage_open(struct storage *storage, const struct conf *conf, atomic_uint *percent)
{
    struct store_options options = {.memory = conf->memory,
                                    .max_value = conf->max_value,
                                    .file = conf->arena.file,
                                    .threads = conf->threads,
                                    .open_file = open_file,
                                    .progress = on_progress,
                                    .cancelled = on_look};

    *storage = (struct storage){.file = conf->arena.file};
    if (!has_secrets(&options)) {
        log_error("cannot get random bytes: %s", strerror(errno));
        return EX_OSERR;
    }
    clock_read(&options.clock);
    if (storage->file != NULL) {
        arena_watch_faults(storage->file);
    }
    if (storage->file != NULL && !is_known(options.clock.boot)) {
        log_warning("arena %s: /proc/sys/kernel/random/boot_id cannot be read: only a clean stop "
                    "will keep the records",
                    storage->file);
    }
    int status = make_store(storage, &options, percent);
    if (status != EX_OK) {
        return status;
    }
    storage->store_thread = store_thread_create(storage->store);
    if (storage->store_thread == NULL ||
        !conf_apply_at_once(conf, storage->store_thread, clock_now())) {
        log_error("namespaces: %s", strerror(ENOMEM));
        return EX_OSERR;
    }
    return EX_OK;
}

/* --- another memory -------------------------------------------------------------------- */

/* Why it stays as it is; the text is good until the next call. */
static const char *why_not(const struct storage *storage, enum store_resize result, int why)
{
    static char text[160];
    switch (result) {
    case STORE_RESIZE_TOO_SMALL:
        snprintf(text, sizeof text, "a daemon that was started with more needs %s at least",
                 shown_size(store_memory_least(storage->store)).text);
        break;
    case STORE_RESIZE_TOO_LARGE:
        snprintf(text, sizeof text, "no more than %s can be had without a restart",
                 shown_size(store_memory_most(storage->store)).text);
        break;
    case STORE_RESIZE_PROMISED:
        snprintf(text, sizeof text, "quotas, or four values of max_value, come to more");
        break;
    case STORE_RESIZE_FAILED:
        if (why == ENOSPC) {
            snprintf(text, sizeof text, "the file system has room for %s",
                     shown_size(room_for(storage->file)).text);
        } else {
            snprintf(text, sizeof text, "%s",
                     why == EFBIG ? "the process may not write files that large (ulimit -f)"
                                  : strerror(why));
        }
        break;
    case STORE_RESIZED:
        break;
    }
    return text;
}

bool storage_set_memory(struct storage *storage, uint64_t memory)
{
    uint64_t before = store_memory(storage->store);
    store_enter(storage->store_thread);
    enum store_resize result = store_set_memory(storage->store_thread, memory);
    int why = errno;
    store_leave(storage->store_thread);
    if (result != STORE_RESIZED) {
        log_warning("memory: %s is asked for, left at %s: %s", shown_size(memory).text,
                    shown_size(before).text, why_not(storage, result, why));
        return false;
    }
    if (memory != before) {
        log_notice("memory: %s, was %s", shown_size(memory).text, shown_size(before).text);
    }
    return true;
}

void storage_close(struct storage *storage)
{
    struct store_clock clock;

    if (storage->store_thread != NULL) {
        store_thread_destroy(&storage->store_thread);
    }
    if (storage->store == NULL) {
        return;
    }
    if (storage->file != NULL) {
        notify_status("Writing %s", storage->file);
        notify_extend(STOP_TIME);
    }
    clock_read(&clock);
    if (!store_close(&storage->store, &clock)) {
        log_error("arena %s: it could not be written to its disk: %s; after a restart of the "
                  "machine it will be emptied",
                  storage->file, strerror(errno));
    }
}
