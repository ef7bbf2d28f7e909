/*
 * conf_check_paths.c - what can be seen of the files that options name, before one of them is
 * opened: what opens them later (daemon/) looks again.
 */
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "conf/conf.h"
#include "conf/conf_check.h"
#include "conf/conf_group.h"
#include "conf/conf_value.h"

/* The setting that says where the log goes: `log`, or `to` in it. NULL: none was given. */
static const config_setting_t *log_setting(const config_setting_t *root)
{
    const config_setting_t *log = config_setting_get_member(root, "log");

    if (log == NULL || !config_setting_is_group(log))
        return log;
    return config_setting_get_member(log, "to");
}

/* What may keep a writer waiting, or is none of the daemon's. */
static const char *kind_of(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return "a directory";
    case S_IFIFO:
        return "a FIFO";
    case S_IFSOCK:
        return "a socket";
    case S_IFCHR:
    case S_IFBLK:
        return "a device";
    default:
        return NULL;
    }
}

static void check_log(const config_setting_t *root, const struct conf *conf,
                      struct conf_report *report)
{
    const config_setting_t *setting = log_setting(root);
    struct stat found;

    if (setting == NULL || conf->log.to == NULL || conf->log.to[0] != '/' ||
        stat(conf->log.to, &found) != 0 || kind_of(found.st_mode) == NULL)
        return;
    conf_report_option(report, setting->line, conf_option_find(SCOPE_LOG, "to"),
                       "%s is %s, write \"stderr\", \"syslog\" or the name of a regular file",
                       conf_report_shown(conf->log.to).bytes, kind_of(found.st_mode));
}

void conf_check_paths(const config_setting_t *root, const struct conf *conf,
                      struct conf_report *report)
{
    check_log(root, conf, report);
}
