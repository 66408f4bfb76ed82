/* SPDX-License-Identifier: Apache-2.0 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <time.h>

#include <cmocka.h>

#include "grub/bls.h"
#include "tests/unit/tree.h"

#define MARKER "# Added by gtuned, which removes it again when it is empty.\n"
#define PATH "/boot/loader/entries/a.conf"

static const TokenSpec force = { .name = "cpuidle_haltpoll.force", .value = "Y", .kind = TOKEN_BOOL };
static const TokenSpec pvspin = { .name = "arm_pvspin", .kind = TOKEN_FLAG };

static BootStores *load(const char *path, const char *text, size_t size, BlsReader reader) {
        _cleanup_buffer_ Buffer content = BUFFER_NULL;
        BootStores *stores;
        KernelFiles files = {};

        stores = calloc(1, sizeof(BootStores));
        assert_non_null(stores);
        assert_int_equal(buffer_append(&content, text, size), 0);
        assert_int_equal(bls_load(&files, stores, path, &content, reader), 0);
        return stores;
}

static const struct {
        const char *name, *text;
        EntryKind kind;
} kind_cases[] = {
        { "a.conf",           "title Fedora\nlinux /vmlinuz-1\noptions ro\n",      ENTRY_SYSTEM  },
        { "a.conf",           "linux\t/vmlinuz-1\n",                               ENTRY_SYSTEM  },
        { "a-0-rescue.conf",  "title Fedora\nlinux /vmlinuz-0-rescue-1\n",         ENTRY_RESCUE  },
        { "a.conf",           "title Fedora Rescue\nlinux /vmlinuz-1\n",           ENTRY_RESCUE  },
        { "a.conf",           "title x\nversion 0-rescue-1\nlinux /vmlinuz\n",     ENTRY_RESCUE  },
        { "rescuer.conf",     "title x\nlinux /vmlinuz\n",                         ENTRY_SYSTEM  },
        { "a.conf",           "title x\nefi /EFI/memtest86/memtest.efi\n",         ENTRY_MEMTEST },
        { "a.conf",           "title x\nlinux /memtest86+\n",                      ENTRY_MEMTEST },
        { "a.conf",           "title Windows\nefi /EFI/Microsoft/bootmgfw.efi\n",  ENTRY_FOREIGN },
        { "a.conf",           "title x\n# linux /k\nlinux\n",                      ENTRY_FOREIGN },
};

static void test_kinds(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(kind_cases); i++) {
                _cleanup_free_ char *path = xasprintf("/boot/loader/entries/%s", kind_cases[i].name);
                _cleanup_(boot_stores_freep) BootStores *stores = NULL;

                stores = load(path, kind_cases[i].text, strlen(kind_cases[i].text), BLS_GRUB_FEDORA);
                assert_int_equal(stores->stores[0]->entries->kind, kind_cases[i].kind);
        }
}

/* What adding two tokens makes of an entry; removing them gives it back. */
static const struct {
        const char *before, *after;
        BlsReader reader;
} add_cases[] = {
#define T "cpuidle_haltpoll.force=Y arm_pvspin"
        { "linux /k\noptions ro\n",              "linux /k\noptions ro " T "\n", BLS_GRUB_FEDORA },
        { "linux /k\noptions ro",                "linux /k\noptions ro " T, BLS_GRUB_FEDORA },
        { "linux /k\noptions\tro \n",              "linux /k\noptions\tro " T " \n", BLS_GRUB },
        { "linux /k\noptions ro\r\n",            "linux /k\noptions ro " T "\r\n", BLS_GRUB_FEDORA },
        { "linux /k\n  options   ro\n",          "linux /k\n  options   ro " T "\n", BLS_GRUB_FEDORA },
        { "linux /k\noptions ro -- x\n",         "linux /k\noptions ro " T " -- x\n", BLS_GRUB_FEDORA },
        { "linux /k\noptions -- x\n",            "linux /k\noptions " T " -- x\n", BLS_GRUB_FEDORA },
        { "linux /k\noptions ro $tuned_params\n", "linux /k\noptions ro $tuned_params " T "\n", BLS_GRUB_FEDORA },
        { "linux /k\noptions a\noptions b\n",    "linux /k\noptions a " T "\noptions b\n", BLS_GRUB_FEDORA },
        { "linux /k\noptions a\noptions b\n",    "linux /k\noptions a\noptions b " T "\n", BLS_SYSTEMD_BOOT },
        { "linux /k\noptions arm_pvspin\n", "linux /k\noptions arm_pvspin cpuidle_haltpoll.force=Y\n", BLS_GRUB_FEDORA },
        { "linux /k\noptions x=\"a b\n",         "linux /k\noptions " T " x=\"a b\n", BLS_GRUB_FEDORA },
        { "linux /k\n",                          "linux /k\n" MARKER "options " T "\n", BLS_GRUB_FEDORA },
        { "linux /k",                            "linux /k\n" MARKER "options " T, BLS_GRUB_FEDORA },
        { "linux /k\noptions\ninitrd /i\n", "linux /k\n" MARKER "options " T "\noptions\ninitrd /i\n", BLS_GRUB_FEDORA },
        { "linux /k\ninitrd /i\n",               "linux /k\n" MARKER "options " T "\ninitrd /i\n", BLS_GRUB_FEDORA },
        { "linux /k-rescue\noptions ro\n",       "linux /k-rescue\noptions ro\n", BLS_GRUB_FEDORA },
        { "efi /x\noptions ro\n",                "efi /x\noptions ro\n", BLS_GRUB_FEDORA },
        /* GRUB 2.14 would lose the end of the command without the second blank */
        { "linux /k\noptions ro\n", "linux /k\noptions ro  " T "\n", BLS_GRUB },
        { "linux /kk\noptions ro\n", "linux /kk\noptions ro " T "\n", BLS_GRUB },
        { "linux /k\noptions ro \n", "linux /k\noptions ro " T " \n", BLS_GRUB },
        { "linux /k\noptions a\noptions b\n", "linux /k\noptions a " T "\noptions b\n", BLS_GRUB },
        { "linux /k\noptions a\n\noptions b\n", "linux /k\noptions a " T "\n\noptions b\n", BLS_GRUB },
#undef T
};

