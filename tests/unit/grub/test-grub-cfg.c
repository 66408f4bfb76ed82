/* SPDX-License-Identifier: Apache-2.0 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "grub/grub-cfg.h"
#include "tests/unit/tree.h"

static const TokenSpec force = { .name = "cpuidle_haltpoll.force", .value = "Y", .kind = TOKEN_BOOL };
static const TokenSpec enable = { .name = "haltpoll.enable", .value = "Y", .kind = TOKEN_BOOL };

static BootStores *tree_find(const Tree *t) {
        BootStores *stores;

        assert_int_equal(boot_stores_find(t->root, NULL, &stores), 0);
        return stores;
}

static BootStores *load(const char *text) {
        _cleanup_buffer_ Buffer content = BUFFER_NULL;
        BootStores *stores;
        unsigned handover;

        stores = calloc(1, sizeof(BootStores));
        assert_non_null(stores);
        assert_int_equal(buffer_puts(&content, text), 0);
        assert_true(grub_cfg_load(/* root= */ NULL, stores, "/boot/grub2/grub.cfg", &content, /* bls_entries= */ false, &handover) >= 0);
        return stores;
}

/* Which entries a file has. */
static const struct {
        const char *text, *id;
        EntryKind kind;
        unsigned line;
        size_t cmdline_size;
} entry_cases[] = {
        { "linux /k ro\n",                                     "/k",            ENTRY_SYSTEM,  1, 16 },
        { "linux /k\n",                                        "/k",            ENTRY_SYSTEM,  1, 13 },
        { "\nmenuentry 'A b' {\n\tlinux16 /k ro\n}\n",         "A b | /k",      ENTRY_SYSTEM,  3, 16 },
        { "menuentry --class x --id y 'A' { linuxefi (hd0,gpt2)/k ro; }\n", "A | (hd0,gpt2)/k", ENTRY_SYSTEM, 1, 26 },
        { "menuentry A $menuentry_id_option b --unrestricted { linux /k; }\n", "A | /k", ENTRY_SYSTEM, 1, 13 },
        { "submenu A {\nmenuentry B {\nlinux $k \"a b\"\n}\n}\n", "A > B | $k", ENTRY_SYSTEM,  3, 19 },
        { "menuentry { linux /k a\\\\b; }\n",                  "/k",            ENTRY_SYSTEM,  1, 18 },
        { "menuentry A { if x; then linux /k; fi; }\n",        "A | /k",        ENTRY_SYSTEM,  1, 13 },
        { "menuentry A { linux /vmlinuz-0-rescue-1; }\n",      "A | /vmlinuz-0-rescue-1", ENTRY_RESCUE, 1, 30 },
        { "menuentry 'X Rescue' { linux /k; }\n",              "X Rescue | /k", ENTRY_RESCUE,  1, 13 },
        { "menuentry 'X (Recovery Mode)' { linux /k; }\n",     "X (Recovery Mode) | /k", ENTRY_RESCUE, 1, 13 },
        { "menuentry A $menuentry_id_option gnulinux-6.1-recovery-u { linux /k; }\n", "A | /k", ENTRY_RESCUE, 1, 13 },
        { "submenu Rescue { menuentry A { linux /k; }; }\n",   "Rescue > A | /k", ENTRY_RESCUE, 1, 13 },
        { "menuentry A { linux /rescue/k; }\n",                "A | /rescue/k", ENTRY_SYSTEM,  1, 20 },
        { "menuentry A { linux16 /boot/memtest86+.bin; }\n",   "A | /boot/memtest86+.bin", ENTRY_MEMTEST, 1, 31 },
        { "menuentry 'B (on /dev/sda1)' { linux /k; }\n",      "B (on /dev/sda1) | /k", ENTRY_FOREIGN, 1, 13 },
        { "menuentry 'B (on /dev/sda1) x' { linux /k; }\n",    "B (on /dev/sda1) x | /k", ENTRY_SYSTEM, 1, 13 },
        { "### BEGIN /etc/grub.d/30_os-prober ###\nmenuentry B { linux /k; }\n", "B | /k", ENTRY_FOREIGN, 2, 13 },
        { "### BEGIN /etc/grub.d/30_os-prober ###\n### END /etc/grub.d/30_os-prober ###\nlinux /k\n",
          "/k", ENTRY_SYSTEM, 3, 13 },
};

