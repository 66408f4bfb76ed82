/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "grub/edit.h"

static const TokenSpec force = { .name = "cpuidle_haltpoll.force", .value = "Y", .kind = TOKEN_BOOL };

static BootEntry parse_entry(const char *text, EntryKind kind) {
        BootEntry e = { .kind = kind };

        assert_int_equal(cmdline_parse(text, strlen(text), &e.cmdline), 0);
        return e;
}

static const struct {
        const char *text;
        EntryKind kind;
        size_t n_removed;
        bool needs;
} needs_cases[] = {
        { "ro",                                                ENTRY_SYSTEM,   0, true  },
        { "",                                                  ENTRY_SYSTEM,   0, true  },
        { "",                                                  ENTRY_TEMPLATE, 0, true  },
        { "ro",                                                ENTRY_RESCUE,   0, false },
        { "ro",                                                ENTRY_MEMTEST,  0, false },
        { "ro",                                                ENTRY_FOREIGN,  0, false },
        { "cpuidle_haltpoll.force=Y",                          ENTRY_SYSTEM,   0, false },
        { "cpuidle-haltpoll.force",                            ENTRY_SYSTEM,   0, false },
        { "cpuidle_haltpoll.force=N",                          ENTRY_SYSTEM,   0, false },
        { "cpuidle_haltpoll.forced=Y",                         ENTRY_SYSTEM,   0, true  },
        { "-- cpuidle_haltpoll.force=Y",                       ENTRY_SYSTEM,   0, true  },
        { "\"cpuidle_haltpoll.force=Y\"",                      ENTRY_SYSTEM,   0, false },
        { "cpuidle_haltpoll.force=Y",                          ENTRY_SYSTEM,   1, true  },
        { "cpuidle_haltpoll.force=Y cpuidle_haltpoll.force=N", ENTRY_SYSTEM,   1, false },
        { "cpuidle_haltpoll.force=Y cpuidle_haltpoll.force=N", ENTRY_SYSTEM,   2, true  },
        { "cpuidle_haltpoll.force=Y",                          ENTRY_RESCUE,   1, false },
};

static void test_entry_needs(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(needs_cases); i++) {
                BootEntry e = parse_entry(needs_cases[i].text, needs_cases[i].kind);
                bool takes = e.kind == ENTRY_SYSTEM || e.kind == ENTRY_TEMPLATE;

                assert_int_equal(boot_entry_takes_tokens(&e), takes);
                assert_int_equal(entry_needs(&e, &force, needs_cases[i].n_removed), needs_cases[i].needs);

                /* Without removals it is the question that practices ask of a command line. */
                assert_int_equal(entry_needs(&e, &force, 0),
                                 takes && cmdline_state(&e.cmdline, &force, NULL) == TOKEN_ABSENT);
                boot_entry_done(&e);
        }
}

static void test_store_lacks(_unused_ void **state) {
        BootEntry entries[] = {
                parse_entry("cpuidle_haltpoll.force=Y", ENTRY_SYSTEM),
                parse_entry("ro", ENTRY_RESCUE),
                parse_entry("ro", ENTRY_SYSTEM),
        };
        BootStore store = { .entries = entries };

        assert_false(boot_store_lacks(&store, &force));
        store.n_entries = 2;
        assert_false(boot_store_lacks(&store, &force));
        store.n_entries = 3;
        assert_true(boot_store_lacks(&store, &force));

        for (size_t i = 0; i < ELEMENTSOF(entries); i++)
                boot_entry_done(entries + i);
}

static void test_count(_unused_ void **state) {
        BootEntry e = parse_entry("a_b a-b=1 c a_b=2 -- a_b", ENTRY_SYSTEM);
        const bool marked[] = { true, false, true, true, true, true };

        assert_int_equal(tokens_count(&e.cmdline, "a-b", NULL), 3);
        assert_int_equal(tokens_count(&e.cmdline, "a-b", marked), 2);
        assert_int_equal(tokens_count(&e.cmdline, "d", NULL), 0);
        boot_entry_done(&e);
}

