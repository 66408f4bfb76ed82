/* SPDX-License-Identifier: Apache-2.0 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "grub/shell.h"
#include "grub/stores.h"
#include "tests/unit/tree.h"

#define VARIABLE "GRUB_CMDLINE_LINUX"
#define MARKER "# Added by gtuned, which removes it again when it is empty.\n"

static const TokenSpec force = { .name = "cpuidle_haltpoll.force", .value = "Y", .kind = TOKEN_BOOL };
static const TokenSpec pvspin = { .name = "arm_pvspin", .kind = TOKEN_FLAG };

static BootStores *load(const char *text, size_t size) {
        _cleanup_buffer_ Buffer content = BUFFER_NULL;
        BootStores *stores;

        stores = calloc(1, sizeof(BootStores));
        assert_non_null(stores);
        assert_int_equal(buffer_append(&content, text, size), 0);
        assert_int_equal(default_grub_load(stores, "/etc/default/grub", &content), 0);
        return stores;
}

/* What the shell makes of the variable "x". */
static const struct {
        const char *text, *value;
        size_t n_assignments;
} values[] = {
        { "",                                           "",          0 },
        { "x=a\n",                                      "a",         1 },
        { "x=\n",                                       "",          1 },
        { "x='a b'\n",                                  "a b",       1 },
        { "x=\"a b\"",                                  "a b",       1 },
        { "x=a\\ b\n",                                  "a b",       1 },
        { "x=a'b c'\"d e\"f\n",                         "ab cd ef",  1 },
        { "x='a\\b' # c\n",                             "a\\b",      1 },
        { "x=\"a\\b\\\"c\\$d\\\\\"\n",                  "a\\b\"c$d\\", 1 },
        { "x=\"a \\\nb\"\n",                            "a b",       1 },
        { "x=\"a\nb\"\n",                               "a\nb",      1 },
        { "x=a#b\n",                                    "a#b",       1 },
        { "# x=b\n #x=c\nx=a\n",                        "a",         1 },
        { "x=a; x=b\n",                                 "b",         2 },
        { "x=a\nx+=' b'\n",                             "a b",       2 },
        { "x=a\nx=\"$x b\"\n",                          "a b",       2 },
        { "x=a\nx=\"b ${x}\"\n",                        "b a",       2 },
        { "x=\"$y $x_ ${z}\"\n",                        "$y $x_ ${z}", 1 },
        { "x='$x'\n",                                   "$x",        1 },
        { "export x=a\n",                               "a",         1 },
        { "export y=b x=a\n",                           "a",         1 },
        { "x=a\nexport x\n",                            "a",         1 },
        { "y=b x=a\n",                                  "a",         1 },
        { "x=a y\n",                                    "",          0 },
        { "y x=a\n",                                    "",          0 },
        { "xx=a\ny=x=b\n",                              "",          0 },
        { "y=\"$(sed 's, release .*$,,g' /etc/x)\"\nx=a\n", "a",     1 },
        { "y=`z -i -s 2> /dev/null || echo \"D\"`\nx=a\n", "a",      1 },
        { "y=${z:-\"a b\"}\nx=a\n",                     "a",         1 },
        { "y=$(echo \"$(echo \"a)\")\")\nx=a\n",        "a",         1 },
        { "if [ -e /a ]; then\ny=b\nfi\nx=a\n",         "a",         1 },
        { "case $y in a|b) z=c;; esac\nx=a\n",          "a",         1 },
        { "f() { y=b; }\nx=a\n",                        "a",         1 },
        { "y && z || w\nx=a\n",                         "a",         1 },
        { "x=a && y\n",                                 "a",         1 },
        { "y > z 2>&1\nx=a\n",                          "a",         1 },
        { "y=b \\\n x=a\n",                             "a",         1 },
        { "x=\"a\"\r\n",                                "a\r",       1 },
        { "y=\"b c\"\nx=\"a $y\"\n",                    "a b c",     1 },
        { "x=a\nx=\"$x $x\"\n",                         "a a",       2 },
        { "x=a\nunset x\n",                             "",          0 },
        { "(x=a)\n",                                    "",          0 },
        { "x=a | y\n",                                  "",          0 },
        { "x=a &\n",                                    "",          0 },
        { "return\nx=a\n",                              "",          0 },
        { ": ${x:=a b}\n",                              "a b",       1 },
        { "x=a\n: ${x:=b}\n",                           "a",         1 },
        { "x=\"${x:+$x }a\"\nx=\"${x:+$x }b\"\n",       "a b",       2 },
        { "x=\"${x:-a b}\"\n",                          "a b",       1 },
        { "f() { x=\"$x $1\"; }\nf a\nf b\n",            " a b",      2 },
        { "f() { return; x=a; }\nf\n",                  "",          0 },
        { "cat <<E >/y\nx=b\nE\nx=a\n",                 "a",         1 },
        { "cat <<-\"E\"\nx=b '\n\tE\nx=a\n",            "a",         1 },
        { "y=$(cat <<E\nit's\nE\n)\nx=a\n",             "a",         1 },
        { "y=\"$(case a in a) echo b;; esac)\"\nx=a\n",  "a",         1 },
        { "case a in return) y=b;; (eval|b) ;; esac\nx=a\n", "a",      1 },
        { "export y x=a\n",                             "a",         1 },
        { "command export x=a\n",                       "a",         1 },
        { "if y; then x=a; fi\n",                       "a",         1 },
        { "x=a\nif y; then x=\"$x b\"; fi\n",           "a b",       2 },
        { "x=a\nif y; then x=b; else x=c; fi\n",        "a b c",     3 },
        { "x=a\neval y\n",                              "a …",       2 },
        { "x=a\n. /y\n",                                "a …",       2 },
        { "x=a\neval y\nx=b\n",                         "b",         3 },
        { "y=(a b)\nx=a\n",                             "a",         1 },
};

