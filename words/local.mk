# words/local.mk - headers that both rooms of the lowest layer include. Needs libc only.

noinst_HEADERS += words/edit_distance.h
