/*
 * slot.c - CRC-16/XMODEM: the polynomial 0x1021, the most significant bit first, from 0 on. It is
 * the one that the specification of the cluster names.
 *
 * Four bits at a time: keys are short, and a table of 32 bytes stays in the cache.
 */
#include "daemon/cluster/cluster.h"

/* What each nibble leaves. */
static const uint16_t remainders[16] = {
    0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50a5, 0x60c6, 0x70e7,
    0x8108, 0x9129, 0xa14a, 0xb16b, 0xc18c, 0xd1ad, 0xe1ce, 0xf1ef,
};

static unsigned add_nibble(unsigned crc, unsigned nibble)
{
    return (crc << 4 ^ remainders[(crc >> 12 ^ nibble) & 0xfU]) & 0xffffU;
}

uint16_t cluster_crc16(uint16_t crc, struct slice bytes)
{
    unsigned value = crc;
    for (size_t i = 0; i < bytes.length; i++) {
        unsigned byte = (unsigned char)bytes.bytes[i];
        value = add_nibble(value, byte >> 4);
        value = add_nibble(value, byte & 0xfU);
    }
    return (uint16_t)value;
}
