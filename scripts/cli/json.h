/*
 * json.h - replies as JSON.
 *
 * A member whose bytes are not UTF-8 is base64, and beside it stands a member of its name with
 * `_encoding` behind it, "base64". Keys are as they are in replies, so that they can be sent back.
 */
#ifndef KVCACHED_SCRIPTS_CLI_JSON_H
#define KVCACHED_SCRIPTS_CLI_JSON_H

#include <json-c/json.h>

#include "scripts/cli/verbs.h"

/* The caller puts what is returned. `key`: what the reply is about, of a verb with keys; else
 * empty. */
struct json_object *json_reply(const struct typed_verb *verb, const struct reply *reply,
                               struct slice key);

/* Adds bytes as a member. */
void json_add_bytes(struct json_object *object, const char *name, struct slice bytes);
/* A number, where the text is one, or else as bytes. */
void json_add_word(struct json_object *object, const char *name, struct slice text);

/* One line, without its end. Good until the object is put. */
const char *json_text(struct json_object *object);

#endif
