/* SPDX-License-Identifier: Apache-2.0 */

#include <sys/stat.h>

#include "engine/announce.h"
#include "engine/commit.h"
#include "agent/credential.h"
#include "agent/gtune.h"
#include "engine/last-apply.h"
#include "agent/tpm/ask.h"
#include "engine/unit-jobs.h"
#include "core/replace.h"
#include "measured-boot/measured-boot.h"

#define APPLY_UNIT "gtuned-apply.service"

/* What a verb that writes has under way. */
typedef struct Work {
        Context *c;
        int lock_fd;
        Survey *survey;
        Transaction *t;
        bool verdict_new; /* the boot is judged for the first time, or otherwise than before */
        char *error;
        char *left_out; /* why what a practice asks for is not done, though the rest is */
} Work;

static void work_done(Work *w) {
        closep(&w->lock_fd);
        survey_free(w->survey);
        transaction_free(w->t);
        free(w->error);
        free(w->left_out);
}

/* Whether "/" is a mount point, as it is for every process outside a chroot (proc_pid_mountinfo(5)). */
static bool root_is_mounted(const Root *root) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        char *state = NULL;

        if (root_read(root, "/proc/self/mountinfo", 1024U * 1024U, &text) < 0)
                return false;

        for (char *line = strtok_r(text.data, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
                char where[3] = "";

                if (sscanf(line, "%*s %*s %*s %*s %2s", where) == 1 && streq(where, "/"))
                        return true;
        }

        return false;
}

/*
 * As systemd's running_in_chroot(): the first process knows the real root. Who may not ask it is a service of
 * systemd with few rights, such as our own boot unit, or something that cannot be trusted to be the whole system.
 */
static bool in_chroot(const Root *root) {
        struct stat here, init;

        if (stat("/", &here) >= 0 && stat("/proc/1/root", &init) >= 0)
                return here.st_dev != init.st_dev || here.st_ino != init.st_ino;

        return !getenv("INVOCATION_ID") || !root_is_mounted(root);
}

static int check_place(const Context *c) {
        if (root_is_live(c->root) && in_chroot(c->root))
                return complain("this looks like a chroot, whose /sys and /proc belong to another machine: "
                                "run gtune --root from outside instead");

        return 0;
}

static int report_error(Work *w, int r) {
        if (r == -ENOMEM)
                return r;
        if (w->survey && w->survey->view.machine->kind == MACHINE_LIVE)
                (void) last_apply_write(w->c->root, w->survey->view.machine->boot_id, "failed", w->error);

        return announce_refusal(w->c->root, strempty(w->error)) ? STATUS_ERROR : complain("%s", strempty(w->error));
}

/* Whether the last apply of this boot failed for the same reason. */
static bool failed_so_before(const Work *w) {
        _cleanup_json_ json_object *last = NULL;

        return last_apply_read(w->c->root, &last) >= 0 && last &&
               streq_ptr(json_get_text(last, "boot_id"), w->survey->view.machine->boot_id) &&
               streq_ptr(json_get_text(last, "error"), w->error);
}

/* Every unit that applies fails by itself, and each says why; a message with an id comes only once. */
static int report_policy_errors(Work *w) {
        const Policy *policy = w->survey->view.policy;
        const Machine *machine = w->survey->view.machine;
        const PolicyError *first = policy->errors;

        w->error = first->line > 0 ? xasprintf("nothing of a policy with errors is applied; the first: %s:%u: %s",
                                               first->file, first->line, first->reason)
                                   : xasprintf("nothing of a policy with errors is applied; the first: %s: %s", first->file,
                                               first->reason);
        if (!w->error)
                return -ENOMEM;

        if (failed_so_before(w) || !announce_policy_errors(w->c->root, policy)) {
                print_policy_errors(policy);
                (void) complain("nothing of a policy with errors is applied");
        }
        if (machine->kind == MACHINE_LIVE)
                (void) last_apply_write(w->c->root, machine->boot_id, "failed", w->error);
        return STATUS_ERROR;
}

