/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The whole engine, driven by a side that is no guest: survey, resolve, apply, recover.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/tree.h"

#include "engine/apply.h"
#include "engine/recover.h"
#include "engine/report.h"
#include "engine/resolve.h"
#include "tests/unit/made-up-side.h"

#define ALL_OF_IT \
        "[knob]\nvalue = 7\n[note]\ntext = /remember\n[thing *]\nlabel = blue\n[thing one]\nlabel = red\n"

static Survey *take(const Tree *t) {
        Survey *survey;

        assert_int_equal(survey_take(&made_up_side, t->root, NULL, &survey), 0);
        return survey;
}

static void assert_state(const Survey *survey, const char *practice, const char *subject, State state) {
        const Observation *o = survey_find(survey, practice, subject);

        assert_non_null(o);
        if (o->finding->state != state)
                fail_msg("%s of %s is %s, not %s", practice, subject ? subject : "this machine",
                         state_to_string(o->finding->state), state_to_string(state));
}

static void assert_states(const Tree *t, State knob, State note, State one, State two) {
        _cleanup_(survey_freep) Survey *survey = take(t);

        assert_state(survey, "knob", NULL, knob);
        assert_state(survey, "note", NULL, note);
        assert_state(survey, "label", "one", one);
        assert_state(survey, "label", "two", two);
}

static Apply begin(const Tree *t) {
        Apply a = {.side = &made_up_side, .root = t->root, .lock_fd = -EBADF};
        _cleanup_free_ char *note = NULL;

        assert_int_equal(apply_begin(&a, &note), 0);
        assert_int_equal(apply_survey(&a), 0);
        return a;
}

/* Return: what apply_commit() returned. */
static int apply(const Tree *t, char **ret_error) {
        _cleanup_(apply_done) Apply a = begin(t);
        int r;

        assert_int_equal(apply_drop_holds(&a), 0);
        assert_int_equal(apply_resolve(&a), 0);
        r = apply_commit(&a, "applied");
        if (ret_error)
                *ret_error = TAKE_PTR(a.error);
        return r;
}

static void revert(const Tree *t, const char *practice) {
        _cleanup_(apply_done) Apply a = begin(t);
        PracticeSet set = {};

        practice_set_add(&set, (size_t) side_find_practice(&made_up_side, practice));
        assert_int_equal(apply_resolve_revert(&a, set), 0);
        assert_int_equal(apply_commit(&a, "reverted"), 0);
}

static void test_subjects_are_observed(void **state) {
        _cleanup_(survey_freep) Survey *survey = NULL;
        _cleanup_json_ json_object *report = NULL;
        static const char *const subjects[] = {NULL, NULL, "one", "two"};
        json_object *rows;
        const Tree *t = *state;

        made_up_tree(t, ALL_OF_IT);
        survey = take(t);
        assert_int_equal(survey->n_observations, ELEMENTSOF(subjects));
        assert_int_equal(report_make(survey, &report), 0);
        rows = json_get_array(report, "practices");
        assert_int_equal(json_object_array_length(rows), ELEMENTSOF(subjects));
        for (size_t i = 0; i < ELEMENTSOF(subjects); i++) {
                json_object *row = json_object_array_get_idx(rows, i);

                assert_true(streq_ptr(json_get_text(row, "subject"), subjects[i]));
                assert_int_equal(json_object_object_get_ex(row, "subject", NULL), subjects[i] != NULL);
        }
}

static void test_apply(void **state) {
        _cleanup_(ledger_freep) Ledger *ledger = NULL;
        const Tree *t = *state;

        made_up_tree(t, ALL_OF_IT);
        assert_states(t, STATE_DIFFERS, STATE_DIFFERS, STATE_DIFFERS, STATE_DIFFERS);
        assert_int_equal(apply(t, NULL), 0);
        assert_states(t, STATE_ACTIVE, STATE_ACTIVE, STATE_ACTIVE, STATE_ACTIVE);
        assert_tree_file(t, MADE_UP_KNOB, "7\n");
        assert_tree_file(t, MADE_UP_NOTE, "/remember\n");
        assert_tree_file(t, "/things/one", "red\n");
        assert_tree_file(t, "/things/two", "blue\n");

        assert_int_equal(ledger_read(t->root, MADE_UP_LEDGER, &ledger), 0);
        assert_int_equal(ledger->status, LEDGER_OK);
        assert_int_equal(ledger->n_attributes, 1);
        assert_null(ledger->attributes->subject);
        assert_int_equal(ledger->n_files, 1);
        assert_int_equal(ledger->n_side_changes, 2);
        assert_string_equal(ledger_side_change(ledger, "label", "two")->subject, "two");
        assert_string_equal(ledger_side_change(ledger, "label", "two")->value, "blue blank");
}

