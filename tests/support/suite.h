/*
 * suite.h - the end of every main: runs what was put together.
 */
#ifndef KVCACHED_TESTS_SUPPORT_SUITE_H
#define KVCACHED_TESTS_SUPPORT_SUITE_H

#include <check.h>
#include <stdlib.h>

/* What main returns. CK_VERBOSITY says how much is told. */
static inline int suite_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
