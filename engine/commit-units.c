/* SPDX-License-Identifier: Apache-2.0 */

#include "engine/commit-internal.h"
#include "engine/unit-jobs.h"

static bool unit_reads_changed_file(const Transaction *t, const char *unit) {
        for (size_t i = 0; i < t->n_files; i++)
                if (streq_ptr(t->files[i].unit, unit))
                        return true;

        return false;
}

/* Give the ledger of afterwards the record of before. */
static int commit_restore_record(Commit *c, const char *path) {
        const LedgerFile *before = ledger_file(c->survey->ledger, path);
        LedgerFile *record = ledger_file(c->t->ledger, path);

        if (!before) {
                if (record)
                        ledger_drop_file(c->t->ledger, record);
                return 0;
        }

        if (!record)
                record = ledger_add_file(c->t->ledger);
        if (!record || free_and_strdup(&record->practice, before->practice) < 0 ||
            free_and_strdup(&record->subject, before->subject) < 0 ||
            free_and_strdup(&record->path, before->path) < 0 ||
            free_and_strdup(&record->sha256, before->sha256) < 0 ||
            free_and_strdup(&record->unit, before->unit) < 0 ||
            free_and_strdup(&record->boot_id, before->boot_id) < 0)
                return -ENOMEM;

        return 0;
}

/* What was reverted by hand and is back is not held. */
static void commit_restore_hold(Commit *c, const UnitChange *u) {
        if (!ledger_hold(c->survey->ledger, u->practice, u->subject))
                ledger_drop_hold(c->t->ledger, u->practice, u->subject);
}

/* A service that does not come up gets the files that it had. That it may not run with those either is no failure. */
static int commit_give_back(Commit *c, const UnitChange *u, bool *ret_runs) {
        int r;

        commit_restore_hold(c, u);
        for (size_t i = 0; i < c->t->n_files; i++) {
                const FileChange *f = c->t->files + i;

                if (!streq_ptr(f->unit, u->unit))
                        continue;
                r = commit_put_back(c, f);
                if (r < 0)
                        return r;
                r = commit_restore_record(c, f->path);
                if (r < 0)
                        return r;
        }

        r = commit_write_ledger(c);
        if (r < 0)
                return r;
        r = units_reload();
        if (r < 0)
                return r;

        *ret_runs = unit_act(u->unit, "RestartUnit") >= 0;
        return 0;
}

static int commit_fail_unit(Commit *c, const UnitChange *u, int r, const char *why) {
        bool runs = false;
        int back;

        why = why ? why : error_text(-r);
        if (!unit_reads_changed_file(c->t, u->unit)) {
                commit_set_error(c, xasprintf("%s did not come up: %s", u->unit, why));
                return -r;
        }

        back = commit_give_back(c, u, &runs);
        if (back < 0)
                commit_set_error(c, xasprintf("%s did not come up: %s; and its old configuration cannot be put back: %s",
                                              u->unit, why, error_text(-back)));
        else
                commit_set_error(c, xasprintf("%s did not come up: %s; its old configuration is back%s", u->unit, why,
                                              runs ? "" : ", and it does not run with that either"));

        return -r;
}

/* Whether it ran before says whose fault it is that it does not run now. */
static int commit_act_on_unit(Commit *c, UnitChange *u) {
        _cleanup_free_ char *why = NULL;
        bool was_up = true;
        int r;

        r = u->service ? service_restart(u->unit, u->expect, &was_up, &why) : unit_act(u->unit, "RestartUnit");
        u->restarted = r > 0 || (r == 0 && !u->service);
        if (r >= 0)
                return 0;
        if (was_up)
                return commit_fail_unit(c, u, r, why);

        commit_set_error(c, xasprintf("%s had failed before, and still does not come up: %s", u->unit,
                                      why ? why : error_text(-r)));
        return -r;
}

/* Return: 0, or the positive errno of the first unit that failed. */
int commit_act_on_units(Commit *c) {
        int first = 0, r = 0;

        if (c->survey->machine->kind != MACHINE_LIVE)
                return 0;

        /* Also if gtuned changes no file: an administrator may have edited one without a reload. */
        if (c->t->n_units > 0)
                r = units_reload();

        for (size_t i = 0; i < c->t->n_units; i++) {
                UnitChange *u = c->t->units + i;
                int failed = r < 0 ? commit_fail_unit(c, u, r, "the service manager cannot read its files again")
                                   : commit_act_on_unit(c, u);

                if (first == 0)
                        first = failed;
        }

        return first;
}
