/* SPDX-License-Identifier: Apache-2.0 */

#include "engine/change.h"

static void unit_change_done(UnitChange *u) {
        free(u->unit);
        free(u->expect);
}

static void change_unit_done(Transaction *t) {
        for (size_t i = 0; i < t->n_units; i++)
                unit_change_done(t->units + i);
        free(t->units);
        t->units = NULL;
        t->n_units = 0;
}

static UnitChange *change_find_unit(const Transaction *t, const char *unit) {
        for (size_t i = 0; i < t->n_units; i++)
                if (streq(t->units[i].unit, unit))
                        return t->units + i;

        return NULL;
}

int change_add_unit(const Survey *survey, Transaction *t, const char *practice, const char *subject, const char *unit,
                    bool service, const char *expect) {
        UnitChange *u;

        if (!unit || survey->machine->kind != MACHINE_LIVE)
                return 0;

        u = change_find_unit(t, unit);
        if (!u) {
                if (grow(&t->units, t->n_units, sizeof(UnitChange)) < 0)
                        return -ENOMEM;
                u = t->units + t->n_units++;
        }

        u->practice = practice;
        u->subject = subject;
        u->service = service;
        if (free_and_strdup(&u->unit, unit) < 0 || free_and_strdup(&u->expect, expect) < 0)
                return -ENOMEM;

        return 0;
}

void change_drop_unit(Transaction *t, const char *unit) {
        UnitChange *u = change_find_unit(t, unit);

        for (size_t i = 0; i < t->n_files; i++)
                if (streq_ptr(t->files[i].unit, unit))
                        return;
        if (!u)
                return;

        unit_change_done(u);
        memmove(u, u + 1, (size_t) (t->units + t->n_units - u - 1) * sizeof(*u));
        t->n_units--;
}

static int change_unit_resolve(const Survey *survey, const Change *c, Transaction *t) {
        return change_add_unit(survey, t, c->practice, c->subject, c->target, /* service= */ c->expect != NULL,
                               c->expect);
}

static int change_unit_to_json(const Transaction *t, json_object *changes) {
        for (size_t i = 0; i < t->n_units; i++) {
                const UnitChange *u = t->units + i;
                json_object *o = change_object(changes, &change_unit);

                if (!o || change_set_owner(o, u->practice, u->subject) < 0 || json_set_text(o, "unit", u->unit) < 0 ||
                    json_set_text(o, "action", "restart") < 0)
                        return -ENOMEM;
        }

        return 0;
}

const ChangeDriver change_unit = {
        .name = "unit",
        .resolve = change_unit_resolve,
        .to_json = change_unit_to_json,
        .done = change_unit_done,
};