static void test_entries(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(entry_cases); i++) {
                _cleanup_(boot_stores_freep) BootStores *stores = load(entry_cases[i].text);
                const BootEntry *e;

                assert_int_equal(stores->n_stores, 1);
                assert_int_equal(stores->stores[0]->n_entries, 1);

                e = stores->stores[0]->entries;
                assert_string_equal(e->id, entry_cases[i].id);
                assert_string_equal(entry_kind_to_string(e->kind), entry_kind_to_string(entry_cases[i].kind));
                assert_int_equal(e->line, entry_cases[i].line);
                assert_int_equal(e->cmdline_size, entry_cases[i].cmdline_size);
                assert_string_equal(e->path, "/boot/grub2/grub.cfg");
        }
}

static void test_duplicate_ids(_unused_ void **state) {
        _cleanup_(boot_stores_freep) BootStores *stores =
                load("menuentry A { linux /k; }\nmenuentry B { linux /k; }\n"
                     "menuentry A { linux /k; }\nmenuentry A { linux /k; }\n");
        static const char *const ids[] = { "A | /k", "B | /k", "A | /k#2", "A | /k#3" };

        assert_int_equal(stores->stores[0]->n_entries, ELEMENTSOF(ids));
        for (size_t i = 0; i < ELEMENTSOF(ids); i++)
                assert_string_equal(stores->stores[0]->entries[i].id, ids[i]);
}

/* After a rollback the system itself is a snapshot; beside another kernel, a snapshot is an older state. */
static void test_snapshots(_unused_ void **state) {
#define ROLLED_BACK "menuentry A { linux /@/.snapshots/1/snapshot/boot/k; }\n"
        static const struct {
                const char *text;
                EntryKind first, second;
        } cases[] = {
                { ROLLED_BACK "menuentry B { linux /@/.snapshots/1/snapshot/boot/l; }\n", ENTRY_SYSTEM, ENTRY_SYSTEM },
                { ROLLED_BACK "menuentry B { linux /boot/k; }\n",                         ENTRY_RESCUE, ENTRY_SYSTEM },
                { ROLLED_BACK "menuentry 'B (recovery mode)' { linux /boot/k; }\n",       ENTRY_SYSTEM, ENTRY_RESCUE },
        };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(boot_stores_freep) BootStores *stores = load(cases[i].text);
                const BootEntry *e = stores->stores[0]->entries;

                assert_int_equal(stores->stores[0]->n_entries, 2);
                assert_string_equal(entry_kind_to_string(e[0].kind), entry_kind_to_string(cases[i].first));
                assert_string_equal(entry_kind_to_string(e[1].kind), entry_kind_to_string(cases[i].second));
        }
#undef ROLLED_BACK
}

/* A kernel whose name looks like the number of another one. */
static void test_ids_that_look_numbered(_unused_ void **state) {
        _cleanup_(boot_stores_freep) BootStores *stores =
                load("linux /k\nlinux /k#2\nlinux /k\nlinux /k#2\nlinux /k#x\nlinux /k#2#1\n");
        static const char *const ids[] = { "/k", "/k#2#1", "/k#2", "/k#2#2", "/k#x", "/k#2#1#1" };

        assert_int_equal(stores->stores[0]->n_entries, ELEMENTSOF(ids));
        for (size_t i = 0; i < ELEMENTSOF(ids); i++)
                assert_string_equal(stores->stores[0]->entries[i].id, ids[i]);
}

