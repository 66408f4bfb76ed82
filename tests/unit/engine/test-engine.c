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

/*
 * A second side, which is divisible: it has no subjects. Its knob also refuses a value that it finds, and each of its
 * practices looks for something that is shared.
 */
static int divisible_check(const View *view, const void *facts, Policy *policy) {
        if (streq_ptr(facts, "99"))
                return policy_error(policy, MADE_UP_KNOB, 0, "it must not be turned so far");

        return knob_check(view, facts, policy);
}

static const char *const divisible_patterns[] = {"knob:", NULL};
static const ServiceInterest divisible_services[] = {{"note.service", "noted"}};

static const Practice divisible_knob = {
        .name = "knob", MADE_UP_TEXTS, .keys = {knob_keys, 1}, .log_patterns = divisible_patterns,
        .read = knob_read, .done = free, .check = divisible_check, .observe = knob_observe, .plan = knob_plan,
};

static const Practice divisible_note = {
        .name = "note", MADE_UP_TEXTS, .keys = {note_keys, 1}, .services = divisible_services, .n_services = 1,
        .read = note_read, .done = free, .observe = note_observe, .plan = note_plan,
};

static const Practice *const divisible_practices[] = {&divisible_knob, &divisible_note};

static const Side divisible_side = {
        .name = "thing",
        .practices = divisible_practices,
        .n_practices = ELEMENTSOF(divisible_practices),
        .policy_name = "made-up/policy.conf",
        .state_directory = "/var/lib/made-up",
        .run_directory = "/run/made-up",
        .apply_unit = "made-up-apply.service",
        .ledger_name = "things.json",
        .read_policy = side_read_policy_files,
};

#define KNOB UINT64_C(1) /* their rows */
#define NOTE UINT64_C(2)
#define BOTH "[knob]\nvalue = 7\n[note]\ntext = /remember\n"
#define LAST_APPLY "/run/made-up/last-apply.json"

/* A survey, and the paths that were looked at for it, each with a blank behind it, since seen was last emptied. */
typedef struct Watched {
        const Tree *tree;
        Survey *survey;
        Buffer seen;
        SurveyParts reading; /* the parts for which that was */
} Watched;

static void watched_see(const Sight *sight, void *userdata) {
        Watched *w = userdata;

        assert_int_equal(buffer_printf(&w->seen, "%s ", sight->path), 0);
        w->reading |= w->survey->reading;
}

static void watched_begin(Watched *w, const Tree *t, const Side *side) {
        *w = (Watched) {.tree = t};
        assert_int_equal(survey_new(side, t->root, NULL, &w->survey), 0);
        assert_null(w->survey->plan);
        assert_int_equal(survey_refresh(w->survey, SURVEY_ALL), 0);
}

static void watched_refresh(Watched *w, SurveyParts parts) {
        buffer_done(&w->seen);
        w->reading = 0;
        root_trace(w->tree->root, &(RootTrace) {.before = watched_see, .userdata = w});
        assert_int_equal(survey_refresh(w->survey, parts), 0);
        root_trace(w->tree->root, NULL);
}

static void watched_end(Watched *w) {
        survey_free(w->survey);
        buffer_done(&w->seen);
}

/* The report without its time. */
static void format_report(const Survey *survey, Buffer *ret) {
        _cleanup_json_ json_object *o = NULL;

        assert_int_equal(report_make(survey, &o), 0);
        json_object_object_del(o, "observed_at");
        assert_int_equal(json_format(o, ret), 0);
}

static void format_plan(const Survey *survey, Buffer *ret) {
        _cleanup_(transaction_freep) Transaction *transaction = NULL;
        _cleanup_json_ json_object *o = NULL;

        assert_int_equal(resolve_policy(survey, &transaction), 0);
        assert_int_equal(transaction_to_json(transaction, &o), 0);
        assert_int_equal(json_format(o, ret), 0);
}

