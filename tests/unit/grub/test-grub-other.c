/* SPDX-License-Identifier: Apache-2.0 */

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "grub/grub-cfg.h"
#include "tests/unit/tree.h"

#define CFG "/boot/grub2/grub.cfg"
#define CUSTOM "/boot/grub2/custom.cfg"
#define SYSTEM "menuentry S {\nlinux /k ro\n}\n"
#define OWN "menuentry 'my own' --id own {\nlinux /k a\n}\n"
#define SOURCE "source $prefix/custom.cfg\n"
#define XEN "menuentry X {\nmultiboot2 /xen.gz placeholder\nmodule2 /k placeholder b\nmodule2 --nounzip /i\n}\n"

/* What is found beside the entries that are changed, and whether it is booted by default. */
static const struct {
        const char *cfg, *custom;
        const char *path; /* NULL: nothing is found */
        unsigned line;
        EntryKind kind;
        bool by_default;
        const char *problem;
} cases[] = {
        { SYSTEM,                                 NULL, NULL,   0, ENTRY_SYSTEM,   false, NULL },
        { SYSTEM SOURCE,                          NULL, NULL,   0, ENTRY_SYSTEM,   false, NULL },
        { SYSTEM SOURCE,                          OWN,  CUSTOM, 2, ENTRY_UNEDITED, false, NULL },
        { SOURCE SYSTEM,                          OWN,  CUSTOM, 2, ENTRY_UNEDITED, true,  NULL },
        { "set default=1\n" SYSTEM SOURCE,        OWN,  CUSTOM, 2, ENTRY_UNEDITED, true,  NULL },
        { "set default=own\n" SYSTEM SOURCE,      OWN,  CUSTOM, 2, ENTRY_UNEDITED, true,  NULL },
        { "set default='my own'\n" SYSTEM SOURCE, OWN,  CUSTOM, 2, ENTRY_UNEDITED, true,  NULL },
        { "set default='1>0'\n" SYSTEM SOURCE,    OWN,  CUSTOM, 2, ENTRY_UNEDITED, true,  NULL },
        { "set default='own>x'\n" SYSTEM SOURCE,  OWN,  CUSTOM, 2, ENTRY_UNEDITED, true,  NULL },
        { "set default='0>1'\n" SYSTEM SOURCE,    OWN,  CUSTOM, 2, ENTRY_UNEDITED, false, NULL },
        { "set default='own>>x'\n" SYSTEM SOURCE, OWN,  CUSTOM, 2, ENTRY_UNEDITED, false, NULL },
        { "set default='a>>b>0'\n" SYSTEM SOURCE, "submenu 'a>b' {\nmenuentry c {\nlinux /k\n}\n}\n", CUSTOM, 3,
          ENTRY_UNEDITED, true, NULL },
        { SYSTEM SOURCE,                          "linux /k a\n", CUSTOM, 1, ENTRY_UNEDITED, true, NULL },
        { SYSTEM SOURCE,                          "function f {\nlinux /k a\n}\n", CUSTOM, 2, ENTRY_UNEDITED, false, NULL },
        { SYSTEM SOURCE,                          "if y; then\nlinux /k a\nfi\n", CUSTOM, 2, ENTRY_UNEDITED, false, NULL },
        { "set default=S\n" SOURCE SYSTEM,        OWN,  CUSTOM, 2, ENTRY_UNEDITED, false, NULL },
        { SYSTEM SOURCE,         "menuentry 'my recovery' {\nlinux /k\n}\n", CUSTOM, 2, ENTRY_RESCUE, false, NULL },
        { SYSTEM SOURCE SOURCE,                   OWN,  CUSTOM, 2, ENTRY_UNEDITED, false, NULL },
        { SYSTEM XEN,                             NULL, CFG,    6, ENTRY_UNEDITED, false, NULL },
        { XEN SYSTEM,                             NULL, CFG,    3, ENTRY_UNEDITED, true,  NULL },
        { SYSTEM "menuentry O {\nmultiboot /other\nmodule /k\n}\n", NULL, NULL, 0, ENTRY_SYSTEM, false, NULL },
        { SYSTEM "menuentry L {\n$loader /vmlinuz-1 ro\n}\n", NULL, CFG, 5, ENTRY_UNEDITED, false, NULL },
        { SYSTEM "menuentry L {\n$loader /grub.efi\n}\n",  NULL, NULL, 0, ENTRY_SYSTEM, false, NULL },
        { XEN,                                    NULL, CFG,    3, ENTRY_UNEDITED, true,  "boot-store-xen" },
        { SOURCE,                                 OWN,  CUSTOM, 2, ENTRY_UNEDITED, true,  "boot-store-unedited" },
};

static void check_case(const Tree *t, size_t i) {
        static const TokenSpec force = { .name = "cpuidle_haltpoll.force", .value = "Y", .kind = TOKEN_BOOL };
        const TokenEdit add = { .spec = &force, .add = true };
        _cleanup_(boot_stores_freep) BootStores *stores = NULL;
        _cleanup_buffer_ Buffer added = BUFFER_NULL;
        const BootEntry *found = NULL, *longest;
        const BootStore *s;
        size_t size;

        assert_int_equal(boot_stores_find(t->root, NULL, &stores), 0);
        assert_int_equal(stores->n_problems, cases[i].problem ? 1 : 0);
        if (cases[i].problem)
                assert_string_equal(stores->problems[0].code, cases[i].problem);

        s = boot_stores_by_path(stores, CFG);
        assert_non_null(s);
        for (size_t k = 0; k < s->n_entries; k++)
                if (s->entries[k].kind != ENTRY_SYSTEM) {
                        assert_null(found);
                        found = s->entries + k;
                }

        assert_true(!found == !cases[i].path);
        if (found) {
                assert_string_equal(found->path, cases[i].path);
                assert_int_equal(found->line, cases[i].line);
                assert_int_equal(found->kind, cases[i].kind);
                assert_true(found->by_default == cases[i].by_default);
        }

        /* It is not changed. */
        assert_int_equal(s->driver->render(s, &add, 1, &added, &longest, &size), 0);
        assert_int_equal(added.size, strlen(cases[i].cfg) +
                         (strstr(cases[i].cfg, SYSTEM) ? strlen(" cpuidle_haltpoll.force=Y") : 0));
}

static void test_cases(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                void *tree;

                assert_int_equal(tree_setup(&tree), 0);
                tree_file(tree, CFG, cases[i].cfg);
                if (cases[i].custom)
                        tree_file(tree, CUSTOM, cases[i].custom);
                check_case(tree, i);
                assert_int_equal(tree_teardown(&tree), 0);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cases),
        };

        return cmocka_run_group_tests_name("grub-other", tests, NULL, NULL);
}
