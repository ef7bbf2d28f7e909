/*
 * file_reader.c - a dump that is read from a file.
 */
#include "scripts/cli/file_reader.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 256 * 1024 };

void file_reader_init(struct file_reader *file, int fd)
{
    struct stat about;
    *file = (struct file_reader){.fd = fd};
    if (fstat(fd, &about) == 0 && S_ISREG(about.st_mode)) {
        file->size = (uint64_t)about.st_size;
    }
}

void file_reader_deinit(struct file_reader *file)
{
    bytes_deinit(&file->in);
}

/* A file that cannot be read has ended: what is missing shows. */
static void read_more(struct file_reader *file)
{
    bytes_drop(&file->in, file->taken);
    file->dropped += file->taken;
    file->taken = 0;
    char *to = bytes_reserve(&file->in, PIECE);
    ssize_t got = read(file->fd, to, PIECE);
    if (got > 0) {
        file->in.length += (size_t)got;
    } else if (got == 0 || errno != EINTR) {
        file->ended = true;
    }
}

static enum reply_result look(struct file_reader *file, struct reply *reply, size_t *taken)
{
    for (;;) {
        size_t wanted;
        enum reply_result result =
            reply_cut(bytes_rest(&file->in, file->taken), REPLY_DUMP, reply, taken, &wanted);
        if (result != REPLY_PARTIAL || file->ended) {
            return result;
        }
        read_more(file);
    }
}

bool file_reader_next(struct file_reader *file, struct reply *reply)
{
    size_t taken = 0;
    bool whole = look(file, reply, &taken) == REPLY_WHOLE;
    file->taken += whole ? taken : 0;
    return whole;
}

double file_reader_share(const struct file_reader *file)
{
    uint64_t taken = file->dropped + file->taken;
    return taken > 0 ? (double)file->size / (double)taken : 0;
}

bool file_reader_is_at_end(struct file_reader *file)
{
    return file->ended && file->taken == file->in.length;
}

bool file_reader_peek_line(struct file_reader *file, uint64_t *time,
                           bool (*read)(struct slice line, uint64_t *time))
{
    struct reply reply;
    size_t taken;
    return look(file, &reply, &taken) == REPLY_WHOLE && read(reply.line, time);
}
