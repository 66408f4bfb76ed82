/* SPDX-License-Identifier: Apache-2.0 */

#include "cli/verb.h"
#include "core/diff.h"
#include "core/text.h"
#include "engine/resolve.h"

static int diff_file(const FileChange *f, Buffer *b) {
        return diff_unified(b, f->path, f->existed ? &f->old : NULL, f->gone ? NULL : &f->new);
}

static int diff_side_change(const SideChange *c, Buffer *b) {
        return diff_unified(b, c->target, c->existed ? &c->old : NULL, c->gone ? NULL : &c->new);
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
                (void) text_write(stdout, changes);

        return r;
}

static int format_changes(const Transaction *t, Buffer *b) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < t->n_files; i++)
                r = diff_file(t->files + i, b);
        for (size_t i = 0; r >= 0 && i < t->n_side_changes; i++)
                r = diff_side_change(t->side_changes + i, b);
        for (size_t i = 0; r >= 0 && i < t->n_attributes; i++) {
                const AttributeChange *a = t->attributes + i;

                r = a->at_boot ? text_printf(b, "%s: %s at boot\n", a->path, a->new)
                               : text_printf(b, "%s: %s -> %s\n", a->path, a->old, a->new);
        }
        for (size_t i = 0; r >= 0 && i < t->n_units; i++)
                r = text_printf(b, "restart %s%s\n", t->units[i].unit, t->units[i].service ? " if it runs" : "");
        if (r >= 0 && b->size == 0)
                r = buffer_puts(b, "Nothing to do.\n");

        return r;
}

static bool plan_changes_boot(const Survey *survey, const Transaction *t) {
        for (size_t i = 0; i < t->n_files; i++)
                if (boot_stores_by_path(survey->stores, t->files[i].path))
                        return true;

        return false;
}

/* Name the entries that keep their command line, so that their owner need not wonder. */
static void print_left_alone(const Survey *survey, const Transaction *t) {
        if (!plan_changes_boot(survey, t))
                return;

        for (size_t i = 0; i < survey->machine->n_entries; i++) {
                const BootEntry *e = survey->machine->entries[i];

                if (e->kind == ENTRY_UNEDITED)
                        text_say(stdout, "%s:%u: left alone, and it boots this system: gtuned does not change this file, or this "
                               "command\n", e->path, e->line);
                else if (e->kind != ENTRY_SYSTEM && e->kind != ENTRY_TEMPLATE)
                        text_say(stdout, "%s:%u: left alone, a %s entry\n", e->path, e->line, entry_kind_to_string(e->kind));
        }
        for (size_t i = 0; i < survey->machine->n_remarks; i++)
                text_say(stdout, "%s\n", survey->machine->remarks[i]);
}

void print_other_names(const char *separator, unsigned n) {
        if (n > 0)
                text_say(stdout, "%s%u other name%s keep%s the old content", separator, n,
                         n > 1 ? "s (hard links)" : " (hard link)", n > 1 ? "" : "s");
}

/* A copy by hard links, as of a backup, keeps what it was made of; a boot loader that reads it would miss the change. */
static void print_linked_files(const Transaction *t) {
        for (size_t i = 0; i < t->n_files; i++)
                if (t->files[i].other_names > 0) {
                        text_say(stdout, "%s", t->files[i].path);
                        print_other_names(": ", t->files[i].other_names);
                        text_say(stdout, "\n");
                }
}

static int complain_left_out(const Context *c, const Transaction *t) {
        for (size_t i = 0; i < t->n_left_out; i++) {
                _cleanup_free_ char *text = left_out_format(t->left_out + i);

                if (!text)
                        return -ENOMEM;
                (void) complain(c, "%s", text);
        }

        return 0;
}

