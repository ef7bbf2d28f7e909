/*
 * check_slot.c - slots as the specification of the cluster has them.
 */
#include <check.h>

#include "daemon/cluster/cluster.h"
#include "tests/support/suite.h"

static const struct {
    const char *bytes;
    unsigned crc;
} vectors[] = {
    {"", 0},
    {"123456789", 0x31c3}, /* the check value of CRC-16/XMODEM */
    {"foo", 44950},        /* CLUSTER KEYSLOT: 12182 */
    {"user1000", 19827},   /* 3443 */
    {"somekey", 27442},    /* 11058 */
};

START_TEST(it_is_the_published_one)
{
    unsigned crc = cluster_crc16(0, slice_of(vectors[_i].bytes));
    ck_assert_uint_eq(crc, vectors[_i].crc);
}
END_TEST

START_TEST(it_goes_on)
{
    const char *text = "{sessions.5f}alice\xff\x80";
    size_t length = strlen(text);
    for (size_t cut = 0; cut <= length; cut++) {
        uint16_t crc = cluster_crc16(0, (struct slice){text, cut});
        crc = cluster_crc16(crc, (struct slice){text + cut, length - cut});
        ck_assert_uint_eq(crc, cluster_crc16(0, slice_of(text)));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("slot");
    TCase *tcase = tcase_create("crc16");
    tcase_add_loop_test(tcase, it_is_the_published_one, 0, sizeof vectors / sizeof vectors[0]);
    tcase_add_test(tcase, it_goes_on);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
