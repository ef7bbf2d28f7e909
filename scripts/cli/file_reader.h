/*
 * file_reader.h - a dump that is read from a file, record by record.
 */
#ifndef KVCACHED_SCRIPTS_CLI_FILE_READER_H
#define KVCACHED_SCRIPTS_CLI_FILE_READER_H

#include "scripts/cli/bytes.h"
#include "scripts/cli/reply.h"

struct file_reader {
    int fd;
    struct bytes in;
    size_t taken;
    uint64_t dropped; /* bytes that were taken and are not in `in` any more */
    uint64_t size;    /* of a regular file, else 0 */
    bool ended;       /* there is no more to be read */
};

void file_reader_init(struct file_reader *file, int fd);
void file_reader_deinit(struct file_reader *file);

/* The next line, with its value; good until the next call. False: at the end, or what is there is
 * none. */
bool file_reader_next(struct file_reader *file, struct reply *reply);
/* How many times as much as was taken the file has; 0: that is not known. */
double file_reader_share(const struct file_reader *file);
/* Whether nothing is left. */
bool file_reader_is_at_end(struct file_reader *file);

/* Whether the first line, which is not taken, is one that `read` takes. */
bool file_reader_peek_line(struct file_reader *file, uint64_t *time,
                           bool (*read)(struct slice line, uint64_t *time));

#endif