/* It says the same as a survey that was taken anew: report and plan. */
static void assert_as_new(const Watched *w) {
        _cleanup_buffer_ Buffer report = BUFFER_NULL, expected_report = BUFFER_NULL;
        _cleanup_buffer_ Buffer plan = BUFFER_NULL, expected_plan = BUFFER_NULL;
        _cleanup_(survey_freep) Survey *other = NULL;

        assert_int_equal(survey_take(w->survey->side, w->tree->root, NULL, &other), 0);
        format_report(w->survey, &report);
        format_report(other, &expected_report);
        assert_string_equal(report.data, expected_report.data);

        assert_non_null(other->plan);
        assert_null(w->survey->plan);
        assert_int_equal(survey_plan(w->survey), 0);
        assert_int_equal(w->survey->plan->n_changes, other->plan->n_changes);
        format_plan(w->survey, &plan);
        format_plan(other, &expected_plan);
        assert_string_equal(plan.data, expected_plan.data);
}

static const struct {
        const char *path, *text;  /* what is written; NULL: the file is removed */
        SurveyParts part;         /* what is to be read again */
        const char *seen;         /* all that may be looked at; NULL: more than one path */
        const char *not_seen;     /* what must not be looked at; NULL: nothing */
        State knob, note;
} refreshes[] = {
        {MADE_UP_KNOB, "7\n", KNOB, MADE_UP_KNOB " ", NULL, STATE_ACTIVE, STATE_DIFFERS},
        {MADE_UP_NOTE, "/remember\n", NOTE, MADE_UP_NOTE " ", NULL, STATE_ACTIVE, STATE_ACTIVE},
        {MADE_UP_KNOB, "8\n", KNOB, MADE_UP_KNOB " ", NULL, STATE_DIFFERS, STATE_ACTIVE},
        {MADE_UP_KNOB, NULL, KNOB, MADE_UP_KNOB " ", NULL, STATE_DIFFERS, STATE_ACTIVE},
        {MADE_UP_KNOB, "0\n", KNOB, MADE_UP_KNOB " ", NULL, STATE_DIFFERS, STATE_ACTIVE},
        {MADE_UP_NOTE, NULL, NOTE, MADE_UP_NOTE " ", NULL, STATE_DIFFERS, STATE_DIFFERS},
        {LAST_APPLY, "{\"result\": \"applied\"}", SURVEY_LAST_APPLY, LAST_APPLY " ", NULL, STATE_DIFFERS, STATE_DIFFERS},
        {LAST_APPLY, NULL, SURVEY_LAST_APPLY, LAST_APPLY " ", NULL, STATE_DIFFERS, STATE_DIFFERS},
        {"/etc/made-up/policy.conf", "[knob]\nvalue = 0\n", SURVEY_POLICY, NULL, MADE_UP_LEDGER " ", STATE_ACTIVE,
         STATE_OFF},
        {"/etc/made-up/policy.conf", BOTH, SURVEY_POLICY, NULL, LAST_APPLY " ", STATE_DIFFERS, STATE_DIFFERS},
        {"/proc/sys/kernel/random/boot_id", "that\n", SURVEY_MACHINE, NULL, MADE_UP_LEDGER " ", STATE_DIFFERS, STATE_DIFFERS},
        {"/gtuned-machine.json", "{\"schema\": 1, \"arch\": \"aarch64\", \"kernel\": \"2\"}", SURVEY_MACHINE, NULL,
         "/etc/made-up/policy.conf ", STATE_DIFFERS, STATE_DIFFERS},
        {MADE_UP_LEDGER, "{ no ledger", SURVEY_LEDGER, NULL, "/etc/made-up/policy.conf ", STATE_DIFFERS, STATE_DIFFERS},
        {MADE_UP_LEDGER, NULL, SURVEY_LEDGER, NULL, "/gtuned-machine.json ", STATE_DIFFERS, STATE_DIFFERS},
        {"/etc/made-up/policy.conf", "[knob]\nvalue = 0\n", SURVEY_POLICY | SURVEY_LAST_APPLY, NULL, MADE_UP_LEDGER " ",
         STATE_ACTIVE, STATE_OFF},
};