/* Only the boot unit is given what the host offers. A person's apply drops what has ceased to be accepted. */
static int take_credential(Work *w) {
        const char *directory = w->c->unattended ? getenv("CREDENTIALS_DIRECTORY") : NULL;

        if (!root_is_live(w->c->root))
                return 0;

        return credential_take(w->c->root, directory, credential_manager_version, &w->error);
}

static int begin(Work *w) {
        _cleanup_free_ char *note = NULL;
        int r;

        r = engine_lock(w->c->root, &w->lock_fd, &w->error);
        if (r >= 0)
                r = engine_recover(w->c->root, &note, &w->error);
        if (r >= 0)
                r = take_credential(w);
        if (r < 0)
                return report_error(w, r);
        if (note)
                fprintf(stderr, "gtune: %s\n", note);

        r = take_survey(w->c, &w->survey);
        if (r >= 0)
                engine_remove_leftovers(w->survey);

        return r;
}

/* Running apply by hand takes up again what was reverted by hand. */
static int drop_holds(Work *w) {
        _cleanup_(ledger_freep) Ledger *ledger = NULL;
        int r;

        if (w->c->unattended || w->survey->view.ledger->n_holds == 0)
                return 0;

        r = ledger_copy(w->survey->view.ledger, &ledger);
        if (r < 0)
                return r;
        while (ledger->n_holds > 0)
                ledger_drop_hold(ledger, ledger->holds[0].practice);

        r = ledger_write(w->c->root, ledger);
        if (r < 0) {
                w->error = xasprintf("%s cannot be written: %s", LEDGER_PATH, strerror(-r));
                return report_error(w, r);
        }

        w->survey = survey_free(w->survey);
        return take_survey(w->c, &w->survey);
}

static void print_done(const Transaction *t) {
        if (transaction_is_empty(t))
                puts("Nothing to do.");

        for (size_t i = 0; i < t->n_files; i++)
                printf("%s: %s\n", t->files[i].path,
                       t->files[i].gone ? "removed" : t->files[i].existed ? "changed" : "created");
        for (size_t i = 0; i < t->n_attributes; i++)
                if (!t->attributes[i].at_boot)
                        printf("%s: %s -> %s\n", t->attributes[i].path, strempty(t->attributes[i].old),
                               t->attributes[i].new);
        for (size_t i = 0; i < t->n_units; i++)
                if (t->units[i].restarted)
                        printf("%s: restarted\n", t->units[i].unit);
}

/* Return: whether it is another one than before, or -errno. */
static int keep_document(const Root *root, json_object *document) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        int r;

        r = json_format_pretty(document, &text);
        return r < 0 ? r : update_file(root, MEASURED_BOOT_PATH, &text, 0644);
}

/* The verdict on this boot, for who may not open the TPM. That there is none is told by the practice. */
static int keep_verdict(Work *w) {
        const Policy *policy = w->survey->view.policy;
        _cleanup_(verdict_freep) Verdict *verdict = NULL;
        _cleanup_json_ json_object *document = NULL;
        _cleanup_free_ char *error = NULL;
        int r;

        r = tpm_verdict(w->c, algorithm_from_string(policy_word(policy, "measured-boot", "bank", "")),
                        policy_word(policy, "measured-boot", "baseline", NULL), &verdict, &document, &error);
        if (r == 0)
                r = keep_document(w->c->root, document);
        w->verdict_new = r > 0;

        return r == -ENOMEM ? r : 0;
}

