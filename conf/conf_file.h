/*
 * conf_file.h - reads a configuration file, or one that it includes, as a whole.
 *
 * Inside conf/ only.
 */
#ifndef KVCACHED_CONF_CONF_FILE_H
#define KVCACHED_CONF_CONF_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* The contents of a file, at most 16 MiB, to be freed; NULL with errno. Only regular files may be
 * included, since reading a FIFO could block; the configuration file itself may be a pipe, as a
 * shell's <(...) makes it. */
char *conf_file_read(const char *file, bool included, size_t *length);

#endif
