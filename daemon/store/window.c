/*
 * window.c - nothing happens; see window.h.
 */
#include "daemon/store/window.h"

void window_pass(enum window which)
{
    (void)which;
}
