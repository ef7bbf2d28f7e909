/*
 * storage.c - opens and closes the store, and logs how that went.
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
#include <time.h>
#include <unistd.h>

#include "daemon/base/clock.h"
#include "daemon/base/log.h"
#include "daemon/base/path_advice.h"
#include "daemon/base/safe_open.h"
#include "daemon/maintenance/arena_watch.h"
#include "daemon/os/service_manager.h"
#include "daemon/os/signals.h"
#include "daemon/server/conf_apply.h"

enum {
    LOG_EVERY_MS = 1000,  /* between two lines about the progress of reading */
    STOP_MS = 90000,      /* for writing all of it to a disk */
    EXTENSION_MS = 30000, /* by which the service manager extends its time limit each time */
};

/* Progress of a file that is read. */
struct reading {
    const char *file;
    uint64_t begun; /* on clock_now; 0: not yet */
    uint64_t logged;
    const char *why;      /* why it could not be opened; NULL: it was */
    atomic_uint *percent; /* of it that has been read */
};

/* --- sizes and places ---------------------------------------------------------- */

struct size_text {
    char text[32];
};

static struct size_text format_size(uint64_t bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    struct size_text size;
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 1024 && unit + 1 < sizeof units / sizeof *units) {
        value /= 1024;
        unit++;
    }
    snprintf(size.text, sizeof size.text, "%.*f %s", unit > 1 && value < 10, value, units[unit]);
    return size;
}

/* Bytes that the file can grow to on its file system. */
static uint64_t space_for(const char *file)
{
    struct stat has = {0};
    struct statvfs system;
    char *directory = strdup(file);
    if (directory == NULL) {
        return 0;
    }
    char *end = strrchr(directory, '/');
    end[end == directory] = '\0';
    uint64_t space = 0;
    if (stat(file, &has) == 0) {
        space = (uint64_t)has.st_blocks * 512;
    }
    if (statvfs(directory, &system) == 0) {
        space += (uint64_t)system.f_bavail * system.f_frsize;
    }
    free(directory);
    return space;
}

/* --- how the start went ----------------------------------------------------------- */

static void on_progress(void *context, uint64_t done, uint64_t all)
{
    struct reading *reading = context;
    uint64_t now = clock_now();
    unsigned percent = all == 0 ? 100 : (unsigned)((double)done * 100 / (double)all);
    atomic_store(reading->percent, percent);
    if (reading->begun == 0) {
        reading->begun = reading->logged = now;
        log_notice("arena %s: reading %s", reading->file, format_size(all / 2).text);
    } else if (now - reading->logged >= LOG_EVERY_MS) {
        reading->logged = now;
        log_notice("arena %s: %u %% read", reading->file, percent);
    } else {
        return;
    }
    notify_status("Reading %s: %u %%", reading->file, percent);
    notify_extend(EXTENSION_MS);
}

static bool is_cancelled(void *context)
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
    case ECANCELED: /* by a signal, which the caller logs */
        return EX_TEMPFAIL;
    case EWOULDBLOCK:
        log_error("arena.file: %s: another kvcached uses it", file);
        return EX_UNAVAILABLE;
    case ENOSPC:
        log_error("arena.file: %s: memory asks for %s, the file system has room for %s", file,
                  format_size(memory).text, format_size(space_for(file)).text);
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
        log_error("arena.file: %s: the file system cannot reserve blocks (fallocate)", file);
        return EX_CANTCREAT;
    default:
        log_error("arena.file: %s: %s", file, path_advice(file, why, strerror(why)).text);
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

static void log_losses(const char *file, const struct store_recovery *recovery, uint64_t memory)
{
    if (recovery->damaged_records + recovery->damaged_segments + recovery->damaged_namespaces > 0) {
        log_warning("arena %s: damaged and dropped (records: %" PRIu64 ", segments: %" PRIu64
                    ", namespaces: %" PRIu64 ")",
                    file, recovery->damaged_records, recovery->damaged_segments,
                    recovery->damaged_namespaces);
    }
    if (recovery->evicted > 0) {
        log_warning("arena %s: %" PRIu64 " records did not fit into %s", file, recovery->evicted,
                    format_size(memory).text);
    }
    if (recovery->beyond > 0) {
        log_warning("memory: the arena file %s has no room for the last %s of %s; remove it to use "
                    "all",
                    file, format_size(recovery->beyond).text, format_size(memory).text);
    }
}

