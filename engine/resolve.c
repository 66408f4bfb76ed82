/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "core/replace.h"
#include "engine/change.h"
#include "engine/resolve.h"

const ChangeDriver *const change_drivers[_CHANGE_KIND_MAX] = {
        [CHANGE_TOKEN] = &change_token,
        [CHANGE_FILE] = &change_file,
        [CHANGE_ATTRIBUTE] = &change_attribute,
        [CHANGE_UNIT] = &change_unit,
        [CHANGE_OF_SIDE] = &change_of_side,
};

bool change_is_released(const Survey *survey, const bool *release, const char *practice, const char *subject) {
        const Observation *o = survey_find(survey, practice, subject);

        /* What a practice did that is not known here (a newer gtuned's) is left alone. */
        return o && release[o - survey->observations];
}

json_object *change_object(json_object *changes, const ChangeDriver *driver) {
        json_object *o = json_object_new_object();

        if (!o || json_add(changes, o) < 0 || json_set_text(o, "kind", driver->name) < 0)
                return NULL;

        return o;
}

int change_set_owner(json_object *o, const char *practice, const char *subject) {
        if (json_set_text(o, "practice", practice) < 0)
                return -ENOMEM;

        return subject ? json_set_text(o, "subject", subject) : 0;
}

static int resolve_check_policy(const Policy *policy, Transaction *t) {
        const PolicyError *e = policy->errors;
        _cleanup_free_ char *first = NULL;

        if (policy->n_errors == 0)
                return 0;

        first = complaint_format(e->file, e->line, e->reason);
        if (!first)
                return -ENOMEM;

        return transaction_refuse(t, xasprintf("the policy has errors; nothing would be applied; the first: %s",
                                               first));
}

static int resolve_check_ledger(const Ledger *ledger, Transaction *t) {
        if (ledger->status == LEDGER_INVALID)
                return transaction_refuse(t, xasprintf("%s cannot be parsed, so it is unknown what gtuned changed: "
                                                       "repair it, or remove it and gtuned's changes become the "
                                                       "administrator's",
                                                       ledger->path));
        if (ledger->status == LEDGER_UNREADABLE)
                return transaction_refuse(t, xasprintf("%s cannot be read: %s", ledger->path,
                                                       error_text(-ledger->error)));

        return 0;
}

static int resolve_changes(const Survey *survey, const Plan *plan, const bool *release, Transaction *t) {
        int r;

        for (size_t i = 0; i < ELEMENTSOF(change_drivers); i++) {
                r = change_drivers[i]->begin ? change_drivers[i]->begin(survey, plan, release, t) : 0;
                if (r < 0)
                        return r;
        }

        for (size_t i = 0; plan && i < plan->n_changes; i++) {
                const ChangeDriver *driver = change_drivers[plan->changes[i].kind];

                r = driver->resolve ? driver->resolve(survey, plan->changes + i, t) : 0;
                if (r < 0)
                        return r;
        }

        for (size_t i = 0; i < ELEMENTSOF(change_drivers); i++) {
                r = change_drivers[i]->end ? change_drivers[i]->end(survey, t) : 0;
                if (r < 0)
                        return r;
        }

        return 0;
}

/* A file that may not be replaced refuses the transaction now, and not in its middle. */
static int resolve_foresee_files(const Survey *survey, Transaction *t) {
        _cleanup_(foresight_done) Foresight foresight = FORESIGHT(survey->root);

        for (size_t i = 0; i < t->n_files; i++) {
                FileTraits traits;

                if (t->files[i].foreseen)
                        continue;

                /* What cannot be looked at fails, or not, when it is written. */
                if (foresight_file(&foresight, t->files[i].path, &traits) < 0)
                        continue;

                t->files[i].other_names = traits.other_names;
                if ((traits.flag || traits.folder_flag) &&
                    transaction_refuse(t, change_file_explain_flag(t->files[i].path, &traits)) < 0)
                        return -ENOMEM;
        }

        return 0;
}

int resolve(const Survey *survey, const Plan *plan, const bool *release, Transaction **ret) {
        _cleanup_(transaction_freep) Transaction *t = calloc(1, sizeof(*t));
        int r;

        assert(survey && release && ret);

        if (!t)
                return -ENOMEM;

        r = ledger_copy(survey->ledger, &t->ledger);
        if (r < 0)
                return r;
        r = resolve_check_ledger(survey->ledger, t);
        if (r < 0)
                return r;
        r = plan ? resolve_check_policy(survey->policy, t) : 0;
        if (r < 0)
                return r;
        r = resolve_changes(survey, plan, release, t);
        if (r < 0)
                return r;
        r = resolve_foresee_files(survey, t);
        if (r < 0)
                return r;

        t->ledger_changed = t->ledger->n_tokens != survey->ledger->n_tokens ||
                            t->ledger->n_files != survey->ledger->n_files ||
                            t->ledger->n_side_changes != survey->ledger->n_side_changes;
        *ret = TAKE_PTR(t);
        return 0;
}

int resolve_policy(const Survey *survey, Transaction **ret) {
        _cleanup_free_ bool *unwanted = survey_unwanted(survey);

        return unwanted ? resolve(survey, survey->plan, unwanted, ret) : -ENOMEM;
}