static void render(const BootStores *stores, const TokenEdit *edits, Buffer *ret) {
        const BootEntry *entry;
        size_t size;

        assert_int_equal(boot_store_bls.render(stores->stores[0], edits, 2, ret, &entry, &size), 0);
}

static void test_add_remove(_unused_ void **state) {
        static const char *const keep[] = { PATH, NULL };

        for (size_t i = 0; i < ELEMENTSOF(add_cases); i++) {
                _cleanup_(boot_stores_freep) BootStores *before = NULL, *after = NULL;
                _cleanup_buffer_ Buffer added = BUFFER_NULL, removed = BUFFER_NULL;
                TokenEdit edits[] = { { &force, true, NULL }, { &pvspin, true, NULL } };

                before = load(PATH, add_cases[i].before, strlen(add_cases[i].before), add_cases[i].reader);
                render(before, edits, &added);
                assert_string_equal(added.data, add_cases[i].after);

                for (size_t k = 0; k < ELEMENTSOF(edits); k++) {
                        edits[k].add = false;
                        if (cmdline_state(&before->stores[0]->entries->cmdline, edits[k].spec, NULL) != TOKEN_ABSENT)
                                edits[k].keep = keep;
                }

                after = load(PATH, added.data, added.size, add_cases[i].reader);
                render(after, edits, &removed);
                assert_string_equal(removed.data, add_cases[i].before);
        }
}

/* A blank behind the token would make the whole line the key for Fedora's GRUB. */
static void test_tab_after_key(_unused_ void **state) {
        static const struct {
                const char *text;
                BlsReader reader;
                int result;
        } cases[] = {
                { "linux /k\noptions\ta\n", BLS_GRUB_FEDORA,  -EBADMSG },
                { "linux /k\noptions a\n",  BLS_GRUB_FEDORA,  0        },
                { "linux /k\noptions\ta\n", BLS_GRUB,         0        },
                { "linux /k\noptions\ta\n", BLS_SYSTEMD_BOOT, 0        },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(boot_stores_freep) BootStores *stores = NULL;
                _cleanup_buffer_ Buffer new = BUFFER_NULL;
                const TokenEdit edit = { &force, true, NULL };
                const BootEntry *entry = NULL;
                const BootStore *s;
                size_t size;

                stores = load(PATH, cases[i].text, strlen(cases[i].text), cases[i].reader);
                s = stores->stores[0];
                assert_int_equal(s->driver->render(s, &edit, 1, &new, &entry, &size), cases[i].result);
        }
}

