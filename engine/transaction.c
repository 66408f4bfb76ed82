/* SPDX-License-Identifier: Apache-2.0 */

#include "core/options.h"
#include "engine/change.h"

static void transaction_drop_changes(Transaction *t) {
        for (size_t i = 0; i < ELEMENTSOF(change_drivers); i++)
                if (change_drivers[i]->done)
                        change_drivers[i]->done(t);
}

Transaction *transaction_free(Transaction *t) {
        if (!t)
                return NULL;

        transaction_drop_changes(t);
        for (size_t i = 0; i < t->n_left_out; i++)
                free(t->left_out[i].reason);
        free(t->left_out);
        free(t->note);
        free(t->refusal);
        ledger_free(t->ledger);
        free(t);
        return NULL;
}

int transaction_refuse(Transaction *t, char *sentence) {
        if (!sentence)
                return -ENOMEM;
        if (t->refusal)
                free(sentence);
        else
                t->refusal = sentence;

        return 0;
}

bool transaction_leaves_out(const Transaction *t, const Observation *o) {
        for (size_t i = 0; i < t->n_left_out; i++)
                if (t->left_out[i].observation == o)
                        return true;

        return false;
}

int transaction_leave_out(Transaction *t, const Observation *o, const char *reason) {
        LeftOut *l;

        if (transaction_leaves_out(t, o))
                return 0;
        if (grow(&t->left_out, t->n_left_out, sizeof(LeftOut)) < 0)
                return -ENOMEM;

        l = t->left_out + t->n_left_out++;
        *l = (LeftOut) {.observation = o, .reason = strdup(reason)};
        return l->reason ? 0 : -ENOMEM;
}

int transaction_start_over(Transaction *t, const Ledger *ledger) {
        transaction_drop_changes(t);
        t->ledger = ledger_free(t->ledger);
        return ledger_copy(ledger, &t->ledger);
}

int transaction_left_out_status(const Transaction *t) {
        static const unsigned telling = 1U << STATE_CONFLICT | 1U << STATE_UNSUPPORTED | 1U << STATE_UNKNOWN;

        for (size_t i = 0; i < t->n_left_out; i++)
                if ((telling & 1U << t->left_out[i].observation->finding->state) == 0)
                        return STATUS_ERROR;

        return t->n_left_out > 0 ? STATUS_UNMET : STATUS_OK;
}

char *left_out_format(const LeftOut *l) {
        _cleanup_free_ char *name = finding_display_name(l->observation->finding);

        return name ? xasprintf("%s: its kernel parameters stay as they are: %s", name, l->reason) : NULL;
}

bool transaction_is_empty(const Transaction *t) {
        for (size_t i = 0; i < t->n_attributes; i++)
                if (!t->attributes[i].at_boot)
                        return false;

        return t->n_files == 0 && t->n_units == 0 && t->n_side_changes == 0;
}

bool transaction_restarts(const Transaction *t, const Observation *o) {
        for (size_t i = 0; i < t->n_units; i++)
                if (streq(t->units[i].practice, o->practice->name) && streq_ptr(t->units[i].subject, o->subject))
                        return true;

        return false;
}

int transaction_left_out_to_json(const Transaction *t, json_object *o) {
        json_object *array = t->n_left_out > 0 ? json_object_new_array() : NULL;

        if (t->n_left_out > 0 && json_set(o, "left_out", array) < 0)
                return -ENOMEM;

        for (const LeftOut *l = t->left_out; l < t->left_out + t->n_left_out; l++) {
                json_object *row = json_object_new_object();

                if (!row || json_add(array, row) < 0 ||
                    change_set_owner(row, l->observation->practice->name, l->observation->subject) < 0 ||
                    json_set_text(row, "reason", l->reason) < 0)
                        return -ENOMEM;
        }

        return 0;
}

int transaction_to_json(const Transaction *t, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        json_object *changes = json_object_new_array();

        if (!o || json_set(o, "changes", changes) < 0 || json_set_text(o, "refusal", t->refusal) < 0 ||
            transaction_left_out_to_json(t, o) < 0)
                return -ENOMEM;

        for (size_t i = 0; i < ELEMENTSOF(change_drivers); i++)
                if (change_drivers[i]->to_json && change_drivers[i]->to_json(t, changes) < 0)
                        return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}
