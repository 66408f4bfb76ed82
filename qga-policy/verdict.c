/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The verdict of qga-policy: a small check for each reason, in the order in which an administrator would go.
 *
 * Tested by the golden machines qga-*.
 */

#include "qga-policy/qga-policy.h"

#define QGA_APPLY "run `gtune apply`"

/* Return: 1 if the check has set the verdict, 0 if not, -ENOMEM. */
typedef int (*QgaCheck)(const Qga *q, Finding *f);

static int qga_found(int r) {
        return r < 0 ? r : 1;
}

/* Any hypervisor will do: the agent does not depend on KVM. */
static int qga_check_guest(const View *view, Finding *f) {
        const char *virtualization = view->machine->virtualization;

        if (!view->machine->container && virtualization && !streq(virtualization, "none"))
                return 0;

        return practice_guest_refusal(view, f);
}

#define QGA_KNOWN "gtuned knows qemu-guest-agent.service and qemu-ga.service only"
#define QGA_RENAME "let a unit that is called qemu-guest-agent.service start it, which gtuned can restrict"

/* An agent is there, and none of the units that gtuned knows starts it: what it leaves open is not known. */
static int qga_check_other(const Qga *q, Finding *f) {
        if (!qga_is_other(q))
                return 0;
        if (q->alone)
                return qga_found(finding_verdict(f, STATE_UNKNOWN, "qga-other-unit", QGA_RENAME,
                                                 "qemu-ga runs as process %u in %s, and " QGA_KNOWN, q->alone->pid,
                                                 q->alone->cgroup ? q->alone->cgroup : "an unknown control group"));
        if (q->starter.path)
                return qga_found(finding_verdict(f, STATE_UNKNOWN, "qga-other-unit", QGA_RENAME,
                                                 "%s starts qemu-ga, and " QGA_KNOWN, q->starter.path));

        return qga_found(finding_verdict(f, STATE_UNKNOWN, "qga-no-unit",
                                         "remove it if nothing starts it, or " QGA_RENAME,
                                         "%s is there, and no unit that starts it was found", q->starter.program));
}

/*
 * Without an agent nothing is open, and that is all that a policy asks for which only closes. A list of what may be
 * called asks for an agent, too.
 */
static int qga_check_nothing_open(const Qga *q, Finding *f) {
        const bool known = q->image || q->services->known;
        const bool runs = q->service && (q->service->main.pid > 0 || q->service->n_strays > 0);

        if (!practice_is_on(f) || q->wish.allows || !known || runs || qga_is_other(q) ||
            !(qga_is_absent(q) || q->binary_error == -ENOENT))
                return 0;
        if (!q->unit && finding_evidence(f, "unit, program or process of qemu-ga", NULL) < 0)
                return -ENOMEM;

        return qga_found(finding_verdict(f, STATE_ACTIVE, "qga-nothing-open", NULL,
                                         "there is no guest agent, so nothing that the policy closes is open"));
}

static int qga_check_absent(const Qga *q, Finding *f) {
        if (!qga_is_absent(q))
                return 0;

        return qga_found(finding_verdict(f, STATE_UNSUPPORTED, "qga-absent",
                                         "install qemu-guest-agent if the host is to ask it anything",
                                         "there is no qemu-guest-agent.service, so there is no guest agent"));
}

static int qga_check_stray(const Qga *q, Finding *f) {
        const ServiceProcess *p;
        _cleanup_free_ char *remedy = NULL;

        if (!q->service || q->service->main.pid > 0 || q->service->n_strays == 0)
                return 0;

        p = q->service->strays;
        remedy = q->base.unit.masked ? xasprintf("end process %u, and what starts it", p->pid)
                                     : xasprintf("end process %u, then run `systemctl start %s`", p->pid, q->unit);
        if (!remedy)
                return -ENOMEM;

        return qga_found(finding_verdict(f, q->record ? STATE_DRIFTED : STATE_CONFLICT, "qga-stray", remedy,
                                     "qemu-ga runs as process %u in %s and not as %s, so it does not have the "
                                     "unit's restrictions",
                                     p->pid, p->cgroup ? p->cgroup : "an unknown control group", q->unit));
}