static void test_tokens(_unused_ void **state) {
        _cleanup_(boot_stores_freep) BootStores *stores =
                load("linux /k 'a b=c' \"d=e f\" $x ${y}z g\\ h -- i\n");
        /* A variable that is not set has no bytes. */
        static const char *const names[] = { "a b", "d", "z", "g h", "--", "i" };
        const Cmdline *c;

        c = &stores->stores[0]->entries[0].cmdline;
        assert_int_equal(c->n_tokens, ELEMENTSOF(names));
        for (size_t i = 0; i < c->n_tokens; i++)
                assert_string_equal(c->tokens[i].name, names[i]);
        assert_string_equal(c->tokens[1].value, "e f");
        assert_false(c->tokens[3].for_init);
        assert_true(c->tokens[5].for_init);
}

/* What adding two tokens makes of a file; removing them gives the file back. */
static const struct {
        const char *before, *after;
} add_cases[] = {
#define F " cpuidle_haltpoll.force=Y"
#define E " haltpoll.enable=Y"
        { "linux /k",                    "linux /k" F E                       },
        { "linux /k\n",                  "linux /k" F E "\n"                  },
        { "\tlinux\t/k\tro\tquiet\t\n",  "\tlinux\t/k\tro\tquiet" F E "\t\n"  },
        { "linux /k ro  # x\n",          "linux /k ro" F E "  # x\n"          },
        { "linux /k ro;\n",              "linux /k ro" F E ";\n"              },
        { "menuentry x{linux /k}\n",     "menuentry x{linux /k" F E "}\n"     },
        { "linux /k -- single\n",        "linux /k" F E " -- single\n"        },
        { "linux /k ro -- single\n",     "linux /k ro" F E " -- single\n"     },
        { "linux /k ro '--' x\n",        "linux /k ro" F E " '--' x\n"        },
        { "linux /k 'a b'\n",            "linux /k 'a b'" F E "\n"            },
        { "linux /k a\\ \n",             "linux /k a\\ " F E "\n"             },
        { "linux /k a\\\\ \n",           "linux /k a\\\\" F E " \n"           },
        { "linux /k \"\"\n",             "linux /k" F E " \"\"\n"             },
        { "linux /k 'a \"' b c\n",      "linux /k" F E " 'a \"' b c\n"      },
        { "linux /k a 'b\t--'\n",       "linux /k a" F E " 'b\t--'\n"       },
        { "linux /k a b=\\\"c d\n",     "linux /k a" F E " b=\\\"c d\n"     },
        { "linux /k b=\\\"c d\\\" e\n",  "linux /k b=\\\"c d\\\" e" F E "\n"  },
        { "linux /k $v ${w}\n",          "linux /k $v ${w}" F E "\n"          },
        { "linux /k ro\r\nboot\r\n",     "linux /k ro" F E "\r\nboot\r\n"     },
        { "linux /k ro \r\n",            "linux /k ro" F E " \r\n"            },
        { "linux /k ro \\\n\n",          "linux /k ro" F E " \\\n\n"          },
        { "linux /k ro\\\n\n",           "linux /k ro" F E "\\\n\n"           },
        { "linux /k ]]\\\n\n",           "linux /k ]]\\\n" F E "\n"           },
        { "linux /k \\\n  ro \\\n  q\n", "linux /k \\\n  ro \\\n  q" F E "\n" },
        { "linux /k \\\r\n  ro\r\n",     "linux /k \\\r\n  ro" F E "\r\n"     },
        { "linux /k ro \\\n",            NULL                                 },
        { "linux /k cpuidle-haltpoll.force=1\n", "linux /k cpuidle-haltpoll.force=1" E "\n" },
        { "linux /k cpuidle_haltpoll.force=N\n", "linux /k cpuidle_haltpoll.force=N" E "\n" },
        { "linux /k" F E "\n",           "linux /k" F E "\n"                  },
        { "linux /k -- cpuidle_haltpoll.force=Y\n", "linux /k" F E " -- cpuidle_haltpoll.force=Y\n" },
        { "menuentry rescue { linux /k; }\n", "menuentry rescue { linux /k; }\n" },
        { "linux /k\nlinux16 /memtest\nlinuxefi /k\n", "linux /k" F E "\nlinux16 /memtest\nlinuxefi /k" F E "\n" },
#undef F
#undef E
};

