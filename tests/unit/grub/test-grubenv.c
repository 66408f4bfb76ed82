/* SPDX-License-Identifier: Apache-2.0 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "grub/grubenv.h"
#include "tests/unit/tree.h"

#define HEADER "# GRUB Environment Block\n"
#define CFG "/boot/grub2/grub.cfg"
#define ENV "/boot/grub2/grubenv"
#define ENTRY "/boot/loader/entries/a.conf"

static const TokenSpec force = { .name = "cpuidle_haltpoll.force", .value = "Y", .kind = TOKEN_BOOL };

static void pad(Buffer *b, const char *text, size_t size) {
        assert_int_equal(buffer_puts(b, text), 0);
        while (b->size < size)
                assert_int_equal(buffer_append(b, "#", 1), 0);
}

/* What grub-core/lib/envblk.c makes of blocks. */
static void test_parse(_unused_ void **state) {
        static const struct {
                const char *text, *name, *value;
        } cases[] = {
                { HEADER "a=b\n##",                  "a",          "b"        },
                { HEADER "a=b\na=c\n##",             "a",          "c"        },
                { HEADER "a=b\\\\c\n##",             "a",          "b\\c"     },
                { HEADER "a=b\\\nc=d\n##",           "a",          "b\nc=d"   },
                { HEADER "# x=y\na=b\n##",           "a",          "b"        },
                { HEADER "x\na=b\n##",               "x\na",       "b"        },
                { HEADER "a=\n##",                   "a",          ""         },
                { HEADER "a=b##",                    "a",          NULL       },
                { HEADER "##",                       "a",          NULL       },
                { HEADER "a=b\\",                    "a",          NULL       },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(grubenv_done) GrubEnv env = {};
                _cleanup_buffer_ Buffer b = BUFFER_NULL;
                const Line *l;

                assert_int_equal(buffer_puts(&b, cases[i].text), 0);
                assert_int_equal(grubenv_parse(&b, &env), 0);
                l = grubenv_get(&env, cases[i].name);
                assert_true(!l == !cases[i].value);
                if (l)
                        assert_string_equal(strempty(l->text.data), cases[i].value);
        }
}

static void test_is_block(_unused_ void **state) {
        static const struct {
                const char *text;
                bool is;
        } cases[] = {
                { HEADER,                        true  },
                { HEADER "a=b\n###",             true  },
                { HEADER "a=b\n",                true  },
                { HEADER "a=b###",               false },
                { "# GRUB Environment Bloc\n##", false },
                { "a=b\n",                       false },
                { "",                            false },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_buffer_ Buffer b = BUFFER_NULL;

                assert_int_equal(buffer_puts(&b, cases[i].text), 0);
                assert_int_equal(grubenv_is_block(&b), cases[i].is);
        }
}

