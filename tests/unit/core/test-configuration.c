/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/stage.h"
#include "tests/unit/tree.h"

#define ALL .complete = true, .next_boot = true

static const struct {
        Wanted wanted;
        bool held, effect;
        MachineKind kind;
        Configuration c;
        const char *trouble; /* why the list of boot entries may be wrong, as a reason code */
        State state;
        const char *code;
} cases[] = {
        /* Wanted, from the worst to the best. */
        {WANTED_ON, .c = {.unknown = true}, .state = STATE_UNKNOWN, .code = "boot-store-none"},
        {WANTED_ON, .c = {.unknown = true}, .trouble = "boot-store-syntax", .state = STATE_UNKNOWN,
         .code = "boot-store-syntax"},
        {WANTED_ON, .effect = true, .c = {.unknown = true, .running = true}, .state = STATE_UNKNOWN,
         .code = "boot-store-none"},
        {WANTED_ON, .c = {.unknown = true, .built = true}, .trouble = "boot-store-uki", .state = STATE_DIFFERS,
         .code = "not-configured"},
        {WANTED_ON, .c = {.unknown = true, .built = true, .complete = true}, .trouble = "boot-store-uki",
         .state = STATE_CONFLICT, .code = "image-not-built"},
        {WANTED_ON, .c = {.unknown = true, .built = true, .complete = true, .ours = true, .ours_earlier = true},
         .trouble = "boot-store-uki", .state = STATE_CONFLICT, .code = "image-not-built"},
        {WANTED_ON, .c = {.unknown = true, .built = true, .complete = true, .running = true},
         .trouble = "boot-store-uki", .state = STATE_CONFLICT, .code = "no-effect"},
        {WANTED_ON, .effect = true, .c = {.unknown = true, .built = true, .complete = true, .running = true},
         .trouble = "boot-store-uki", .state = STATE_ACTIVE},
        {WANTED_ON, .kind = MACHINE_IMAGE, .c = {.unknown = true, .built = true, .complete = true},
         .trouble = "boot-store-uki", .state = STATE_PENDING_REBOOT, .code = "next-boot"},
        {WANTED_OFF, .c = {.unknown = true, .built = true, .complete = true, .ours = true},
         .trouble = "boot-store-uki", .state = STATE_DIFFERS, .code = "ours-to-remove"},
        {WANTED_ON, .c = {.opposite_token = &(Token) {}}, .state = STATE_CONFLICT, .code = "opposite-token"},
        {WANTED_ON, .c = {.ours = true, .opposite_token = &(Token) {}}, .state = STATE_CONFLICT,
         .code = "opposite-token"},
        {WANTED_ON, .state = STATE_DIFFERS, .code = "not-configured"},
        {WANTED_ON, .effect = true, .c = {.running = true}, .state = STATE_DIFFERS, .code = "not-configured"},
        {WANTED_ON, .effect = true, .c = {.running = true, .next_boot = true}, .state = STATE_DIFFERS,
         .code = "later-entries"},
        {WANTED_ON, .c = {.ours = true}, .state = STATE_DRIFTED, .code = "changed-since"},
        {WANTED_ON, .effect = true, .c = {.ours = true, .running = true, .next_boot = true}, .state = STATE_DRIFTED,
         .code = "changed-since"},
        {WANTED_ON, .c = {ALL}, .state = STATE_PENDING_REBOOT, .code = "next-boot"},
        {WANTED_ON, .c = {ALL, .ours = true}, .state = STATE_PENDING_REBOOT, .code = "next-boot"},
        {WANTED_ON, .c = {ALL, .ours = true, .ours_earlier = true}, .state = STATE_CONFLICT,
         .code = "boot-config-not-read"},
        {WANTED_ON, .c = {ALL, .running = true}, .state = STATE_CONFLICT, .code = "no-effect"},
        {WANTED_ON, .c = {ALL, .running = true, .ours = true, .ours_earlier = true}, .state = STATE_CONFLICT,
         .code = "no-effect"},
        {WANTED_ON, .effect = true, .c = {ALL}, .state = STATE_ACTIVE},
        {WANTED_ON, .effect = true, .c = {ALL, .running = true, .ours = true, .ours_earlier = true},
         .state = STATE_ACTIVE},

        /* An image is not running. */
        {WANTED_ON, .kind = MACHINE_IMAGE, .state = STATE_DIFFERS, .code = "not-configured"},
        {WANTED_ON, .kind = MACHINE_IMAGE, .c = {ALL, .running = true}, .state = STATE_PENDING_REBOOT,
         .code = "next-boot"},
        {WANTED_ON, .kind = MACHINE_IMAGE, .c = {ALL, .ours = true, .ours_earlier = true},
         .state = STATE_PENDING_REBOOT, .code = "next-boot"},

        /* Held: there is nothing to do. */
        {WANTED_ON, .held = true, .state = STATE_OFF, .code = "held"},
        {WANTED_ON, .held = true, .c = {.unknown = true}, .state = STATE_OFF, .code = "held"},
        {WANTED_ON, .held = true, .effect = true, .c = {.running = true, .released = true},
         .state = STATE_PENDING_REBOOT, .code = "held"},
        {WANTED_ON, .held = true, .effect = true, .c = {.running = true, .released = true, .still = true},
         .state = STATE_UNMANAGED, .code = "held"},
        {WANTED_ON, .held = true, .effect = true, .c = {.running = true}, .state = STATE_UNMANAGED, .code = "held"},
        {WANTED_ON, .held = true, .effect = true, .c = {ALL, .running = true}, .state = STATE_UNMANAGED,
         .code = "held"},

        /* Not wanted. */
        {WANTED_OFF, .state = STATE_OFF},
        {WANTED_OFF, .c = {.unknown = true}, .state = STATE_OFF},
        {WANTED_OFF, .c = {ALL}, .state = STATE_UNMANAGED, .code = "configured-elsewhere"},
        {WANTED_OFF, .c = {ALL, .ours = true}, .state = STATE_DIFFERS, .code = "ours-to-remove"},
        {WANTED_OFF, .effect = true, .c = {.running = true, .ours = true}, .state = STATE_DIFFERS,
         .code = "ours-to-remove"},
        {WANTED_OFF, .effect = true, .c = {ALL, .running = true}, .state = STATE_UNMANAGED},
        {WANTED_OFF, .effect = true, .c = {.running = true, .released = true}, .state = STATE_PENDING_REBOOT,
         .code = "until-reboot"},
        {WANTED_OFF, .effect = true, .c = {.running = true, .released = true, .still = true},
         .state = STATE_UNMANAGED},
        {WANTED_OFF, .effect = true, .c = {.running = true}, .state = STATE_UNMANAGED},
        {WANTED_OFF, .effect = true, .c = {.running = true, .unknown = true}, .state = STATE_UNMANAGED},
        {WANTED_OFF, .effect = true, .state = STATE_UNMANAGED},

        /* Only observed. */
        {WANTED_NOTHING, .state = STATE_OFF},
        {WANTED_NOTHING, .effect = true, .c = {.running = true}, .state = STATE_UNMANAGED},
        {WANTED_NOTHING, .effect = true, .c = {ALL, .running = true, .ours = true}, .state = STATE_UNMANAGED,
         .code = "ours-without-policy"},
        {WANTED_NOTHING, .c = {ALL}, .state = STATE_UNMANAGED, .code = "configured-elsewhere"},
};