static const char *lookup(void *userdata, const char *name) {
        (void) userdata;

        return streq(name, "kernelopts") ? "root=x ro" : streq(name, "empty") ? "" :
               streq(name, "x") ? "of-x" : NULL;
}

static const struct {
        const char *options, *text;
        BlsReader reader;
} expand_cases[] = {
        { "$kernelopts",               "root=x ro ",          BLS_GRUB_FEDORA },
        { "${kernelopts}",             "root=x ro ",          BLS_GRUB_FEDORA },
        { "$kernelopts $tuned_params", "root=x ro ",          BLS_GRUB_FEDORA },
        { "a $kernelopts b",           "a root=x ro b",       BLS_GRUB_FEDORA },
        { "$empty a",                  " a",                  BLS_GRUB_FEDORA },
        { "$unset",                    "",                    BLS_GRUB_FEDORA },
        { "a=$ $",                     "a=$ $",               BLS_GRUB_FEDORA },
        { "${kernelopts",              "${kernelopts",        BLS_GRUB_FEDORA },
        { "$kernelopts2",              "",                    BLS_GRUB_FEDORA },
        { "\\$kernelopts",             "\\$kernelopts",       BLS_GRUB_FEDORA },
        { "$kernelopts",               "root=x ro ",          BLS_GRUB        },
        { "${kernelopts} a",           "{kernelopts} a",      BLS_GRUB        },
        { "a=\\$kernelopts",           "a=\\root=x ro ",      BLS_GRUB        },
        { "a1 $kernelopts b1",         "a1 root=x ro b1",     BLS_GRUB        },
        { "$kernelopts.b $unset c1",   "root=x ro .b c1",     BLS_GRUB        },
        /* a single byte before a variable or the end */
        { "a1 $kernelopts b",          "a1 root=x ro ",       BLS_GRUB        },
        { "a1 $kernelopts b ",         "a1 root=x ro b ",     BLS_GRUB        },
        { "a1 $kernelopts  b",         "a1 root=x ro  b",     BLS_GRUB        },
        { "a$kernelopts b1",           "root=x ro b1",        BLS_GRUB        },
        { "a1 $kernelopts/$kernelopts", "a1 root=x ro root=x ro ", BLS_GRUB   },
        { "a",                         "",                    BLS_GRUB        },
        { "a1 $x",                     "a1 ",                 BLS_GRUB        },
        { "a1 $x b1",                  "a1 of-x b1",          BLS_GRUB        },
        /* variables that are not set, with nothing before them */
        { "$unset b1",                 "b1",                  BLS_GRUB        },
        { "$unset$kernelopts b1",      "",                    BLS_GRUB        },
        { "$unset $kernelopts b1",     "root=x ro b1",        BLS_GRUB        },
};

static void test_expand(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(expand_cases); i++) {
                _cleanup_free_ char *text = xasprintf("linux /k\noptions %s\n", expand_cases[i].options);
                _cleanup_(boot_stores_freep) BootStores *stores = NULL;
                _cleanup_buffer_ Buffer b = BUFFER_NULL;

                stores = load(PATH, text, strlen(text), expand_cases[i].reader);
                assert_int_equal(bls_expand(stores->stores[0], lookup, NULL, &b), 0);
                assert_string_equal(strempty(b.data), expand_cases[i].text);
        }
}