static void test_values(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(values); i++) {
                _cleanup_(shell_freep) Shell *shell = NULL;
                const Buffer content = { .data = (char *) values[i].text, .size = strlen(values[i].text) };
                const ShellValue *v;
                ShellError error;

                assert_int_equal(shell_new(&shell, NULL, NULL), 0);
                assert_int_equal(shell_run(shell, &content, 0, &error), 0);
                assert_int_equal(shell_get(shell, "x", &v), 0);
                assert_string_equal(strempty(v->text.data), values[i].value);
                assert_int_equal(v->n_assignments, values[i].n_assignments);
        }
}

static const struct {
        const char *text, *code;
        unsigned line;
} refused[] = {
        { "\n" VARIABLE "=\"a\n",                       "default-grub-syntax",  2 },
        { VARIABLE "=a\nb='c\n",                        "default-grub-syntax",  2 },
        { VARIABLE "=$(a\n",                            "default-grub-syntax",  1 },
        { VARIABLE "=a\nb \\\n",                        "default-grub-syntax",  2 },
        { VARIABLE "=a\nb |\n",                         "default-grub-syntax",  3 },
        { VARIABLE "=a\nif b; then\n",                  "default-grub-syntax",  3 },
        { VARIABLE "=a\nfi\n",                          "default-grub-syntax",  2 },
        { VARIABLE "=a\n)\n",                           "default-grub-syntax",  2 },
        { VARIABLE "=(a b)\n",                          "default-grub-dynamic", 1 },
        { VARIABLE "+=(a b)\n",                         "default-grub-dynamic", 1 },
        { VARIABLE "[0]=a\n",                           "default-grub-dynamic", 1 },
        { "declare -a " VARIABLE "=a\n",                "default-grub-dynamic", 1 },
        { "typeset -n " VARIABLE "=a\n",                "default-grub-dynamic", 1 },
        { "mapfile " VARIABLE "\n",                     "default-grub-dynamic", 1 },
        { "X=1\nreturn\n" VARIABLE "=a\n",             "default-grub-dynamic", 0 },
        { "a || return\n" VARIABLE "=a\n",             "default-grub-dynamic", 2 },
        { "X=1\nexit\n",                               "default-grub-dynamic", 2 },
        { "exec b\n",                                  "default-grub-dynamic", 1 },
        { "readonly " VARIABLE "\n",                    "default-grub-dynamic", 0 },
        { "set -u\n",                                  "default-grub-dynamic", 0 },
        { "alias a=b\n",                               "default-grub-dynamic", 1 },
        { "a <(b)\n",                                  "default-grub-dynamic", 1 },
        { "((a))\n",                                   "default-grub-dynamic", 1 },
        { "a &> b\n",                                  "default-grub-dynamic", 1 },
        { "x=$'a\\'b'\n",                              "default-grub-dynamic", 1 },
        { "cat <<x\n" VARIABLE "=b\n",                  "default-grub-dynamic", 1 },
        { "f() { f; }\nf\n",                           "default-grub-dynamic", 2 },
};

static void test_refused(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(refused); i++) {
                _cleanup_(boot_stores_freep) BootStores *stores = load(refused[i].text, strlen(refused[i].text));

                for (size_t k = 0; k < stores->n_stores; k++)
                        assert_int_equal(stores->stores[k]->n_entries, 0);
                assert_int_equal(stores->n_problems, 1);
                assert_string_equal(stores->problems[0].code, refused[i].code);
                assert_int_equal(stores->problems[0].line, refused[i].line);
                assert_true(stores->problems[0].fatal);
        }
}

static void test_nul(_unused_ void **state) {
        _cleanup_(boot_stores_freep) BootStores *stores = load("a\n\0", 3);

        assert_int_equal(stores->n_stores, 0);
        assert_string_equal(stores->problems[0].code, "default-grub-syntax");
        assert_int_equal(stores->problems[0].line, 2);
}

