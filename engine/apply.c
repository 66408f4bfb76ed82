/* SPDX-License-Identifier: Apache-2.0 */

#include "engine/apply.h"
#include "engine/commit.h"
#include "engine/last-apply.h"
#include "engine/lock.h"
#include "engine/recover.h"
#include "engine/resolve.h"

void apply_done(Apply *a) {
        closep(&a->lock_fd);
        transaction_free(a->t);
        survey_free(a->survey);
        free(a->error);
        free(a->left_out);
        *a = APPLY_NULL;
}

int apply_begin(Apply *a, char **ret_note) {
        int r;

        r = lock_take(a->side, a->root, &a->lock_fd, &a->error);
        return r < 0 ? r : recover(a->side, a->root, ret_note, &a->error);
}

int apply_survey(Apply *a) {
        int r;

        r = survey_take(a->side, a->root, a->arch, &a->survey);
        if (r < 0)
                return r;

        recover_leftovers(a->survey);
        return 0;
}

int apply_drop_holds(Apply *a) {
        _cleanup_(ledger_freep) Ledger *ledger = NULL;
        int r;

        if (a->survey->ledger->n_holds == 0)
                return 0;

        r = ledger_copy(a->survey->ledger, &ledger);
        if (r < 0)
                return r;
        while (ledger->n_holds > 0)
                ledger_drop_hold(ledger, ledger->holds[0].practice, ledger->holds[0].subject);

        r = ledger_write(a->root, ledger);
        if (r < 0) {
                a->error = xasprintf("%s cannot be written: %s", ledger->path, error_text(-r));
                return r;
        }

        a->survey = survey_free(a->survey);
        return survey_take(a->side, a->root, a->arch, &a->survey);
}

static int apply_note_left_out(Apply *a, const Finding *f, const char *why) {
        _cleanup_free_ char *name = finding_display_name(f);
        char *text = NULL;

        if (name)
                text = xasprintf("%s%s%s is left as it is: %s", strempty(a->left_out), a->left_out ? "; " : "", name,
                                 why);
        if (!text)
                return -ENOMEM;

        free(a->left_out);
        a->left_out = text;
        return 0;
}

/* Return: 1 if the observation must not be touched now, 0, or -ENOMEM. */
static int apply_precheck_one(Apply *a, const Observation *o, const Plan *plan) {
        View view = survey_view(a->survey, o);
        _cleanup_free_ char *refusal = NULL;
        int r;

        if (!o->practice->precheck || !transaction_restarts(a->t, o))
                return 0;

        r = o->practice->precheck(&view, o->facts, plan, &refusal);
        if (r < 0 || !refusal)
                return r;

        r = apply_note_left_out(a, o->finding, refusal);
        return r < 0 ? r : 1;
}

/* Before a service is restarted. Return: how many observations must not be touched now, or -ENOMEM. */
static int apply_precheck(Apply *a, const Plan *plan, bool *refused) {
        int n = 0;

        for (size_t i = 0; i < a->survey->n_observations; i++) {
                int r = apply_precheck_one(a, a->survey->observations + i, plan);

                if (r < 0)
                        return r;
                refused[i] = r > 0;
                n += r;
        }

        return n;
}

int apply_resolve(Apply *a) {
        Survey *survey = a->survey;
        _cleanup_free_ bool *refused = calloc(survey->n_observations + 1, sizeof(bool));
        _cleanup_free_ bool *release = survey_unwanted(survey);
        int r;

        if (!refused || !release)
                return -ENOMEM;

        r = resolve(survey, survey->plan, release, &a->t);
        if (r < 0)
                return r;
        r = apply_precheck(a, survey->plan, refused);
        if (r <= 0)
                return r;

        for (size_t i = 0; i < survey->n_observations; i++)
                if (refused[i]) {
                        plan_drop(survey->plan, survey->observations[i].finding);
                        release[i] = false;
                }

        a->t = transaction_free(a->t);
        return resolve(survey, survey->plan, release, &a->t);
}

static int apply_hold(Apply *a, const Observation *o) {
        Ledger *ledger = a->t->ledger;
        LedgerHold *hold;

        ledger_drop_hold(ledger, o->practice->name, o->subject);
        hold = ledger_add_hold(ledger);
        if (!hold || free_and_strdup(&hold->practice, o->practice->name) < 0 ||
            free_and_strdup(&hold->subject, o->subject) < 0)
                return -ENOMEM;

        hold->policy = policy_describe(a->survey->policy, &o->practice->keys, o->subject);
        if (!hold->policy)
                return -ENOMEM;

        a->t->ledger_changed = true;
        return 0;
}

/* What is not wanted needs no hold. What a policy with errors wants is not known. */
static bool apply_needs_hold(const Apply *a, const Observation *o) {
        return a->survey->policy->n_errors > 0 || practice_is_on(o->finding);
}

int apply_resolve_revert(Apply *a, PracticeSet set) {
        _cleanup_free_ bool *release = survey_select(a->survey, set), *refused = NULL;
        _cleanup_(plan_freep) Plan *nothing = NULL;
        int r;

        refused = calloc(a->survey->n_observations + 1, sizeof(bool));
        if (!release || !refused)
                return -ENOMEM;

        r = plan_new(&nothing);
        if (r < 0)
                return r;
        r = resolve(a->survey, NULL, release, &a->t);
        if (r < 0)
                return r;

        /* Its user asked for it by name, so it is done as a whole or not at all. */
        r = a->t->n_left_out > 0 ? transaction_refuse(a->t, strdup(a->t->left_out[0].reason)) : 0;
        if (r < 0)
                return r;
        r = apply_precheck(a, nothing, refused);
        if (r != 0)
                return r < 0 ? r : -EBUSY;

        for (size_t i = 0; i < a->survey->n_observations; i++) {
                r = release[i] && apply_needs_hold(a, a->survey->observations + i)
                            ? apply_hold(a, a->survey->observations + i)
                            : 0;
                if (r < 0)
                        return r;
        }

        return 0;
}

static void apply_keep_result(const Apply *a, const char *result) {
        const Machine *machine = a->survey->machine;

        if (machine->kind != MACHINE_LIVE)
                return;

        (void) last_apply_write(a->side, a->root, machine->boot_id, result, NULL, a->t);
        (void) side_keep_log(a->side, a->root, &machine->probe->log);
}

int apply_commit(Apply *a, const char *result) {
        int r;

        if (a->t->refusal) {
                a->error = strdup(a->t->refusal);
                return a->error ? -EINVAL : -ENOMEM;
        }

        if (transaction_is_empty(a->t) && !a->t->ledger_changed) {
                apply_keep_result(a, "unchanged");
                return 0;
        }

        r = commit(a->survey, a->t, &a->error);
        if (r == 0)
                apply_keep_result(a, result);
        return r;
}

void apply_keep_failure(const Apply *a) {
        if (a->survey && a->survey->machine->kind == MACHINE_LIVE)
                (void) last_apply_write(a->side, a->root, a->survey->machine->boot_id, "failed", a->error,
                                        /* t= */ NULL);
}

bool apply_failed_so_before(const Apply *a) {
        _cleanup_json_ json_object *last = NULL;

        return last_apply_read(a->side, a->root, &last) >= 0 && last &&
               streq_ptr(json_get_text(last, "boot_id"), a->survey->machine->boot_id) &&
               streq_ptr(json_get_text(last, "error"), a->error);
}
