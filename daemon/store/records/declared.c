/*
 * declared.c - an array of settings, and a hash table of their numbers; see declared.h.
 */
#include "daemon/store/records/declared.h"

#include <stdlib.h>
#include <string.h>

struct declared {
    const struct siphash_key *secret;
    struct store_namespace_options *list;
    char *text; /* all names */
    uint32_t count;
    uint32_t mask;   /* slots less one */
    uint32_t *slots; /* by hash: a number plus 1, or 0; then the next ones */
};

/* At most half of them are used, so that a search is short. */
static uint32_t slots_for(size_t names)
{
    uint32_t slots = 2;
    while (slots < 2 * names) {
        slots *= 2;
    }
    return slots;
}

static bool make_room(struct declared *declared, const struct store_policy *policy)
{
    size_t text = 1;
    for (size_t i = 0; i < policy->declared_count; i++) {
        text += policy->declared[i].name.length;
    }
    uint32_t slots = slots_for(policy->declared_count);
    declared->mask = slots - 1;
    declared->list = calloc(policy->declared_count + 1, sizeof *declared->list);
    declared->slots = calloc(slots, sizeof *declared->slots);
    declared->text = malloc(text);
    return declared->list != NULL && declared->slots != NULL && declared->text != NULL;
}

/* The slot of that name, or the empty one where it belongs. */
static uint32_t *slot_of(const struct declared *declared, struct slice name)
{
    uint32_t at = (uint32_t)siphash13_64(declared->secret, 0, name) & declared->mask;
    while (declared->slots[at] != 0 &&
           !slice_equal(declared->list[declared->slots[at] - 1].name, name)) {
        at = (at + 1) & declared->mask;
    }
    return &declared->slots[at];
}

struct declared *declared_create(const struct store_policy *policy,
                                 const struct siphash_key *secret)
{
    struct declared *declared = calloc(1, sizeof *declared);
    if (declared == NULL) {
        return NULL;
    }
    declared->secret = secret;
    if (!make_room(declared, policy)) {
        declared_destroy(&declared);
        return NULL;
    }
    char *text = declared->text;
    for (size_t i = 0; i < policy->declared_count; i++) {
        const struct store_namespace_options *options = &policy->declared[i];
        uint32_t *slot = slot_of(declared, options->name);
        if (*slot == 0) {
            memcpy(text, options->name.bytes, options->name.length);
            declared->list[declared->count] = *options;
            declared->list[declared->count].name.bytes = text;
            text += options->name.length;
            *slot = ++declared->count;
        }
    }
    return declared;
}

void declared_destroy(struct declared **owned)
{
    struct declared *declared = *owned;
    *owned = NULL;
    if (declared != NULL) {
        free(declared->list);
        free(declared->slots);
        free(declared->text);
        free(declared);
    }
}

uint32_t declared_count(const struct declared *declared)
{
    return declared != NULL ? declared->count : 0;
}

const struct store_namespace_options *declared_at(const struct declared *declared, uint32_t number)
{
    return &declared->list[number];
}

const struct store_namespace_options *declared_find(const struct declared *declared,
                                                    struct slice name)
{
    uint32_t number = declared != NULL ? *slot_of(declared, name) : 0;
    return number != 0 ? &declared->list[number - 1] : NULL;
}
