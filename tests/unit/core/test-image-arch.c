/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/tree.h"

#include "core/image-arch.h"

#define RELEASE "6.6.1"
#define KERNEL "/boot/vmlinuz-" RELEASE

static void put_elf(const Tree *t, const char *path, int machine, bool big) {
        char header[64] = "\177ELF\2";

        header[5] = big ? 2 : 1;
        header[big ? 19 : 18] = (char) (machine & 0xFF);
        header[big ? 18 : 19] = (char) (machine >> 8);
        tree_bytes(t, path, header, sizeof(header), 0755);
}

/* A kernel with an EFI stub. */
static void put_pe(const Tree *t, const char *path, int machine) {
        char header[0x100] = "MZ";

        header[60] = (char) 0x80;
        memcpy(header + 0x80, "PE\0", 4);
        header[0x84] = (char) (machine & 0xFF);
        header[0x85] = (char) (machine >> 8);
        tree_bytes(t, path, header, sizeof(header), 0755);
}

static void put_bzimage(const Tree *t, const char *path, bool is_64) {
        char header[0x400] = "";

        memcpy(header + 0x202, "HdrS", 4);
        header[0x236] = is_64;
        tree_bytes(t, path, header, sizeof(header), 0755);
}

static void expect(const Tree *t, const char *release, const char *arch, const char *path, const char *problem) {
        _cleanup_free_ char *a = NULL, *p = NULL, *c = NULL;

        assert_int_equal(image_arch(t->root, release, &a, &p, &c), 0);
        assert_string_equal(strempty(a), strempty(arch));
        assert_string_equal(strempty(p), strempty(path));
        assert_string_equal(strempty(c), strempty(problem));
}

static void test_nothing(void **state) {
        const Tree *t = *state;

        expect(t, NULL, NULL, NULL, NULL);
        tree_file(t, "/usr/bin/bash", "#!/bin/true\n");
        tree_file(t, "/usr/bin/empty", "");
        tree_file(t, KERNEL, "MZ");
        expect(t, RELEASE, NULL, NULL, NULL);
        expect(t, RELEASE ".s390x", "s390x", KERNEL ".s390x", NULL);
}

static void test_programs(void **state) {
        const Tree *t = *state;

        put_elf(t, "/usr/bin/zzz", 183, false);
        expect(t, NULL, "aarch64", "/usr/bin/zzz", NULL);
        put_elf(t, "/usr/bin/bash", 62, false);
        expect(t, NULL, "x86_64", "/usr/bin/bash", NULL);
        put_elf(t, "/usr/lib/systemd/systemd", 22, true);
        expect(t, NULL, "s390x", "/usr/lib/systemd/systemd", NULL);

        /* Programs of 32 bits alone may run on either kernel. */
        put_elf(t, "/usr/lib/systemd/systemd", 3, false);
        expect(t, NULL, NULL, NULL, NULL);
}

static void test_kernel(void **state) {
        const Tree *t = *state;

        put_pe(t, KERNEL, 0xAA64);
        expect(t, RELEASE, "aarch64", KERNEL, NULL);
        put_pe(t, KERNEL, 0x8664);
        expect(t, RELEASE, "x86_64", KERNEL, NULL);
        put_bzimage(t, KERNEL, true);
        expect(t, RELEASE, "x86_64", KERNEL, NULL);
        put_bzimage(t, KERNEL, false);
        expect(t, RELEASE, NULL, NULL, NULL);
        put_elf(t, "/usr/lib/modules/" RELEASE "/vmlinuz", 183, false);
        expect(t, RELEASE, "aarch64", "/usr/lib/modules/" RELEASE "/vmlinuz", NULL);
}

/* openSUSE on aarch64, and Fedora's kernel-uki-virt; a kernel that is packed as a whole tells it by its release. */
static void test_kernel_names(void **state) {
        const Tree *t = *state;

        tree_file(t, "/lib/modules/6.6.3.aarch64/vmlinuz", "packed");
        expect(t, "6.6.3.aarch64", "aarch64", "/lib/modules/6.6.3.aarch64/vmlinuz", NULL);
        put_pe(t, "/usr/lib/modules/6.6.2/Image", 0xAA64);
        expect(t, "6.6.2", "aarch64", "/usr/lib/modules/6.6.2/Image", NULL);
        put_pe(t, "/usr/lib/modules/6.6.4/vmlinuz-virt.efi", 0x8664);
        expect(t, "6.6.4", "x86_64", "/usr/lib/modules/6.6.4/vmlinuz-virt.efi", NULL);
        put_pe(t, "/boot/Image-6.6.4", 0xAA64);
        expect(t, "6.6.4", "aarch64", "/boot/Image-6.6.4", NULL);
}

static void test_contradiction(void **state) {
        const Tree *t = *state;

        put_pe(t, KERNEL, 0x8664);
        put_elf(t, "/usr/bin/bash", 3, false);
        expect(t, RELEASE, "x86_64", KERNEL, NULL);
        put_elf(t, "/usr/bin/bash", 183, false);
        expect(t, RELEASE, NULL, NULL, KERNEL " is for x86_64, and /usr/bin/bash for aarch64");
        expect(t, "6.6.1.x86_64", NULL, NULL, "/boot/vmlinuz-6.6.1.x86_64 is for x86_64, and /usr/bin/bash for aarch64");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_nothing, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_programs, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_kernel, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_kernel_names, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_contradiction, tree_setup, tree_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