/* A layout, the file that has the entry, and what an added token makes of that. */
static const struct {
        const char *cfg, *env, *entry, *where, *after;
} layouts[] = {
        { "blscfg\n", HEADER "kernelopts=ro \n", "linux /k\noptions $kernelopts $tuned_params\n", ENV,
          HEADER "kernelopts=ro cpuidle_haltpoll.force=Y \n" },
        { "blscfg\n", HEADER "kernelopts=ro -- a\nx=y\n", "linux /k\noptions a $kernelopts\n", ENV,
          HEADER "kernelopts=ro cpuidle_haltpoll.force=Y -- a\nx=y\n" },
        { "blscfg\n", HEADER "kernelopts=ro\n", "linux /k\noptions ro quiet\n", ENTRY,
          "linux /k\noptions ro quiet cpuidle_haltpoll.force=Y\n" },
        { "blscfg\n", HEADER "kernelopts=\n", "linux /k\noptions $kernelopts\n", ENTRY,
          "linux /k\noptions $kernelopts cpuidle_haltpoll.force=Y\n" },
        { "set default_kernelopts=\"ro \"\nblscfg\n", HEADER, "linux /k\noptions $kernelopts\n", CFG,
          "set default_kernelopts=\"ro cpuidle_haltpoll.force=Y \"\nblscfg\n" },
        { "set default_kernelopts=\"ro\"\nblscfg\n", HEADER, "linux /k\n", CFG,
          "set default_kernelopts=\"ro cpuidle_haltpoll.force=Y\"\nblscfg\n" },
        { "set default_kernelopts=\"ro\"\nblscfg\n", HEADER, "linux /k\noptions a\n", ENTRY,
          "linux /k\noptions a cpuidle_haltpoll.force=Y\n" },
        { "if [ -z \"${kernelopts}\" ]; then\n set kernelopts='ro'\nfi\nblscfg\n", NULL,
          "linux /k\noptions $kernelopts\n", CFG,
          "if [ -z \"${kernelopts}\" ]; then\n set kernelopts='ro cpuidle_haltpoll.force=Y'\nfi\nblscfg\n" },
        /* other variables count, too: "--" in one ends the kernel's part */
        { "set x='a -- b'\nblscfg\n", HEADER, "linux /k\noptions ro $x c\n", ENTRY,
          "linux /k\noptions ro cpuidle_haltpoll.force=Y $x c\n" },
        { "blscfg\n", HEADER "x=--\n", "linux /k\noptions $x c\n", ENTRY,
          "linux /k\noptions cpuidle_haltpoll.force=Y $x c\n" },
        { "blscfg\n", HEADER "x=a\n", "linux /k\noptions ro $x cc\n", ENTRY,
          "linux /k\noptions ro $x cc cpuidle_haltpoll.force=Y\n" },
        /* GRUB drops a single byte behind a variable: with a token behind it, it would come into force */
        { "blscfg\n", HEADER "x=a\n", "linux /k\noptions ro $x s\n", ENTRY,
          "linux /k\noptions ro cpuidle_haltpoll.force=Y $x s\n" },
        { "blscfg\n", HEADER "x=a\n", "linux /k\noptions ro $x s \n", ENTRY,
          "linux /k\noptions ro $x s cpuidle_haltpoll.force=Y \n" },
        /* a blank after a variable is dropped, so that a token would be glued to what is before it */
        { "blscfg\n", HEADER, "linux /k\noptions ro a$x\n", ENTRY, "linux /k\noptions ro cpuidle_haltpoll.force=Y a$x\n" },
        { "blscfg\n", HEADER, "linux /k\noptions a$x\n", ENTRY, "linux /k\noptions cpuidle_haltpoll.force=Y a$x\n" },
        { "blscfg\n", HEADER, "linux /k\noptions ro $x\n", ENTRY, "linux /k\noptions ro $x cpuidle_haltpoll.force=Y\n" },
        { "blscfg\n", HEADER, "linux /k\noptions ro a$x.b\n", ENTRY, "linux /k\noptions ro a$x.b cpuidle_haltpoll.force=Y\n" },
        /* the token, or its opposite, in a variable */
        { "set x=cpuidle_haltpoll.force=Y\nblscfg\n", HEADER, "linux /k\noptions ro $x\n", ENTRY, "linux /k\noptions ro $x\n" },
        { "set x=cpuidle_haltpoll.force=N\nblscfg\n", HEADER, "linux /k\noptions ro $x\n", ENTRY, "linux /k\noptions ro $x\n" },
        { "set y=force=N\nset tuned_params=\"cpuidle_haltpoll.$y\"\nblscfg\n", HEADER, "linux /k\noptions ro $tuned_params\n",
          ENTRY, "linux /k\noptions ro $tuned_params\n" },
        { "set kernelopts=\"ro\"\nblscfg\n", HEADER "kernelopts=rw\n", "linux /k\noptions $kernelopts\n", ENV,
          HEADER "kernelopts=rw cpuidle_haltpoll.force=Y\n" },
};

static BootStore *store_at(const BootStores *stores, const char *path) {
        for (size_t i = 0; i < stores->n_stores; i++)
                if (streq(stores->stores[i]->path, path))
                        return stores->stores[i];

        fail_msg("%s is no store", path);
        return NULL;
}

static void check_layout(const Tree *t, size_t i) {
        _cleanup_(boot_stores_freep) BootStores *stores = NULL;
        _cleanup_buffer_ Buffer env = BUFFER_NULL, after = BUFFER_NULL, result = BUFFER_NULL;
        const TokenEdit add = { .spec = &force, .add = true };
        const BootEntry *entry;
        BootStore *s;
        size_t size;

        tree_file(t, CFG, layouts[i].cfg);
        tree_file(t, ENTRY, layouts[i].entry);
        if (layouts[i].env) {
                pad(&env, layouts[i].env, 1024);
                tree_bytes(t, ENV, env.data, env.size, 0644);
        }

        assert_int_equal(boot_stores_find(t->root, NULL, &stores), 0);
        assert_int_equal(stores->n_problems, 0);

        s = store_at(stores, layouts[i].where);
        assert_int_equal(s->n_entries, 1);
        assert_int_equal(s->entries->kind, ENTRY_SYSTEM);
        assert_string_equal(s->entries->path, layouts[i].where);
        assert_int_equal(s->driver->render(s, &add, 1, &result, &entry, &size), 0);
        pad(&after, layouts[i].after, streq(layouts[i].where, ENV) ? 1024 : 0);
        if (!buffer_equal(&after, &result))
                fail_msg("%s became %s", layouts[i].entry, result.data);

        for (size_t k = 0; k < stores->n_stores; k++)
                assert_true(stores->stores[k] == s || stores->stores[k]->n_entries == 0);
}