/* What each program reads of an entry, and the line that is named because GRUB does not read all of it; 0: none is. */
static const struct {
        const char *text, *kernel, *options;
        BlsReader reader;
        unsigned line;
        bool fatal;
} read_cases[] = {
        { "linux /k\noptions aa\noptions b\n",       "/k", "aa b", BLS_SYSTEMD_BOOT, 0, false },
        { "linux /k\noptions aa\noptions b\n",       "/k", "aa",   BLS_GRUB_FEDORA,  3, false },
        { "linux /k\noptions aa\noptions b\n",       "/k", "aa",   BLS_GRUB,         3, false },
        { "linux /k\n\noptions aa\n",                "/k", "aa",   BLS_SYSTEMD_BOOT, 0, false },
        { "linux /k\n\noptions aa\n",                "/k", "",     BLS_GRUB_FEDORA,  2, true  },
        { "linux /k\n \t\noptions aa\n",             "/k", "",     BLS_GRUB,         2, true  },
        { "linux /k\n\r\n# x\noptions aa\n",         "/k", "",     BLS_GRUB,         2, true  },
        { "\nlinux /k\noptions aa\n",                NULL, "",     BLS_GRUB,         1, false },
        { "linux /k\noptions aa\n\ninitrd /i\n",     "/k", "aa",   BLS_GRUB,         3, false },
        { "linux /k\noptions aa\n\n# x\n",           "/k", "aa",   BLS_GRUB,         0, false },
        { "linux /k\n#\noptions aa\n",               "/k", "aa",   BLS_GRUB,         0, false },
        { "linux /k\ntitle\noptions aa\n",           "/k", "",     BLS_GRUB_FEDORA,  2, true  },
        { "linux /k\ntitle\noptions aa\n",           "/k", "",     BLS_GRUB,         2, true  },
        { "linux /k\ntitle  \noptions aa\n",         "/k", "aa",   BLS_GRUB_FEDORA,  0, false },
        { "linux /k\ntitle  \noptions aa\n",         "/k", "",     BLS_GRUB,         2, true  },
        { "linux /k\noptions\taa b\n",               "/k", "",     BLS_GRUB_FEDORA,  0, false },
        { "linux /k\noptions\taa b\n",               "/k", "aa b", BLS_GRUB,         0, false },
        { "linux /k\noptions a\n",                   "/k", "a",    BLS_GRUB,         2, false },
        { "linux /k\noptions a \n",                  "/k", "a",    BLS_GRUB,         0, false },
        { "linux /k\noptions aa $x b\n",             "/k", "aa $x b", BLS_GRUB,      2, false },
        /* the command has a length of 16 */
        { "linux /k\noptions abcdef\n",              "/k", "abcdef", BLS_GRUB,       2, false },
        { "linux /k\noptions abcdef\n",              "/k", "abcdef", BLS_GRUB_FEDORA, 0, false },
        { "linux /k\noptions abcde \n",              "/k", "abcde", BLS_GRUB,        2, false },
        { "linux /k34567890\n",                      "/k34567890", "", BLS_GRUB,     0, false },
        { "linux /k3456789\n",                       "/k3456789",  "", BLS_GRUB,     0, false },
};

static void test_read(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(read_cases); i++) {
                _cleanup_(boot_stores_freep) BootStores *stores = NULL;
                const BlsLayout *l;

                stores = load(PATH, read_cases[i].text, strlen(read_cases[i].text), read_cases[i].reader);
                l = stores->stores[0]->layout;
                assert_true(!l->kernel == !read_cases[i].kernel);
                assert_string_equal(strempty(l->kernel), strempty(read_cases[i].kernel));
                assert_string_equal(strempty(l->line.text.data), read_cases[i].options);
                assert_int_equal(stores->n_problems, read_cases[i].line > 0);
                if (read_cases[i].line == 0)
                        continue;

                assert_string_equal(stores->problems->code, "boot-store-bls-unread");
                assert_int_equal(stores->problems->line, read_cases[i].line);
                assert_int_equal(stores->problems->fatal, read_cases[i].fatal);
                assert_int_equal(stores->problems->remark, !read_cases[i].fatal);
        }
}

