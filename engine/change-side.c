/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Changes of a kind that only the side knows. The row of the kind says what one comes to; the ledger keeps what the row
 * needs to take it back.
 */

#include "engine/change.h"

static void side_change_done(SideChange *c) {
        free(c->target);
        free(c->value);
        buffer_done(&c->old);
        buffer_done(&c->new);
}

static void change_of_side_done(Transaction *t) {
        for (size_t i = 0; i < t->n_side_changes; i++)
                side_change_done(t->side_changes + i);
        free(t->side_changes);
        t->side_changes = NULL;
        t->n_side_changes = 0;
}

/* Give the ledger of afterwards what the change leaves, or take it out. */
static int change_of_side_record(const SideChange *c, Ledger *ledger) {
        LedgerSideChange *record = ledger_side_change(ledger, c->kind->name, c->target);

        if (!c->value) {
                if (record)
                        ledger_drop_side_change(ledger, record);
                return 0;
        }

        if (!record)
                record = ledger_add_side_change(ledger);
        if (!record || free_and_strdup(&record->practice, c->practice) < 0 ||
            free_and_strdup(&record->subject, c->subject) < 0 || free_and_strdup(&record->kind, c->kind->name) < 0 ||
            free_and_strdup(&record->target, c->target) < 0 || free_and_strdup(&record->value, c->value) < 0)
                return -ENOMEM;

        return 0;
}

/* Return: 1 if there is something to write, 0, or -ENOMEM. wanted NULL: what the ledger records is taken back. */
static int change_of_side_add(const Survey *survey, const Observation *o, const ChangeKindRow *kind, const char *target,
                              const Change *wanted, Transaction *t) {
        const LedgerSideChange *record = ledger_side_change(survey->ledger, kind->name, target);
        View view = survey_view(survey, o);
        char *refusal = NULL;
        SideChange *c;
        int r;

        if (grow(&t->side_changes, t->n_side_changes, sizeof(SideChange)) < 0)
                return -ENOMEM;

        c = t->side_changes + t->n_side_changes;
        *c = (SideChange) {.kind = kind, .practice = o->practice->name, .subject = o->subject, .target = strdup(target)};
        r = c->target ? kind->plan(&view, wanted, record, c, &refusal) : -ENOMEM;
        if (r > 0 && !refusal) {
                t->n_side_changes++;
                return change_of_side_record(c, t->ledger) < 0 ? -ENOMEM : 1;
        }

        side_change_done(c);
        if (refusal && r >= 0)
                return transaction_refuse(t, refusal);

        free(refusal);
        return r;
}

static int change_of_side_begin(const Survey *survey, _unused_ const Plan *plan, const bool *release, Transaction *t) {
        for (size_t i = 0; i < survey->ledger->n_side_changes; i++) {
                const LedgerSideChange *record = survey->ledger->side_changes + i;
                const Observation *o = survey_find(survey, record->practice, record->subject);
                const ChangeKindRow *kind = side_find_kind(survey->side, record->kind);
                int r;

                if (!kind || !change_is_released(survey, release, record->practice, record->subject))
                        continue;

                r = change_of_side_add(survey, o, kind, record->target, /* wanted= */ NULL, t);
                if (r < 0)
                        return r;
                if (r == 0 && !t->refusal)
                        ledger_drop_side_change(t->ledger,
                                                ledger_side_change(t->ledger, record->kind, record->target));
        }

        return 0;
}

static int change_of_side_resolve(const Survey *survey, const Change *c, Transaction *t) {
        const Observation *o = survey_find(survey, c->practice, c->subject);
        int r;

        r = change_of_side_add(survey, o, side_find_kind(survey->side, c->side_kind), c->target, c, t);
        return r < 0 ? r : 0;
}

static int change_of_side_to_json(const Transaction *t, json_object *changes) {
        for (size_t i = 0; i < t->n_side_changes; i++) {
                const SideChange *c = t->side_changes + i;
                json_object *o = json_object_new_object();

                if (!o || json_add(changes, o) < 0 || json_set_text(o, "kind", c->kind->name) < 0 ||
                    change_set_owner(o, c->practice, c->subject) < 0 || json_set_text(o, "target", c->target) < 0 ||
                    json_set_text(o, "action", c->gone ? "remove" : c->existed ? "change" : "create") < 0)
                        return -ENOMEM;
        }

        return 0;
}

const ChangeDriver change_of_side = {
        .name = "side",
        .begin = change_of_side_begin,
        .resolve = change_of_side_resolve,
        .to_json = change_of_side_to_json,
        .done = change_of_side_done,
};