/* A ledger of a side without subjects has no word of them. */
static void test_plain_ledger(void **state) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        const Tree *t = *state;

        made_up_tree(t, "[knob]\nvalue = 7\n[note]\ntext = /remember\n");
        assert_int_equal(apply(t, NULL), 0);
        assert_int_equal(root_read(t->root, MADE_UP_LEDGER, 65536, &text), 0);
        assert_null(strstr(text.data, "subject"));
        assert_null(strstr(text.data, "side_changes"));
}

static void test_nothing_twice(void **state) {
        _cleanup_(transaction_freep) Transaction *t2 = NULL;
        _cleanup_(survey_freep) Survey *survey = NULL;
        const Tree *t = *state;

        made_up_tree(t, ALL_OF_IT);
        assert_int_equal(apply(t, NULL), 0);
        survey = take(t);
        assert_int_equal(resolve_policy(survey, &t2), 0);
        assert_true(transaction_is_empty(t2));
        assert_false(t2->ledger_changed);
}

/* Of two subjects one is no longer wanted: only that one is taken back. */
static void test_one_subject_is_released(void **state) {
        const Tree *t = *state;

        made_up_tree(t, ALL_OF_IT);
        assert_int_equal(apply(t, NULL), 0);
        tree_file(t, "/etc/made-up/policy.conf", "[knob]\nvalue = 7\n[note]\ntext = /remember\n[thing one]\nlabel = red\n");
        assert_int_equal(apply(t, NULL), 0);
        assert_tree_file(t, "/things/one", "red\n");
        assert_tree_file(t, "/things/two", "blank\n");
        assert_tree_file(t, MADE_UP_KNOB, "7\n");
}

static void test_revert_and_hold(void **state) {
        _cleanup_(ledger_freep) Ledger *ledger = NULL;
        const Tree *t = *state;

        made_up_tree(t, ALL_OF_IT);
        assert_int_equal(apply(t, NULL), 0);
        revert(t, "label");
        assert_false(root_exists(t->root, "/things/one"));
        assert_tree_file(t, "/things/two", "blank\n");
        assert_tree_file(t, MADE_UP_KNOB, "7\n");
        assert_states(t, STATE_ACTIVE, STATE_ACTIVE, STATE_OFF, STATE_UNMANAGED);

        assert_int_equal(ledger_read(t->root, MADE_UP_LEDGER, &ledger), 0);
        assert_int_equal(ledger->n_holds, 2);
        assert_string_equal(ledger_hold(ledger, "label", "one")->policy, "mood=good label=red");
        assert_null(ledger_hold(ledger, "label", NULL));

        /* A hold ends when the policy of its subject changes, and no other hold ends with it. */
        tree_file(t, "/etc/made-up/policy.conf", "[thing *]\nlabel = green\n[thing one]\nlabel = red\n");
        assert_states(t, STATE_UNMANAGED, STATE_UNMANAGED, STATE_OFF, STATE_DIFFERS);
}

/* What somebody else wrote since is his. */
static void test_revert_leaves_a_foreign_label(void **state) {
        const Tree *t = *state;

        made_up_tree(t, ALL_OF_IT);
        assert_int_equal(apply(t, NULL), 0);
        tree_file(t, "/things/two", "mine\n");
        revert(t, "label");
        assert_tree_file(t, "/things/two", "mine\n");
}

static void assert_untouched(const Tree *t) {
        _cleanup_(ledger_freep) Ledger *ledger = NULL;

        assert_tree_file(t, "/things/two", "blank\n");
        assert_false(root_exists(t->root, "/things/one"));
        assert_false(root_exists(t->root, MADE_UP_NOTE));
        assert_tree_file(t, MADE_UP_KNOB, "0\n");
        assert_int_equal(tree_count(t, "/things"), 2);

        assert_int_equal(ledger_read(t->root, MADE_UP_LEDGER, &ledger), 0);
        assert_null(ledger->next);
        assert_int_equal(ledger->n_attributes + ledger->n_files + ledger->n_side_changes, 0);
}

