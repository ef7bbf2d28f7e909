/*
 * http_text.c - see http_text.h.
 */
#include "daemon/http/http_text.h"

#include <event2/buffer.h>
#include <inttypes.h>
#include <string.h>

static const struct family {
    const char *name, *type, *help;
} families[] = {
#define FAMILY(id, name, type, help)           [HTTP_FAMILY_##id] = {name, type, help},
#define NAMESPACE_FAMILY(id, name, type, help) [HTTP_FAMILY_##id] = {name, type, help},
#include "daemon/base/families.def"
#undef FAMILY
#undef NAMESPACE_FAMILY
};

void http_text_family(struct evbuffer *to, enum http_family family)
{
    const struct family *it = &families[family];
    evbuffer_add_printf(to, "# HELP %s %s\n# TYPE %s %s\n", it->name, it->help, it->name, it->type);
}

bool http_text_is_counter(enum http_family family)
{
    return strcmp(families[family].type, "counter") == 0;
}

void http_text_label(struct evbuffer *to, struct slice value)
{
    for (size_t i = 0; i < value.length; i++) {
        unsigned char byte = (unsigned char)value.bytes[i];
        if (byte == '\n') {
            evbuffer_add(to, "\\n", 2);
        } else if (byte == '"' || byte == '\\') {
            evbuffer_add_printf(to, "\\%c", byte);
        } else if (byte < ' ' || byte > '~') {
            evbuffer_add_printf(to, "\\\\x%02x", byte);
        } else {
            evbuffer_add(to, &byte, 1);
        }
    }
}

void http_text_end(struct evbuffer *to, uint64_t value)
{
    evbuffer_add_printf(to, " %" PRIu64 "\n", value);
}

void http_text_end_thousandths(struct evbuffer *to, uint64_t value)
{
    evbuffer_add_printf(to, " %" PRIu64 ".%03u\n", value / 1000, (unsigned)(value % 1000));
}

static void begin(struct evbuffer *to, enum http_family family, const char *labels)
{
    bool some = labels[0] != '\0';
    evbuffer_add_printf(to, "%s%s%s%s", families[family].name, some ? "{" : "", labels,
                        some ? "}" : "");
}

void http_text_sample(struct evbuffer *to, enum http_family family, const char *labels,
                      uint64_t value)
{
    begin(to, family, labels);
    http_text_end(to, value);
}

void http_text_thousandths(struct evbuffer *to, enum http_family family, const char *labels,
                           uint64_t value)
{
    begin(to, family, labels);
    http_text_end_thousandths(to, value);
}

void http_text_begin(struct evbuffer *to, enum http_family family, const char *name,
                     struct slice value, const char *labels)
{
    evbuffer_add_printf(to, "%s{%s=\"", families[family].name, name);
    http_text_label(to, value);
    evbuffer_add_printf(to, "\"%s%s}", labels[0] != '\0' ? "," : "", labels);
}