static void check_case(size_t i) {
        _cleanup_(stage_done) Stage s;
        const Token opposite = {.name = (char *) "a", .value = (char *) "N"};
        Configuration c = cases[i].c;

        stage_init(&s);
        s.machine.kind = cases[i].kind;
        s.machine.entries_error = (char *) cases[i].trouble;
        s.machine.entries_error_code = cases[i].trouble;
        s.machine.entries_none = streq_ptr(cases[i].trouble, "boot-store-none");
        s.finding->wanted = cases[i].wanted;
        s.finding->held = cases[i].held;
        c.missing = c.complete ? NULL : &s.entry;
        c.opposite = c.opposite_token ? &s.entry : NULL;
        c.opposite_token = c.opposite_token ? &opposite : NULL;

        assert_int_equal(configuration_verdict(&s.view, s.finding, &c, cases[i].effect), 0);
        if (s.finding->state != cases[i].state || !streq_ptr(s.finding->reason_code, cases[i].code))
                fail_msg("case %zu: %s, %s", i, state_to_string(s.finding->state), strempty(s.finding->reason_code));
        if (cases[i].held)
                assert_null(s.finding->remedy);
}

static void test_verdict(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                check_case(i);
}

/* Every code that is given here is one that `gtune explain` explains. */
static void test_codes(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                bool known = !cases[i].code || startswith(cases[i].code, "boot-store-");

                for (size_t k = 0; k < n_common_reasons; k++)
                        known = known || streq(common_reasons[k].code, cases[i].code);
                if (!known)
                        fail_msg("%s is not explained", cases[i].code);
        }
}

static const TokenSpec specs[] = {{"a.force", "Y", TOKEN_BOOL}, {"b", NULL, TOKEN_FLAG}};