static void test_entry(_unused_ void **state) {
        static const char text[] = "X=1\n" VARIABLE "=\"ro a=b\"\nY=2\n";
        _cleanup_(boot_stores_freep) BootStores *stores = load(text, strlen(text)), *empty = load("X=1\n", 4);
        const BootEntry *e = stores->stores[0]->entries;

        assert_int_equal(stores->stores[0]->n_entries, 1);
        assert_int_equal(e->kind, ENTRY_TEMPLATE);
        assert_string_equal(e->id, VARIABLE);
        assert_int_equal(e->line, 2);
        assert_int_equal(e->cmdline_size, 6);
        assert_int_equal(e->cmdline.n_tokens, 2);
        assert_string_equal(e->cmdline.tokens[1].value, "b");

        assert_int_equal(empty->stores[0]->entries->line, 0);
        assert_int_equal(empty->stores[0]->entries->cmdline.n_tokens, 0);
}

/* What adding two tokens makes of a file; removing them gives the file back. */
static const struct {
        const char *before, *after;
} add_cases[] = {
#define V VARIABLE "="
#define T "cpuidle_haltpoll.force=Y arm_pvspin"
#define U "cpuidle_haltpoll.force=Y\\ arm_pvspin"
#define L V "\"$" VARIABLE " " T "\"\n"
        { V "\"ro quiet\"\n",           V "\"ro quiet " T "\"\n"         },
        { V "\"ro quiet\"",             V "\"ro quiet " T "\""           },
        { V "'ro quiet'\n",             V "'ro quiet " T "'\n"           },
        { V "\"ro quiet \"\n",          V "\"ro quiet " T " \"\n"        },
        { V "ro\n",                     V "ro\\ " U "\n"                 },
        { V "\"\"\n",                   V "\"" T "\"\n"                  },
        { V "''\n",                     V "'" T "'\n"                    },
        { V "\n",                       V U "\n"                         },
        { V "\" \"\n",                  V "\"" T "  \"\n"                },
        { V "\"-- a\"\n",               V "\"" T " -- a\"\n"             },
        { V "\"ro -- a\"\n",            V "\"ro " T " -- a\"\n"          },
        { V "--\n",                     V U "\\ --\n"                    },
        { V "\"a\"'b'\n",               V "\"a\"'b " T "'\n"             },
        { V "\"$X\"\n",                 V "\"$X " T "\"\n"               },
        { V "\"a\\\\\"\n",              V "\"a\\\\ " T "\"\n"            },
        { V "\"a \\\n b\" # c\n",       V "\"a \\\n b " T "\" # c\n"     },
        { V "a\n" V "b\n",              V "a\n" V "b\\ " U "\n"          },
        { V "\"a\"\n" VARIABLE "+=\" b\"\n", V "\"a\"\n" VARIABLE "+=\" b " T "\"\n" },
        { V "\"a\"\n" VARIABLE "+=\"\"\n", V "\"a " T "\"\n" VARIABLE "+=\"\"\n" },
        { V "\"\"\n" VARIABLE "+=\"\"\n", V "\"" T "\"\n" VARIABLE "+=\"\"\n" },
        { V "\"$" VARIABLE " -- a\"\n", V "\"" T " $" VARIABLE " -- a\"\n" },
        { V "a\n" V "\"-- b $" VARIABLE "\"\n", V "a\n" V "\"" T " -- b $" VARIABLE "\"\n" },
        { "export " V "\"a\"; X=1\n",   "export " V "\"a " T "\"; X=1\n" },
        { V "\"a b=\\\"c d\"\n",        V "\"a " T " b=\\\"c d\"\n"     },
        { V "'\"a b'\n",               V "'" T " \"a b'\n"             },
        { V "\"a\"\r\n",                V "\"a " T "\"\r\n"              },
        { V "\"cpuidle-haltpoll.force=0\"\n", V "\"cpuidle-haltpoll.force=0 arm_pvspin\"\n" },
        { "",                           MARKER L                        },
        { "X=1\n",                      "X=1\n" MARKER L                },
        { "X=1",                        "X=1\n" MARKER V "\"$" VARIABLE " " T "\"" },
        { "# x \\",                     "# x \\\n" MARKER V "\"$" VARIABLE " " T "\"" },
        { V "\"a $(b c) d\"\n",         V "\"a $(b c) d " T "\"\n"     },
        { V "\"a $(b c)\"\n",           V "\"a " T " $(b c)\"\n"       },
        { V "\"$(b c)\"\n",             V "\"$(b c) " T "\"\n"         },
        { V "\"a$(b)c\"\n",             V "\"a$(b)c " T "\"\n"         },
        { V "`b`\n",                    V "`b`\\ " U "\n"              },
        { V "\"${X:-a -- b}\"\n",       V "\"" T " ${X:-a -- b}\"\n"   },
        { V "\"${X-a} b\"\n",           V "\"${X-a} b " T "\"\n"       },
        { "X=\"a -- b\"\n" V "\"$X\"\n", "X=\"a -- b\"\n" V "\"" T " $X\"\n" },
        { "X=\"a b\"\n" V "\"$X\"\n", "X=\"a b\"\n" V "\"$X " T "\"\n" },
        { V "a\nX=\"$" VARIABLE "\"\n", V "a\nX=\"$" VARIABLE "\"\n" MARKER L },
        { V "a\nif b; then " V "c; fi\n", V "a\nif b; then " V "c; fi\n" MARKER L },
        { V "a\nb && " VARIABLE "+=c\n", V "a\nb && " VARIABLE "+=c\n" MARKER L },
        { "eval b\n",                  "eval b\n" MARKER L             },
        { ". /b\n",                    ". /b\n" MARKER L               },
        { "declare " V "a\n",           "declare " V "a\n" MARKER L      },
        { "unset " VARIABLE "\n",       "unset " VARIABLE "\n" MARKER L  },
        { "read " VARIABLE "\n",        "read " VARIABLE "\n" MARKER L   },
        { "for " VARIABLE " in a; do b; done\n", "for " VARIABLE " in a; do b; done\n" MARKER L },
        { "if b; then " V "\"-- c\"; fi\n", "if b; then " V "\"-- c\"; fi\n" MARKER V "\"" T " $" VARIABLE "\"\n" },
        { V "\"a -- b\"\nX=$" VARIABLE "\n", V "\"a -- b\"\nX=$" VARIABLE "\n" MARKER V "\"" T " $" VARIABLE "\"\n" },
        { V "a\nreturn\n",              V "a\\ " U "\nreturn\n"         },
#undef L
#undef U
#undef T
#undef V
};