static void test_layouts(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(layouts); i++) {
                _cleanup_(tree_teardown) void *t = NULL;

                assert_int_equal(tree_setup(&t), 0);
                check_layout(t, i);
        }
}

/* Of an entry whose line is kernelopts, what another variable holds is told apart: no edit of kernelopts removes it. */
static void test_other_variables(void **state) {
        static const struct {
                const char *token;
                bool from_variable;
        } expected[] = { { "ro", false }, { "cpuidle_haltpoll.force=N", true }, { "quiet", false } };
        _cleanup_(boot_stores_freep) BootStores *stores = NULL;
        _cleanup_buffer_ Buffer env = BUFFER_NULL;
        Tree *t = *state;
        BootStore *s;

        pad(&env, HEADER "kernelopts=ro\ntuned_params=cpuidle_haltpoll.force=N\n", 1024);
        tree_bytes(t, ENV, env.data, env.size, 0644);
        tree_file(t, CFG, "blscfg\n");
        tree_file(t, ENTRY, "linux /k\noptions $kernelopts $tuned_params quiet\n");

        assert_int_equal(boot_stores_find(t->root, NULL, &stores), 0);
        s = store_at(stores, ENV);
        assert_int_equal(s->n_entries, 1);
        assert_int_equal(s->entries->cmdline.n_tokens, ELEMENTSOF(expected));
        for (size_t i = 0; i < ELEMENTSOF(expected); i++) {
                const Token *token = s->entries->cmdline.tokens + i;
                _cleanup_free_ char *text = xasprintf("%s%s%s", token->name, token->value ? "=" : "",
                                                      strempty(token->value));

                assert_string_equal(text, expected[i].token);
                assert_int_equal(token->from_variable, expected[i].from_variable);
                assert_false(token->uncertain);
        }
}

