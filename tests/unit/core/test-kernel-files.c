/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/tree.h"

#include "core/kernel-files.h"

#define RELEASE "7.2.12+deb14-cloud-amd64"
#define NEWER "7.10.1+deb14-cloud-amd64"
#define MODULES "/usr/lib/modules/"

static void expect_newest(const Tree *t, const char *release) {
        _cleanup_free_ char *found = NULL;

        assert_int_equal(kernel_find_newest(t->root, &found), 0);
        assert_string_equal(strempty(found), strempty(release));
}

static void expect_config(const Tree *t, const char *text) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;

        assert_int_equal(kernel_read_config(t->root, RELEASE, &b), 0);
        assert_int_equal(b.size, strlen(text));
        assert_string_equal(strempty(b.data), text);
}

/* Each place counts only where none before it has a kernel, so that they are filled from the last to the first. */
static void test_newest(void **state) {
        const Tree *t = *state;

        expect_newest(t, NULL);
        tree_file(t, "/boot/config-5.1", "");
        expect_newest(t, "5.1");

        tree_file(t, MODULES "99.0/build/Makefile", "");
        tree_file(t, MODULES "extra/x.ko", "");
        expect_newest(t, "99.0");
        tree_file(t, MODULES "5.3/kernel/x.ko", "");
        tree_file(t, MODULES "5.20/kernel/x.ko", "");
        expect_newest(t, "5.20");
        tree_file(t, MODULES "5.4/vmlinuz", "");
        expect_newest(t, "5.4");

        tree_file(t, "/boot/vmlinux-5.5.gz", "");
        tree_file(t, "/boot/image-no-release", "");
        expect_newest(t, "5.4");
        tree_file(t, "/boot/image-5.5", "");
        expect_newest(t, "5.5");
        tree_file(t, "/boot/vmlinuz-5.2", "");
        tree_file(t, "/boot/vmlinuz-0-rescue-4a5f", "");
        tree_file(t, "/boot/vmlinuz-linux", "");
        expect_newest(t, "5.2");
}

/* Debian 14: the headers of a newer kernel bring its configuration and its list of modules, and no kernel. */
static void test_headers_are_no_kernel(void **state) {
        const Tree *t = *state;

        tree_file(t, MODULES RELEASE "/vmlinuz", "");
        tree_file(t, MODULES RELEASE "/config", "CONFIG_X=y\n");
        tree_file(t, MODULES NEWER "/config", "CONFIG_X=y\n");
        tree_file(t, MODULES NEWER "/modules.builtin", "");
        expect_newest(t, RELEASE);
        tree_file(t, MODULES NEWER "/vmlinuz", "");
        expect_newest(t, NEWER);
}

/* The names of what boots in a directory of modules, of all distributions. */
static void test_names(void **state) {
        static const char *const names[] = {"vmlinuz", "vmlinux", "Image", "image", "vmlinuz-virt.efi"};
        const Tree *t = *state;

        for (unsigned i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_free_ char *path = xasprintf("/lib/modules/6.%u/%s", i, names[i]);
                _cleanup_free_ char *release = xasprintf("6.%u", i);

                assert_non_null(path);
                assert_non_null(release);
                tree_file(t, path, "");
                tree_file(t, "/lib/modules/7.0/kernel/x.ko", "");
                expect_newest(t, release);
        }
}

static void test_images(void **state) {
        _cleanup_(strv_freep) char **paths = NULL;

        (void) state;
        assert_int_equal(kernel_images("6.6", &paths), 0);
        assert_string_equal(paths[0], "/boot/vmlinuz-6.6");
        assert_true(strv_has(paths, "/boot/Image-6.6"));
        assert_true(strv_has(paths, "/usr/lib/modules/6.6/vmlinuz"));
        assert_true(strv_has(paths, "/lib/modules/6.6/image"));
}

/* What cannot be read, is empty or is no file is not the configuration; the next place may have it. */
static void test_config(void **state) {
        const Tree *t = *state;

        expect_config(t, "");
        tree_file(t, "/lib/modules/" RELEASE "/config", "CONFIG_A=y\n");
        expect_config(t, "CONFIG_A=y\n");
        tree_file(t, MODULES RELEASE "/config", "CONFIG_B=y\n");
        expect_config(t, "CONFIG_B=y\n");

        tree_file(t, "/boot/config-" RELEASE, "");
        expect_config(t, "CONFIG_B=y\n");
        tree_file(t, "/boot/config-" RELEASE, "CONFIG_C=y\n");
        expect_config(t, "CONFIG_C=y\n");
}

static void test_config_is_no_file(void **state) {
        const Tree *t = *state;
        _cleanup_free_ char *large = tree_path(t, MODULES RELEASE "/config");

        tree_file(t, "/lib/modules/" RELEASE "/config", "CONFIG_A=y\n");
        tree_file(t, "/boot/config-" RELEASE "/file", "");
        tree_file(t, MODULES RELEASE "/config", "CONFIG_B=y\n");
        assert_return_code(truncate(large, 5 * 1024 * 1024), errno);
        expect_config(t, "CONFIG_A=y\n");
}

/* openSUSE: /boot has links into the directory of the modules. */
static void test_config_by_link(void **state) {
        const Tree *t = *state;

        tree_link(t, "/boot/config-" RELEASE, "../usr/lib/modules/" RELEASE "/config");
        expect_config(t, "");
        tree_file(t, MODULES RELEASE "/config", "CONFIG_B=y\n");
        expect_config(t, "CONFIG_B=y\n");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_newest, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_headers_are_no_kernel, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_names, tree_setup, tree_teardown),
                cmocka_unit_test(test_images),
                cmocka_unit_test_setup_teardown(test_config, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_config_is_no_file, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_config_by_link, tree_setup, tree_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
