/*
 * race_window.h - moments between two looks at what other threads change.
 *
 * Where the order of two loads matters, what can go wrong between them takes nanoseconds and
 * is hardly ever seen. A test that brings a race_window_pass of its own is linked with that
 * instead of this one, and can stay there for as long as it likes.
 */
#ifndef KVCACHED_DAEMON_STORE_ARENA_RACE_WINDOW_H
#define KVCACHED_DAEMON_STORE_ARENA_RACE_WINDOW_H

enum race_window {
    WINDOW_OWNER, /* a segment is linked; whose it is has not been read yet */
    WINDOW_UNIT,  /* a unit belongs to a segment; what that is has not been read yet */
    WINDOWS,
};

/* Any thread, inside of enter and leave. */
void race_window_pass(enum race_window which);

#endif