static int commit(Work *w, const char *result) {
        int r = 0;

        if (w->t->refusal) {
                w->error = xasprintf("%s", w->t->refusal);
                return report_error(w, -EINVAL);
        }

        if (!transaction_is_empty(w->t) || w->t->ledger_changed)
                r = engine_commit(w->survey, w->t, &w->error);
        else
                result = "unchanged";
        if (r != 0)
                return report_error(w, r < 0 ? r : -r);

        if (w->survey->view.machine->kind == MACHINE_LIVE) {
                (void) last_apply_write(w->c->root, w->survey->view.machine->boot_id, result, NULL);
                (void) probe_keep_log(w->c->root, w->survey->view.machine->probe);
                r = keep_verdict(w);
                if (r < 0)
                        return r;
        }
        announce_done(w->c->root, w->t, streq(result, "reverted"));
        if (w->t->note)
                fprintf(stderr, "gtune: %s\n", w->t->note);
        if (!w->c->json)
                print_done(w->t);

        return 0;
}

/* How things are afterwards. */
static int finish(Work *w) {
        _cleanup_(survey_freep) Survey *after = NULL;
        _cleanup_json_ json_object *report = NULL;
        int r;

        r = take_survey(w->c, &after);
        if (r < 0)
                return r;
        if (w->verdict_new)
                announce_baseline(after);

        if (w->c->json) {
                r = survey_report(after, &report);
                if (r >= 0)
                        r = print_document(report);
        } else {
                print_policy_errors(after->view.policy);
                r = print_status(w->c, after, PRACTICES_ALL);
        }

        return r < 0 ? r : survey_exit_status(after, PRACTICES_ALL);
}

static int note_left_out(Work *w, const char *practice, const char *why) {
        char *text = xasprintf("%s%s%s is left as it is: %s", strempty(w->left_out), w->left_out ? "; " : "", practice,
                               why);

        if (!text)
                return -ENOMEM;

        free(w->left_out);
        w->left_out = text;
        return 0;
}

/* Before what restarts a service. Return: 0, with the practices that must not be touched now, or -ENOMEM. */
static int precheck(Work *w, const Plan *plan, unsigned *ret_refused) {
        *ret_refused = 0;

        for (size_t i = 0; i < N_PRACTICES; i++) {
                _cleanup_free_ char *refusal = NULL;
                int r;

                if (!practices[i]->precheck || !transaction_restarts(w->t, practices[i]->name))
                        continue;

                r = practices[i]->precheck(&w->survey->view, plan, &refusal);
                if (r < 0)
                        return r;
                if (!refusal)
                        continue;

                r = note_left_out(w, practices[i]->name, refusal);
                if (r < 0)
                        return r;
                *ret_refused |= 1U << i;
        }

        return 0;
}

/* A practice whose changes must not be carried out now does not stop the others. */
static int leave_out_refused(Work *w) {
        unsigned refused;
        int r;

        r = precheck(w, w->survey->plan, &refused);
        if (r < 0 || refused == 0)
                return r;

        for (size_t i = 0; i < N_PRACTICES; i++)
                if (refused & 1U << i)
                        plan_drop(w->survey->plan, practices[i]->name);

        w->t = transaction_free(w->t);
        return transaction_resolve(w->survey, w->survey->plan, survey_unwanted(w->survey) & ~refused, &w->t);
}

/* Whether a control group of this process (/proc/PID/cgroup has a line for each hierarchy) is that of a unit. */
static bool is_within(const char *cgroups, const char *unit) {
        size_t n = strlen(unit);

        for (const char *at = cgroups; (at = strstr(at, unit)); at += n)
                if (at > cgroups && at[-1] == '/' && strchr("/\n", at[n]))
                        return true;

        return false;
}

/* The unit to which this process belongs and which the transaction restarts, or NULL. */
static const char *own_unit(const Work *w) {
        _cleanup_buffer_ Buffer cgroups = BUFFER_NULL;

        if (w->t->n_units == 0 || root_read(w->c->root, "/proc/self/cgroup", 65536, &cgroups) < 0)
                return NULL;

        for (size_t i = 0; i < w->t->n_units; i++)
                if (is_within(cgroups.data, w->t->units[i].unit))
                        return w->t->units[i].unit;

        return NULL;
}

