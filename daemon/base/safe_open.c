/*
 * safe_open.c - see safe_open.h.
 *
 * A path is walked part by part, each from a descriptor of the directory before it, so that what
 * was judged is what is used.
 */
#include "daemon/base/safe_open.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LINKS_MAX = 40,   /* symbolic links in one path, as in the kernel */
    ATTEMPTS_MAX = 8, /* when the path leads to another file meanwhile */
};

static int refuse(const char **why, int error, const char *clause)
{
    *why = clause;
    errno = error;
    return -1;
}

static int failed(const char **why)
{
    *why = strerror(errno);
    return -1;
}

/* Keeps errno. */
static int closed(int fd)
{
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* --- the path of a file --------------------------------------------------------- */

static bool is_own(uid_t uid)
{
    return uid == 0 || uid == geteuid();
}

/* Whether only root or the user of the process can have put a link into the directory. Where its
 * group may write, as in /var/log of some systems, or where all may write and the sticky bit
 * protects each user's files, the owner of the link decides. */
static bool may_have_link(int directory, const struct stat *link)
{
    struct stat about;
    if (fstat(directory, &about) != 0 || !is_own(about.st_uid)) {
        return false;
    }
    bool is_open = (about.st_mode & S_IWOTH) != 0 && (about.st_mode & S_ISVTX) == 0;
    bool is_shared = (about.st_mode & (S_IWGRP | S_IWOTH)) != 0;
    return !is_open && (!is_shared || is_own(link->st_uid));
}

struct walk {
    char left[2 * PATH_MAX]; /* the part of the path that is not walked yet */
    int directory;           /* where that part begins */
    int links;               /* that were followed */
};

static bool follow(struct walk *walk, int link, const char **why)
{
    char to[PATH_MAX], left[PATH_MAX];
    ssize_t length = readlinkat(link, "", to, sizeof to - 1);
    if (length < 0 || ++walk->links > LINKS_MAX || strlen(walk->left) >= sizeof left) {
        errno = length < 0 ? errno : ELOOP;
        failed(why);
        return false;
    }
    to[length] = '\0';
    strcpy(left, walk->left);
    snprintf(walk->left, sizeof walk->left, "%s/%s", to, left);
    if (to[0] == '/') {
        close(walk->directory);
        walk->directory = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
    return walk->directory >= 0 || failed(why) == 0;
}

/* Enters the directory of that name, or follows the link of that name. */
static bool step(struct walk *walk, const char *name, const char **why)
{
    struct stat found;
    int fd = openat(walk->directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &found) != 0) {
        failed(why);
    } else if (S_ISDIR(found.st_mode)) {
        close(walk->directory);
        walk->directory = fd;
        return true;
    } else if (!S_ISLNK(found.st_mode)) {
        errno = ENOTDIR;
        failed(why);
    } else if (!may_have_link(walk->directory, &found)) {
        refuse(why, EPERM,
               "its path leads over a symbolic link that another user may have put there");
    } else if (follow(walk, fd, why)) {
        close(fd);
        return true;
    }
    if (fd >= 0) {
        closed(fd);
    }
    return false;
}

/* Returns the directory of the last part of a path, which is copied to `last`; -1 with errno and
 * *why. */
static int walk_to(const char *path, char last[NAME_MAX + 1], const char **why)
{
    struct walk walk = {.directory = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)};
    if (walk.directory < 0 || strlen(path) >= PATH_MAX) {
        errno = walk.directory < 0 ? errno : ENAMETOOLONG;
        return walk.directory < 0 ? failed(why) : (failed(why), closed(walk.directory));
    }
    strcpy(walk.left, path);
    for (;;) {
        char *name = walk.left + strspn(walk.left, "/");
        size_t length = strcspn(name, "/");
        bool is_last = name[length] == '\0';
        if (length > NAME_MAX) {
            errno = ENAMETOOLONG;
            failed(why);
            return closed(walk.directory);
        }
        memcpy(last, name, length);
        last[length] = '\0';
        if (is_last) {
            return walk.directory;
        }
        memmove(walk.left, name + length, strlen(name + length) + 1);
        if (!step(&walk, last, why)) {
            return walk.directory < 0 ? -1 : closed(walk.directory);
        }
    }
}

bool safe_path(const char *path, const char **why)
{
    char last[NAME_MAX + 1];
    int directory = walk_to(path, last, why);
    if (directory >= 0) {
        close(directory);
    }
    return directory >= 0;
}

