/*
 * signals.c - see signals.h.
 *
 * The handlers only call functions that are async-signal-safe: they set a flag, send a signal, or
 * unlink files and end the process.
 */
#include "daemon/os/signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/os/cleanup.h"

static volatile sig_atomic_t notes_stops; /* 0: a signal to stop ends the process at once */
static volatile sig_atomic_t stop, reload, reopen;
static volatile pid_t passed_on_to; /* the process that gets signals to stop; 0: none */

static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};

static void mask(int how)
{
    sigset_t all;
    sigemptyset(&all);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        sigaddset(&all, numbers[i]);
    }
    pthread_sigmask(how, &all, NULL);
}

static void leave(void)
{
    cleanup_remove_all();
    _exit(EX_OK);
}

static void on_signal(int number)
{
    int why = errno;
    if (number == SIGHUP) {
        reload = number;
    } else if (number == SIGUSR1) {
        reopen = number;
    } else if (passed_on_to != 0) {
        kill(passed_on_to, number);
    } else if (notes_stops && stop == 0) {
        stop = number;
    } else {
        leave();
    }
    errno = why;
}

static void handle(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        sigaddset(&action.sa_mask, numbers[i]);
    }
    sigaction(number, &action, NULL);
}

void signals_hold(void)
{
    mask(SIG_BLOCK);
}

void signals_ordinary(void)
{
    mask(SIG_UNBLOCK);
}

void signals_start(void)
{
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        handle(numbers[i], on_signal);
    }
    mask(SIG_UNBLOCK);
}

void signals_pass_on(pid_t daemon)
{
    passed_on_to = daemon;
}

void signals_note(void)
{
    notes_stops = 1;
}

int signals_noted(void)
{
    return stop;
}

void signals_hand_over(void)
{
    mask(SIG_BLOCK);
}

struct signals_given signals_handed_over(void)
{
    struct signals_given given = {.stop = stop, .reload = reload, .reopen = reopen};
    stop = reload = reopen = 0;
    notes_stops = 0;
    mask(SIG_UNBLOCK);
    return given;
}

void signals_end(void)
{
    mask(SIG_BLOCK);
    notes_stops = 0;
    handle(SIGTERM, on_signal);
    handle(SIGINT, on_signal);
    handle(SIGHUP, SIG_IGN);
    handle(SIGUSR1, SIG_IGN);
    mask(SIG_UNBLOCK);
}
