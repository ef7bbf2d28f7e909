/*
 * append.h - requests that are appended, besides those of kvcached.h.
 */
#ifndef KVCACHED_SCRIPTS_CLIENTS_C_APPEND_H
#define KVCACHED_SCRIPTS_CLIENTS_C_APPEND_H

#include "scripts/clients/c/kvcached.h"

enum kvc_result append_auth(struct kvc *kvc, const char *user, struct kvc_bytes secret);

#endif
