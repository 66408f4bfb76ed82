/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/boot-check.h"
#include "tests/unit/tree.h"

#define MENU "/boot/grub/grub.cfg"
#define TEMPLATE "/etc/default/grub"
#define MENU_TEXT "menuentry 'a' {\n\tlinux /vmlinuz-1 root=/dev/vda1 ro -- s\n}\n"
#define TEMPLATE_TEXT "GRUB_CMDLINE_LINUX=\"ro quiet\"\n"

static const BootCheckToken tokens[] = {{"arm_pvspin", NULL}, {"cpuidle_haltpoll.force", "Y"}};

static const struct {
        const char *menu, *template; /* NULL: not changed */
        const char *wrong;           /* NULL: all is as it should be */
} cases[] = {
        {"menuentry 'a' {\n\tlinux /vmlinuz-1 root=/dev/vda1 ro arm_pvspin -- s\n}\n", NULL, NULL},
        {"menuentry 'a' {\n\tlinux /vmlinuz-1 root=/dev/vda1 ro cpuidle-haltpoll.force=Y -- s\n}\n", NULL, NULL},
        {NULL, "GRUB_CMDLINE_LINUX=\"ro quiet arm_pvspin\"\n", NULL},
        {NULL, "GRUB_CMDLINE_LINUX=\"ro quiet\"\nGRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX arm_pvspin\"\n", NULL},
        /* A word is lost, changed or added, or another one changes its place. */
        {"menuentry 'a' {\n\tlinux /vmlinuz-1 root=/dev/vda1 arm_pvspin -- s\n}\n", NULL, MENU},
        {"menuentry 'a' {\n\tlinux /vmlinuz-1 root=/dev/vda2 ro arm_pvspin -- s\n}\n", NULL, MENU},
        {"menuentry 'a' {\n\tlinux /vmlinuz-1 root=/dev/vda1 ro x arm_pvspin -- s\n}\n", NULL, MENU},
        {"menuentry 'a' {\n\tlinux /vmlinuz-1 ro root=/dev/vda1 arm_pvspin -- s\n}\n", NULL, MENU},
        /* The token is for init, or a part of another word. */
        {"menuentry 'a' {\n\tlinux /vmlinuz-1 root=/dev/vda1 ro -- s arm_pvspin\n}\n", NULL, MENU},
        {"menuentry 'a' {\n\tlinux /vmlinuz-1 root=/dev/vda1 roarm_pvspin -- s\n}\n", NULL, MENU},
        /* The entry is gone, is another one, or cannot be read. */
        {"menuentry 'b' {\n\tlinux /vmlinuz-1 root=/dev/vda1 ro arm_pvspin -- s\n}\n", NULL, MENU},
        {"menuentry 'a' {\n\tlinux /vmlinuz-1 root=/dev/vda1 ro arm_pvspin -- s\n", NULL, MENU},
        {NULL, "GRUB_CMDLINE_LINUX=\"arm_pvspin\"\n", TEMPLATE},
        {NULL, "GRUB_CMDLINE_LINUX=\"ro quiet arm_pvspin\n", TEMPLATE},
        {NULL, "GRUB_CMDLINE_LINUX=arm_pvspin(\"ro\" quiet)\n", TEMPLATE},
};

static void check(Tree *t, size_t i) {
        _cleanup_(boot_stores_freep) BootStores *stores = NULL;
        Machine machine = {};
        Survey survey = {.root = t->root, .machine = &machine};
        Buffer menu = {.data = (char *) cases[i].menu}, template = {.data = (char *) cases[i].template};
        FileChange files[] = {
                {.path = (char *) TEMPLATE, .new = template, .existed = true},
                {.path = (char *) MENU, .new = menu, .existed = true},
        };
        Transaction transaction = {.files = cases[i].menu ? files + 1 : files, .n_files = 1};
        _cleanup_free_ char *wrong = NULL;

        transaction.files->new.size = strlen(transaction.files->new.data);
        assert_int_equal(boot_stores_find(t->root, NULL, &stores), 0);
        assert_int_equal(stores->n_stores, 2);
        survey.stores = stores;
        for (size_t s = 0; s < stores->n_stores; s++)
                assert_int_equal(machine_add_entry(&machine, stores->stores[s]->entries), 0);

        assert_int_equal(boot_check(&survey, &transaction, tokens, ELEMENTSOF(tokens), &wrong), 0);
        assert_string_equal(strempty(wrong), strempty(cases[i].wrong));
        machine_forget_entries(&machine);
}

