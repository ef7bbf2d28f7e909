/*
 * hash_secret.c - `kvcached-cli hash-secret`, as `kvcached --hash-secret`.
 */
#include "scripts/cli/command.h"

enum status hash_secret_run(struct session *session, int count, char **words)
{
    (void)words;
    if (count > 1) {
        printer_fail(&session->printer,
                     "a secret must not be an argument, which other users can see; it is asked "
                     "for, or read from standard input");
        return STATUS_REFUSED;
    }
    return secret_prompt() ? STATUS_DONE : STATUS_REFUSED;
}
