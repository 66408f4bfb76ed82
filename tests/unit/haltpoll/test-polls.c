/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "haltpoll/haltpoll.h"

/* Counters of real guests: 75 idles of 150 µs that were hit, and others. */
static const struct {
        PollCount before, after;
        uint32_t ns;
        bool above;
} cases[] = {
        {{1000, 90000}, {1075, 101250}, 200000, false},  /* 150 µs: within the maximum */
        {{1000, 90000}, {1075, 101250}, 100000, true},   /* 150 µs, and 100 are allowed */
        {{1000, 90000}, {1075, 101250}, 50000, true},
        {{1000, 90000}, {1075, 101250}, 120000, false},  /* 152 µs are within what a look at the clock costs */
        {{1000, 90000}, {1075, 101250}, 118000, true},   /* 149.8 µs are not */
        {{1000, 90000}, {1075, 90075}, 0, true},         /* no poll is so short that 0 allows it */
        {{1000, 90000}, {1004, 90600}, 50000, false},    /* too few to say anything */
        {{1000, 90000}, {1004, 90600}, 0, false},
        {{1000, 90000}, {1005, 90750}, 50000, true},
        {{1000, 90000}, {1000, 90000}, 0, false},        /* nothing at all */
        {{1000, 90000}, {10, 900}, 0, false},            /* another driver counts from the beginning */
        {{0, 0}, {UINT64_C(1) << 40, UINT64_C(1) << 62}, UINT32_MAX, false}, /* 4.2 s */
};

static void test_polls_above_the_maximum(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                if (poll_count_is_above(&cases[i].before, &cases[i].after, cases[i].ns) != cases[i].above)
                        fail_msg("case %zu", i);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_polls_above_the_maximum),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
