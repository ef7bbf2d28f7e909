/*
 * race_window.h - moments between two loads of what other threads change.
 *
 * Where the order of two loads matters, the time between them is nanoseconds, so that an error is
 * hardly ever seen. A test defines a race_window_pass of its own, which is linked instead of the
 * one here, and can stay in it for as long as it needs.
 */
#ifndef KVCACHED_DAEMON_STORE_ARENA_RACE_WINDOW_H
#define KVCACHED_DAEMON_STORE_ARENA_RACE_WINDOW_H

enum race_window {
    WINDOW_OWNER, /* a segment is linked; its owner has not been read yet */
    WINDOW_UNIT,  /* a unit belongs to a segment; the segment has not been read yet */
    WINDOW_ROOM,  /* a writer found no room; it has not begun to make some yet */
    WINDOWS,
};

/* Does nothing. Any thread, between store_enter and store_leave. */
void race_window_pass(enum race_window which);

#endif