/* Only letters, digits and "_.=-" need no quotes in any boot file. */
static void test_prepare_refuses(_unused_ void **state) {
        static const char *const values[] = { "a b", "a\"", "$a", "a'", "a\\", "a;b", "a#", "\303\244" };

        for (size_t i = 0; i < ELEMENTSOF(values); i++) {
                const TokenSpec spec = { .name = "a", .value = values[i], .kind = TOKEN_STRING };
                const TokenEdit edits[] = { { .spec = &force, .add = true }, { .spec = &spec, .add = true } };
                PreparedEdits prepared;

                assert_int_equal(edits_prepare(edits, 2, &prepared), -EINVAL);
        }
}

static void test_keeps(_unused_ void **state) {
        static const char *const keep[] = { "c", "a", "b", NULL }, *const ids[] = { "b", "c", "d" };
        const TokenEdit edits[] = { { .spec = &force, .keep = keep }, { .spec = &force } };
        PreparedEdits prepared;

        assert_int_equal(edits_prepare(edits, 2, &prepared), 0);
        assert_true(edit_keeps(prepared.edits, ids, 1));
        assert_true(edit_keeps(prepared.edits, ids, 2));
        assert_false(edit_keeps(prepared.edits, ids, 3));
        assert_false(edit_keeps(prepared.edits + 1, ids, 1));
        edits_done(&prepared);
}

static const struct {
        const char *written;
        bool equal;
} text_cases[] = {
        { "cpuidle_haltpoll.force=Y",   true  },
        { "cpuidle-haltpoll.force=Y",   true  },
        { "cpuidle_haltpoll.force=y",   false },
        { "cpuidle_haltpoll.force=1",   false },
        { "cpuidle_haltpoll.force",     false },
        { "cpuidle_haltpoll.force=Y ",  false },
        { "\"cpuidle_haltpoll.force=Y", false },
};

static void test_text_equal(_unused_ void **state) {
        const TokenEdit edit = { .spec = &force };
        const TokenSpec spec = { .name = "a", .value = "b-c", .kind = TOKEN_STRING };
        const TokenEdit other = { .spec = &spec };
        PreparedEdits prepared;

        assert_int_equal(edits_prepare(&edit, 1, &prepared), 0);
        for (size_t i = 0; i < ELEMENTSOF(text_cases); i++)
                assert_int_equal(edit_text_equal(prepared.edits, text_cases[i].written, strlen(text_cases[i].written)),
                                 text_cases[i].equal);
        edits_done(&prepared);

        /* In the value "-" and "_" are different. */
        assert_int_equal(edits_prepare(&other, 1, &prepared), 0);
        assert_true(edit_text_equal(prepared.edits, "a=b-c", 5));
        assert_false(edit_text_equal(prepared.edits, "a=b_c", 5));
        edits_done(&prepared);
}

static void test_mark(_unused_ void **state) {
        static const char text[] = "ro cpuidle-haltpoll.force=Y cpuidle_haltpoll.force=Y -- x";
        static const char *const keep[] = { "id", NULL };
        const Buffer content = { .data = (char *) text, .size = strlen(text) };
        const TokenEdit edits[] = { { .spec = &force } }, kept[] = { { .spec = &force, .keep = keep } };
        BootEntry e = parse_entry(text, ENTRY_SYSTEM);
        bool removed[5] = {};
        PreparedEdits prepared;

        e.id = strdup("id");
        assert_non_null(e.id);

        assert_int_equal(edits_prepare(kept, 1, &prepared), 0);
        edits_mark(&prepared, &content, &e, removed);
        for (size_t i = 0; i < e.cmdline.n_tokens; i++)
                assert_false(removed[i]);
        edits_done(&prepared);

        /* One occurrence: gtuned added one, a second is the administrator's. */
        assert_int_equal(edits_prepare(edits, 1, &prepared), 0);
        edits_mark(&prepared, &content, &e, removed);
        for (size_t i = 0; i < e.cmdline.n_tokens; i++)
                assert_int_equal(removed[i], i == 1);
        edits_done(&prepared);

        boot_entry_done(&e);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_entry_needs),
                cmocka_unit_test(test_store_lacks),
                cmocka_unit_test(test_count),
                cmocka_unit_test(test_prepare_refuses),
                cmocka_unit_test(test_keeps),
                cmocka_unit_test(test_text_equal),
                cmocka_unit_test(test_mark),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