/* Whose blscfg it is: modules beside grub.cfg decide, then those of the packages, then the distribution. */
static void test_which_blscfg(_unused_ void **state) {
        static const struct {
                const char *files[2], *os_release;
                BlsReader reader;
        } cases[] = {
                { { NULL }, NULL, BLS_GRUB_FEDORA },
                { { NULL }, "ID=debian\n", BLS_GRUB },
                { { NULL }, "ID=mint\nID_LIKE=\"ubuntu debian\"\n", BLS_GRUB },
                { { NULL }, "ID=fedora\n", BLS_GRUB_FEDORA },
                { { "/boot/grub/x86_64-efi/blscfg.mod" }, "ID=debian\n", BLS_GRUB_FEDORA },
                { { "/boot/grub/i386-pc/blsuki.mod" }, "ID=fedora\n", BLS_GRUB },
                { { "/boot/grub/i386-pc/blsuki.mod", "/boot/grub/i386-pc/blscfg.mod" }, "ID=debian\n", BLS_GRUB_FEDORA },
                { { "/boot/grub/i386-pc/blsuki.mod", "/usr/lib/grub/i386-pc/blscfg.mod" }, "ID=fedora\n", BLS_GRUB },
                { { "/usr/lib/grub/arm64-efi/blsuki.mod" }, "ID=suse\n", BLS_GRUB },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(tree_teardown) void *t = NULL;
                BlsReader reader;

                assert_int_equal(tree_setup(&t), 0);
                for (size_t k = 0; k < ELEMENTSOF(cases[i].files) && cases[i].files[k]; k++)
                        tree_file(t, cases[i].files[k], "");
                if (cases[i].os_release)
                        tree_file(t, "/etc/os-release", cases[i].os_release);

                assert_int_equal(bls_find_reader(((Tree *) t)->root, "/boot/grub/grub.cfg", &reader), 0);
                assert_int_equal(reader, cases[i].reader);
        }
}

/* Where GRUB 2.14 looks for entries. */
static void test_directories(_unused_ void **state) {
        static const struct {
                const char *cfg, *entry, *kernel;
                bool found;
                const char *code;
        } cases[] = {
                { "blscfg\n", "/loader/entries/a.conf",      "/boot/k", true,  NULL },
                { "blscfg\n", "/boot/loader/entries/a.conf", "/boot/boot/k", true, NULL },
                { "blscfg\n", "/boot/loader/entries/a.conf", "/boot/k", false, "boot-store-bls-unread" },
                { "blscfg --path ($root)/boot/loader/entries\n", "/boot/loader/entries/a.conf", "/boot/k", true, NULL },
                { "blscfg -p /boot/entries\n", "/boot/entries/a.conf", "/boot/k", true, NULL },
                { "blscfg --path=/entries\n", "/boot/entries/a.conf", "/boot/boot/k", true, NULL },
                { "blscfg --path /entries\n", "/boot/loader/entries/a.conf", "/boot/boot/k", false, "boot-store-none" },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(tree_teardown) void *t = NULL;
                _cleanup_(boot_stores_freep) BootStores *stores = NULL;

                assert_int_equal(tree_setup(&t), 0);
                tree_file(t, "/etc/os-release", "ID=debian\n");
                tree_file(t, "/boot/grub/grub.cfg", cases[i].cfg);
                tree_file(t, cases[i].entry, "linux /boot/k\noptions ro\n");
                tree_file(t, cases[i].kernel, "");

                assert_int_equal(boot_stores_find(((Tree *) t)->root, NULL, &stores), 0);
                assert_int_equal(stores->n_stores, cases[i].found ? 2 : 1);
                assert_int_equal(stores->n_problems, cases[i].code != NULL);
                if (cases[i].code)
                        assert_string_equal(stores->problems->code, cases[i].code);
        }
}

static void test_nul(_unused_ void **state) {
        _cleanup_(boot_stores_freep) BootStores *stores = load(PATH, "linux /k\n\0", 10, BLS_GRUB);

        assert_int_equal(stores->n_stores, 0);
        assert_string_equal(stores->problems[0].code, "boot-store-syntax");
}

