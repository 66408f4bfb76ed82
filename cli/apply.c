/* SPDX-License-Identifier: Apache-2.0 */

#include "cli/verb.h"
#include "core/chroot.h"
#include "core/text.h"
#include "engine/announce.h"
#include "engine/apply.h"
#include "engine/own-unit.h"
#include "engine/report.h"
#include "engine/unit-jobs.h"

/* A verb that writes: the apply, and the context that it runs for. */
typedef struct Work {
        Context *c;
        Apply apply;
        bool has_news; /* Hooks.announce is to be called */
        int left_out;  /* transaction_left_out_status() */
} Work;

static void work_done(Work *w) {
        apply_done(&w->apply);
}

static Work work_begin(Context *c) {
        return (Work) {
                .c = c,
                .apply = {
                        .side = c->side,
                        .root = c->root,
                        .arch = c->arch,
                        .lock_fd = -EBADF,
                },
        };
}

static int check_place(const Context *c) {
        /* An ordinary user may not look at what tells a chroot. */
        if (root_is_live(c->root) && geteuid() != 0)
                return complain(c, "only root can change this system: run %s as root", c->program->name);
        if (root_is_live(c->root) && in_chroot(c->root))
                return complain(c, "this looks like a chroot, whose /sys and /proc belong to another machine: "
                                   "run %s --root from outside instead", c->program->name);

        return 0;
}

/* Say what went wrong, once: in the journal or on stderr. Return: STATUS_ERROR or -ENOMEM. */
static int work_report(Work *w, int r) {
        const char *error = strempty(w->apply.error);

        if (r == -ENOMEM)
                return r;

        apply_keep_failure(&w->apply);
        return announce_refusal(w->c->root, error) ? STATUS_ERROR : complain(w->c, "%s", error);
}

/* Every unit that applies fails by itself, and each says why; a message with an id comes only once. */
static int work_report_policy(Work *w) {
        const Policy *policy = w->apply.survey->policy;
        _cleanup_free_ char *first = NULL;
        const PolicyError *e = policy->errors;

        first = complaint_format(e->file, e->line, e->reason);
        w->apply.error = first ? xasprintf("the policy has errors; nothing was applied; the first: %s", first) : NULL;
        if (!w->apply.error)
                return -ENOMEM;

        if (apply_failed_so_before(&w->apply) || !announce_policy_errors(w->c->root, policy)) {
                print_policy_errors(policy);
                (void) complain(w->c, "the policy has errors; nothing was applied");
        }

        apply_keep_failure(&w->apply);
        return STATUS_ERROR;
}

/* Check the place, lock, recover, survey. Return: 0, an exit status after a complaint, or -errno. */
static int work_look(Work *w) {
        const Hooks *hooks = &w->c->program->hooks;
        _cleanup_free_ char *note = NULL;
        int r;

        r = check_place(w->c);
        if (r != 0)
                return r;

        r = apply_begin(&w->apply, &note);
        if (r >= 0 && hooks->before)
                r = hooks->before(w->c, &w->apply.error);
        if (r < 0)
                return work_report(w, r);
        if (note)
                text_say(stderr, "%s: %s\n", w->c->program->name, note);

        r = apply_survey(&w->apply);
        return check_survey(w->c, r, &w->apply.survey);
}

static void print_done(const Transaction *t) {
        if (transaction_is_empty(t))
                puts("Nothing to do.");

        for (size_t i = 0; i < t->n_files; i++) {
                text_say(stdout, "%s: %s", t->files[i].path,
                       t->files[i].gone ? "removed" : t->files[i].existed ? "changed" : "created");
                print_other_names("; ", t->files[i].other_names);
                text_say(stdout, "\n");
        }
        for (size_t i = 0; i < t->n_attributes; i++)
                if (!t->attributes[i].at_boot)
                        text_say(stdout, "%s: %s -> %s\n", t->attributes[i].path, strempty(t->attributes[i].old),
                               t->attributes[i].new);
        for (size_t i = 0; i < t->n_side_changes; i++)
                text_say(stdout, "%s %s: %s\n", t->side_changes[i].kind->name, t->side_changes[i].target,
                       t->side_changes[i].gone ? "removed" : t->side_changes[i].existed ? "changed" : "created");
        for (size_t i = 0; i < t->n_units; i++)
                if (t->units[i].restarted)
                        text_say(stdout, "%s: restarted\n", t->units[i].unit);
}

/* In the journal or on stderr, as work_report(). */
static int work_report_left_out(Work *w) {
        const Transaction *t = w->apply.t;

        for (size_t i = 0; i < t->n_left_out; i++) {
                _cleanup_free_ char *text = left_out_format(t->left_out + i);

                if (!text)
                        return -ENOMEM;
                if (!announce_refusal(w->c->root, text))
                        (void) complain(w->c, "%s", text);
        }

        return 0;
}