static void test_failure_puts_everything_back(void **state) {
        static const struct {
                const char *step, *thing, *error;
                int r;
        } rows[] = {
                {"commit", "two", "two has no room for a label", -ENOSPC},
                {"commit", "one", "one has no room for a label", -ENOSPC},
                {"verify", "two", "two is not what was written: Input/output error", -EIO},
        };
        const Tree *t = *state;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *error = NULL, *broken = xasprintf("/things/.broken/%s", rows[i].step);
                _cleanup_free_ char *path = tree_path(t, broken);

                made_up_tree(t, ALL_OF_IT);
                tree_file(t, broken, rows[i].thing);
                assert_int_equal(apply(t, &error), rows[i].r);
                assert_string_equal(error, rows[i].error);
                assert_untouched(t);
                assert_int_equal(unlink(path), 0);
        }
}

#define ERRORS_REFUSED "the policy has errors; nothing would be applied; the first: "

static void test_refusals(void **state) {
        static const struct {
                const char *policy, *refusal;
        } rows[] = {
                {"[thing two]\nlabel = forbidden\n[knob]\nvalue = 7\n", "two: that label is forbidden"},
                {"[knob]\nvalue = 13\n", ERRORS_REFUSED "/etc/made-up/policy.conf:2: 13 is refused here"},
                {"[knob]\nvalue = 14\n", ERRORS_REFUSED "/etc/made-up/policy.conf: it is refused as a whole"},
        };
        const Tree *t = *state;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *error = NULL;

                made_up_tree(t, rows[i].policy);
                assert_int_equal(apply(t, &error), -EINVAL);
                assert_string_equal(error, rows[i].refusal);
                assert_tree_file(t, MADE_UP_KNOB, "0\n");
                assert_tree_file(t, "/things/two", "blank\n");
        }
}

static void test_foreign_file(void **state) {
        _cleanup_free_ char *error = NULL;
        const Tree *t = *state;

        made_up_tree(t, ALL_OF_IT);
        tree_file(t, MADE_UP_NOTE, "mine\n");
        assert_int_equal(apply(t, &error), -EINVAL);
        assert_string_equal(error, MADE_UP_NOTE " exists and is not gtuned's: move it away, or set enable = no in [note]");
        assert_tree_file(t, MADE_UP_NOTE, "mine\n");
        assert_tree_file(t, "/things/two", "blank\n");
}

#define SIDE_RECORD "{\"practice\": \"label\", \"subject\": \"two\", \"kind\": \"label\", \"target\": \"two\", \"value\": "
#define LISTS "\"schema\": 1, \"tokens\": [], \"files\": [], \"attributes\": [], \"holds\": [], \"intents\": []"

/* A run was killed in the middle: which record is true is what the kind finds. */
static void test_recover(void **state) {
        static const char interrupted[] = "{" LISTS ", \"side_changes\": [" SIDE_RECORD "\"green blank\"}], "
                                          "\"next\": {" LISTS ", \"side_changes\": [" SIDE_RECORD "\"blue blank\"}]}}";
        static const struct {
                const char *label, *value; /* what is there, and what the ledger says afterwards; NULL: nothing */
        } rows[] = {
                {"blue\n", "blue blank"},   /* it was done */
                {"green\n", "green blank"}, /* it was not */
                {"mine\n", NULL},           /* somebody else was quicker */
        };
        const Tree *t = *state;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *note = NULL, *error = NULL;
                _cleanup_(ledger_freep) Ledger *ledger = NULL;
                const LedgerSideChange *record;

                made_up_tree(t, ALL_OF_IT);
                tree_file(t, "/things/two", rows[i].label);
                tree_file(t, MADE_UP_LEDGER, interrupted);
                assert_int_equal(recover(&made_up_side, t->root, &note, &error), 0);
                assert_non_null(note);

                assert_int_equal(ledger_read(t->root, MADE_UP_LEDGER, &ledger), 0);
                assert_null(ledger->next);
                record = ledger_side_change(ledger, "label", "two");
                assert_true(streq_ptr(record ? record->value : NULL, rows[i].value));
        }
}