/* The ids of the entries that have a token of this name, for TokenEdit.keep. */
static const char **had(const BootStore *store, const TokenSpec *spec) {
        const char **ids = calloc(store->n_entries + 1, sizeof(char *));
        size_t n = 0;

        assert_non_null(ids);
        for (size_t i = 0; i < store->n_entries; i++)
                if (cmdline_state(&store->entries[i].cmdline, spec, NULL) != TOKEN_ABSENT)
                        ids[n++] = store->entries[i].id;

        return ids;
}

static void test_add_remove(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(add_cases); i++) {
                _cleanup_(boot_stores_freep) BootStores *before = load(add_cases[i].before), *after = NULL;
                _cleanup_buffer_ Buffer added = BUFFER_NULL, removed = BUFFER_NULL;
                _cleanup_free_ const char **keep_force = NULL, **keep_enable = NULL;
                TokenEdit edits[] = { { &force, true, NULL }, { &enable, true, NULL } };
                const BootStore *store;
                const BootEntry *entry;
                size_t size;

                if (!add_cases[i].after) {
                        assert_int_equal(before->n_stores, 0);
                        continue;
                }

                store = before->stores[0];
                assert_int_equal(store->driver->render(store, edits, 2, &added, &entry, &size), 0);
                assert_string_equal(added.data, add_cases[i].after);

                keep_force = had(store, &force);
                keep_enable = had(store, &enable);
                edits[0] = (TokenEdit) { &force, false, keep_force };
                edits[1] = (TokenEdit) { &enable, false, keep_enable };

                after = load(added.data);
                store = after->stores[0];
                assert_int_equal(store->driver->render(store, edits, 2, &removed, &entry, &size), 0);
                assert_string_equal(removed.data, add_cases[i].before);
        }
}

/* What removing makes of files in which tokens stand where gtuned would not have put them. */
static const struct {
        const char *before, *after;
} remove_cases[] = {
        { "linux /k cpuidle-haltpoll.force=Y ro\n",             "linux /k ro\n"                     },
        { "linux /k \t cpuidle_haltpoll.force=Y \t ro\n",       "linux /k \t ro\n"                  },
        { "linux /k cpuidle_haltpoll.force=Y cpuidle_haltpoll.force=Y\n",
          "linux /k cpuidle_haltpoll.force=Y\n" },
        { "linux /k \\\n cpuidle_haltpoll.force=Y \\\n ro\n",   "linux /k \\\n \\\n ro\n"           },
        { "linux /k \\\ncpuidle_haltpoll.force=Y\nboot\n",      "linux /k \\\n\nboot\n"             },
        { "linux /k ro \\\n  cpuidle_haltpoll.force=Y",         "linux /k ro"                       },
        { "linux /k ro \\\r\n  cpuidle_haltpoll.force=Y",       "linux /k ro"                       },
        { "linux /k a\\  cpuidle_haltpoll.force=Y\n",           "linux /k a\\ \n"                   },
        { "linux /k a\\\\ cpuidle_haltpoll.force=Y\n",          "linux /k a\\\\\n"                  },
        { "linux /k a\\\n cpuidle_haltpoll.force=Y\\\n b\n",    "linux /k a\\\n\\\n b\n"            },
        { "linux /k 'cpuidle_haltpoll.force=Y'\n",              "linux /k 'cpuidle_haltpoll.force=Y'\n" },
        { "linux /k cpuidle_haltpoll.force=1\n",                "linux /k cpuidle_haltpoll.force=1\n" },
        { "linux /k cpuidle_haltpoll.force=Yes\n",              "linux /k cpuidle_haltpoll.force=Yes\n" },
        { "linux /k -- cpuidle_haltpoll.force=Y\n",             "linux /k -- cpuidle_haltpoll.force=Y\n" },
        { "linux /k x=cpuidle_haltpoll.force=Y\n",              "linux /k x=cpuidle_haltpoll.force=Y\n" },
        { "set x=cpuidle_haltpoll.force=Y\nlinux /k\n",         "set x=cpuidle_haltpoll.force=Y\nlinux /k\n" },
};