/* Whether entries are read, and by whom. */
static void test_readers(_unused_ void **state) {
        static const struct {
                const char *cfg, *extra;
                size_t n_stores;
                const char *code;
        } cases[] = {
                { "blscfg\n",          NULL,                                          2, NULL },
                { "linux /k\n",        NULL,                                          1, NULL },
                { "linux /k\nblscfg\n", NULL,                                         2, NULL },
                { "linux /k\n",        "/boot/efi/EFI/systemd/systemd-bootx64.efi",   2, NULL },
                { NULL,                NULL,                                          1, NULL },
                { NULL,                "/etc/zipl.conf",                              1, "boot-store-zipl" },
                { "linux /k\n",        "/etc/zipl.conf",                              1, NULL },
                { "linux /k\n",        "/ostree/repo/config",                         1, NULL },
                { "linux /k\n",        "/run/ostree-booted",                          1, "boot-store-ostree" },
                { "linux /k\n",        "/boot/efi/EFI/Linux/a.efi",                   1, NULL },
                { NULL,                "/boot/efi/EFI/Linux/a.efi",                   1, NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(tree_teardown) void *t = NULL;
                _cleanup_(boot_stores_freep) BootStores *stores = NULL;

                assert_int_equal(tree_setup(&t), 0);
                tree_file(t, PATH, "linux /k\noptions ro\n");
                if (cases[i].cfg)
                        tree_file(t, "/boot/grub2/grub.cfg", cases[i].cfg);
                if (cases[i].extra)
                        tree_file(t, cases[i].extra, "x\n");

                assert_int_equal(boot_stores_find(((Tree *) t)->root, NULL, &stores), 0);
                assert_int_equal(stores->n_stores, cases[i].n_stores);
                assert_int_equal(stores->n_problems, cases[i].code ? 1 : 0);
                if (cases[i].code)
                        assert_string_equal(stores->problems[0].code, cases[i].code);
        }
}

/* The layouts that are refused although nothing else boots. */
static void test_refused(_unused_ void **state) {
        static const struct {
                const char *paths[3];
                const char *code;
        } cases[] = {
                { { "/boot/efi/EFI/systemd/systemd-bootx64.efi" },                       "boot-store-systemd-boot" },
                { { "/boot/EFI/Linux/a.EFI", "/boot/EFI/systemd/systemd-bootaa64.efi" }, "boot-store-uki"          },
                { { "/etc/zipl.conf" },                                                  "boot-store-none"         },
                { { "/etc/zipl.conf", "/boot/bootmap" },                                 "boot-store-zipl"         },
                { { "/sysroot/ostree/repo/config" },                                     "boot-store-ostree"       },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(tree_teardown) void *t = NULL;
                _cleanup_(boot_stores_freep) BootStores *stores = NULL;

                assert_int_equal(tree_setup(&t), 0);
                for (size_t k = 0; k < ELEMENTSOF(cases[i].paths) && cases[i].paths[k]; k++)
                        tree_file(t, cases[i].paths[k], "x\n");

                assert_int_equal(boot_stores_find(((Tree *) t)->root, NULL, &stores), 0);
                assert_int_equal(stores->n_problems, 1);
                assert_string_equal(stores->problems[0].code, cases[i].code);
        }
}

static void test_bounds(void **state) {
        Tree *t = *state;
        _cleanup_(boot_stores_freep) BootStores *stores = NULL;
        _cleanup_buffer_ Buffer large = BUFFER_NULL;

        assert_int_equal(buffer_puts(&large, "linux /k\noptions "), 0);
        while (large.size <= 64 * 1024)
                assert_int_equal(buffer_puts(&large, "x"), 0);
        tree_bytes(t, PATH, large.data, large.size, 0644);

        assert_int_equal(boot_stores_find(t->root, NULL, &stores), 0);
        assert_int_equal(stores->n_stores, 0);
        assert_string_equal(stores->problems[0].code, "boot-store-too-large");
}

/* A store bears the path without links, however it is reached, and a file counts once. */
static void test_links(void **state) {
        static const char *const paths[] = { "/boot/loader/entries/a.conf", "/srv/c.conf", "/srv/entries/b.conf" };
        Tree *t = *state;
        _cleanup_(boot_stores_freep) BootStores *stores = NULL;

        tree_file(t, PATH, "linux /k\noptions ro\n");
        tree_link(t, "/boot/loader/entries/b.conf", "a.conf");
        tree_link(t, "/boot/loader/entries/c.conf", "/srv/c.conf");
        tree_link(t, "/boot/loader/entries/d.conf", "nowhere");
        tree_file(t, "/srv/c.conf", "linux /k\noptions ro\n");
        tree_file(t, "/srv/entries/b.conf", "linux /k\noptions ro\n");
        tree_link(t, "/efi/loader/entries", "/srv/entries");

        assert_int_equal(boot_stores_find(t->root, NULL, &stores), 0);
        assert_int_equal(stores->n_problems, 0);
        assert_int_equal(stores->n_stores, ELEMENTSOF(paths));
        for (size_t i = 0; i < ELEMENTSOF(paths); i++)
                assert_string_equal(stores->stores[i]->path, paths[i]);
}

/* A directory that may hold entries, a menu or a boot loader, and may not be listed: each is named once. */
static void test_unlisted(_unused_ void **state) {
        static const char *const paths[] = {
                "/boot/loader/entries", "/efi/loader/entries", "/boot/efi", "/efi", "/boot/efi/EFI", "/boot/EFI",
                "/boot/EFI/Linux", "/boot/grub2",
        };

        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                _cleanup_(tree_teardown) void *t = NULL;
                _cleanup_(boot_stores_freep) BootStores *stores = NULL;
                _cleanup_free_ char *inside = xasprintf("%s/x", paths[i]);
                unsigned named = 0;

                assert_int_equal(tree_setup(&t), 0);
                tree_file(t, inside, "");
                tree_forbid(t, paths[i]);
                assert_int_equal(boot_stores_find(((Tree *) t)->root, NULL, &stores), 0);
                tree_permit(t, paths[i]);
                for (size_t k = 0; k < stores->n_problems; k++)
                        named += streq(stores->problems[k].path, paths[i]) &&
                                 streq(stores->problems[k].code, "boot-store-unreadable");
                if (named != 1)
                        fail_msg("%s is named %u times", paths[i], named);
        }
}

