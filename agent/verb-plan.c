/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/diff.h"
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
                r = buffer_printf(&b, "%s %s\n", t->units[i].verb, t->units[i].unit);
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

/* Entries that keep their command line, so that nobody has to wonder. */
static void print_left_alone(const Survey *survey, const Transaction *t) {
        for (size_t i = 0; i < survey->guest.machine->n_entries; i++) {
                const BootEntry *e = survey->guest.machine->entries[i];

                if (e->kind != ENTRY_SYSTEM && e->kind != ENTRY_TEMPLATE && changes_file(t, e->path))
                        printf("%s:%u: left alone, a %s entry\n", e->path, e->line, entry_kind_to_string(e->kind));
        }
}

static void print_held(const Survey *survey) {
        for (size_t i = 0; i < N_PRACTICES; i++)
                if (survey->findings[i]->held)
                        printf("%s is held since it was reverted: `gtune apply` takes it up again.\n",
                               practices[i]->name);
}

/* A measured boot will see another command line. */
static void print_tpm_notice(const Survey *survey, const Transaction *t) {
        bool boot_files = false;

        for (size_t i = 0; i < survey->stores->n_stores; i++)
                boot_files = boot_files || changes_file(t, survey->stores->stores[i]->path);

        if (boot_files && root_exists(survey->root, "/sys/class/tpm/tpm0"))
                puts("This guest has a TPM: the next boot will change PCR 8 and 9 where GRUB measures (its tpm\n"
                     "module). Renew what is sealed to them, and baselines.");
}

static int print_json(const Transaction *t) {
        _cleanup_json_ json_object *o = NULL;
        json_object *changes;
        int r;

        r = transaction_to_json(t, &o);
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

int verb_plan(Context *c, char **arguments) {
        _cleanup_(survey_freep) Survey *survey = NULL;
        _cleanup_(transaction_freep) Transaction *t = NULL;
        int r, status;

        (void) arguments;

        r = take_survey(c, &survey);
        if (r < 0)
                return r;

        print_policy_errors(survey->guest.policy);
        if (survey->guest.policy->n_errors > 0)
                return complain("nothing of a policy with errors is applied");

        r = transaction_resolve(survey, survey->plan, survey_unwanted(survey), &t);
        if (r < 0)
                return r;
        if (t->refusal)
                return complain("%s", t->refusal);

        r = c->json ? print_json(t) : print_changes(t);
        if (r < 0)
                return r;
        if (!c->json) {
                print_held(survey);
                print_left_alone(survey, t);
                print_tpm_notice(survey, t);
        }

        status = survey_exit_status(survey, PRACTICES_ALL);
        if (status == STATUS_UNMET || (status == STATUS_REBOOT && transaction_is_empty(t)))
                return status;

        return transaction_is_empty(t) ? STATUS_OK : STATUS_CHANGES;
}
