/*
 * interrupt.c - Ctrl-C while something takes long.
 */
#include "scripts/cli/interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t noted;

static void note(int signal)
{
    (void)signal;
    noted = 1;
}

void interrupt_catch(bool terminate)
{
    struct sigaction action = {.sa_handler = note};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    if (terminate) {
        sigaction(SIGTERM, &action, NULL);
    }
}

bool interrupt_noted(void)
{
    return noted != 0;
}

void interrupt_forget(void)
{
    noted = 0;
}
