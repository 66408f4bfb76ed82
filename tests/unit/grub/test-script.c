/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/buffer.h"
#include "grub/script.h"

/* Everything of the parsed form in one line: "LINE[^PARENT][!]:word|word;" for each command, "!" for os-prober. */
static char *describe(const Script *s) {
        Buffer b = BUFFER_NULL;

        assert_int_equal(buffer_puts(&b, ""), 0);

        for (size_t i = 0; i < s->n_commands; i++) {
                const ScriptCommand *c = s->commands + i;

                assert_int_equal(buffer_printf(&b, "%u", c->line), 0);
                if (c->parent != SCRIPT_NO_PARENT)
                        assert_int_equal(buffer_printf(&b, "^%zu", c->parent), 0);
                assert_int_equal(buffer_puts(&b, c->os_prober ? "!:" : ":"), 0);
                for (size_t k = 0; k < c->n_words; k++)
                        assert_int_equal(buffer_printf(&b, "%s%s", k > 0 ? "|" : "", c->words[k].value), 0);
                assert_int_equal(buffer_puts(&b, ";"), 0);
        }

        return b.data;
}

/* What GRUB accepts, and how it reads it. */
static const struct {
        const char *text, *commands;
} good[] = {
        /* words */
        { "",                                   ""                        },
        { "\n\n  \n",                           ""                        },
        { "a",                                  "1:a;"                    },
        { "a b\tc\n",                           "1:a|b|c;"                },
        { "a 'b c' \"d e\"\n",                  "1:a|b c|d e;"            },
        { "a b'c'\"d\"e\n",                     "1:a|bcde;"               },
        { "a '' \"\"\n",                        "1:a||;"                  },
        { "a \\b \\  \\# \\'\n",                "1:a|b| |#|';"            },
        { "a '\\b' \"\\b\\$\\\\\\\"\"\n",       "1:a|\\b|\\b$\\\";"       },
        { "a $\"b c\" $\"$ x\"\n",              "1:a|b c|$ x;"            },
        { "a $b ${b}c \"$b$1$?\" $#\n",         "1:a|$b|${b}c|$b$1$?|$#;" },
        { "a '$b'\n",                           "1:a|$b;"                 },
        { "a \"b\nc\" 'd\ne'\nf\n",             "1:a|b\nc|d\ne;4:f;"      },
        { "a (hd0,1)/k a=b *? [ ] ! ~ %\n",     "1:a|(hd0,1)/k|a=b|*?|[|]|!|~|%;" },
        { "! a\ntime b\n",                      "1:!|a;2:time|b;"         },
        { "a \303\244\240\n",                   "1:a|\303\244\240;"       },
        /* comments */
        { "a # b\nc\n",                         "1:a;2:c;"                },
        { "a b#c\n",                            "1:a|b#c;"                },
        { "a;#b\nc\n",                          "1:a;2:c;"                },
        { "# a \"\nb\n",                        "2:b;"                    },
        { "a #'b\nc\n",                         "1:a;2:c;"                },
        { "a # b \\\nc\n",                      "1:a;2:c;"                },
        /* a line that begins with "#" is not there at all */
        { "a \"b\n#c\"\nd\"\n",                 "1:a|b\nd;"               },
        { "a \\\n# b\nc\n",                     "1:a|c;"                  },
        { "a \\\n # b\nc\n",                    "1:a;3:c;"                },
        /* continuation */
        { "a \\\nb\n",                          "1:a|b;"                  },
        { "a\\\nb\n",                           "1:ab;"                   },
        { "a \\\n  b \\\n\nc\n",                "1:a|b;4:c;"              },
        { "a \"b\\\nc\"\n",                     "1:a|bc;"                 },
        { "\\\n\na\n",                          "3:a;"                    },
        { " \\\n x y\n",                        "1:x|y;"                  },
        { "a \\\n fi\n",                        "1:a|fi;"                 },
        /* carriage returns are not there either */
        { "a b\r\nc\r\n",                       "1:a|b;2:c;"              },
        { "a\rb\n",                             "1:ab;"                   },
        { "a \\\r\nb\r\n",                      "1:a|b;"                  },
        { "\r# x \"\r\na\r\n",                  "2:a;"                    },
        { "a\r",                                "1:a;"                    },
        /* sentences */
        { "a; b;c ;\n",                         "1:a;1:b;1:c;"            },
        { "a { b }\n",                          "1:a;1:b;"                },
        { "a{b}\n",                             "1:a;1:b;"                },
        { "a {\nb\n\n}\n",                      "1:a;2:b;"                },
        { "a b { c; } ; d\n",                   "1:a|b;1:c;1:d;"          },
        { "if a; then b; fi\n",                 "1:a;1:b;"                },
        { "if a\nthen b\nelif c\nthen d\nelse e\nfi\n", "1:a;2:b;3:c;4:d;5:e;" },
        { "for i in a b; do c $i; done\n",      "1:for|i|a|b;1:c|$i;"     },
        { "for i in\ndo c\ndone\n",             "1:for|i;2:c;"            },
        { "while a; do b; done\nuntil c\ndo d\ndone", "1:a;1:b;2:c;3:d;"  },
        { "function f {\na\n}\nf\n",            "2:a;4:f;"                },
        { "function f\n\n{ a; }\n",             "3:a;"                    },
        { "echo if then fi do done in case\n",  "1:echo|if|then|fi|do|done|in|case;" },
        /* menus */
        { "menuentry 'x y' { linux /k; }\n",    "1:menuentry|x y;1^0:linux|/k;" },
        { "submenu a {\nmenuentry b {\nif c; then\nd { e }\nfi\n}\n}\nf\n",
          "1:submenu|a;2^0:menuentry|b;3^1:c;4^1:d;4^1:e;8:f;" },
        { "### BEGIN /etc/grub.d/30_os-prober ###\na\n### END /etc/grub.d/30_os-prober ###\nb\n", "2!:a;4:b;" },
        { "### BEGIN /etc/grub.d/30_os-prober ###\r\na\n### BEGIN /etc/grub.d/40_custom ###\nb\n", "2!:a;4:b;" },
};