static void render(const BootStores *stores, const TokenEdit *edits, size_t n_edits, Buffer *ret) {
        const BootEntry *entry;
        size_t size;

        assert_int_equal(stores->n_stores, 1);
        assert_int_equal(boot_store_default_grub.render(stores->stores[0], edits, n_edits, ret, &entry, &size), 0);
}

static void test_add_remove(_unused_ void **state) {
        static const char *const keep[] = { VARIABLE, NULL };

        for (size_t i = 0; i < ELEMENTSOF(add_cases); i++) {
                _cleanup_(boot_stores_freep) BootStores *before = NULL, *after = NULL;
                _cleanup_buffer_ Buffer added = BUFFER_NULL, removed = BUFFER_NULL, one = BUFFER_NULL;
                TokenEdit edits[] = { { &force, true, NULL }, { &pvspin, true, NULL } };

                before = load(add_cases[i].before, strlen(add_cases[i].before));
                render(before, edits, 2, &added);
                assert_string_equal(added.data, add_cases[i].after);

                for (size_t k = 0; k < ELEMENTSOF(edits); k++) {
                        edits[k].add = false;
                        if (cmdline_state(&before->stores[0]->entries->cmdline, edits[k].spec, NULL) != TOKEN_ABSENT)
                                edits[k].keep = keep;
                }

                after = load(added.data, added.size);
                render(after, edits, 2, &removed);
                assert_string_equal(strempty(removed.data), add_cases[i].before);

                /* One after the other is the same. */
                render(after, edits, 1, &one);
                boot_stores_free(after);
                after = load(one.data, one.size);
                buffer_done(&removed);
                render(after, edits + 1, 1, &removed);
                assert_string_equal(strempty(removed.data), add_cases[i].before);
        }
}

/* What removing one token makes of files that somebody edited after gtuned. */
static const struct {
        const char *before, *after;
} remove_cases[] = {
        { VARIABLE "=\"arm_pvspin ro\"\n",                      VARIABLE "=\"ro\"\n"            },
        { VARIABLE "=\"a arm-pvspin\tarm_pvspin b\"\n",         VARIABLE "=\"a\tarm_pvspin b\"\n" },
        { VARIABLE "=\"a -- arm_pvspin\"\n",                    VARIABLE "=\"a -- arm_pvspin\"\n" },
        { VARIABLE "=\"arm_pvspin=1 'arm_pvspin'\"\n",          VARIABLE "=\"arm_pvspin=1 'arm_pvspin'\"\n" },
        { VARIABLE "=\"a \\\n arm_pvspin\"\n",                  VARIABLE "=\"a \\\n\"\n"        },
        { VARIABLE "=\"a\\ arm_pvspin\"\n",                     VARIABLE "=\"a\\ \"\n"          },
        { VARIABLE "_DEFAULT=\"arm_pvspin\"\n",                 VARIABLE "_DEFAULT=\"arm_pvspin\"\n" },
        { MARKER VARIABLE "=\"arm_pvspin\"\nX=1\n",             "X=1\n"                         },
        { MARKER VARIABLE "=\"\"\n",                            ""                              },
        { MARKER VARIABLE "=\"arm_pvspin mine\"\n",             MARKER VARIABLE "=\"mine\"\n"   },
        { MARKER VARIABLE "=\"arm_pvspin\" # mine\n",           MARKER VARIABLE "=\"\" # mine\n" },
        { MARKER "\n" VARIABLE "=\"arm_pvspin\"\n",             MARKER "\n" VARIABLE "=\"\"\n"  },
};

