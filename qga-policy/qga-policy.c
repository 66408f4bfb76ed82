/* SPDX-License-Identifier: Apache-2.0 */

#include "qga-policy/qga-policy.h"

/* Check the policy's names against the catalogue and the RPCs of the installed qemu-ga. */
static int qga_check(const View *view, const void *facts, Policy *policy) {
        const Qga *q = facts;

        return wish_restricts(view->policy) ? wish_check(policy, &q->binary.names) : 0;
}

static int qga_observe(const View *view, const void *facts, Finding *finding) {
        const Qga *q = facts;
        int r;

        r = practice_wanted(view, &practice_qga_policy, finding, wish_restricts(view->policy));
        if (r < 0)
                return r;
        r = qga_verdict(view, q, finding);
        if (r < 0)
                return r;

        return qga_report(view, q, finding);
}

static int qga_plan(_unused_ const View *view, const void *facts, const Finding *finding, Plan *plan) {
        const Qga *q = facts;
        int r;

        if (!practice_is_on(finding) || practice_is_hopeless(&practice_qga_policy, finding))
                return 0;

        if (q->text.size > 0) {
                r = plan_unit_file(plan, finding, q->drop_in, q->text.data, q->unit, q->expect);
                if (r < 0)
                        return r;
        }
        if (!qga_needs_restart(q))
                return 0;

        /* If only qemu-ga.conf has lists, no argument identifies the process; the path of its program does. */
        return plan_unit(plan, finding, q->unit, q->expect ? q->expect : q->is->command.path);
}

static const Reason reasons[] = {
        {"qga-absent", "The guest has no QEMU guest agent: no unit, no program and no process of it.", .hopeless = true},
        {"qga-other-unit",
         "An agent is started by something else than a unit that gtuned knows, such as a template or an init script.",
         .hopeless = true},
        {"qga-no-unit", "The program of the agent is there, and nothing that starts it was found.", .hopeless = true},
        {"qga-masked", "The unit is masked, so the agent never starts.", .hopeless = true},
        {"qga-unit-not-understood",
         "It cannot be known what the unit runs; the reason names file and line.", .hopeless = true},
        {"qga-no-program", "The program that the unit starts does not exist.", .hopeless = true},
        {"qga-program-not-understood",
         "The program that the unit starts cannot be read, or is no qemu-ga.", .hopeless = true},
        {"qga-manager-silent", "The service manager does not say what the agent was started with.", .hopeless = true},
        {"qga-does-not-start",
         "The unit passes arguments with which this qemu-ga does not start or stay.", .hopeless = true},
        {"qga-two-allow-lists", "qemu-ga.conf and the command line both have an allow list, which add up, and this "
                                "qemu-ga refuses a block list beside them.", .hopeless = true},
        {"qga-later-drop-in", "A drop-in that is read after gtuned's sets ExecStart and so undoes it."},
        {"qga-drop-in-foreign", "A file that gtuned did not make is where its drop-in belongs.", .hopeless = true},
        {"qga-drop-in-masked",
         "The place of gtuned's drop-in is a link to /dev/null, which hides it.", .hopeless = true},
        {"qga-drop-in-gone", "The drop-in that gtuned made was removed."},
        {"qga-drop-in-edited", "The drop-in that gtuned made was edited."},
        {"qga-unit-changed", "The unit's own ExecStart changed since the drop-in repeated it, as by an update."},
        {"qga-option-gone", "The agent is told --blacklist, which qemu-ga has no more since 9.1: it does not start."},
        {"qga-not-configured", "The unit does not close what the policy wants closed."},
        {"qga-stray", "A qemu-ga runs that was not started by its unit, and holds the port."},
        {"qga-no-port", "The host gives the guest no channel for the agent."},
        {"qga-not-loaded", "The service manager refuses the unit, or has not read it yet.", .hopeless = true},
        {"qga-not-running", "The agent is configured and does not run, or its arguments are not known."},
        {"qga-restart-needed", "The agent runs with older arguments than its files have."},
        {"qga-nothing-open", "The policy only closes, and there is no agent: nothing is open.", .hopeless = true},
        {"qga-nothing-restricted", "The practice is enabled, and no list of it holds anything."},
        {"qga-restricted", "The agent is restricted, and the policy does not ask for it."},
};

static const char *const sources[] = {
        "QEMU: qga/main.c, qga/qapi-schema.json, docs/interop/qemu-ga.rst, docs/about/removed-features.rst",
        "systemd: systemd.unit(5), systemd.service(5), systemd.exec(5)",
        "openEuler: Virtualization User Guide, Best Practices, Security (where names are separated by blanks, "
        "which leaves all but the first open)",
        NULL,
};

static const ServiceInterest services[] = {
        {"qemu-guest-agent.service", "qemu-ga"},
        {"qemu-ga.service", "qemu-ga"},
};

const Practice practice_qga_policy = {
        .name = "qga-policy",
        .title = "what the host may ask the guest agent",
        .purpose = "The QEMU guest agent runs as root and does what the host tells it: read and write files, run "
                   "programs, set passwords. Its owner decides which of its RPCs it answers, by group or by name.",
        .helps = "Where the host is trusted to run the guest and not to look into it. preset = hardened closes "
                 "file-access, exec and credentials, and leaves what a management system needs.",
        .harms = "What is closed is missed by whoever uses it: passwords set from outside, backups that freeze file "
                 "systems, shutdown by the agent. The warnings of `gtune status` name them. A new list takes effect "
                 "by restarting the agent, which ends what guest-exec started.",
        .proof = "The main process of the agent's unit runs with arguments that close every wanted RPC, as this "
                 "qemu-ga reads them.",
        .sources = sources,
        .services = services,
        .n_services = ELEMENTSOF(services),
        .reasons = reasons,
        .n_reasons = ELEMENTSOF(reasons),
        .shared_reasons = 1U << REASON_OF_GUEST | 1U << REASON_OF_OWNER,
        .keys = {wish_keys, WISH_N_KEYS},
        .slow = true,
        .read = qga_read,
        .done = qga_free,
        .check = qga_check,
        .observe = qga_observe,
        .plan = qga_plan,
        .precheck = qga_precheck,
};
