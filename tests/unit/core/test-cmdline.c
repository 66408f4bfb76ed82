/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/cmdline.h"

/* Command lines and the tokens that the kernel sees in them, checked against next_arg() of Linux 6.6. */
static const struct {
        const char *text;
        size_t n;
        struct {
                const char *name, *value;
                size_t offset, size;
                bool for_init;
        } tokens[4];
} parse_cases[] = {
        { "", 0, {} },
        { " \t\n ", 0, {} },
        { "quiet", 1, { { "quiet", NULL, 0, 5, false } } },
        { "  ro  root=/dev/vda1 ", 2, { { "ro", NULL, 2, 2, false }, { "root", "/dev/vda1", 6, 14, false } } },
        { "a=", 1, { { "a", "", 0, 2, false } } },
        { "=a", 1, { { "=a", NULL, 0, 2, false } } },
        { "=a=b", 1, { { "=a", "b", 0, 4, false } } },
        { "a=b=c", 1, { { "a", "b=c", 0, 5, false } } },
        { "a=\"b c\" d", 2, { { "a", "b c", 0, 7, false }, { "d", NULL, 8, 1, false } } },
        { "\"a=b c\" d", 2, { { "a", "b c", 0, 7, false }, { "d", NULL, 8, 1, false } } },
        { "\"a b\"", 1, { { "a b", NULL, 0, 5, false } } },
        { "\"a=\"b\"\"", 1, { { "a", "b\"", 0, 7, false } } },
        { "a=b\"c d\"e", 1, { { "a", "b\"c d\"e", 0, 9, false } } },
        { "a=\"open quote", 1, { { "a", "open quote", 0, 13, false } } },
        { "\"", 1, { { "", NULL, 0, 1, false } } },
        { "a=\"", 1, { { "a", "", 0, 3, false } } },
        { "a -- b c=d", 4, { { "a", NULL, 0, 1, false }, { "--", NULL, 2, 2, true }, { "b", NULL, 5, 1, true },
                             { "c", "d", 7, 3, true } } },
        { "--a", 1, { { "--a", NULL, 0, 3, false } } },
        { "--=", 1, { { "--", "", 0, 3, false } } },
        { "a\240b", 2, { { "a", NULL, 0, 1, false }, { "b", NULL, 2, 1, false } } },
};

static void test_parse(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(parse_cases); i++) {
                Cmdline c;

                assert_int_equal(cmdline_parse(parse_cases[i].text, strlen(parse_cases[i].text), &c), 0);
                assert_int_equal(c.n_tokens, parse_cases[i].n);

                for (size_t k = 0; k < c.n_tokens; k++) {
                        assert_string_equal(c.tokens[k].name, parse_cases[i].tokens[k].name);
                        assert_true(streq_ptr(c.tokens[k].value, parse_cases[i].tokens[k].value));
                        assert_int_equal(c.tokens[k].offset, parse_cases[i].tokens[k].offset);
                        assert_int_equal(c.tokens[k].size, parse_cases[i].tokens[k].size);
                        assert_int_equal(c.tokens[k].for_init, parse_cases[i].tokens[k].for_init);
                }

                cmdline_done(&c);
        }
}

static void test_parse_stops_at_nul(_unused_ void **state) {
        Cmdline c;

        assert_int_equal(cmdline_parse("a\0b", 3, &c), 0);
        assert_int_equal(c.n_tokens, 1);
        cmdline_done(&c);

        assert_int_equal(cmdline_parse(NULL, 0, &c), 0);
        assert_int_equal(c.n_tokens, 0);
        cmdline_done(&c);
}

static void test_open(_unused_ void **state) {
        Cmdline c;

        assert_int_equal(cmdline_parse("a=\"b c\" \"d", 10, &c), 0);
        assert_int_equal(c.n_tokens, 2);
        assert_false(c.tokens[0].open);
        assert_true(c.tokens[1].open);
        cmdline_done(&c);
}

static void test_name_equal(_unused_ void **state) {
        assert_true(parameter_name_equal("cpuidle_haltpoll.force", "cpuidle-haltpoll.force"));
        assert_true(parameter_name_equal("", ""));
        assert_false(parameter_name_equal("a", "A"));
        assert_false(parameter_name_equal("a", "ab"));
        assert_false(parameter_name_equal("ab", "a"));
}

static void test_bool(_unused_ void **state) {
        static const char *const yes[] = { "y", "Y", "1", "yes", "on", "ON", "On", "oN", "true", "T", "1x" };
        static const char *const no[] = { "n", "N", "0", "no", "off", "OFF", "of", "false", "0x1" };
        static const char *const neither[] = { "", "o", "2", "x", " 1", "-", "ox" };
        bool b;

        for (size_t i = 0; i < ELEMENTSOF(yes); i++) {
                assert_int_equal(parse_kernel_bool(yes[i], &b), 0);
                assert_true(b);
        }

        for (size_t i = 0; i < ELEMENTSOF(no); i++) {
                assert_int_equal(parse_kernel_bool(no[i], &b), 0);
                assert_false(b);
        }

        for (size_t i = 0; i < ELEMENTSOF(neither); i++)
                assert_int_equal(parse_kernel_bool(neither[i], &b), -EINVAL);

        assert_int_equal(parse_kernel_bool(NULL, &b), 0);
        assert_true(b);
}

