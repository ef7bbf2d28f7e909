/*
 * digits.c - see digits.h.
 */
#include "protocol/digits.h"

char *digits_write_long(char *to, uint64_t number)
{
    unsigned count = 1;
    for (uint64_t rest = number; rest >= 10; rest /= 10) {
        count++;
    }
    for (unsigned at = count; at-- > 0; number /= 10) {
        to[at] = (char)('0' + number % 10);
    }
    return to + count;
}