static void log_recovery(const char *file, const struct store_recovery *recovery, uint64_t memory,
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
    log_losses(file, recovery, memory);
}

/* --- the clocks of the system --------------------------------------------------- */

static int digit(char letter)
{
    if (letter >= '0' && letter <= '9') {
        return letter - '0';
    }
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/* 32 hexadecimal digits, with hyphens among them; zeros if the system has no such file. */
static void read_boot(uint8_t boot[16])
{
    char text[40] = "";
    size_t count = 0;
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0) {
        close(fd);
    }
    memset(boot, 0, 16);
    for (ssize_t i = 0; i < length && count < 32; i++) {
        int value = digit(text[i]);
        if (value >= 0) {
            boot[count / 2] = (uint8_t)(boot[count / 2] << 4 | value);
            count++;
        }
    }
    if (count < 32) {
        memset(boot, 0, 16);
    }
}

/* Milliseconds since the machine started, without what clock_continue adds. */
static uint64_t uptime(void)
{
    struct timespec time;
    clock_gettime(CLOCK_BOOTTIME, &time);
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

/* The boot id, and uptime and wall clock of one moment: the uptime is the same before and after
 * the wall clock is read. */
static void read_clock(struct store_clock *clock)
{
    enum { TRIES = 100 };
    read_boot(clock->boot);
    for (int i = 0; i < TRIES; i++) {
        clock->uptime = uptime();
        clock->wall = clock_wall();
        if (uptime() == clock->uptime) {
            break;
        }
    }
}

/* --- beginning and end -------------------------------------------------------------- */

static bool is_known(const uint8_t boot[16])
{
    static const uint8_t unknown[16];
    return memcmp(boot, unknown, sizeof unknown) != 0;
}

static bool make_secrets(struct store_options *options)
{
    return getrandom(options->secret, sizeof options->secret, 0) == sizeof options->secret &&
           getrandom(options->file_secret, sizeof options->file_secret, 0) ==
               sizeof options->file_secret;
}

/* Has faults in the mapped file reported as errors of the disk. */
static void watch_file(const struct store *store)
{
    struct store_file_stats stats;
    store_file_stats(store, &stats);
    if (stats.file != NULL) {
        arena_watch_range(stats.mapped, stats.length);
    }
}

/* The duration is measured on the uptime, since store_create may set the clock. */
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
    log_recovery(storage->file, &recovery, options->memory, took);
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
                                    .cancelled = is_cancelled};
    *storage = (struct storage){.file = conf->arena.file};
    if (!make_secrets(&options)) {
        log_error("cannot get random bytes: %s", strerror(errno));
        return EX_OSERR;
    }
    read_clock(&options.clock);
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
        !conf_apply_all(conf, storage->store_thread, clock_now())) {
        log_error("namespaces: %s", strerror(ENOMEM));
        return EX_OSERR;
    }
    return EX_OK;
}

/* --- another memory -------------------------------------------------------------------- */

/* Why the memory stays as it is; the text is valid until the next call. */
static const char *resize_error(const struct storage *storage, enum store_resize result, int why)
{
    static char text[160];
    switch (result) {
    case STORE_RESIZE_TOO_SMALL:
        snprintf(text, sizeof text, "a daemon that was started with more needs at least %s",
                 format_size(store_memory_least(storage->store)).text);
        break;
    case STORE_RESIZE_TOO_LARGE:
        snprintf(text, sizeof text, "at most %s are possible without a restart",
                 format_size(store_memory_most(storage->store)).text);
        break;
    case STORE_RESIZE_PROMISED:
        snprintf(text, sizeof text, "quotas, or 4 values of max_value, take more");
        break;
    case STORE_RESIZE_FAILED:
        if (why == ENOSPC) {
            snprintf(text, sizeof text, "the file system has room for %s",
                     format_size(space_for(storage->file)).text);
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
        log_warning("memory: %s is asked for, left at %s: %s", format_size(memory).text,
                    format_size(before).text, resize_error(storage, result, why));
        return false;
    }
    if (memory != before) {
        log_notice("memory: %s, was %s", format_size(memory).text, format_size(before).text);
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
        notify_extend(STOP_MS);
    }
    read_clock(&clock);
    if (!store_close(&storage->store, &clock)) {
        log_error("arena %s: it could not be written to its disk: %s; after a restart of the "
                  "machine it will be emptied",
                  storage->file, strerror(errno));
    }
}