static int qga_check_masked(const Qga *q, Finding *f) {
        _cleanup_free_ char *remedy = NULL;

        if (!q->base.unit.masked && !(q->service && streq_ptr(q->service->load_state, "masked")))
                return 0;
        if (q->service && q->service->n_strays > 0)
                return qga_check_stray(q, f);

        remedy = xasprintf("run `systemctl unmask %s`, or set enable = no in [qga-policy]", q->unit);
        if (!remedy)
                return -ENOMEM;

        return qga_found(finding_verdict(f, STATE_CONFLICT, "qga-masked", remedy,
                                         "%s is masked, so the agent never starts", q->unit));
}

/* A process may still run a program that was removed. */
static int qga_check_no_program(const Qga *q, Finding *f) {
        _cleanup_free_ char *remedy = NULL;

        if (!q->service || q->service->main.pid == 0)
                return qga_found(finding_verdict(f, STATE_UNSUPPORTED, "qga-no-program", "install qemu-guest-agent",
                                             "%s:%u starts %s, which does not exist", q->base.command.setting->file,
                                             q->base.command.setting->line, q->base.command.path));

        remedy = xasprintf("run `systemctl stop %s`, or install qemu-guest-agent", q->unit);
        if (!remedy)
                return -ENOMEM;

        return qga_found(finding_verdict(f, STATE_UNKNOWN, "qga-no-program", remedy,
                                     "%s does not exist any more, and process %u still runs it", q->base.command.path,
                                     q->service->main.pid));
}

static int qga_check_binary(const Qga *q, Finding *f) {
        if (q->base.problem)
                return qga_found(finding_verdict(f, STATE_UNKNOWN, "qga-unit-not-understood",
                                             "fix the file that the reason names",
                                             "it cannot be known what %s runs: %s", q->unit, q->base.problem));
        if (q->binary_error == -ENOENT)
                return qga_check_no_program(q, f);
        if (q->binary_error == -EBADMSG)
                return qga_found(finding_verdict(f, STATE_UNKNOWN, "qga-program-not-understood",
                                             "let ExecStart name the qemu-ga program itself, not a script",
                                             "%s does not look like a qemu-ga", q->base.command.path));
        if (q->binary_error < 0)
                return qga_found(finding_verdict(f, STATE_UNKNOWN, "qga-program-not-understood", "run gtune as root",
                                             "%s cannot be read: %s", q->base.command.path,
                                             error_text(-q->binary_error)));

        return 0;
}

static int qga_check_manager(const Qga *q, Finding *f) {
        const Services *services = q->services;

        if (q->image || services->known)
                return 0;

        return qga_found(finding_verdict(f, STATE_UNKNOWN, "qga-manager-silent",
                                     "run gtune as root on the running system",
                                     "%s", services->error ? services->error
                                                           : "what the service manager knows of the agent is not "
                                                             "recorded here"));
}

/* FAULT_REMOVED is left out, because the drop-in renames the removed option. */
static int qga_check_start(const Qga *q, Finding *f) {
        const AgentCommand *a = q->undone_by ? q->is : &q->base;
        static const char *const what[] = {
                [FAULT_UNKNOWN] = "an option that this qemu-ga does not have, and it does not start",
                [FAULT_EXITS] = "an option with which qemu-ga prints something and exits",
                [FAULT_EXCLUSIVE] = "a block list and an allow list, and this qemu-ga takes only one",
        };

        if (a->view.fault == FAULT_NONE || a->view.fault == FAULT_REMOVED)
                return 0;

        return qga_found(finding_verdict(f, STATE_CONFLICT, "qga-does-not-start", "fix the command line of the agent",
                                     "%s:%u passes %s (%s)", a->command.setting->file, a->command.setting->line,
                                     what[a->view.fault],
                                     a->view.n > 0 ? a->arguments.list[a->view.fault_at].text : ""));
}