static void test_remove(_unused_ void **state) {
        const TokenEdit edit = { .spec = &pvspin };

        for (size_t i = 0; i < ELEMENTSOF(remove_cases); i++) {
                _cleanup_(boot_stores_freep) BootStores *stores = NULL;
                _cleanup_buffer_ Buffer removed = BUFFER_NULL;

                stores = load(remove_cases[i].before, strlen(remove_cases[i].before));
                render(stores, &edit, 1, &removed);
                assert_string_equal(strempty(removed.data), remove_cases[i].after);
        }
}

static void test_too_long(_unused_ void **state) {
        _cleanup_(boot_stores_freep) BootStores *stores = NULL;
        const TokenEdit edit = { .spec = &pvspin, .add = true };
        _cleanup_buffer_ Buffer text = BUFFER_NULL, result = BUFFER_NULL;
        const BootEntry *entry;
        size_t size;

        assert_int_equal(buffer_printf(&text, "%s=%02040d\n", VARIABLE, 0), 0);
        stores = load(text.data, text.size);
        assert_int_equal(boot_store_default_grub.render(stores->stores[0], &edit, 1, &result, &entry, &size), -E2BIG);
        assert_ptr_equal(entry, stores->stores[0]->entries);
        assert_int_equal(size, 2051);
}

/* Finding it in a tree: nothing, a directory, the file. */
static void test_find(void **state) {
        Tree *t = *state;
        _cleanup_free_ char *path = tree_path(t, "/etc/default/grub/");
        BootStores *stores = NULL;

        assert_int_equal(boot_stores_find(t->root, NULL, &stores), 0);
        assert_int_equal(stores->n_stores, 0);
        assert_int_equal(stores->n_problems, 1);
        assert_string_equal(stores->problems[0].code, "default-grub-unreadable");
        boot_stores_free(stores);

        assert_int_equal(rmdir(path), 0);
        assert_int_equal(boot_stores_find(t->root, NULL, &stores), 0);
        assert_int_equal(stores->n_stores, 0);
        assert_string_equal(stores->problems[0].code, "boot-store-none");
        boot_stores_free(stores);

        tree_file(t, "/etc/default/grub", VARIABLE "=a\n");
        assert_int_equal(boot_stores_find(t->root, NULL, &stores), 0);
        assert_int_equal(stores->n_stores, 1);
        assert_string_equal(stores->stores[0]->path, "/etc/default/grub");
        boot_stores_free(stores);
}

/* What adding a token makes of /etc/default/grub and two drop-ins, of which the last assignment decides. */
static const struct {
        const char *before[3];
        size_t changed;
        const char *after;
} drop_in_cases[] = {
#define V VARIABLE "="
#define T "arm_pvspin"
#define L V "\"$" VARIABLE " " T "\"\n"
        { { V "\"a\"\n",  NULL,                              NULL             }, 0, V "\"a " T "\"\n" },
        { { V "\"a\"\n",  V "\"b\"\n",                        NULL             }, 1, V "\"b " T "\"\n" },
        { { V "\"a\"\n",  V "\"$" VARIABLE " b\"\n",          NULL             }, 1, V "\"$" VARIABLE " b " T "\"\n" },
        { { V "\"a\"\n",  V "\"b $" VARIABLE "\"\n",          NULL             }, 0, V "\"a " T "\"\n" },
        { { V "\"a\"\n",  VARIABLE "+=' b'\n",               "X=1\n"          }, 1, VARIABLE "+=' b " T "'\n" },
        { { V "\"a\"\n",  VARIABLE "+=\"\"\n",               VARIABLE "+=\"\"\n" }, 0, V "\"a " T "\"\n" },
        { { "X=1\n",       V "\"b\"\n",                        NULL             }, 1, V "\"b " T "\"\n" },
        { { "X=1\n",       "Y=1\n",                            NULL             }, 0, "X=1\n" MARKER L },
        { { NULL,          "Y=1\n",                            NULL             }, 1, "Y=1\n" MARKER L },
        { { V "\"a\"\n",  "a || " V "b\n",                     "X=1\n"          }, 1, "a || " V "b\n" MARKER L },
        { { "return\n",    "X=1\n",                            NULL             }, 1, "X=1\n" MARKER L },
        { { ". /etc/site\n", NULL,                             NULL             }, 0, ". /etc/site\n" MARKER L },
        { { V "a\n. /etc/default/grub.d/10.cfg\n", V "b\n",    "X=1\n"          }, 1, V "b\\ " T "\n" },
        { { V "a\n. /etc/default/grub.d/10.cfg\n", VARIABLE "+=\" b\"\n", "X=1\n" }, 2, "X=1\n" MARKER L },
        { { V "a\n. /etc/default/grub.d/10.cfg\n", VARIABLE "+=\" b\"\n", NULL }, 0,
          V "a\\ " T "\n. /etc/default/grub.d/10.cfg\n" },
        { { V "\"\"\n",   VARIABLE "+=\" -- i\"\n",           NULL             }, 0, V "\"" T " \"\n" },
        { { V "\"a\"\n",  VARIABLE "_DEFAULT=\"" T "\"\n",    NULL             }, 0, NULL },
        { { V "\"a\"\n",  VARIABLE "_DEFAULT=\"$(x)\"\n",     NULL             }, 0, V "\"a " T "\"\n" },
#undef L
#undef T
#undef V
};

