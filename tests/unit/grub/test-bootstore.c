/* SPDX-License-Identifier: Apache-2.0 */

/* Drivers, find.c and layouts.c have tests of their own; this is the list of stores and problems. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "grub/stores.h"

#define STORES 1000U

static BootStores *new_stores(void) {
        BootStores *stores = calloc(1, sizeof(BootStores));

        assert_non_null(stores);
        return stores;
}

/* Every store is found by its path, while the index grows, and nothing else is. */
static void test_by_path(_unused_ void **state) {
        _cleanup_(boot_stores_freep) BootStores *stores = new_stores();
        BootStore *added;

        assert_null(boot_stores_by_path(stores, "/0.conf"));

        for (unsigned i = 0; i < STORES; i++) {
                _cleanup_buffer_ Buffer content = BUFFER_NULL;
                _cleanup_free_ char *path = xasprintf("/%u.conf", i);

                assert_non_null(path);
                assert_null(boot_stores_by_path(stores, path));
                assert_int_equal(boot_stores_add(stores, &boot_store_bls, path, &content, &added), 0);
                assert_ptr_equal(boot_stores_by_path(stores, path), added);
                assert_int_equal(boot_stores_add(stores, &boot_store_grub_cfg, path, &content, NULL), -EEXIST);
        }

        for (unsigned i = 0; i < STORES; i++) {
                _cleanup_free_ char *path = xasprintf("/%u.conf", i);

                assert_non_null(path);
                assert_ptr_equal(boot_stores_by_path(stores, path), stores->stores[i]);
        }

        assert_null(boot_stores_by_path(stores, ""));
        assert_null(boot_stores_by_path(stores, "/1000.conf"));
        assert_null(boot_stores_by_path(stores, "/1.con"));
}

static void test_problem_format(_unused_ void **state) {
        _cleanup_(boot_stores_freep) BootStores *stores = new_stores();
        _cleanup_free_ char *with_line = NULL, *without = NULL;

        assert_int_equal(boot_stores_problem(stores, "/a", 7, "boot-store-syntax", /* fatal= */ true, "No %s", "x"), 0);
        assert_int_equal(boot_stores_problem(stores, "/b", 0, "boot-store-empty", /* fatal= */ false, "It is 50%%"), 0);

        with_line = boot_store_problem_format(stores->problems);
        without = boot_store_problem_format(stores->problems + 1);
        assert_string_equal(with_line, "/a:7: No x");
        assert_string_equal(without, "/b: It is 50%");
}

/* What a failed read of a boot file comes to. */
static void test_read_problem(_unused_ void **state) {
        static const struct {
                int r;
                const char *code;
        } cases[] = {
                { -EACCES,     "boot-store-unreadable"  },
                { -EISDIR,     "boot-store-not-regular" },
                { -EOPNOTSUPP, "boot-store-not-regular" },
                { -EFBIG,      "boot-store-too-large"   },
        };
        _cleanup_(boot_stores_freep) BootStores *stores = new_stores();

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                assert_int_equal(boot_stores_read_problem(stores, "/a", cases[i].r), 0);
                assert_string_equal(stores->problems[i].code, cases[i].code);
                assert_true(stores->problems[i].fatal);
        }

        assert_int_equal(boot_stores_read_problem(stores, "/a", -ENOMEM), -ENOMEM);
        assert_int_equal(stores->n_problems, ELEMENTSOF(cases));
}

static void test_boot_system(_unused_ void **state) {
        _cleanup_(boot_stores_freep) BootStores *stores = new_stores();
        _cleanup_buffer_ Buffer content = BUFFER_NULL;
        BootStore *store;

        assert_false(boot_stores_boot_system(stores, NULL));
        assert_int_equal(boot_stores_add(stores, &boot_store_bls, "/a", &content, &store), 0);
        store->entries = calloc(1, sizeof(BootEntry));
        assert_non_null(store->entries);
        store->n_entries = 1;

        store->entries->kind = ENTRY_TEMPLATE;
        assert_false(boot_stores_boot_system(stores, NULL));
        store->entries->kind = ENTRY_SYSTEM;
        assert_true(boot_stores_boot_system(stores, NULL));
        assert_true(boot_stores_boot_system(stores, &boot_store_bls));
        assert_false(boot_stores_boot_system(stores, &boot_store_grub_cfg));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_by_path),
                cmocka_unit_test(test_problem_format),
                cmocka_unit_test(test_read_problem),
                cmocka_unit_test(test_boot_system),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