static const struct {
        const char *text;
        int r;
        uint32_t value;
} uint_cases[] = {
        { "0",                     0,       0          },
        { "400000",                0,       400000     },
        { "+5",                    0,       5          },
        { "0x30d40",               0,       200000     },
        { "0X1F",                  0,       31         },
        { "010",                   0,       8          },
        { "5\n",                   0,       5          },
        { "4294967295",            0,       UINT32_MAX },
        { "0xffffffff",            0,       UINT32_MAX },
        { "4294967296",            -ERANGE, 0          },
        { "18446744073709551616",  -ERANGE, 0          },
        { "99999999999999999999x", -ERANGE, 0          },
        { "4294967296x",           -EINVAL, 0          },
        { "",                      -EINVAL, 0          },
        { "+",                     -EINVAL, 0          },
        { "-1",                    -EINVAL, 0          },
        { "++1",                   -EINVAL, 0          },
        { "2e5",                   -EINVAL, 0          },
        { "0x",                    -EINVAL, 0          },
        { "0xg",                   -EINVAL, 0          },
        { "08",                    -EINVAL, 0          },
        { " 1",                    -EINVAL, 0          },
        { "1 ",                    -EINVAL, 0          },
        { "5\n\n",                 -EINVAL, 0          },
};

static void test_uint(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(uint_cases); i++) {
                uint32_t value = 0;

                assert_int_equal(parse_kernel_uint(uint_cases[i].text, &value), uint_cases[i].r);
                assert_int_equal(value, uint_cases[i].value);
        }
}

static const TokenSpec force = { .name = "cpuidle_haltpoll.force", .value = "Y", .kind = TOKEN_BOOL };
static const TokenSpec pvspin = { .name = "arm_pvspin", .value = NULL, .kind = TOKEN_FLAG };
static const TokenSpec governor = { .name = "cpuidle.governor", .value = "haltpoll", .kind = TOKEN_STRING };

static const struct {
        const char *text;
        const TokenSpec *spec;
        TokenState state;
} state_cases[] = {
        { "quiet",                                            &force,    TOKEN_ABSENT   },
        { "cpuidle_haltpoll.force=Y",                         &force,    TOKEN_EQUAL    },
        { "cpuidle-haltpoll.force=on",                        &force,    TOKEN_EQUAL    },
        { "cpuidle_haltpoll.force",                           &force,    TOKEN_EQUAL    },
        { "\"cpuidle_haltpoll.force=1\"",                     &force,    TOKEN_EQUAL    },
        { "cpuidle_haltpoll.force=N",                         &force,    TOKEN_OPPOSITE },
        { "cpuidle_haltpoll.force=maybe",                     &force,    TOKEN_OPPOSITE },
        { "cpuidle_haltpoll.force=Y cpuidle_haltpoll.force=0", &force,   TOKEN_OPPOSITE },
        { "cpuidle_haltpoll.force=0 cpuidle-haltpoll.force=Y", &force,   TOKEN_EQUAL    },
        { "cpuidle_haltpoll.forced=Y",                        &force,    TOKEN_ABSENT   },
        { "x=cpuidle_haltpoll.force=Y",                       &force,    TOKEN_ABSENT   },
        { "-- cpuidle_haltpoll.force=Y",                      &force,    TOKEN_ABSENT   },
        { "arm_pvspin=0",                                     &pvspin,   TOKEN_EQUAL    },
        { "arm-pvspin",                                       &pvspin,   TOKEN_EQUAL    },
        { "cpuidle.governor=haltpoll",                        &governor, TOKEN_EQUAL    },
        { "cpuidle.governor=menu",                            &governor, TOKEN_OPPOSITE },
        { "cpuidle.governor",                                 &governor, TOKEN_OPPOSITE },
};

static void test_state(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(state_cases); i++) {
                const Token *t;
                Cmdline c;

                assert_int_equal(cmdline_parse(state_cases[i].text, strlen(state_cases[i].text), &c), 0);
                assert_int_equal(cmdline_state(&c, state_cases[i].spec, &t), state_cases[i].state);
                assert_int_equal(t != NULL, state_cases[i].state != TOKEN_ABSENT);
                assert_int_equal(cmdline_state(&c, state_cases[i].spec, NULL), state_cases[i].state);
                cmdline_done(&c);
        }
}

static void test_format(_unused_ void **state) {
        _cleanup_free_ char *a = NULL, *b = NULL;

        a = token_spec_format(&force);
        b = token_spec_format(&pvspin);
        assert_string_equal(a, "cpuidle_haltpoll.force=Y");
        assert_string_equal(b, "arm_pvspin");
}

static const struct {
        const char *text, *name, *value;
} spec_cases[] = {
        { "cpuidle_haltpoll.force=Y", "cpuidle_haltpoll.force", "Y"   },
        { "arm_pvspin",               "arm_pvspin",             NULL  },
        { "a=",                       "a",                      ""    },
        { "a=b=c",                    "a",                      "b=c" },
        { "a-b=c-d",                  "a-b",                    "c-d" },
        { "",                         "",                       NULL  },
};

/* Reading is the opposite of writing. */
static void test_spec_parse(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(spec_cases); i++) {
                _cleanup_free_ char *text = NULL, *again = NULL;
                TokenSpec spec;

                assert_int_equal(token_spec_parse(spec_cases[i].text, &spec, &text), 0);
                assert_string_equal(spec.name, spec_cases[i].name);
                assert_true(streq_ptr(spec.value, spec_cases[i].value));
                assert_int_equal(spec.kind, TOKEN_STRING);

                again = token_spec_format(&spec);
                assert_string_equal(again, spec_cases[i].text);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_parse_stops_at_nul),
                cmocka_unit_test(test_open),
                cmocka_unit_test(test_name_equal),
                cmocka_unit_test(test_bool),
                cmocka_unit_test(test_uint),
                cmocka_unit_test(test_state),
                cmocka_unit_test(test_format),
                cmocka_unit_test(test_spec_parse),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
