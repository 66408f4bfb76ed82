/* SPDX-License-Identifier: Apache-2.0 */

#include "engine/change.h"

Transaction *transaction_free(Transaction *t) {
        if (!t)
                return NULL;

        for (size_t i = 0; i < ELEMENTSOF(change_drivers); i++)
                if (change_drivers[i]->done)
                        change_drivers[i]->done(t);
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

int transaction_to_json(const Transaction *t, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        json_object *changes = json_object_new_array();

        if (!o || json_set(o, "changes", changes) < 0 || json_set_text(o, "refusal", t->refusal) < 0)
                return -ENOMEM;

        for (size_t i = 0; i < ELEMENTSOF(change_drivers); i++)
                if (change_drivers[i]->to_json && change_drivers[i]->to_json(t, changes) < 0)
                        return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}