static int qga_check_form(const Qga *q, Finding *f) {
        if (q->form_error == 0)
                return 0;
        if (q->form_error == -EINVAL)
                return qga_found(finding_verdict(f, STATE_UNKNOWN, "qga-unit-not-understood",
                                             "fix the file that the reason names",
                                             "%s:%u cannot be repeated in a drop-in", q->base.command.setting->file,
                                             q->base.command.setting->line));

        return qga_found(finding_verdict(f, STATE_CONFLICT, "qga-two-allow-lists", "remove one of the two allow lists",
                                     "%s and the command line both have an allow list; they add up, and this "
                                     "qemu-ga takes no block list beside them",
                                     q->base.conf.path));
}

static int qga_check_undone(const Qga *q, Finding *f) {
        _cleanup_free_ char *remedy = NULL;

        if (!q->undone_by || q->right)
                return 0;

        remedy = xasprintf("remove ExecStart from %s, then run `gtune apply`", q->undone_by);
        if (!remedy)
                return -ENOMEM;
        if (!q->record)
                return qga_found(finding_verdict(f, STATE_CONFLICT, "qga-later-drop-in", remedy,
                                             "%s sets ExecStart and is read after gtuned's drop-in, so it would "
                                             "undo the drop-in",
                                             q->undone_by));
        if (finding_evidence(f, q->undone_by, "sets ExecStart") < 0)
                return -ENOMEM;

        return qga_found(finding_verdict(f, STATE_DRIFTED, "qga-later-drop-in", remedy,
                                     "gtuned's drop-in is there, but %s is read after it and sets ExecStart, "
                                     "which undoes the drop-in",
                                     q->undone_by));
}

static int qga_check_masked_drop_in(const Qga *q, Finding *f) {
        _cleanup_free_ char *remedy = NULL;

        if (q->right || !q->file.masked)
                return 0;

        remedy = xasprintf("remove %s, then run `gtune apply`", q->drop_in);
        if (!remedy || finding_evidence(f, q->drop_in, "/dev/null") < 0)
                return -ENOMEM;

        return qga_found(finding_verdict(f, q->record ? STATE_DRIFTED : STATE_CONFLICT, "qga-drop-in-masked", remedy,
                                     "%s is a link to /dev/null, which hides gtuned's drop-in", q->drop_in));
}

static int qga_check_foreign(const Qga *q, Finding *f) {
        _cleanup_free_ char *remedy = NULL;

        if (q->right || q->record || !q->file.exists || q->text.size == 0)
                return 0;

        remedy = xasprintf("move %s away, then run `gtune apply`", q->drop_in);
        if (!remedy)
                return -ENOMEM;

        return qga_found(finding_verdict(f, STATE_CONFLICT, "qga-drop-in-foreign", remedy,
                                         "%s is where gtuned's drop-in belongs, and gtuned did not make it",
                                         q->drop_in));
}

static int qga_describe_open(const Names *open, char **ret) {
        *ret = open->n > 3 ? xasprintf("%s, %s and %zu others are", open->list[0], open->list[1], open->n - 2)
               : open->n == 3 ? xasprintf("%s, %s and %s are", open->list[0], open->list[1], open->list[2])
               : open->n == 2 ? xasprintf("%s and %s are", open->list[0], open->list[1])
                              : xasprintf("%s is", open->n > 0 ? open->list[0] : "none");
        return *ret ? 0 : -ENOMEM;
}

static int qga_drifted(Finding *f, const char *code, const char *source, const char *value, const char *reason) {
        if (finding_evidence(f, source, value) < 0)
                return -ENOMEM;

        return qga_found(finding_verdict(f, STATE_DRIFTED, code, QGA_APPLY, "%s", reason));
}

/* gtuned made the drop-in, and the files are no longer as they should be: find out why. */
static int qga_check_drift(const Qga *q, Finding *f) {
        _cleanup_free_ char *copied = NULL, *reason = NULL;
        const UnitSetting *s = q->base.command.setting;

        if (q->right || !q->record)
                return 0;

        copied = agent_command_text(&q->base.command);
        if (!copied)
                return -ENOMEM;
        if (!q->file.exists)
                reason = xasprintf("gtuned made %s, and it is gone", q->drop_in);
        else if (!q->file.intact)
                reason = xasprintf("%s was edited after gtuned had written it", q->drop_in);
        else if (!streq_ptr(q->file.copied, copied))
                reason = xasprintf("ExecStart in %s:%u changed after the drop-in was made from it", s->file, s->line);
        else if (q->is->view.fault == FAULT_REMOVED)
                reason = xasprintf("%s passes --blacklist, which this qemu-ga no longer has, and it does not start",
                                   q->drop_in);
        else
                return 0;
        if (!reason)
                return -ENOMEM;
        if (!q->file.exists)
                return qga_drifted(f, "qga-drop-in-gone", q->drop_in, NULL, reason);
        if (!q->file.intact)
                return qga_drifted(f, "qga-drop-in-edited", q->drop_in, "edited", reason);
        if (!streq_ptr(q->file.copied, copied))
                return qga_drifted(f, "qga-unit-changed", s->file, copied, reason);

        return qga_drifted(f, "qga-option-gone", q->drop_in, "--blacklist", reason);
}