static void test_check(void **state) {
        tree_file(*state, MENU, MENU_TEXT);
        tree_file(*state, TEMPLATE, TEMPLATE_TEXT);

        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                check(*state, i);
}

#define ENTRY "/boot/loader/entries/a.conf"

/* An entry file is read by itself, unless its options have variables. */
static const struct {
        const char *old, *new;
        bool right;
} entry_cases[] = {
        {"linux /k\noptions ro x\n", "linux /k\noptions ro x arm_pvspin\n", true},
        {"linux /k\noptions ro x\n", "linux /k\noptions ro arm_pvspin\n", false},
        {"linux /k\noptions ro x\n", "linux /k\noptions ro x y arm_pvspin\n", false},
        {"linux /k\noptions ro x\n", "linux /k\noptions ro x -- arm_pvspin\n", false},
        {"linux /k\noptions ro x\n", "linux /k\noptions ro xarm_pvspin\n", false},
        {"linux /k\noptions ro x\n", "linux /k\n# options ro x\n", false},
        {"linux /k\noptions ro x\n", "linuX /k\noptions ro x arm_pvspin\n", false},
        {"linux /k\noptions ro x\n", "linux /memtest86\noptions ro x arm_pvspin\n", false},
        {"linux /k\noptions ro x\n", "linux /k\noptions ro x $y arm_pvspin\n", true},
        {"linux /k\noptions ro x\n", "linux /k\noptions ro x $z arm_pvspin\n", false},
        {"linux /k\noptions ro $z\n", "linux /k\noptions ro $z arm_pvspin\n", true},
        {"linux /k\noptions ro $z\n", "linux /k\noptions ro $y arm_pvspin\n", false},
};

static void check_entry(Tree *t, size_t i) {
        _cleanup_(boot_stores_freep) BootStores *stores = NULL;
        Machine machine = {};
        Survey survey = {.root = t->root, .machine = &machine};
        FileChange file = {.path = (char *) ENTRY, .existed = true};
        Transaction transaction = {.files = &file, .n_files = 1};
        _cleanup_free_ char *wrong = NULL;

        tree_file(t, ENTRY, entry_cases[i].old);
        file.new = (Buffer) {.data = (char *) entry_cases[i].new, .size = strlen(entry_cases[i].new)};
        assert_int_equal(boot_stores_find(t->root, NULL, &stores), 0);
        survey.stores = stores;
        for (size_t s = 0; s < stores->n_stores; s++)
                for (size_t k = 0; k < stores->stores[s]->n_entries; k++)
                        assert_int_equal(machine_add_entry(&machine, stores->stores[s]->entries + k), 0);
        assert_int_equal(machine.n_entries, 1);

        assert_int_equal(boot_check(&survey, &transaction, tokens, ELEMENTSOF(tokens), &wrong), 0);
        assert_string_equal(wrong ? wrong : "(all right)", entry_cases[i].right ? "(all right)" : ENTRY);
        machine_forget_entries(&machine);
}

static void test_entries(void **state) {
        tree_file(*state, MENU, "set z=quiet\nblscfg\n");

        for (size_t i = 0; i < ELEMENTSOF(entry_cases); i++)
                check_entry(*state, i);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_check, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_entries, tree_setup, tree_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
