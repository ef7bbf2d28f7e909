/*
 * conf_origin.c - see conf_origin.h.
 *
 * A configuration may have 60,000 groups, so an origin is 16 bytes, and found by bisection.
 */
#include "conf/conf_origin.h"

#include <stdint.h>
#include <stdlib.h>

#include "conf/conf.h"
#include "conf/conf_option.h"
#include "conf/conf_text.h"

struct origin {
    uint32_t option; /* its place in conf_options */
    uint32_t group;
    uint32_t file;
    uint32_t line;
};

struct conf_origins {
    char **files;
    size_t file_count;
    size_t count;
    struct origin all[]; /* in order */
};

static int compare(const void *a, const void *b)
{
    const struct origin *one = a, *other = b;
    if (one->option != other->option) {
        return one->option < other->option ? -1 : 1;
    }
    return one->group < other->group ? -1 : one->group > other->group;
}

static bool add(struct conf_origins *origins, const struct conf_option *option, size_t group,
                const config_setting_t *setting, const struct conf_text *text)
{
    struct conf_place place = conf_text_place(text, config_setting_source_line(setting));
    if (option != NULL) {
        origins->all[origins->count++] =
            (struct origin){.option = (uint32_t)(option - conf_options),
                            .group = (uint32_t)group,
                            .file = (uint32_t)place.file,
                            .line = place.line};
    }
    return option != NULL;
}

static void add_members(struct conf_origins *origins, enum conf_scope scope, size_t group,
                        const config_setting_t *members, const struct conf_text *text)
{
    for (int i = 0; i < config_setting_length(members); i++) {
        const config_setting_t *setting = config_setting_get_elem(members, (unsigned)i);
        add(origins, conf_option_find(scope, config_setting_name(setting)), group, setting, text);
    }
}

/* The options in the groups of one at the top. */
static void add_groups(struct conf_origins *origins, const struct conf_option *option,
                       const config_setting_t *setting, const struct conf_text *text)
{
    enum conf_scope scope = conf_option_members(option);
    if (scope == SCOPE_TOP) {
        return;
    }
    if (config_setting_is_group(setting)) {
        add_members(origins, scope, 0, setting, text);
    } else if (config_setting_is_list(setting)) {
        for (int i = 0; i < config_setting_length(setting); i++) {
            add_members(origins, scope, (size_t)i, config_setting_get_elem(setting, (unsigned)i),
                        text);
        }
    } else if (option->type == TYPE_LOGGING) {
        add(origins, conf_option_find(SCOPE_LOG, "to"), 0, setting, text);
    }
}

/* All settings of a tree that has no more than three levels of interest. */
static size_t count_settings(const config_setting_t *setting, unsigned levels)
{
    size_t count = 1;
    bool descends = levels > 0 && config_setting_is_aggregate(setting);
    for (int i = 0; descends && i < config_setting_length(setting); i++) {
        count += count_settings(config_setting_get_elem(setting, (unsigned)i), levels - 1);
    }
    return count;
}

bool conf_origin_note(struct conf *conf, const config_setting_t *root, struct conf_text *text)
{
    size_t most = count_settings(root, 3);
    struct conf_origins *origins = calloc(1, sizeof *origins + most * sizeof origins->all[0]);
    if (origins == NULL) {
        return false;
    }
    for (int i = 0; i < config_setting_length(root); i++) {
        const config_setting_t *setting = config_setting_get_elem(root, (unsigned)i);
        const struct conf_option *option =
            conf_option_find(SCOPE_TOP, config_setting_name(setting));
        if (add(origins, option, 0, setting, text)) {
            add_groups(origins, option, setting, text);
        }
    }
    qsort(origins->all, origins->count, sizeof origins->all[0], compare);
    origins->files = text->files;
    origins->file_count = text->file_count;
    text->files = NULL;
    text->file_count = 0;
    conf->origins = origins;
    return true;
}

void conf_origin_forget(struct conf *conf)
{
    struct conf_origins *origins = conf->origins;
    if (origins == NULL) {
        return;
    }
    for (size_t i = 0; i < origins->file_count; i++) {
        free(origins->files[i]);
    }
    free(origins->files);
    free(origins);
    conf->origins = NULL;
}

const char *conf_origin_of(const struct conf *conf, const struct conf_option *option, size_t group,
                           unsigned *line)
{
    const struct conf_origins *origins = conf->origins;
    struct origin wanted = {.option = (uint32_t)(option - conf_options), .group = (uint32_t)group};
    if (origins == NULL) {
        return NULL;
    }
    const struct origin *found =
        bsearch(&wanted, origins->all, origins->count, sizeof wanted, compare);
    if (found == NULL || found->file >= origins->file_count) {
        return NULL;
    }
    *line = found->line;
    return origins->files[found->file];
}
