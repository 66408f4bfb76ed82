/* SPDX-License-Identifier: Apache-2.0 */

#include "core/diff.h"
#include "agent/tpm/pcr-forecast.h"
#include "agent/gtune.h"
#include "core/text.h"

static int diff_file(const FileChange *f, Buffer *b) {
        return diff_unified(b, f->path, f->existed ? &f->old : NULL, f->gone ? NULL : &f->new);
}

/* A diff in a pipe is for programs, and its bytes are the files'. On a terminal none of them may be a command. */
static int print_changes_text(const Buffer *changes) {
        _cleanup_buffer_ Buffer clean = BUFFER_NULL;
        int r = 0;

        if (isatty(STDOUT_FILENO)) {
                r = text_print(&clean, changes->data, changes->size);
                changes = &clean;
        }
        if (r >= 0)
                (void) fwrite(changes->data, 1, changes->size, stdout);

        return r;
}

static int print_changes(const Transaction *t) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < t->n_files; i++)
                r = diff_file(t->files + i, &b);
        for (size_t i = 0; r >= 0 && i < t->n_attributes; i++) {
                const AttributeChange *a = t->attributes + i;

                r = a->at_boot ? buffer_printf(&b, "%s: %s at boot\n", a->path, a->new)
                               : buffer_printf(&b, "%s: %s -> %s\n", a->path, a->old, a->new);
        }
        for (size_t i = 0; r >= 0 && i < t->n_units; i++)
                r = buffer_printf(&b, "restart %s%s\n", t->units[i].unit, t->units[i].service ? " if it runs" : "");
        if (r >= 0 && b.size == 0)
                r = buffer_puts(&b, "Nothing to do.\n");
        return r < 0 ? r : print_changes_text(&b);
}

static bool changes_file(const Transaction *t, const char *path) {
        for (size_t i = 0; i < t->n_files; i++)
                if (streq(t->files[i].path, path))
                        return true;

        return false;
}

static bool changes_boot(const Survey *survey, const Transaction *t) {
        for (size_t i = 0; i < survey->stores->n_stores; i++)
                if (changes_file(t, survey->stores->stores[i]->path))
                        return true;

        return false;
}

/* Entries that keep their command line, so that nobody has to wonder. */
static void print_left_alone(const Survey *survey, const Transaction *t) {
        if (!changes_boot(survey, t))
                return;

        for (size_t i = 0; i < survey->view.machine->n_entries; i++) {
                const BootEntry *e = survey->view.machine->entries[i];

                if (e->kind != ENTRY_SYSTEM && e->kind != ENTRY_TEMPLATE)
                        printf("%s:%u: left alone, a %s entry\n", e->path, e->line, entry_kind_to_string(e->kind));
        }
}

static void print_held(const Survey *survey) {
        for (size_t i = 0; i < N_PRACTICES; i++)
                if (survey->findings[i]->held)
                        printf("%s is held since it was reverted: `gtune apply` takes it up again.\n",
                               practices[i]->name);
}

/* What other files are made from (/etc/default/grub, /etc/kernel/cmdline) is read by no boot loader. */
static bool is_booted_from(const BootStore *store) {
        for (size_t i = 0; i < store->n_entries; i++)
                if (store->entries[i].kind != ENTRY_TEMPLATE)
                        return true;

        return false;
}

/* A measured boot will see other files, and another command line. */
static int foresee(const Context *c, const Survey *survey, const Transaction *t, Forecast *ret) {
        const BootStores *stores = survey->stores;
        _cleanup_free_ const char **paths = calloc(stores->n_stores + 1, sizeof(*paths));

        for (size_t i = 0, n = 0; paths && i < stores->n_stores; i++)
                if (is_booted_from(stores->stores[i]) && changes_file(t, stores->stores[i]->path))
                        paths[n++] = stores->stores[i]->path;

        return paths ? forecast_make(c, survey, paths, ret) : -ENOMEM;
}

static int print_json(const Transaction *t, const Forecast *forecast) {
        _cleanup_json_ json_object *o = NULL;
        json_object *changes, *pcrs = NULL;
        int r;

        r = transaction_to_json(t, &o);
        if (r >= 0)
                r = forecast_to_json(forecast, &pcrs);
        if (r >= 0)
                r = json_set(o, "pcrs", pcrs);
        if (r < 0)
                return r;

        changes = json_get_array(o, "changes");
        for (size_t i = 0; i < t->n_files; i++) {
                _cleanup_buffer_ Buffer b = BUFFER_NULL;

                r = diff_file(t->files + i, &b);
                if (r >= 0)
                        r = json_set_text(json_object_array_get_idx(changes, i), "diff", b.data);
                if (r < 0)
                        return r;
        }

        return print_document(o);
}

static int print_text(const Survey *survey, const Transaction *t, const Forecast *forecast) {
        int r;

        r = print_changes(t);
        if (r < 0)
                return r;

        print_held(survey);
        print_left_alone(survey, t);
        return forecast_print(forecast);
}

int verb_plan(Context *c, char **arguments) {
        _cleanup_(survey_freep) Survey *survey = NULL;
        _cleanup_forecast_ Forecast forecast = {};
        _cleanup_(transaction_freep) Transaction *t = NULL;
        int r, status;

        (void) arguments;

        r = take_survey(c, &survey);
        if (r < 0)
                return r;

        print_policy_errors(survey->view.policy);
        if (survey->view.policy->n_errors > 0)
                return complain("nothing of a policy with errors is applied");

        r = transaction_resolve(survey, survey->plan, survey_unwanted(survey), &t);
        if (r < 0)
                return r;
        if (t->refusal)
                return complain("%s", t->refusal);

        r = foresee(c, survey, t, &forecast);
        if (r >= 0)
                r = c->json ? print_json(t, &forecast) : print_text(survey, t, &forecast);
        if (r < 0)
                return r;

        status = survey_exit_status(survey, PRACTICES_ALL);
        return status == STATUS_UNMET || transaction_is_empty(t) ? status : STATUS_CHANGES;
}