static void test_drop_ins(_unused_ void **state) {
        static const char *const paths[] = {
                "/etc/default/grub", "/etc/default/grub.d/10.cfg", "/etc/default/grub.d/20.cfg",
        };
        TokenEdit edit = { .spec = &pvspin };

        for (size_t i = 0; i < ELEMENTSOF(drop_in_cases); i++) {
                _cleanup_(tree_teardown) void *t = NULL;
                _cleanup_(boot_stores_freep) BootStores *stores = NULL;
                bool changed = false;

                assert_int_equal(tree_setup(&t), 0);
                for (size_t k = 0; k < ELEMENTSOF(paths); k++)
                        if (drop_in_cases[i].before[k])
                                tree_file(t, paths[k], drop_in_cases[i].before[k]);
                assert_int_equal(boot_stores_find(((Tree *) t)->root, NULL, &stores), 0);

                for (size_t k = 0; k < stores->n_stores; k++) {
                        const BootStore *s = stores->stores[k];
                        _cleanup_buffer_ Buffer b = BUFFER_NULL;
                        const BootEntry *entry;
                        size_t size;

                        edit.add = true;
                        assert_int_equal(boot_store_default_grub.render(s, &edit, 1, &b, &entry, &size), 0);
                        if (buffer_equal(&b, &s->content))
                                continue;
                        changed = true;
                        assert_string_equal(s->path, paths[drop_in_cases[i].changed]);
                        assert_string_equal(b.data, drop_in_cases[i].after);
                }
                assert_int_equal(changed, drop_in_cases[i].after != NULL);
        }
}

#define OWN "/etc/default/grub.d/99-gtuned.cfg"
#define DEFAULT VARIABLE "_DEFAULT"

/* What adding a token makes of the drop-in of gtuned's own, where drop-ins are read; removing it gives that back. */
static const struct {
        const char *grub, *own, *later; /* NULL: there is no such file */
        const char *after;
        const char *path; /* NULL: it is that of gtuned's own */
} own_cases[] = {
#define T "arm_pvspin"
#define BEFORE(v) MARKER v "=\"" T " $" v "\"\n"
#define L MARKER DEFAULT "=\"$" DEFAULT " " T "\"\n"
#define ALL MARKER VARIABLE "=\"$" VARIABLE " " T "\"\n"
        { "X=1\n",                         NULL,                NULL, L, NULL },
        { DEFAULT "=\"quiet splash\"\n",   NULL,                NULL, L, NULL },
        { DEFAULT "=\"$(a) quiet\"\n",     NULL,                NULL, L, NULL },
        { "X=1\n",                         "",                  NULL, L, NULL },
        { "X=1\n",                         "Y=1\n",             NULL, "Y=1\n" L, NULL },
        { "X=1\n",                         DEFAULT "=\"a\"\n",  NULL, DEFAULT "=\"a " T "\"\n", NULL },
        { "X=1\n",                         MARKER DEFAULT "=\"$" DEFAULT " a\"\n", NULL,
          MARKER DEFAULT "=\"$" DEFAULT " a " T "\"\n", NULL },
        { DEFAULT "=\"a\"\n",              "Y=1",               DEFAULT "=\"$" DEFAULT " z\"\n",
          "Y=1\n" MARKER DEFAULT "=\"$" DEFAULT " " T "\"", NULL },
        /* The token would be for init, for an installed system, a part of a word, or lost. */
        { DEFAULT "=\"a -- b\"\n",         NULL,                NULL, BEFORE(DEFAULT), NULL },
        { DEFAULT "=\"a --- b\"\n",        NULL,                NULL, BEFORE(DEFAULT), NULL },
        { DEFAULT "='a \"b'\n",            NULL,                NULL, BEFORE(DEFAULT), NULL },
        { VARIABLE "=\"a -- b\"\n",        NULL,                NULL, BEFORE(VARIABLE), NULL },
        { VARIABLE "='a \"b'\n",           NULL,                NULL, BEFORE(VARIABLE), NULL },
        { "readonly " DEFAULT "=a\n",      NULL,                NULL, ALL, NULL },
        { DEFAULT "=(a b)\n",              NULL,                NULL, ALL, NULL },
        { "X=1\n",                         NULL,                DEFAULT "=z\n", ALL, NULL },
        { "X=1\n",                         NULL,                "Y=\"$" DEFAULT "\"\n", ALL, NULL },
        { "X=1\n",                         NULL,                DEFAULT "=z\n" VARIABLE "=\"z\"\n",
          DEFAULT "=z\n" VARIABLE "=\"z " T "\"\n", "/etc/default/grub.d/zz.cfg" },
#undef ALL
#undef BEFORE
#undef L
#undef T
};