/* A revert was killed: an attribute that it had still to put back keeps its record; another's value is left alone. */
static void test_recover_attribute(void **state) {
        static const char interrupted[] = "{\"schema\": 1, \"tokens\": [], \"files\": [], \"holds\": [], \"intents\": [], "
                                          "\"attributes\": [{\"practice\": \"knob\", \"path\": \"" MADE_UP_KNOB "\", "
                                          "\"old\": \"0\", \"new\": \"7\", \"boot_id\": \"b\"}], "
                                          "\"next\": {" LISTS "}}";
        static const struct {
                const char *value;
                size_t n_records;
        } rows[] = {
                {"7\n", 1}, /* it was not put back */
                {"0\n", 0}, /* it was */
                {"8\n", 0}, /* somebody else wrote it since */
        };
        const Tree *t = *state;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *note = NULL, *error = NULL;
                _cleanup_(ledger_freep) Ledger *ledger = NULL;

                made_up_tree(t, ALL_OF_IT);
                tree_file(t, MADE_UP_KNOB, rows[i].value);
                tree_file(t, MADE_UP_LEDGER, interrupted);
                assert_int_equal(recover(&made_up_side, t->root, &note, &error), 0);

                assert_int_equal(ledger_read(t->root, MADE_UP_LEDGER, &ledger), 0);
                assert_null(ledger->next);
                assert_int_equal(ledger->n_attributes, rows[i].n_records);
        }
}

/* If nobody can say which record is true, the ledger stays as it is for the next run. */
static void test_recover_fails(void **state) {
        static const char interrupted[] = "{" LISTS ", \"side_changes\": [], "
                                          "\"next\": {" LISTS ", \"side_changes\": [" SIDE_RECORD "\"blue blank\"}]}}";
        _cleanup_free_ char *note = NULL, *error = NULL;
        const Tree *t = *state;

        made_up_tree(t, ALL_OF_IT);
        tree_file(t, "/things/.broken/read", "two");
        tree_file(t, MADE_UP_LEDGER, interrupted);
        assert_int_equal(recover(&made_up_side, t->root, &note, &error), -EIO);
        assert_string_equal(error, "two cannot be read: Input/output error");
        assert_null(note);
        assert_tree_file(t, MADE_UP_LEDGER, interrupted);
}

/* A killed run of a newer version: its records of a kind that this version does not know stay. */
static void test_recover_unknown_kind(void **state) {
        static const char record[] = "{\"practice\": \"label\", \"subject\": \"two\", \"kind\": \"newer\", "
                                     "\"target\": \"two\", \"value\": \"x\"}";
        _cleanup_free_ char *note = NULL, *error = NULL, *text = NULL;
        _cleanup_(ledger_freep) Ledger *ledger = NULL;
        const Tree *t = *state;

        text = xasprintf("{" LISTS ", \"next\": {" LISTS ", \"side_changes\": [%s]}}", record);
        made_up_tree(t, ALL_OF_IT);
        tree_file(t, MADE_UP_LEDGER, text);
        assert_int_equal(recover(&made_up_side, t->root, &note, &error), 0);
        assert_int_equal(ledger_read(t->root, MADE_UP_LEDGER, &ledger), 0);
        assert_null(ledger->next);
        assert_non_null(ledger_side_change(ledger, "newer", "two"));
}

/* A record of a practice that this version does not know is left alone. */
static void test_unknown_practice(void **state) {
        static const char text[] = "{" LISTS ", \"side_changes\": [{\"practice\": \"newer\", \"kind\": \"label\", "
                                   "\"target\": \"two\", \"value\": \"blank \"}]}";
        _cleanup_(ledger_freep) Ledger *ledger = NULL;
        const Tree *t = *state;

        made_up_tree(t, ALL_OF_IT);
        tree_file(t, MADE_UP_LEDGER, text);
        revert(t, "label");
        assert_tree_file(t, "/things/two", "blank\n");
        assert_int_equal(ledger_read(t->root, MADE_UP_LEDGER, &ledger), 0);
        assert_int_equal(ledger->n_side_changes, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, tree_setup, tree_teardown)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_subjects_are_observed),
                TEST(test_apply),
                TEST(test_plain_ledger),
                TEST(test_nothing_twice),
                TEST(test_one_subject_is_released),
                TEST(test_revert_and_hold),
                TEST(test_revert_leaves_a_foreign_label),
                TEST(test_failure_puts_everything_back),
                TEST(test_refusals),
                TEST(test_foreign_file),
                TEST(test_recover),
                TEST(test_recover_attribute),
                TEST(test_recover_fails),
                TEST(test_recover_unknown_kind),
                TEST(test_unknown_practice),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