/* The service manager refuses the unit, so an apply would fail. */
static int qga_check_load_state(const Qga *q, Finding *f) {
        _cleanup_free_ char *remedy = NULL;

        if (!q->service || streq_ptr(q->service->load_state, "loaded"))
                return 0;

        remedy = xasprintf("fix the error that `systemctl status %s` shows, then run `systemctl daemon-reload`",
                           q->unit);
        if (!remedy)
                return -ENOMEM;

        return qga_found(finding_verdict(f, STATE_UNKNOWN, "qga-not-loaded", remedy,
                                         "the service manager does not take %s: its load state is %s", q->unit,
                                         q->service->load_state));
}

static int qga_check_files(const Qga *q, Finding *f) {
        _cleanup_free_ char *open = NULL;

        if (q->right)
                return 0;
        if (q->open.n == 0 && q->is->view.fault == FAULT_REMOVED)
                return qga_found(finding_verdict(f, STATE_DIFFERS, "qga-option-gone", QGA_APPLY,
                                             "%s:%u passes --blacklist, which this qemu-ga no longer has, and it does "
                                             "not start",
                                             q->is->command.setting->file, q->is->command.setting->line));
        if (q->open.n == 0)
                return qga_found(finding_verdict(f, STATE_DIFFERS, "qga-not-configured", QGA_APPLY,
                                             "%s is not what the policy asks for now", q->drop_in));
        if (qga_describe_open(&q->open, &open) < 0)
                return -ENOMEM;

        return qga_found(finding_verdict(f, STATE_DIFFERS, "qga-not-configured", QGA_APPLY,
                                     "%s to be closed, and %s does not do it", open, q->unit));
}

static int qga_check_known(const Qga *q, Finding *f) {
        if (q->service)
                return 0;

        return qga_found(finding_verdict(f, STATE_UNKNOWN, "qga-not-loaded", "run `systemctl daemon-reload`",
                                         "%s is there, and the service manager has not read it yet",
                                         q->base.unit.fragment));
}

static int qga_check_running(const Qga *q, Finding *f) {
        _cleanup_free_ char *remedy = NULL;

        if (q->service && q->service->main.pid > 0)
                return 0;
        if (q->lacks_port)
                return qga_found(finding_verdict(f, STATE_UNSUPPORTED, "qga-no-port",
                                             "let the host give the guest a channel of that name",
                                             "the guest has no virtio port org.qemu.guest_agent.0, so the agent "
                                             "cannot reach the host"));

        remedy = xasprintf("run `systemctl start %s`, and see `journalctl -u %s` if it does not stay", q->unit,
                           q->unit);
        if (!remedy)
                return -ENOMEM;

        return qga_found(finding_verdict(f, STATE_UNKNOWN, "qga-not-running", remedy,
                                         "%s is configured and does not run, so nothing is proved", q->unit));
}

/* Without this, a process with a longer list than the drop-in's would count as up to date. */
static bool qga_process_has_drop_in(const Qga *q) {
        if (q->text.size == 0 || !q->expect)
                return true;

        for (size_t i = 0; i < q->process.arguments.n; i++)
                if (streq(q->process.arguments.list[i].text, q->expect))
                        return true;

        return false;
}

bool qga_needs_restart(const Qga *q) {
        return q->right && qga_runs(q) && (q->running_open.n > 0 || !qga_process_has_drop_in(q));
}

