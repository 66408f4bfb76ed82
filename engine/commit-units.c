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

/* A service that does not come up gets the files that it had. */
static int commit_give_back(Commit *c, const UnitChange *u) {
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

        return 0;
}

/* The files are back, and stay so. Return: what became of the rest, which the caller frees; NULL: no memory. */
static char *commit_run_as_before(Commit *c, const char *unit) {
        int r;

        r = commit_write_ledger(c);
        if (r < 0)
                return xasprintf("its old configuration is back, and the ledger cannot be written: %s",
                                 error_text(-r));
        r = units_reload();
        if (r < 0)
                return xasprintf("its old configuration is back, and the service manager has not read it yet: %s; run "
                                 "systemctl daemon-reload and systemctl restart %s", error_text(-r), unit);
        r = unit_act(unit, "RestartUnit");
        if (r == -ETIMEDOUT)
                return xasprintf("its old configuration is back, and its restart is under way: see systemctl status %s",
                                 unit);

        return xasprintf("its old configuration is back%s", r < 0 ? ", and it does not run with that either" : "");
}

static int commit_fail_unit(Commit *c, const UnitChange *u, int r, const char *what, const char *why) {
        _cleanup_free_ char *outcome = NULL;
        int back;

        why = why ? why : error_text(-r);
        if (!unit_reads_changed_file(c->t, u->unit)) {
                commit_set_error(c, xasprintf("%s %s: %s", u->unit, what, why));
                return -r;
        }

        back = commit_give_back(c, u);
        outcome = back < 0 ? xasprintf("and its old configuration cannot be put back: %s", error_text(-back))
                           : commit_run_as_before(c, u->unit);
        commit_set_error(c, outcome ? xasprintf("%s %s: %s; %s", u->unit, what, why, outcome) : NULL);
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
                return commit_fail_unit(c, u, r, "did not come up", why);

        commit_set_error(c, xasprintf("%s had failed before, and still does not come up: %s", u->unit,
                                      why ? why : error_text(-r)));
        return -r;
}

/* Return: 0, or the positive errno of the first unit that failed. */
int commit_act_on_units(Commit *c) {
        _cleanup_free_ char *reload_error = NULL;
        int first = 0, r = 0;

        if (c->survey->machine->kind != MACHINE_LIVE)
                return 0;

        /* Also if gtuned changes no file: an administrator may have edited one without a reload. */
        if (c->t->n_units > 0)
                r = units_reload();
        if (r < 0)
                reload_error = xasprintf("the service manager did not read its files again: %s", error_text(-r));

        for (size_t i = 0; i < c->t->n_units; i++) {
                UnitChange *u = c->t->units + i;
                int failed = r < 0 ? commit_fail_unit(c, u, r, "was not restarted", reload_error)
                                   : commit_act_on_unit(c, u);

                if (first == 0)
                        first = failed;
        }

        return first;
}
