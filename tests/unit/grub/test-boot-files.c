/* SPDX-License-Identifier: Apache-2.0 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "grub/boot-files.h"
#include "tests/unit/tree.h"

/* Look for a file with and without names that were read before. */
static void assert_located(const Tree *t, BootDirectories *directories, const char *path, const char *expected) {
        BootDirectories *const ways[] = { NULL, directories };

        for (size_t i = 0; i < ELEMENTSOF(ways); i++) {
                _cleanup_free_ char *real = NULL;

                assert_int_equal(boot_file_locate(t->root, ways[i], path, &real), expected ? 1 : 0);
                if (expected)
                        assert_string_equal(real, expected);
        }
}

static void test_places(void **state) {
        static const struct {
                const char *path, *expected;
        } cases[] = {
                { "/vmlinuz",                 "/boot/vmlinuz"             },
                { "/boot/vmlinuz",            "/boot/vmlinuz"             },
                { "/vmlinuz-old",             "/boot/vmlinuz"             }, /* a link */
                { "/vmlinuz-gone",            "/efi/vmlinuz-gone"         }, /* a link to nothing comes first */
                { "/EFI/Linux/a.efi",         "/boot/efi/EFI/Linux/a.efi" },
                { "/EFI/Linux/b.efi",         "/efi/EFI/Linux/b.efi"      },
                { "/EFI/Linux/../Linux/.",    "/boot/efi/EFI/Linux"       },
                { "/EFI/Linux/..",            "/boot/efi/EFI"             },
                { "/EFI/Linux/",              "/boot/efi/EFI/Linux"       },
                { "/",                        "/"                         },
                { "/vmlinuz-none",            NULL                        },
                { "/EFI/Linux/c.efi",         NULL                        },
                { "/none/vmlinuz",            NULL                        },
                { "/boot/vmlinuz/a",          NULL                        }, /* below a file */
        };
        BootDirectories directories = {};
        const Tree *t = *state;

        tree_file(t, "/boot/vmlinuz", "");
        tree_link(t, "/boot/vmlinuz-old", "vmlinuz");
        tree_link(t, "/boot/vmlinuz-gone", "vmlinuz-nowhere");
        tree_file(t, "/efi/vmlinuz-gone", "");
        tree_file(t, "/boot/efi/EFI/Linux/a.efi", "");
        tree_file(t, "/efi/EFI/Linux/b.efi", "");

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                assert_located(t, &directories, cases[i].path, cases[i].expected);
        boot_directories_done(&directories);
}

/* Directories after the sixteenth are not listed, but their files are found. */
static void test_many_directories(void **state) {
        BootDirectories directories = {};
        const Tree *t = *state;

        for (int i = 0; i < 20; i++) {
                _cleanup_free_ char *path = xasprintf("/%d/linux", i), *file = xasprintf("/boot/%d/linux", i);

                tree_file(t, file, "");
                assert_located(t, &directories, path, file);
        }
        assert_int_equal(directories.n_directories, 16);
        boot_directories_done(&directories);
}

static void test_forbidden(void **state) {
        BootDirectories directories = {};
        const Tree *t = *state;

        tree_file(t, "/boot/vmlinuz", "");
        tree_forbid(t, "/boot");
        assert_located(t, &directories, "/vmlinuz", "/boot/vmlinuz");
        tree_permit(t, "/boot");
        boot_directories_done(&directories);
}

static void count_look(_unused_ const Sight *sight, void *userdata) {
        (*(size_t *) userdata)++;
}

/* A menu of many files that are not there takes one look at each of the four directories. */
static void test_looks(void **state) {
        BootDirectories directories = {};
        const Tree *t = *state;
        size_t n_looks = 0;

        root_trace(t->root, &(RootTrace) {.after = count_look, .userdata = &n_looks});
        for (int i = 0; i < 100; i++) {
                _cleanup_free_ char *path = xasprintf("/vmlinuz-%d", i), *real = NULL;

                assert_int_equal(boot_file_locate(t->root, &directories, path, &real), 0);
        }
        root_trace(t->root, NULL);
        assert_int_equal(n_looks, 4);
        boot_directories_done(&directories);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_places, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_many_directories, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_forbidden, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_looks, tree_setup, tree_teardown),
        };

        return cmocka_run_group_tests_name("boot-files", tests, NULL, NULL);
}