static BootStores *find_own_case(Tree *t, size_t i) {
        BootStores *stores;

        tree_file(t, "/etc/os-release", "ID=debian\n");
        tree_file(t, "/etc/default/grub", own_cases[i].grub);
        if (own_cases[i].own)
                tree_file(t, OWN, own_cases[i].own);
        if (own_cases[i].later)
                tree_file(t, "/etc/default/grub.d/zz.cfg", own_cases[i].later);
        assert_int_equal(boot_stores_find(t->root, NULL, &stores), 0);
        return stores;
}

static void render_edit(const BootStore *s, bool add, Buffer *ret) {
        const TokenEdit edit = { .spec = &pvspin, .add = add };
        const BootEntry *entry;
        size_t size;

        assert_int_equal(boot_store_default_grub.render(s, &edit, 1, ret, &entry, &size), 0);
}

static void test_own(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(own_cases); i++) {
                const char *path = own_cases[i].path ?: OWN;
                const char *was = own_cases[i].path ? own_cases[i].later : own_cases[i].own;
                _cleanup_(tree_teardown) void *t = NULL;
                _cleanup_(boot_stores_freep) BootStores *stores = NULL, *again = NULL;
                _cleanup_buffer_ Buffer added = BUFFER_NULL, removed = BUFFER_NULL;
                const BootStore *s;

                assert_int_equal(tree_setup(&t), 0);
                stores = find_own_case(t, i);
                s = boot_stores_by_path(stores, path);
                assert_non_null(s);
                assert_int_equal(s->n_entries, 1);
                assert_int_equal(s->own, !own_cases[i].path);
                assert_int_equal(s->missing, !own_cases[i].path && !own_cases[i].own);
                assert_string_equal(s->entries->id, VARIABLE);
                assert_string_equal(s->entries->path, s->missing ? "/etc/default/grub" : path);
                render_edit(s, true, &added);
                assert_string_equal(added.data, own_cases[i].after);

                tree_bytes(t, path, added.data, added.size, 0644);
                assert_int_equal(boot_stores_find(((Tree *) t)->root, NULL, &again), 0);
                s = boot_stores_by_path(again, path);
                assert_non_null(s);
                assert_int_equal(s->missing, false);
                assert_int_not_equal(cmdline_state(&s->entries->cmdline, &pvspin, NULL), TOKEN_ABSENT);
                render_edit(s, false, &removed);
                assert_string_equal(strempty(removed.data), strempty(was));
        }
}

/* What removing a token makes of a drop-in of gtuned's own that has it in both variables. */
static const char *const own_removals[][2] = {
        { MARKER DEFAULT "=\"$" DEFAULT " arm_pvspin\"\n" MARKER VARIABLE "=\"$" VARIABLE " arm_pvspin\"\n", "" },
        { MARKER VARIABLE "=\"arm_pvspin $" VARIABLE "\"\nX=1\n" MARKER DEFAULT "=\"$" DEFAULT " arm_pvspin mine\"\n",
          "X=1\n" MARKER DEFAULT "=\"$" DEFAULT " mine\"\n" },
        { DEFAULT "=\"a arm_pvspin\"\n" VARIABLE "=\"$" DEFAULT "\"\n",
          DEFAULT "=\"a\"\n" VARIABLE "=\"$" DEFAULT "\"\n" },
};

static void test_own_removals(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(own_removals); i++) {
                _cleanup_(tree_teardown) void *t = NULL;
                _cleanup_(boot_stores_freep) BootStores *stores = NULL;
                _cleanup_buffer_ Buffer removed = BUFFER_NULL;

                assert_int_equal(tree_setup(&t), 0);
                tree_file(t, "/etc/os-release", "ID=debian\n");
                tree_file(t, "/etc/default/grub", "X=1\n");
                tree_file(t, OWN, own_removals[i][0]);
                assert_int_equal(boot_stores_find(((Tree *) t)->root, NULL, &stores), 0);
                assert_non_null(boot_stores_by_path(stores, OWN));
                render_edit(boot_stores_by_path(stores, OWN), false, &removed);
                assert_string_equal(strempty(removed.data), own_removals[i][1]);
        }
}