static void test_remove(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(remove_cases); i++) {
                _cleanup_(boot_stores_freep) BootStores *stores = load(remove_cases[i].before);
                _cleanup_buffer_ Buffer removed = BUFFER_NULL;
                const TokenEdit edit = { .spec = &force };
                const BootEntry *entry;
                size_t size;

                assert_int_equal(boot_store_grub_cfg.render(stores->stores[0], &edit, 1, &removed, &entry, &size), 0);
                assert_string_equal(removed.data, remove_cases[i].after);
        }
}

static void test_keep(_unused_ void **state) {
        _cleanup_(boot_stores_freep) BootStores *stores = load("menuentry A { linux /k arm_pvspin; }\n"
                                                               "menuentry B { linux /k arm_pvspin; }\n"
                                                               "menuentry A { linux /k arm_pvspin; }\n");
        static const TokenSpec spec = { .name = "arm_pvspin", .kind = TOKEN_FLAG };
        static const char *const keep[] = { "nobody", "B | /k", "A | /k#2", NULL };
        const TokenEdit edit = { .spec = &spec, .keep = keep };
        _cleanup_buffer_ Buffer removed = BUFFER_NULL;
        const BootEntry *entry;
        size_t size;

        assert_int_equal(boot_store_grub_cfg.render(stores->stores[0], &edit, 1, &removed, &entry, &size), 0);
        assert_string_equal(removed.data, "menuentry A { linux /k; }\n"
                                          "menuentry B { linux /k arm_pvspin; }\n"
                                          "menuentry A { linux /k arm_pvspin; }\n");
}

static void test_render_refuses(_unused_ void **state) {
        static const TokenSpec quoted = { .name = "a", .value = "b c", .kind = TOKEN_STRING };
        _cleanup_(boot_stores_freep) BootStores *stores = NULL;
        _cleanup_buffer_ Buffer text = BUFFER_NULL, result = BUFFER_NULL;
        const TokenEdit add = { .spec = &force, .add = true }, add_quoted = { .spec = &quoted, .add = true },
                        remove = { .spec = &enable };
        const BootEntry *entry;
        size_t size;

        /* BOOT_IMAGE=/k and 1009 times " x" are 2031 bytes; the token takes 25. */
        assert_int_equal(buffer_puts(&text, "linux /j\nlinux /k"), 0);
        for (size_t i = 0; i < 1009; i++)
                assert_int_equal(buffer_puts(&text, " x"), 0);

        stores = load(text.data);
        assert_int_equal(boot_store_grub_cfg.render(stores->stores[0], &add, 1, &result, &entry, &size), -E2BIG);
        assert_string_equal(entry->id, "/k");
        assert_int_equal(size, 2056);
        assert_int_equal(boot_store_grub_cfg.render(stores->stores[0], &add_quoted, 1, &result, &entry, &size),
                         -EINVAL);
        assert_int_equal(boot_store_grub_cfg.render(stores->stores[0], &remove, 1, &result, &entry, &size), 0);
        assert_true(buffer_equal(&text, &result));
}