static double find_many(const Tree *t, size_t n) {
        _cleanup_(boot_stores_freep) BootStores *stores = NULL;
        struct timespec begin, end;

        tree_file(t, "/boot/grub2/grub.cfg", "blscfg\n");
        tree_bytes(t, "/boot/grub2/grubenv", "# GRUB Environment Block\nkernelopts=ro\n##", 40, 0644);
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *path = xasprintf("/boot/loader/entries/%05zu.conf", i);

                tree_file(t, path, i % 2 ? "linux /k\noptions $kernelopts\n" : "linux /k\noptions ro quiet\n");
        }

        clock_gettime(CLOCK_MONOTONIC, &begin);
        assert_int_equal(boot_stores_find(t->root, NULL, &stores), 0);
        clock_gettime(CLOCK_MONOTONIC, &end);
        assert_int_equal(stores->n_stores, n + 2);
        assert_int_equal(stores->stores[n + 1]->n_entries, n / 2);
        return (double) (end.tv_sec - begin.tv_sec) + (double) (end.tv_nsec - begin.tv_nsec) / 1e9;
}

/* Ten times as many entries take some ten times as long, and are quick. */
static void test_many(void **state) {
        double few = find_many(*state, 1000), many = find_many(*state, 10000);

        printf("1,000 entries: %.1f ms, 10,000 entries: %.1f ms\n", few * 1000, many * 1000);
        assert_true(many < 40 * few + 0.2);
        assert_true(many < 10);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_kinds),
                cmocka_unit_test(test_add_remove),
                cmocka_unit_test(test_tab_after_key),
                cmocka_unit_test(test_expand),
                cmocka_unit_test(test_read),
                cmocka_unit_test(test_which_blscfg),
                cmocka_unit_test(test_directories),
                cmocka_unit_test(test_nul),
                cmocka_unit_test(test_readers),
                cmocka_unit_test(test_refused),
                cmocka_unit_test_setup_teardown(test_bounds, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_links, tree_setup, tree_teardown),
                cmocka_unit_test(test_unlisted),
                cmocka_unit_test_setup_teardown(test_many, tree_setup, tree_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