/* Where it has no place: an unknown distribution, one that reads no drop-ins, none of the files, links, a file. */
static void test_own_refused(_unused_ void **state) {
        static const struct {
                const char *os_release, *link, *to;
                bool grub;
        } cases[] = {
                { NULL,                  NULL,                   NULL,               true },
                { "ID=example\n",        NULL,                   NULL,               true },
                { "ID=openEuler\n",      NULL,                   NULL,               true },
                { "ID=debian\n",         NULL,                   NULL,               false },
                { "ID=debian\n",         "/etc/default/grub.d",  "/nowhere",         true },
                { "ID=debian\n",         "/etc/default/grub.d",  "/etc/os-release",  true },
                { "ID=debian\n",         OWN,                    "/nowhere",         true },
                { "ID=debian\n",         OWN,                    "/etc/other",       true },
                { "ID=debian\n",         "/etc/default/grub.d",  "/srv",             true },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(tree_teardown) void *t = NULL;
                _cleanup_(boot_stores_freep) BootStores *stores = NULL;

                assert_int_equal(tree_setup(&t), 0);
                if (cases[i].os_release)
                        tree_file(t, "/etc/os-release", cases[i].os_release);
                tree_file(t, "/etc/other", "X=1\n");
                tree_file(t, "/srv/other", "X=1\n");
                if (cases[i].grub)
                        tree_file(t, "/etc/default/grub", VARIABLE "=a\n");
                if (cases[i].link) {
                        _cleanup_free_ char *path = tree_path(t, cases[i].link);

                        (void) rmdir(path);
                        tree_link(t, cases[i].link, cases[i].to);
                }
                assert_int_equal(boot_stores_find(((Tree *) t)->root, NULL, &stores), 0);
                assert_int_equal(stores->n_stores, cases[i].grub);
                if (cases[i].grub)
                        assert_string_equal(stores->stores[0]->path, "/etc/default/grub");
        }
}

/* A drop-in that many names lead to is read as often: a token in it would be there as often, so it is no place for one. */
static void test_own_linked(void **state) {
        const Tree *t = *state;
        _cleanup_(boot_stores_freep) BootStores *stores = NULL;
        _cleanup_buffer_ Buffer added = BUFFER_NULL;
        const BootStore *grub;

        tree_file(t, "/etc/os-release", "ID=debian\n");
        tree_file(t, "/etc/default/grub", VARIABLE "=a\n");
        tree_file(t, OWN, "X=1\n");
        for (unsigned i = 0; i < 100; i++) {
                _cleanup_free_ char *path = xasprintf("/etc/default/grub.d/%u.cfg", i);

                tree_link(t, path, "99-gtuned.cfg");
        }

        assert_int_equal(boot_stores_find(t->root, NULL, &stores), 0);
        assert_null(boot_stores_by_path(stores, OWN));
        grub = boot_stores_by_path(stores, "/etc/default/grub");
        assert_non_null(grub);
        render_edit(grub, true, &added);
        assert_string_equal(added.data, VARIABLE "=a\\ arm_pvspin\n");
}

/* More drop-ins than are read are one problem. */
static void test_too_many(void **state) {
        const Tree *t = *state;
        _cleanup_(boot_stores_freep) BootStores *stores = NULL;

        tree_file(t, "/etc/os-release", "ID=debian\n");
        tree_file(t, "/etc/default/grub", VARIABLE "=a\n");
        for (unsigned i = 0; i < 300; i++) {
                _cleanup_free_ char *path = xasprintf("/etc/default/grub.d/%u.cfg", i);

                tree_file(t, path, "X=1\n");
        }

        assert_int_equal(boot_stores_find(t->root, NULL, &stores), 0);
        assert_int_equal(stores->n_problems, 1);
        assert_true(stores->problems[0].fatal);
        assert_non_null(strstr(stores->problems[0].reason, "more than 256 files"));
}

/* Drop-ins that may not be listed may set the variable, too: the file is left alone, and the directory is named. */
static void test_unlisted(void **state) {
        static const char folder[] = "/etc/default/grub.d";
        const Tree *t = *state;
        _cleanup_(boot_stores_freep) BootStores *stores = NULL, *with = NULL;

        tree_file(t, "/etc/default/grub", VARIABLE "=a\n");
        tree_file(t, "/etc/default/grub.d/10.cfg", VARIABLE "=b\n");
        assert_int_equal(boot_stores_find(t->root, NULL, &with), 0);
        assert_true(with->n_stores > 0);

        tree_forbid(t, folder);
        assert_int_equal(boot_stores_find(t->root, NULL, &stores), 0);
        tree_permit(t, folder);
        assert_int_equal(stores->n_stores, 0);
        assert_string_equal(stores->problems[0].path, folder);
        assert_string_equal(stores->problems[0].code, "default-grub-unreadable");
        assert_non_null(strstr(stores->problems[0].reason, "ermission denied"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_refused),
                cmocka_unit_test(test_nul),
                cmocka_unit_test(test_entry),
                cmocka_unit_test(test_add_remove),
                cmocka_unit_test(test_remove),
                cmocka_unit_test(test_too_long),
                cmocka_unit_test(test_drop_ins),
                cmocka_unit_test(test_own),
                cmocka_unit_test(test_own_removals),
                cmocka_unit_test(test_own_refused),
                cmocka_unit_test_setup_teardown(test_own_linked, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_too_many, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_find, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_unlisted, tree_setup, tree_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