static int work_commit(Work *w, const char *result) {
        const Hooks *hooks = &w->c->program->hooks;
        Apply *a = &w->apply;
        int r;

        r = apply_commit(a, result);
        if (r != 0)
                return work_report(w, r < 0 ? r : -r);

        if (a->survey->machine->kind == MACHINE_LIVE && hooks->after) {
                r = hooks->after(w->c, a->survey);
                if (r < 0)
                        return r;
                w->has_news = r > 0;
        }

        announce_done(a->root, a->t, streq(result, "reverted"));
        if (a->t->note)
                text_say(stderr, "%s: %s\n", w->c->program->name, a->t->note);
        if (!w->c->json)
                print_done(a->t);

        return work_report_left_out(w);
}

/* Show how things are afterwards. */
static int work_finish(Work *w) {
        const Hooks *hooks = &w->c->program->hooks;
        _cleanup_(survey_freep) Survey *after = NULL;
        _cleanup_json_ json_object *report = NULL;
        int r;

        /* Its memory serves the next survey. */
        w->apply.t = transaction_free(w->apply.t);
        w->apply.survey = survey_free(w->apply.survey);

        r = take_survey(w->c, &after);
        if (r < 0)
                return r;
        if (w->has_news && hooks->announce)
                hooks->announce(w->c, after);

        if (w->c->json) {
                r = report_make(after, &report);
                if (r >= 0)
                        r = print_document(report);
        } else {
                print_policy_errors(after->policy);
                r = print_status(w->c, after, PRACTICE_SET_ALL);
        }

        if (r < 0)
                return r;

        r = survey_exit_status(after, PRACTICE_SET_ALL);
        return w->left_out != STATUS_OK && r != STATUS_ERROR ? w->left_out : r;
}

/* Restarting the unit that this process belongs to would kill it half-way, as under qemu-ga's guest-exec. */
static int work_hand_over(Work *w, const char *own) {
        const char *unit = w->c->side->apply_unit;
        int r;

        w->apply.lock_fd = safe_close(w->apply.lock_fd);
        text_say(stderr, "%s: this runs inside of %s, which has to be restarted: %s does it\n", w->c->program->name, own,
                unit);

        r = unit_act(unit, "StartUnit");
        if (r < 0)
                return complain(w->c, "%s failed: %s; see systemctl status %s", unit,
                                r == -EIO ? "it ended with an error" : error_text(-r), unit);

        return work_finish(w);
}

int verb_apply(Context *c, _unused_ char **arguments) {
        _cleanup_(work_done) Work w = work_begin(c);
        const char *unit;
        int r;

        r = work_look(&w);
        if (r != 0)
                return r;
        if (w.apply.survey->policy->n_errors > 0)
                return work_report_policy(&w);

        announce_drift(w.apply.survey);
        r = c->unattended ? 0 : apply_drop_holds(&w.apply);
        if (r < 0)
                return w.apply.error ? work_report(&w, r) : check_survey(c, r, &w.apply.survey);
        r = apply_resolve(&w.apply);
        if (r < 0)
                return r;

        w.left_out = transaction_left_out_status(w.apply.t);
        unit = own_unit(c->root, w.apply.t);
        if (unit && !w.apply.t->refusal)
                return work_hand_over(&w, unit);

        r = work_commit(&w, "applied");
        if (r == 0 && w.apply.left_out) {
                w.apply.error = TAKE_PTR(w.apply.left_out);
                r = work_report(&w, -EINVAL);
        }

        return r != 0 ? r : work_finish(&w);
}

int verb_revert(Context *c, char **arguments) {
        _cleanup_(work_done) Work w = work_begin(c);
        PracticeSet set;
        const char *unit;
        int r;

        r = parse_practices(c, arguments, &set);
        if (r != 0)
                return r;
        r = work_look(&w);
        if (r != 0)
                return r;

        r = apply_resolve_revert(&w.apply, set);
        if (r < 0 && r != -EBUSY)
                return r;

        /* The apply unit does not revert, so no unit can be given the work. */
        unit = own_unit(c->root, w.apply.t);
        if (unit)
                return complain(c, "this runs inside of %s, which has to be restarted: use "
                                   "`systemd-run --wait %s revert` instead",
                                unit, c->program->name);

        /* Its user asked for it by name: if something must not be done now, that is an error, and nothing is done. */
        if (r == -EBUSY)
                return complain(c, "%s", w.apply.left_out);

        r = work_commit(&w, "reverted");
        return r != 0 ? r : work_finish(&w);
}