static void test_good(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(good); i++) {
                _cleanup_script_ Script s = SCRIPT_NULL;
                _cleanup_free_ char *commands = NULL;
                ScriptError error;

                assert_int_equal(script_parse(good[i].text, strlen(good[i].text), &s, &error), 0);
                commands = describe(&s);
                assert_string_equal(commands, good[i].commands);
        }
}

/* What GRUB refuses. */
static const struct {
        const char *text;
        unsigned line;
} bad[] = {
        { "a \"b\n\n",                     1 },
        { "a\nb 'c\n",                     2 },
        { "a\nb $\"c",                     2 },
        { "a \\",                          1 },
        { "a\nb \\\n",                     2 },
        { "a \\\n# b\n",                   1 },
        { "a $\n",                         1 },
        { "a \"$\"\n",                     1 },
        { "a \"$ \"\n",                    1 },
        { "a ${b\n",                       1 },
        { "a ${b-c}\n",                    1 },
        { "a $-\n",                        1 },
        { "a && b\n",                      1 },
        { "a || b\n",                      1 },
        { "a | b\n",                       1 },
        { "a & b\n",                       1 },
        { "a > b\n",                       1 },
        { "a;;\n",                         1 },
        { "a; ;b\n",                       1 },
        { ";a\n",                          1 },
        { "a\n;b\n",                       2 },
        { "[[ a ]]\n",                     1 },
        { "a [[\n",                        1 },
        { "a {}\n",                        1 },
        { "a {\n\n}\n",                    3 },
        { "a }\n",                         1 },
        { "}\n",                           1 },
        { "a {\nb\n",                      1 },
        { "a { b } c\n",                   1 },
        { "a { b } { c }\n",               1 },
        { "if a; then b\n",                1 },
        { "if a; then fi\n",               1 },
        { "if a then b; fi\n",             1 },
        { "if a; then b; fi c\n",          1 },
        { "if a; then b; else c; elif d; then e; fi\n", 1 },
        { "if\\\n a; then b; fi\n",        2 },
        { "then\n",                        1 },
        { "fi\n",                          1 },
        { "case\n",                        1 },
        { "for a; do b; done\n",           1 },
        { "for 1 in a; do b; done\n",      1 },
        { "for i\nin a; do b; done\n",     1 },
        { "for i in a; b; done\n",         1 },
        { "for i in a; do done\n",         1 },
        { "while a; do b\n",               1 },
        { "function f { a }\n",            1 },
        { "function 'f' { a; }\n",         1 },
        { "function f a\n",                1 },
        { "a { function f { b; }; }\n",    1 },
};