/* One change after the other: only what rests on it is looked at, and what is known then is as if all was. */
static void test_refresh(void **state) {
        const Tree *t = *state;
        Watched w;

        made_up_tree(t, BOTH);
        watched_begin(&w, t, &divisible_side);
        assert_as_new(&w);
        for (size_t i = 0; i < ELEMENTSOF(refreshes); i++) {
                const char *seen = refreshes[i].seen, *not_seen = refreshes[i].not_seen;
                _cleanup_free_ char *path = tree_path(t, refreshes[i].path);

                if (refreshes[i].text)
                        tree_file(t, refreshes[i].path, refreshes[i].text);
                else
                        assert_int_equal(unlink(path), 0);

                watched_refresh(&w, refreshes[i].part);
                if (seen)
                        assert_string_equal(w.seen.data, seen);
                assert_non_null(strstr(w.seen.data, refreshes[i].path));
                assert_false(not_seen && strstr(w.seen.data, not_seen));
                assert_true((w.reading & ~survey_dependents(w.survey, refreshes[i].part)) == 0);
                assert_state(w.survey, "knob", NULL, refreshes[i].knob);
                assert_state(w.survey, "note", NULL, refreshes[i].note);
                assert_as_new(&w);
        }
        watched_end(&w);
}

/* What was not said to have changed is not looked at, so that the old facts of it stand. */
static void test_refresh_keeps_others(void **state) {
        const Tree *t = *state;
        Watched w;

        made_up_tree(t, BOTH);
        watched_begin(&w, t, &divisible_side);
        tree_file(t, MADE_UP_KNOB, "7\n");
        tree_file(t, MADE_UP_NOTE, "/remember\n");
        watched_refresh(&w, NOTE);
        assert_state(w.survey, "knob", NULL, STATE_DIFFERS);
        assert_state(w.survey, "note", NULL, STATE_ACTIVE);
        watched_refresh(&w, KNOB);
        assert_as_new(&w);
        watched_end(&w);
}

static void assert_all_seen(const Watched *w) {
        static const char *const paths[] = {
                "/gtuned-machine.json ", "/etc/made-up/policy.conf ", MADE_UP_LEDGER " ",
                LAST_APPLY " ", MADE_UP_KNOB " ", MADE_UP_NOTE " ",
        };

        for (size_t i = 0; i < ELEMENTSOF(paths); i++)
                if (!strstr(w->seen.data, paths[i]))
                        fail_msg("%s is not looked at", paths[i]);
}

/* A check finds an error, in the policy or in what there is: it concerns all practices. So does its end. */
static void test_refresh_with_errors(void **state) {
        static const struct {
                const char *path, *wrong, *right;
                SurveyParts part;
        } rows[] = {
                {"/etc/made-up/policy.conf", "[knob]\nvalue = 13\n[note]\ntext = /remember\n", BOTH, SURVEY_POLICY},
                {"/etc/made-up/policy.conf", "[knob]\nvalue = no\n[note]\ntext = /remember\n", BOTH, SURVEY_POLICY},
                {MADE_UP_KNOB, "99\n", "7\n", KNOB},
        };
        const Tree *t = *state;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                Watched w;

                made_up_tree(t, BOTH);
                watched_begin(&w, t, &divisible_side);
                tree_file(t, rows[i].path, rows[i].wrong);
                watched_refresh(&w, rows[i].part);
                assert_int_equal(w.survey->policy->n_errors, 1);
                assert_all_seen(&w);
                assert_as_new(&w);
                assert_true(survey_dependents(w.survey, NOTE) == SURVEY_ALL);

                tree_file(t, rows[i].path, rows[i].right);
                watched_refresh(&w, rows[i].part);
                assert_int_equal(w.survey->policy->n_errors, 0);
                assert_all_seen(&w);
                assert_as_new(&w);
                assert_true(survey_dependents(w.survey, NOTE) == NOTE);
                watched_end(&w);
        }
}

/* A side with subjects is read as a whole, because they may come and go. */
static void test_refresh_with_subjects(void **state) {
        const Tree *t = *state;
        Watched w;

        made_up_tree(t, ALL_OF_IT);
        watched_begin(&w, t, &made_up_side);
        tree_file(t, "/things/one", "red\n");
        tree_file(t, MADE_UP_KNOB, "7\n");
        watched_refresh(&w, UINT64_C(1) << 2);
        assert_all_seen(&w);
        assert_state(w.survey, "label", "one", STATE_ACTIVE);
        assert_state(w.survey, "knob", NULL, STATE_ACTIVE);
        assert_as_new(&w);
        watched_end(&w);
}

