/* SPDX-License-Identifier: Apache-2.0 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "grub/stores.h"
#include "tests/unit/tree.h"

#define PATH "/etc/kernel/cmdline"
#define T "cpuidle_haltpoll.force=Y"

static const TokenSpec force = { .name = "cpuidle_haltpoll.force", .value = "Y", .kind = TOKEN_BOOL };

static BootStores *load(const char *text, size_t size) {
        _cleanup_buffer_ Buffer content = BUFFER_NULL;
        BootStores *stores;

        stores = calloc(1, sizeof(BootStores));
        assert_non_null(stores);
        assert_int_equal(buffer_append(&content, text, size), 0);
        assert_int_equal(kernel_cmdline_load(stores, PATH, &content), 0);
        return stores;
}

static const struct {
        const char *before, *after;
} cases[] = {
        { "root=x ro\n",            "root=x ro " T "\n"           },
        { "root=x ro",              "root=x ro " T                },
        { "root=x ro \n",           "root=x ro " T " \n"          },
        { "root=x\nro\n",           "root=x\nro " T "\n"          },
        { "root=x -- a\n",          "root=x " T " -- a\n"         },
        { "",                       T                             },
        { "\n",                     T " \n"                       },
        { "# c\nroot=x\n",          "# c\nroot=x " T "\n"         },
        { "# c\n",                  "# c\n" T                     },
        { "root=x\n# c\n",          "root=x " T "\n# c\n"         },
        { "root=x\r\n",             "root=x " T "\r\n"            },
};

static void test_add_remove(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(boot_stores_freep) BootStores *before = load(cases[i].before, strlen(cases[i].before));
                _cleanup_(boot_stores_freep) BootStores *after = NULL;
                _cleanup_buffer_ Buffer added = BUFFER_NULL, removed = BUFFER_NULL;
                TokenEdit edit = { .spec = &force, .add = true };
                const BootEntry *entry;
                size_t size;

                assert_int_equal(before->stores[0]->entries->kind, ENTRY_TEMPLATE);
                assert_int_equal(boot_store_kernel_cmdline.render(before->stores[0], &edit, 1, &added, &entry, &size),
                                 0);
                assert_string_equal(added.data, cases[i].after);

                edit.add = false;
                after = load(added.data, added.size);
                assert_int_equal(boot_store_kernel_cmdline.render(after->stores[0], &edit, 1, &removed, &entry, &size),
                                 0);
                assert_string_equal(strempty(removed.data), cases[i].before);
        }
}

static void test_too_long(_unused_ void **state) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL, result = BUFFER_NULL;
        _cleanup_(boot_stores_freep) BootStores *stores = NULL;
        const TokenEdit edit = { .spec = &force, .add = true };
        const BootEntry *entry;
        size_t size;

        assert_int_equal(buffer_printf(&text, "%02040d", 0), 0);
        stores = load(text.data, text.size);
        assert_int_equal(boot_store_kernel_cmdline.render(stores->stores[0], &edit, 1, &result, &entry, &size),
                         -E2BIG);
        assert_ptr_equal(entry, stores->stores[0]->entries);
        assert_int_equal(size, 2040 + 1 + strlen(T));
}

static void test_find(void **state) {
        Tree *t = *state;
        BootStores *stores = NULL;

        tree_bytes(t, PATH, "a\0b", 3, 0644);
        assert_int_equal(boot_stores_find(t->root, NULL, &stores), 0);
        assert_int_equal(stores->n_stores, 0);
        assert_string_equal(stores->problems[0].code, "kernel-cmdline-unreadable");
        boot_stores_free(stores);

        tree_file(t, PATH, "ro\n");
        assert_int_equal(boot_stores_find(t->root, NULL, &stores), 0);
        assert_int_equal(stores->n_stores, 1);
        assert_string_equal(stores->stores[0]->path, PATH);
        boot_stores_free(stores);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_add_remove),
                cmocka_unit_test(test_too_long),
                cmocka_unit_test_setup_teardown(test_find, tree_setup, tree_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
