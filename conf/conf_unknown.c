/*
 * conf_unknown.c - what is said of a name that is no option where it stands: that it belongs
 * elsewhere, what it is called here if another server has it, or the nearest option.
 *
 * The names of other servers are asked before the nearest option: `http` is two letters away from
 * `ttl` and has nothing to do with it.
 */
#include "conf/conf_unknown.h"

#include <string.h>

#include "conf/conf_report.h"
#include "protocol/edit_distance.h"

/* --- the nearest option ------------------------------------------------------------ */

const struct conf_option *conf_unknown_nearest(enum conf_scope scope, const char *name)
{
    const struct conf_option *nearest = NULL;
    size_t length = strlen(name);
    size_t best = length < 6 ? 2 : length / 3 + 1; /* at this distance it is another word */
    if (length > EDIT_DISTANCE_LONGEST) {
        return NULL;
    }
    for (size_t i = 0; i < conf_option_count; i++) {
        if (conf_options[i].scope != scope) {
            continue;
        }
        size_t far = edit_distance(name, conf_options[i].name);
        if (far < best && far < strlen(conf_options[i].name)) {
            best = far;
            nearest = &conf_options[i];
        }
    }
    return nearest;
}

/* --- other servers ------------------------------------------------------------------ */

/* Without regard to case, and to - and _. */
static bool same_name(const char *a, const char *b)
{
    for (; *a != '\0' && *b != '\0'; a++, b++) {
        char c = *a == '-' ? '_' : *a;
        if (c >= 'A' && c <= 'Z') {
            c = (char)(c - 'A' + 'a');
        }
        if (c != *b) {
            return false;
        }
    }
    return *a == *b;
}

const char *conf_unknown_foreign(const char *name)
{
    static const struct {
        const char *name;
        const char *advice;
    } names[] = {
#define FOREIGN(name, advice) {#name, advice},
#include "conf/foreign.def"
#undef FOREIGN
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (same_name(name, names[i].name)) {
            return names[i].advice;
        }
    }
    return NULL;
}

/* --- what is said --------------------------------------------------------------------- */

/* Where an option of that name belongs; NULL when there is none. */
static const char *place_of(const char *name)
{
    static const struct {
        enum conf_scope scope;
        const char *place;
    } places[] = {
        {SCOPE_TOP, "at the top level"},
        {SCOPE_LISTEN, "in a group of listen"},
        {SCOPE_NAMESPACES, "in a group of namespaces"},
        {SCOPE_USERS, "in a group of users"},
        {SCOPE_ARENA, "in the group arena"},
        {SCOPE_CLUSTER, "in the group cluster"},
        {SCOPE_METRICS, "in the group metrics"},
        {SCOPE_SLOW_LOG, "in the group slow_log"},
        {SCOPE_LOG, "in the group log"},
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (conf_option_find(places[i].scope, name) != NULL) {
            return places[i].place;
        }
    }
    return NULL;
}

void conf_unknown_report(enum conf_scope scope, const config_setting_t *setting,
                         struct conf_report *report)
{
    const char *name = config_setting_name(setting);
    const char *prefix = conf_option_prefix(scope);
    const char *place = place_of(name);
    const char *foreign = conf_unknown_foreign(name);
    const struct conf_option *nearest = conf_unknown_nearest(scope, name);
    struct conf_shown shown = conf_report_shown(name);
    if (place != NULL) {
        conf_report_add(report, setting->line, "%s%s: it is no option here, write it %s", prefix,
                        shown.bytes, place);
    } else if (foreign != NULL) {
        conf_report_add(report, setting->line, "%s%s: there is no such option, %s", prefix,
                        shown.bytes, foreign);
    } else if (nearest != NULL) {
        conf_report_add(report, setting->line, "%s%s: there is no such option, did you mean %s?",
                        prefix, shown.bytes, nearest->name);
    } else {
        conf_report_add(report, setting->line,
                        "%s%s: there is no such option, see kvcached.conf(5) for those there are",
                        prefix, shown.bytes);
    }
}