bool safe_is_open_to_others(const char *path)
{
    char last[NAME_MAX + 1];
    const char *why;
    struct stat about;
    int directory = walk_to(path, last, &why);
    if (directory < 0) {
        return true;
    }
    bool open = fstat(directory, &about) != 0 || about.st_uid != 0 ||
                (about.st_mode & (S_IWGRP | S_IWOTH)) != 0;
    close(directory);
    return open;
}

/* --- the file -------------------------------------------------------------------- */

static int judge(const struct stat *found, uid_t user, const char **why)
{
    if (S_ISLNK(found->st_mode)) {
        return refuse(why, ELOOP, "a symbolic link is not followed");
    }
    if (!S_ISREG(found->st_mode)) {
        return refuse(why, EINVAL, "not a regular file");
    }
    if (!is_own(found->st_uid) && found->st_uid != user) {
        return refuse(why, EPERM, "it belongs to another user");
    }
    if (found->st_nlink > 1) {
        return refuse(why, EPERM, "it has another name as well (a hard link)");
    }
    return 0;
}

static int open_existing(int directory, const char *name, const struct safe_terms *terms,
                         const char **why)
{
    const int flags = terms->flags & ~(O_CREAT | O_EXCL | O_TRUNC);
    struct stat found;
    if (fstatat(directory, name, &found, AT_SYMLINK_NOFOLLOW) != 0) {
        return failed(why);
    }
    if (judge(&found, terms->user, why) != 0) {
        return -1;
    }
    int fd = openat(directory, name, flags | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &found) != 0) {
        failed(why);
        return fd < 0 ? -1 : closed(fd);
    }
    return judge(&found, terms->user, why) == 0 ? fd : closed(fd);
}

static int open_at(int directory, const char *name, const struct safe_terms *terms, bool *made,
                   const char **why)
{
    int fd = -1;
    *made = false;
    for (int attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        fd = open_existing(directory, name, terms, why);
        if (fd >= 0 || errno != ENOENT || (terms->flags & O_CREAT) == 0) {
            return fd;
        }
        fd = openat(directory, name,
                    terms->flags | O_EXCL | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK,
                    terms->mode);
        if (fd >= 0 || errno != EEXIST) {
            *made = fd >= 0;
            return fd >= 0 ? fd : failed(why);
        }
    }
    return failed(why);
}

int safe_open(const struct safe_terms *terms, bool *made, const char **why)
{
    char name[NAME_MAX + 1];
    int directory = walk_to(terms->path, name, why);
    if (directory < 0) {
        return -1;
    }
    int fd = name[0] == '\0' ? refuse(why, EISDIR, "not a regular file")
                             : open_at(directory, name, terms, made, why);
    int error = errno;
    close(directory);
    errno = error;
    return fd;
}

/* --- locks ------------------------------------------------------------------------ */

bool safe_is_still(int fd, const char *path)
{
    struct stat opened, named;
    return fstat(fd, &opened) == 0 && lstat(path, &named) == 0 && opened.st_dev == named.st_dev &&
           opened.st_ino == named.st_ino;
}

static pid_t read_number(int fd)
{
    char text[32];
    ssize_t length = pread(fd, text, sizeof text - 1, 0);
    if (length <= 0) {
        return 0;
    }
    text[length] = '\0';
    return (pid_t)strtol(text, NULL, 10);
}

/* Between open and flock another process may have removed the file: then the lock is on a file
 * without a name and protects nothing. So both are repeated until the path still leads to the
 * locked file. */
int safe_open_locked(const struct safe_terms *terms, bool *made, const char **why, pid_t *holder)
{
    for (int attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        int fd = safe_open(terms, made, why);
        if (fd < 0) {
            return -1;
        }
        if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
            failed(why);
            if (holder != NULL) {
                int error = errno;
                *holder = read_number(fd);
                errno = error;
            }
            return closed(fd);
        }
        if (safe_is_still(fd, terms->path)) {
            return fd;
        }
        close(fd);
    }
    return refuse(why, EWOULDBLOCK, "other processes keep on replacing it");
}

/* --- sockets ---------------------------------------------------------------------- */

bool safe_give_socket(const char *path, uid_t uid, gid_t gid)
{
    struct stat found;
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    errno = EPERM;
    bool done = fstat(fd, &found) == 0 && S_ISSOCK(found.st_mode) && found.st_nlink == 1 &&
                found.st_uid == geteuid() && fchownat(fd, "", uid, gid, AT_EMPTY_PATH) == 0;
    closed(fd);
    return done;
}