static void test_bad(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(bad); i++) {
                ScriptError error = {};
                Script s;

                assert_int_equal(script_parse(bad[i].text, strlen(bad[i].text), &s, &error), -EINVAL);
                assert_int_equal(error.line, bad[i].line);
                assert_non_null(error.reason);
        }
}

static void test_nul(_unused_ void **state) {
        ScriptError error;
        Script s;

        assert_int_equal(script_parse("a\nb\0c\n", 6, &s, &error), -EINVAL);
        assert_int_equal(error.line, 2);
}

/* The bytes of a word reach from its first to its last byte that counts. */
static const struct {
        const char *text, *word;
} ranges[] = {
        { "a bcd e\n",          "bcd"       },
        { "a 'b c'd e\n",       "'b c'd"    },
        { "a b\r\n",            "b"         },
        { "a \rb\n",            "b"         },
        { "a b\\\n c\n",        "b"         },
        { "a \\\nb\n",          "b"         },
        { "a b\\\nc d\n",       "b\\\nc"    },
        { "a b\\\r\n\\\n d\n",  "b"         },
        { "a \\\n \\\n b;\n",   "b"         },
        { "a ]]\\\n\n",         "]]\\\n"    },
        { "a b\\ \n",           "b\\ "      },
        { "a{ b }\n",           "b"         },
        { "a $b}\n",            NULL        },
        { "a \"b\"",            "\"b\""     },
};

static void test_ranges(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(ranges); i++) {
                _cleanup_script_ Script s = SCRIPT_NULL;
                ScriptError error;
                int r;

                r = script_parse(ranges[i].text, strlen(ranges[i].text), &s, &error);
                assert_int_equal(r, ranges[i].word ? 0 : -EINVAL);
                if (r < 0)
                        continue;

                assert_true(s.n_words >= 2);
                assert_int_equal(s.words[1].size, strlen(ranges[i].word));
                assert_memory_equal(ranges[i].text + s.words[1].offset, ranges[i].word, s.words[1].size);
        }
}

/* Repeats a text; the result is parsed as a file of its own. */
static int parse_repeated(const char *before, const char *text, size_t n, const char *after) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        _cleanup_script_ Script s = SCRIPT_NULL;
        ScriptError error;
        int r;

        assert_int_equal(buffer_puts(&b, before), 0);
        for (size_t i = 0; i < n; i++)
                assert_int_equal(buffer_puts(&b, text), 0);
        assert_int_equal(buffer_puts(&b, after), 0);

        r = script_parse(b.data, b.size, &s, &error);
        assert_true(r == 0 || r == -EINVAL);
        return r;
}

/* Where GRUB's own lexer and parser run out of space. */
static void test_limits(_unused_ void **state) {
        assert_int_equal(parse_repeated("", "a", 8191, "\n"), 0);
        assert_int_equal(parse_repeated("", "a", 8192, "\n"), -EINVAL);
        assert_int_equal(parse_repeated("a", " ", 8191, "b\n"), 0);
        assert_int_equal(parse_repeated("a", " ", 8192, "b\n"), -EINVAL);
        assert_int_equal(parse_repeated("a ", "#", 8189, "\n"), 0);
        assert_int_equal(parse_repeated("a ", "#", 8190, "\n"), -EINVAL);
        assert_int_equal(parse_repeated("a\n", "#", 20000, "\n"), 0);
        assert_int_equal(parse_repeated("a", " b", 8000, "\n"), 0);
        assert_int_equal(parse_repeated("a", " b", 10000, "\n"), -EINVAL);
}

static void test_hostile(_unused_ void **state) {
        assert_int_equal(parse_repeated("", "a {\n", 10000, ""), -EINVAL);
        assert_int_equal(parse_repeated("", "if a; then\n", 1000000, ""), -EINVAL);
        assert_int_equal(parse_repeated("if a; then b\n", "elif a; then b\n", 100000, "fi\n"), -EINVAL);
        assert_int_equal(parse_repeated("", "\"", 1000001, ""), -EINVAL);
        assert_int_equal(parse_repeated("", "a;", 1000000, ""), 0);
        assert_int_equal(parse_repeated("", "\\\n", 100000, "\na\n"), -EINVAL);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_bad),
                cmocka_unit_test(test_nul),
                cmocka_unit_test(test_ranges),
                cmocka_unit_test(test_limits),
                cmocka_unit_test(test_hostile),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