static void test_problems(_unused_ void **state) {
        static const struct {
                const char *cfg, *env, *code;
        } cases[] = {
                { "blscfg\n",                        "kernelopts=ro\n",  "grubenv-syntax"        },
                { "blscfg\n",                        "",                 "grubenv-syntax"        },
                { "set kernelopts=\"a\\ b\"\nblscfg\n", NULL,            "boot-store-kernelopts" },
                { "set kernelopts=ro\nblscfg\n",     NULL,               "boot-store-kernelopts" },
                /* two values, of which the last one is not all that is used */
                { "set kernelopts='a'\nif y; then\nset kernelopts='b'\nfi\nblscfg\n", NULL, "boot-store-kernelopts" },
                { "if y; then\nset kernelopts='a'\nelse\nset kernelopts='b'\nfi\nblscfg\n", NULL,
                  "boot-store-kernelopts" },
                { "if y; then\nset default_kernelopts='a'\nfi\nblscfg\n", NULL, "boot-store-kernelopts" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(tree_teardown) void *t = NULL;
                _cleanup_(boot_stores_freep) BootStores *stores = NULL;

                assert_int_equal(tree_setup(&t), 0);
                tree_file(t, CFG, cases[i].cfg);
                tree_file(t, ENTRY, "linux /k\noptions $kernelopts\n");
                if (cases[i].env)
                        tree_file(t, ENV, cases[i].env);

                assert_int_equal(boot_stores_find(((Tree *) t)->root, NULL, &stores), 0);
                assert_int_equal(stores->n_problems, 1);
                assert_string_equal(stores->problems[0].code, cases[i].code);
                assert_true(stores->problems[0].fatal);
        }
}

/* A token in a variable counts only if the variable cannot have another value when the menu is shown. */
static void test_uncertain(_unused_ void **state) {
        static const struct {
                const char *cfg;
                TokenState state;
        } cases[] = {
                { "set tuned='cpuidle_haltpoll.force=Y'\nblscfg\n",                       TOKEN_EQUAL  },
                { "if y; then\nset tuned='cpuidle_haltpoll.force=Y'\nfi\nblscfg\n",      TOKEN_ABSENT },
                { "set tuned=a\nif y; then\nset tuned='cpuidle_haltpoll.force=Y'\nfi\nblscfg\n", TOKEN_ABSENT },
                { "set tuned='cpuidle_haltpoll.force=Y'\neval y\nblscfg\n",              TOKEN_ABSENT },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                BootStores *stores = NULL;
                const BootStore *s;
                void *tree;

                assert_int_equal(tree_setup(&tree), 0);
                tree_file(tree, CFG, cases[i].cfg);
                tree_file(tree, ENTRY, "linux /k\noptions a $tuned\n");
                assert_int_equal(boot_stores_find(((Tree *) tree)->root, NULL, &stores), 0);
                s = boot_stores_by_path(stores, ENTRY);
                assert_non_null(s);
                assert_int_equal(s->n_entries, 1);
                assert_int_equal(cmdline_state(&s->entries[0].cmdline, &force, NULL), cases[i].state);
                boot_stores_free(stores);
                assert_int_equal(tree_teardown(&tree), 0);
        }
}

/* A block that is full, and one with just enough room. */
static void test_full(void **state) {
        Tree *t = *state;
        const TokenEdit add = { .spec = &force, .add = true };
        static const char text[] = HEADER "kernelopts=ro\n";

        for (size_t room = 24; room <= 25; room++) {
                _cleanup_(boot_stores_freep) BootStores *stores = NULL;
                _cleanup_buffer_ Buffer b = BUFFER_NULL, result = BUFFER_NULL;
                const BootEntry *entry;
                size_t size;
                BootStore *s;

                pad(&b, text, strlen(text) + room);
                tree_file(t, CFG, "blscfg\n");
                tree_file(t, ENTRY, "linux /k\noptions $kernelopts\n");
                tree_bytes(t, ENV, b.data, b.size, 0644);
                assert_int_equal(boot_stores_find(t->root, NULL, &stores), 0);

                s = store_at(stores, ENV);
                assert_int_equal(s->driver->render(s, &add, 1, &result, &entry, &size), room < 25 ? -ENOSPC : 0);
                if (room == 25)
                        assert_string_equal(result.data, HEADER "kernelopts=ro cpuidle_haltpoll.force=Y\n");
        }
}

/* RHEL 8: the block is a link to the system partition, and both grub.cfg share it. */
static void test_link(void **state) {
        Tree *t = *state;
        _cleanup_(boot_stores_freep) BootStores *stores = NULL;
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        BootStore *s;

        pad(&b, HEADER "kernelopts=ro\n", 1024);
        tree_bytes(t, "/boot/efi/EFI/redhat/grubenv", b.data, b.size, 0644);
        tree_file(t, "/boot/efi/EFI/redhat/grub.cfg", "blscfg\n");
        tree_file(t, "/boot/grub2/grub.cfg", "blscfg\n");
        tree_link(t, ENV, "../efi/EFI/redhat/grubenv");
        tree_file(t, ENTRY, "title x\nlinux /k\noptions $kernelopts\n");
        tree_file(t, "/boot/loader/entries/r-0-rescue.conf", "title x\nlinux /k\noptions $kernelopts\n");

        assert_int_equal(boot_stores_find(t->root, NULL, &stores), 0);
        assert_int_equal(stores->n_problems, 0);
        s = store_at(stores, "/boot/efi/EFI/redhat/grubenv");
        assert_int_equal(s->n_entries, 1);
        assert_int_equal(s->entries->line, 2);
        assert_string_equal(s->entries->id, ENTRY);

        /* The rescue entry stays in its file, and its tokens are those of its line. */
        s = store_at(stores, "/boot/loader/entries/r-0-rescue.conf");
        assert_int_equal(s->n_entries, 1);
        assert_int_equal(s->entries->kind, ENTRY_RESCUE);
        assert_string_equal(s->entries->cmdline.tokens[0].name, "ro");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_parse),
                cmocka_unit_test(test_is_block),
                cmocka_unit_test(test_layouts),
                cmocka_unit_test(test_problems),
                cmocka_unit_test_setup_teardown(test_other_variables, tree_setup, tree_teardown),
                cmocka_unit_test(test_uncertain),
                cmocka_unit_test_setup_teardown(test_full, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_link, tree_setup, tree_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
