/*
 * cluster_apply.c - see cluster_apply.h.
 */
#include "daemon/server/cluster_apply.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "daemon/base/log.h"
#include "daemon/net/tls.h"

enum {
    SECRET_MAX = 512,        /* bytes */
    REPLY_MAX = 576u << 20U, /* bytes: nodes take no value above 512 MiB */
};

/* Whether no other user can read the file; else it is logged. */
static bool is_kept(FILE *file, const char *path)
{
    struct stat found;
    if (fstat(fileno(file), &found) != 0 || !S_ISREG(found.st_mode)) {
        log_error("cluster.secret_file: %s: it is not a regular file", path);
        return false;
    }
    if ((found.st_mode & S_IROTH) != 0) {
        log_error("cluster.secret_file: %s: every user of this machine can read it, write chmod "
                  "o-rwx",
                  path);
        return false;
    }
    return true;
}

static bool read_line(FILE *file, const char *path, char secret[SECRET_MAX + 2])
{
    if (fgets(secret, SECRET_MAX + 2, file) == NULL) {
        secret[0] = '\0';
    }
    secret[strcspn(secret, "\r\n")] = '\0';
    size_t length = strlen(secret);
    if (length == 0 || length > SECRET_MAX) {
        log_error("cluster.secret_file: %s: its first line is %s, write the secret there", path,
                  length == 0 ? "empty" : "longer than 512 bytes");
        return false;
    }
    return true;
}

static bool read_secret(struct cluster_apply *apply, const char *path)
{
    char secret[SECRET_MAX + 2];
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        log_error("cluster.secret_file: %s: %s", path, strerror(errno));
        return false;
    }
    bool good = is_kept(file, path) && read_line(file, path, secret);
    if (good) {
        apply->secret = strdup(secret);
    }
    explicit_bzero(secret, sizeof secret);
    fclose(file);
    apply->options.secret = apply->secret;
    return good && apply->secret != NULL;
}

static bool load_tls(struct cluster_apply *apply, const struct conf *conf)
{
    const struct tls_client_files files = {.ca = conf->cluster.tls_ca,
                                           .certificate = conf->cluster.tls_certificate,
                                           .key = conf->cluster.tls_key};
    char error[TLS_ERROR_MAX];
    apply->options.tls = tls_create_client(&files, error);
    if (apply->options.tls == NULL) {
        log_error("cluster: %s", error);
    }
    return apply->options.tls != NULL;
}

bool cluster_apply_open(struct cluster_apply *apply, const struct conf *conf)
{
    if (conf->cluster.nodes.count == 0) {
        return true;
    }
    apply->options = (struct cluster_options){
        .nodes = (const char *const *)conf->cluster.nodes.of,
        .node_count = conf->cluster.nodes.count,
        .user = conf->cluster.user,
        .patience = conf->cluster.patience,
        .reply_max = REPLY_MAX,
    };
    return (conf->cluster.secret_file == NULL || read_secret(apply, conf->cluster.secret_file)) &&
           (conf->cluster.tls_ca == NULL || load_tls(apply, conf));
}

void cluster_apply_close(struct cluster_apply *apply)
{
    if (apply->secret != NULL) {
        explicit_bzero(apply->secret, strlen(apply->secret));
        free(apply->secret);
    }
    tls_destroy(&apply->options.tls);
    *apply = (struct cluster_apply){0};
}

const struct cluster_options *cluster_apply_options(const struct cluster_apply *apply)
{
    return apply->options.node_count > 0 ? &apply->options : NULL;
}