static int qga_check_process(const Qga *q, Finding *f) {
        const char *remedy = q->snapshot ? "nothing here can: run `gtune apply` on the machine itself" : QGA_APPLY;
        _cleanup_free_ char *open = NULL;

        if (!qga_runs(q))
                return qga_found(finding_verdict(f, STATE_UNKNOWN, "qga-not-running", "run gtune as root",
                                             "the arguments of process %u are not known", q->service->main.pid));
        if (!qga_needs_restart(q))
                return 0;
        if (q->running_open.n == 0)
                return qga_found(finding_verdict(f, STATE_DIFFERS, "qga-restart-needed", remedy,
                                             "process %u was started before its files changed, and has another list",
                                             q->service->main.pid));
        if (qga_describe_open(&q->running_open, &open) < 0)
                return -ENOMEM;

        return qga_found(finding_verdict(f, STATE_DIFFERS, "qga-restart-needed", remedy,
                                     "process %u was started before its files changed: %s still open in it",
                                     q->service->main.pid, open));
}

static const QgaCheck readable[] = {qga_check_masked, qga_check_binary, qga_check_manager};
static const QgaCheck configured[] = {qga_check_start,          qga_check_form,    qga_check_undone,
                                   qga_check_masked_drop_in, qga_check_foreign, qga_check_drift,
                                   qga_check_load_state,     qga_check_files};
static const QgaCheck running[] = {qga_check_known, qga_check_stray, qga_check_running, qga_check_process};

/* Return: 1 if one of the checks has set the verdict, 0 if none has, -ENOMEM. */
static int qga_ask(const QgaCheck *checks, size_t n, const Qga *q, Finding *f) {
        int r = 0;

        for (size_t i = 0; r == 0 && i < n; i++)
                r = checks[i](q, f);

        return r;
}

static int qga_verdict_on(const View *view, const Qga *q, Finding *f) {
        Configuration c = {.complete = true, .next_boot = true, .ours = q->record != NULL};
        int r;

        r = qga_ask(readable, ELEMENTSOF(readable), q, f);
        if (r == 0)
                r = qga_ask(configured, ELEMENTSOF(configured), q, f);
        if (r == 0 && !q->image)
                r = qga_ask(running, ELEMENTSOF(running), q, f);
        if (r != 0)
                return r < 0 ? r : 0;
        if (q->wish.closed.n == 0)
                return finding_verdict(f, STATE_ACTIVE, "qga-nothing-restricted", NULL,
                                       "the policy restricts nothing, and nothing has to be done for that");

        return configuration_verdict(view, f, &c, !q->image);
}

static int qga_verdict_off(const View *view, const Qga *q, Finding *f) {
        const AgentCommand *a = qga_in_effect(q);
        _cleanup_names_ Names closed = {};
        _cleanup_free_ char *list = NULL;
        Configuration c = {.ours = q->record != NULL};
        int r;

        if (a && restrictions_closed(&a->restrictions, &q->binary.names, &closed) < 0)
                return -ENOMEM;
        if (f->held || c.ours) {
                c.next_boot = closed.n > 0;
                return configuration_verdict(view, f, &c, closed.n > 0);
        }

        r = q->base.unit.masked ? 0 : qga_ask(readable, ELEMENTSOF(readable), q, f);
        if (r != 0)
                return r < 0 ? r : 0;
        if (closed.n == 0)
                return finding_verdict(f, STATE_OFF, NULL, NULL, NULL);

        list = names_join(&closed, ", ");
        if (!list)
                return -ENOMEM;

        return finding_verdict(f, STATE_UNMANAGED, "qga-restricted", NULL,
                               "the host may not call %s, and the policy does not ask for that", list);
}

int qga_verdict(const View *view, const Qga *q, Finding *finding) {
        int r;

        r = qga_check_guest(view, finding);
        if (r == 0)
                r = qga_check_other(q, finding);
        if (r == 0)
                r = qga_check_nothing_open(q, finding);
        if (r == 0)
                r = qga_check_absent(q, finding);
        if (r != 0)
                return r < 0 ? r : 0;

        return practice_is_on(finding) ? qga_verdict_on(view, q, finding) : qga_verdict_off(view, q, finding);
}