static int print_held(const Context *c, const Survey *survey) {
        for (size_t i = 0; i < survey->n_observations; i++) {
                const Finding *f = survey->observations[i].finding;
                _cleanup_free_ char *name = finding_display_name(f);

                if (!name)
                        return -ENOMEM;
                if (f->held)
                        text_say(stdout, "%s is held since it was reverted: `%s apply` takes it up again.\n", name,
                               c->program->name);
        }

        return 0;
}

/* No boot loader reads what other files are made from (/etc/default/grub, /etc/kernel/cmdline). */
static bool store_is_booted_from(const BootStore *store) {
        for (size_t i = 0; i < store->n_entries; i++)
                if (store->entries[i].kind != ENTRY_TEMPLATE)
                        return true;

        return false;
}

/* Say what a measured boot will see otherwise: other files, and another command line. */
static int plan_forecast(Context *c, const Survey *survey, const Transaction *t, json_object *o) {
        _cleanup_free_ const char **paths = calloc(t->n_files + 1, sizeof(*paths));
        size_t n = 0;

        if (!c->program->hooks.forecast)
                return 0;
        if (!paths)
                return -ENOMEM;

        for (size_t i = 0; i < t->n_files; i++) {
                const BootStore *store = boot_stores_by_path(survey->stores, t->files[i].path);

                if (store && store_is_booted_from(store))
                        paths[n++] = store->path;
        }

        return c->program->hooks.forecast(c, survey, paths, o);
}

/* The changes of a document that have a diff come in the order of the transaction: files, then the side's own. */
static int add_diffs(const Transaction *t, json_object *changes) {
        size_t first_own = t->n_files + t->n_attributes + t->n_units;

        for (size_t i = 0; i < t->n_files + t->n_side_changes; i++) {
                bool file = i < t->n_files;
                json_object *o = json_object_array_get_idx(changes, file ? i : first_own + i - t->n_files);
                _cleanup_buffer_ Buffer b = BUFFER_NULL;
                int r;

                r = file ? diff_file(t->files + i, &b) : diff_side_change(t->side_changes + i - t->n_files, &b);
                if (r < 0)
                        return r;
                r = json_set_text(o, "diff", b.data);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int print_plan_json(Context *c, const Survey *survey, const Transaction *t) {
        _cleanup_json_ json_object *o = NULL;
        int r;

        r = transaction_to_json(t, &o);
        if (r < 0)
                return r;
        r = plan_forecast(c, survey, t, o);
        if (r < 0)
                return r;
        r = add_diffs(t, json_get_array(o, "changes"));
        if (r < 0)
                return r;

        return print_document(o);
}

static int print_plan_text(Context *c, const Survey *survey, const Transaction *t) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        int r;

        r = format_changes(t, &b);
        if (r < 0)
                return r;
        r = print_changes_text(&b);
        if (r < 0)
                return r;
        r = print_held(c, survey);
        if (r < 0)
                return r;

        print_left_alone(survey, t);
        print_linked_files(t);
        return plan_forecast(c, survey, t, NULL);
}

int verb_plan(Context *c, _unused_ char **arguments) {
        _cleanup_(survey_freep) Survey *survey = NULL;
        _cleanup_(transaction_freep) Transaction *t = NULL;
        int r, status;

        r = take_survey(c, &survey);
        if (r < 0)
                return r;

        print_policy_errors(survey->policy);
        if (survey->policy->n_errors > 0)
                return complain(c, "the policy has errors; nothing would be applied");

        r = resolve_policy(survey, &t);
        if (r < 0)
                return r;
        if (t->refusal)
                return complain(c, "%s", t->refusal);

        r = c->json ? print_plan_json(c, survey, t) : print_plan_text(c, survey, t);
        if (r < 0)
                return r;

        r = complain_left_out(c, t);
        if (r < 0)
                return r;
        if (t->n_left_out > 0)
                return transaction_left_out_status(t);

        status = survey_exit_status(survey, PRACTICE_SET_ALL);
        return status == STATUS_UNMET || transaction_is_empty(t) ? status : STATUS_CHANGES;
}