/* Which problem a lone /boot/grub2/grub.cfg is. */
static const struct {
        const char *text, *code;
        bool fatal;
        unsigned line;
} problem_cases[] = {
        { "",                                            "boot-store-empty",  false, 0 },
        { "\n# nothing\n",                               "boot-store-none",   false, 0 },
        { "chainloader +1\n",                            "boot-store-none",   false, 0 },
        { "linux16 /memtest\n",                          "boot-store-none",   false, 0 },
        { "\nconfigfile /grub2/grub.cfg\n",              "boot-store-stub",   false, 2 },
        { "search x\nsource $prefix/x\n",                "boot-store-stub",   false, 2 },
        { "insmod blscfg\nblscfg\n",                     "boot-store-bls-empty", true, 2 },
        { "blscfg\nmenuentry 'x (on /dev/sda1)' { linux /k; }\n", "boot-store-bls-empty", true, 1 },
        { "menuentry x {\n\n",                           "boot-store-syntax", true,  1 },
        { "linux /k\nlinux \"/k\n",                      "boot-store-syntax", true,  2 },
};

static void test_problems(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(problem_cases); i++) {
                _cleanup_(tree_teardown) void *t = NULL;
                _cleanup_(boot_stores_freep) BootStores *stores = NULL;

                assert_int_equal(tree_setup(&t), 0);
                tree_file(t, "/boot/grub2/grub.cfg", problem_cases[i].text);
                stores = tree_find(t);

                assert_int_equal(stores->n_problems, 1);
                assert_string_equal(stores->problems[0].code, problem_cases[i].code);
                assert_int_equal(stores->problems[0].fatal, problem_cases[i].fatal);
                assert_int_equal(stores->problems[0].line, problem_cases[i].line);
        }
}

/* A tree with one odd thing in it, made by the case itself. */
static void make_nothing(const Tree *t) {
        (void) t;
}

static void make_directory(const Tree *t) {
        _cleanup_free_ char *path = tree_path(t, "/boot/grub2/grub.cfg/");

        (void) path;
}

static void make_fifo(const Tree *t) {
        _cleanup_free_ char *path = tree_path(t, "/boot/grub2/grub.cfg");

        assert_int_equal(mkfifo(path, 0644), 0);
}

static void make_dangling(const Tree *t) {
        tree_link(t, "/boot/grub2/grub.cfg", "../efi/EFI/openEuler/grub.cfg");
}

static void make_loop(const Tree *t) {
        tree_link(t, "/boot/grub2/grub.cfg", "grub.cfg");
}

/* Links resolve inside of the root, so this one leads nowhere. */
static void make_outside(const Tree *t) {
        tree_link(t, "/boot/grub2/grub.cfg", "../../../../../../../etc/passwd");
}

static void make_nul(const Tree *t) {
        tree_bytes(t, "/boot/grub2/grub.cfg", "linux /k\n\0\n", 11, 0644);
}

static void make_large(const Tree *t) {
        _cleanup_free_ char *path = tree_path(t, "/boot/grub2/grub.cfg");
        _cleanup_close_ int fd = -EBADF;

        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        assert_true(fd >= 0);
        assert_int_equal(ftruncate(fd, 50 * 1024 * 1024), 0);
}

static const struct {
        void (*make)(const Tree *t);
        const char *code;
        bool fatal;
} odd_cases[] = {
        { make_nothing,   "boot-store-none",        false },
        { make_directory, "boot-store-not-regular", true  },
        { make_fifo,      "boot-store-not-regular", true  },
        { make_dangling,  "boot-store-dangling",    true  },
        { make_loop,      "boot-store-dangling",    true  },
        { make_outside,   "boot-store-dangling",    true  },
        { make_nul,       "boot-store-syntax",      true  },
        { make_large,     "boot-store-too-large",   true  },
};