/* Restarting the unit that this process belongs to would kill it half-way, as under qemu-ga's guest-exec. */
static int hand_over(Work *w, const char *unit) {
        int r;

        w->lock_fd = safe_close(w->lock_fd);
        fprintf(stderr, "gtune: this runs inside of %s, which has to be restarted: " APPLY_UNIT " does it\n", unit);

        r = unit_act(APPLY_UNIT, "StartUnit");
        if (r < 0)
                return complain(APPLY_UNIT " failed: %s; see systemctl status " APPLY_UNIT,
                                r == -EIO ? "it ended with an error" : strerror(-r));

        return finish(w);
}

/* What a person asked for at the console, or the boot unit. */
static int apply(Work *w) {
        const char *unit = own_unit(w);
        int r;

        if (unit && !w->t->refusal)
                return hand_over(w, unit);

        r = commit(w, "applied");
        if (r == 0 && w->left_out) {
                w->error = TAKE_PTR(w->left_out);
                r = report_error(w, -EINVAL);
        }

        return r != 0 ? r : finish(w);
}

int verb_apply(Context *c, char **arguments) {
        _cleanup_(work_done) Work w = {.c = c, .lock_fd = -EBADF};
        int r;

        (void) arguments;

        r = check_place(c);
        if (r == 0)
                r = begin(&w);
        if (r != 0)
                return r;

        if (w.survey->view.policy->n_errors > 0)
                return report_policy_errors(&w);

        announce_drift(w.survey);
        r = drop_holds(&w);
        if (r == 0)
                r = transaction_resolve(w.survey, w.survey->plan, survey_unwanted(w.survey), &w.t);
        if (r == 0)
                r = leave_out_refused(&w);

        return r != 0 ? r : apply(&w);
}

static int hold(const Survey *survey, Transaction *t, unsigned mask) {
        for (size_t i = 0; i < N_PRACTICES; i++) {
                LedgerHold *h;

                if (!(mask & 1U << i))
                        continue;

                ledger_drop_hold(t->ledger, practices[i]->name);
                h = ledger_add_hold(t->ledger);
                if (!h || free_and_strdup(&h->practice, practices[i]->name) < 0)
                        return -ENOMEM;
                h->policy = policy_describe(survey->view.policy, practices[i]->name);
                if (!h->policy)
                        return -ENOMEM;
                t->ledger_changed = true;
        }

        return 0;
}

/* Only what is wanted has to be held. What a policy with errors wants is not known. */
static unsigned wanted_of(const Survey *survey, unsigned mask) {
        if (survey->view.policy->n_errors > 0)
                return mask;

        for (size_t i = 0; i < N_PRACTICES; i++)
                if (!practice_is_on(survey->findings[i]))
                        mask &= ~(1U << i);

        return mask;
}

/* Somebody asked for it by name: what must not be done now is an error, and nothing is done. */
static int check_revert(Work *w) {
        const char *unit = own_unit(w);
        _cleanup_(plan_freep) Plan *nothing = NULL;
        unsigned refused;
        int r;

        /* The apply unit does not revert, so that nobody can be given the work. */
        if (unit)
                return complain("this runs inside of %s, which has to be restarted: use "
                                "`systemd-run --wait gtune revert` instead",
                                unit);

        r = plan_new(&nothing);
        if (r >= 0)
                r = precheck(w, nothing, &refused);

        return r < 0 ? r : refused ? complain("%s", w->left_out) : 0;
}

int verb_revert(Context *c, char **arguments) {
        _cleanup_(work_done) Work w = {.c = c, .lock_fd = -EBADF};
        unsigned mask;
        int r;

        r = parse_practices(arguments, &mask);
        if (r == 0)
                r = check_place(c);
        if (r == 0)
                r = begin(&w);
        if (r == 0)
                r = transaction_resolve(w.survey, NULL, mask, &w.t);
        if (r == 0)
                r = check_revert(&w);
        if (r == 0)
                r = hold(w.survey, w.t, wanted_of(w.survey, mask));
        if (r == 0)
                r = commit(&w, "reverted");

        return r != 0 ? r : finish(&w);
}
