/* SPDX-License-Identifier: Apache-2.0 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "grub/entry-kind.h"
#include "tests/unit/tree.h"

static void test_names(_unused_ void **state) {
        static const char *const rescue[] = {
                "openEuler (0-rescue-4a5f) 22.03 LTS", "Elemental (recovery)", "Harvester Recovery", "Rescue a Linux",
                "SLES 11 -- failsafe", "Ubuntu 恢复模式", "Debian GNU/Linux (mode de dépannage)", "Kairos recovery",
                "Recovery-0000-0001.conf", "Debian (Wiederherstellungsmodus)", "Ubuntu（recovery模式）",
        };
        static const char *const system[] = {
                "Debian GNU/Linux", "Rescuezilla", "recoveryd", "Ubuntu, with Linux 6.8.0", "恢复", "",
        };

        for (size_t i = 0; i < ELEMENTSOF(rescue); i++)
                assert_true(entry_name_is_rescue(rescue[i]));
        for (size_t i = 0; i < ELEMENTSOF(system); i++)
                assert_false(entry_name_is_rescue(system[i]));

        assert_true(entry_name_is_snapshot("Arch Linux snapshots"));
        assert_true(entry_name_is_snapshot("Start bootloader from a read-only snapshot"));
        assert_true(entry_name_is_snapshot("/@/.snapshots/3/snapshot/boot/vmlinuz-linux"));
        assert_false(entry_name_is_snapshot("Arch Linux"));
}

static void test_cmdlines(_unused_ void **state) {
        static const struct {
                const char *text;
                EntryKind kind;
        } cases[] = {
                { "root=/dev/vda1 ro quiet",                    ENTRY_SYSTEM  },
                { "root=/dev/vda1 ro single",                   ENTRY_RESCUE  },
                { "root=/dev/vda1 ro recovery nomodeset",       ENTRY_RESCUE  },
                { "root=/dev/vda1 systemd.unit=rescue.target",  ENTRY_RESCUE  },
                { "root=/dev/vda1 systemd.unit=graphical.target", ENTRY_SYSTEM },
                { "root=/dev/vda1 init=/bin/bash",              ENTRY_RESCUE  },
                { "root=/dev/vda1 init=/sbin/init",             ENTRY_SYSTEM  },
                { "root=/dev/vda1 -- single",                   ENTRY_SYSTEM  },
                { "boot=casper noprompt",                       ENTRY_RESCUE  },
                { "boot=local",                                 ENTRY_SYSTEM  },
                { "root=live:CDLABEL=x rd.live.image",          ENTRY_RESCUE  },
                { "root=LABEL=live:x",                          ENTRY_SYSTEM  },
                { "iso-scan/filename=/a.iso boot=casper",       ENTRY_FOREIGN },
                { "findiso=/a.iso",                             ENTRY_FOREIGN },
                { "cos-img/filename=/cOS/active.img",           ENTRY_SYSTEM  },
                { "rootflags=subvol=@/.snapshots/1/snapshot",   ENTRY_SYSTEM  },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Cmdline c;

                assert_int_equal(cmdline_parse(cases[i].text, strlen(cases[i].text), &c), 0);
                assert_int_equal(entry_kind_of_cmdline(&c), cases[i].kind);
                cmdline_done(&c);
        }
}

/* A file with the header of the boot protocol, and a version at 0x300 if that is no NULL. */
static void write_image(const Tree *t, const char *path, const char *version) {
        char data[0x400] = {};

        memcpy(data + 0x202, "HdrS", 4);
        if (version) {
                data[0x20f] = 1;
                memcpy(data + 0x300, version, strlen(version));
        }
        tree_bytes(t, path, data, sizeof(data), 0644);
}

static void test_kernels(void **state) {
        static const struct {
                const char *path;
                EntryKind kind;
        } cases[] = {
                { "/boot/vmlinuz-6",            ENTRY_SYSTEM  },
                { "/vmlinuz-6",                 ENTRY_SYSTEM  },
                { "(hd0,gpt2)/vmlinuz-ipxe",    ENTRY_PROGRAM },
                { "/vmlinuz-ipxe",              ENTRY_PROGRAM },
                { "/vmlinuz-memory",            ENTRY_PROGRAM },
                { "/vmlinuz-empty",             ENTRY_SYSTEM  },
                { "/vmlinuz-missing",           ENTRY_SYSTEM  },
                { "/a-directory",               ENTRY_SYSTEM  },
                { "$kernel",                    ENTRY_SYSTEM  },
                { "",                           ENTRY_SYSTEM  },
                { "/boot/memtest86+x64.bin",    ENTRY_MEMTEST },
                { "/mt86plus",                  ENTRY_MEMTEST },
                { "/boot/ipxe.lkrn",            ENTRY_PROGRAM },
                { "/boot/undi.LKRN",            ENTRY_PROGRAM },
                { "(hd0,1)/memdisk",            ENTRY_PROGRAM },
                { "/boot/grub/grub.exe",        ENTRY_PROGRAM },
                { "/vmlinuz-0-rescue-4a5f",     ENTRY_RESCUE  },
        };
        KernelFiles none = {}, files = {};
        const Tree *t = *state;
        EntryKind kind;

        write_image(t, "/boot/vmlinuz-6", "6.1.0-18-amd64 (debian)");
        write_image(t, "/boot/vmlinuz-ipxe", "iPXE 1.21.1");
        write_image(t, "/boot/vmlinuz-memory", NULL);
        tree_file(t, "/boot/vmlinuz-empty", "");
        tree_file(t, "/boot/a-directory/x", "");

        files.root = t->root;
        for (size_t i = 0; i < 2 * ELEMENTSOF(cases); i++) {
                assert_int_equal(entry_kind_of_kernel(&files, cases[i / 2].path, &kind), 0);
                assert_int_equal(kind, cases[i / 2].kind);
        }
        assert_int_equal(entry_kind_of_kernel(&none, "/vmlinuz-ipxe", &kind), 0);
        assert_int_equal(kind, ENTRY_SYSTEM);
        kernel_files_done(&files);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_names),
                cmocka_unit_test(test_cmdlines),
                cmocka_unit_test_setup_teardown(test_kernels, tree_setup, tree_teardown),
        };

        return cmocka_run_group_tests_name("entry-kind", tests, NULL, NULL);
}