static void test_odd_files(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(odd_cases); i++) {
                _cleanup_(tree_teardown) void *t = NULL;
                _cleanup_(boot_stores_freep) BootStores *stores = NULL;

                assert_int_equal(tree_setup(&t), 0);
                odd_cases[i].make(t);
                stores = tree_find(t);

                assert_int_equal(stores->n_stores, 0);
                assert_int_equal(stores->n_problems, 1);
                assert_string_equal(stores->problems[0].code, odd_cases[i].code);
                assert_int_equal(stores->problems[0].fatal, odd_cases[i].fatal);
        }
}

static void test_unreadable(_unused_ void **state) {
        _cleanup_(boot_stores_freep) BootStores *stores = NULL;

        /* Root may read everything, so the answer of the file system is given by hand. */
        stores = calloc(1, sizeof(BootStores));
        assert_non_null(stores);
        assert_int_equal(boot_stores_read_problem(stores, "/boot/grub2/grub.cfg", -EACCES), 0);
        assert_string_equal(stores->problems[0].code, "boot-store-unreadable");
        assert_true(stores->problems[0].fatal);
}

static const char menu[] = "menuentry x { linux /k; }\n";

/* Every real file is found once, by its real path. */
static void test_discovery(_unused_ void **state) {
        _cleanup_(tree_teardown) void *t = NULL;
        _cleanup_(boot_stores_freep) BootStores *stores = NULL;
        static const char *const paths[] = {
                "/boot/grub2/grub.cfg", "/boot/efi/EFI/openEuler/grub.cfg", "/efi/efi/Other/GRUB.CFG",
                "/somewhere/menu.cfg",
        };

        assert_int_equal(tree_setup(&t), 0);
        tree_file(t, "/boot/grub2/grub.cfg", menu);
        tree_link(t, "/boot/grub", "grub2");
        tree_file(t, "/boot/efi/EFI/openEuler/grub.cfg", menu);
        tree_file(t, "/boot/efi/EFI/debian/grub.cfg", "configfile /boot/grub/grub.cfg\n");
        tree_file(t, "/boot/efi/EFI/file", "");
        tree_file(t, "/efi/efi/Other/GRUB.CFG", menu);
        tree_file(t, "/somewhere/menu.cfg", menu);
        tree_link(t, "/etc/grub2.cfg", "../boot/grub2/grub.cfg");
        tree_link(t, "/etc/grub2-efi.cfg", "/somewhere/menu.cfg");
        stores = tree_find(t);

        assert_int_equal(stores->n_problems, 0);
        assert_int_equal(stores->n_stores, ELEMENTSOF(paths));
        for (size_t i = 0; i < ELEMENTSOF(paths); i++)
                assert_string_equal(stores->stores[i]->path, paths[i]);
}

static void test_dangling_hint_is_normal(_unused_ void **state) {
        _cleanup_(tree_teardown) void *t = NULL;
        _cleanup_(boot_stores_freep) BootStores *stores = NULL;

        assert_int_equal(tree_setup(&t), 0);
        tree_file(t, "/boot/grub2/grub.cfg", menu);
        tree_link(t, "/etc/grub2-efi.cfg", "../boot/efi/EFI/openEuler/grub.cfg");
        tree_file(t, "/etc/grub2.cfg", "linux /not/read/by/grub\n");
        stores = tree_find(t);

        assert_int_equal(stores->n_problems, 0);
        assert_int_equal(stores->n_stores, 1);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_entries),
                cmocka_unit_test(test_snapshots),
                cmocka_unit_test(test_duplicate_ids),
                cmocka_unit_test(test_ids_that_look_numbered),
                cmocka_unit_test(test_tokens),
                cmocka_unit_test(test_add_remove),
                cmocka_unit_test(test_remove),
                cmocka_unit_test(test_keep),
                cmocka_unit_test(test_render_refuses),
                cmocka_unit_test(test_problems),
                cmocka_unit_test(test_odd_files),
                cmocka_unit_test(test_unreadable),
                cmocka_unit_test(test_discovery),
                cmocka_unit_test(test_dangling_hint_is_normal),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