static const struct {
        const char *system, *template, *rescue, *running; /* NULL: there is none */
        bool complete, next_boot, is_running, opposite, unknown;
} token_cases[] = {
        {"a.force=Y b", "a.force=1 b=0", "", "b a.force=on", true, true, true, false, false},
        {"a.force=Y b", "b", "", "", false, true, false, false, false},
        {"b", "a.force=Y b", "", "a.force b", false, false, true, false, false},
        {"a.force=N b", "a.force b", "", "", false, false, false, true, false},
        {"a.force=N b a.force=Y", "a.force b", "", "", true, true, false, false, false},
        {"a.force=Y b a.force=N", "a.force b", "", "", false, false, false, true, false},
        {"-- a.force=Y b", NULL, NULL, NULL, false, false, false, false, false},
        {"a.force=Y b", NULL, "a.force=N", NULL, true, true, false, false, false},
        {NULL, "a.force=Y b", "a.force=Y b", NULL, false, false, false, false, true},
        {NULL, NULL, NULL, "a.force=Y b", false, false, true, false, true},
};

static void add_entry(Stage *s, BootEntry *e, EntryKind kind, const char *text) {
        if (!text)
                return;

        *e = (BootEntry) {.kind = kind};
        assert_int_equal(cmdline_parse(text, strlen(text), &e->cmdline), 0);
        assert_int_equal(machine_add_entry(&s->machine, e), 0);
}

static void check_tokens(size_t i) {
        _cleanup_(stage_done) Stage s;
        BootEntry entries[3] = {};
        Configuration c;

        stage_init(&s);
        s.machine.entries = NULL;
        s.machine.n_entries = 0;
        add_entry(&s, entries, ENTRY_SYSTEM, token_cases[i].system);
        add_entry(&s, entries + 1, ENTRY_TEMPLATE, token_cases[i].template);
        add_entry(&s, entries + 2, ENTRY_RESCUE, token_cases[i].rescue);
        assert_int_equal(cmdline_parse(strempty(token_cases[i].running), strlen(strempty(token_cases[i].running)),
                                       &s.machine.cmdline), 0);

        configuration_of_tokens(&s.view, STAGE_PRACTICE, specs, ELEMENTSOF(specs), &c);
        if (c.complete != token_cases[i].complete || c.next_boot != token_cases[i].next_boot ||
            c.running != token_cases[i].is_running || (c.opposite != NULL) != token_cases[i].opposite ||
            c.unknown != token_cases[i].unknown)
                fail_msg("case %zu: complete %d, next boot %d, running %d, opposite %d, unknown %d", i, c.complete,
                         c.next_boot, c.running, c.opposite != NULL, c.unknown);

        for (size_t k = 0; k < ELEMENTSOF(entries); k++)
                cmdline_done(&entries[k].cmdline);
        cmdline_done(&s.machine.cmdline);
        free(s.machine.entries);
}

static void test_tokens(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(token_cases); i++)
                check_tokens(i);
}

/* Whether gtuned added the tokens, and whether it did so in an earlier boot. */
static void test_ownership(_unused_ void **state) {
        static const struct {
                const char *practice, *boot_id;
                bool ours, earlier;
        } rows[] = {
                {STAGE_PRACTICE, "this", true, false},
                {STAGE_PRACTICE, "that", true, true},
                {STAGE_PRACTICE, NULL, true, true}, /* into the image */
                {"another", "this", false, false},
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(stage_done) Stage s;
                LedgerToken token = {.practice = (char *) rows[i].practice, .boot_id = (char *) rows[i].boot_id};
                Configuration c;

                stage_init(&s);
                s.ledger.tokens = &token;
                s.ledger.n_tokens = 1;
                configuration_of_tokens(&s.view, STAGE_PRACTICE, NULL, 0, &c);
                assert_int_equal(c.ours, rows[i].ours);
                assert_int_equal(c.ours_earlier, rows[i].earlier);
        }
}

static void test_atuned(void **state) {
        static const char wants[] = "/etc/systemd/system/multi-user.target.wants/atuned.service";
        static const char unit[] = "/usr/lib/systemd/system/atuned.service";
        const Configuration complete = {ALL}, incomplete = {};
        _cleanup_(stage_done) Stage s;
        const Tree *t = *state;

        stage_init(&s);
        s.view.root = t->root;
        tree_file(t, unit, "[Service]\n");
        assert_int_equal(configuration_atuned_conflict(&s.view, &incomplete, s.finding), 0);
        tree_link(t, wants, unit);
        assert_int_equal(configuration_atuned_conflict(&s.view, &complete, s.finding), 0);
        assert_int_equal(configuration_atuned_conflict(&s.view, &incomplete, s.finding), 1);
        assert_int_equal(s.finding->state, STATE_CONFLICT);
        assert_string_equal(s.finding->reason_code, "atuned");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_verdict),
                cmocka_unit_test(test_codes),
                cmocka_unit_test(test_tokens),
                cmocka_unit_test(test_ownership),
                cmocka_unit_test_setup_teardown(test_atuned, tree_setup, tree_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