static const struct {
        SurveyParts parts, all;
} dependents[] = {
        {0, 0},
        {KNOB, KNOB},
        {NOTE, NOTE},
        {KNOB | NOTE, KNOB | NOTE},
        {SURVEY_POLICY, SURVEY_POLICY | SURVEY_PRACTICES},
        {SURVEY_MACHINE, SURVEY_MACHINE | SURVEY_LOG | SURVEY_SERVICES | SURVEY_ENTRIES | SURVEY_PRACTICES},
        {SURVEY_LOG, SURVEY_LOG | KNOB},
        {SURVEY_SERVICES, SURVEY_SERVICES | NOTE},
        {SURVEY_LOG | SURVEY_SERVICES, SURVEY_LOG | SURVEY_SERVICES | KNOB | NOTE},
        {SURVEY_LEDGER, SURVEY_LEDGER | SURVEY_PRACTICES},
        {SURVEY_ENTRIES, SURVEY_ENTRIES | SURVEY_PRACTICES},
        {SURVEY_LAST_APPLY, SURVEY_LAST_APPLY},
        {SURVEY_LAST_APPLY | KNOB, SURVEY_LAST_APPLY | KNOB},
        {SURVEY_ALL, SURVEY_ALL},
};

static void test_dependents(void **state) {
        const Tree *t = *state;
        Watched divisible, whole;

        made_up_tree(t, BOTH);
        watched_begin(&divisible, t, &divisible_side);
        watched_begin(&whole, t, &made_up_side);
        for (size_t i = 0; i < ELEMENTSOF(dependents); i++) {
                SurveyParts parts = dependents[i].parts;

                assert_true(survey_dependents(divisible.survey, parts) == dependents[i].all);

                /* Of made-up-side.h no practice looks for a log or services, and with a practice everything is read. */
                if ((dependents[i].all & SURVEY_PRACTICES) == 0)
                        assert_true(survey_dependents(whole.survey, parts) == parts);
                else if (parts != SURVEY_LOG && parts != SURVEY_SERVICES && parts != (SURVEY_LOG | SURVEY_SERVICES))
                        assert_true(survey_dependents(whole.survey, parts) == SURVEY_ALL);
        }
        watched_end(&divisible);
        watched_end(&whole);
}

/* Nothing is known yet, not even that there are no errors. */
static void test_dependents_of_nothing(void **state) {
        const Tree *t = *state;
        _cleanup_(survey_freep) Survey *survey = NULL;

        assert_int_equal(survey_new(&divisible_side, t->root, NULL, &survey), 0);
        assert_true(survey_dependents(survey, KNOB) == SURVEY_ALL);
}

/* A plan stands until something is read again, and is then made anew. */
static void test_plan_is_dropped(void **state) {
        const Tree *t = *state;
        const Plan *plan;
        Watched w;

        made_up_tree(t, BOTH);
        watched_begin(&w, t, &divisible_side);
        assert_null(w.survey->plan);
        assert_int_equal(survey_plan(w.survey), 0);
        plan = w.survey->plan;
        assert_int_equal(plan->n_changes, 2);
        assert_int_equal(survey_plan(w.survey), 0);
        assert_ptr_equal(w.survey->plan, plan);

        tree_file(t, MADE_UP_NOTE, "/remember\n");
        watched_refresh(&w, SURVEY_LAST_APPLY);
        assert_null(w.survey->plan);
        watched_refresh(&w, SURVEY_POLICY);
        assert_as_new(&w);
        watched_end(&w);
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
                TEST(test_refresh),
                TEST(test_refresh_keeps_others),
                TEST(test_refresh_with_errors),
                TEST(test_refresh_with_subjects),
                TEST(test_dependents),
                TEST(test_dependents_of_nothing),
                TEST(test_plan_is_dropped),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
