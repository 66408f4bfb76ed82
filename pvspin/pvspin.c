/* SPDX-License-Identifier: Apache-2.0 */

#include "pvspin/pvspin.h"

/*
 * What the kernel logs about PV qspinlocks at boot (openEuler: arch/arm64/kernel/paravirt.c, pv_sched_init() and
 * pv_qspinlock_init()). Versions log different subsets of the lines; the first row of pvspin_lines that matches
 * decides.
 */
typedef enum PvspinOutcome {
        OUTCOME_NONE, /* the log is complete and has none of the lines */
        OUTCOME_ENABLED,
        OUTCOME_DISABLED,      /* no parameter, or a single possible CPU: the log does not say which */
        OUTCOME_NOT_AVAILABLE, /* the host does not implement PV scheduling */
        OUTCOME_INIT_FAILED,
        OUTCOME_UNKNOWN_TOKEN, /* the kernel names the parameter as unknown (5.13 and later) */
        OUTCOME_PREEMPTED_ONLY, /* the host has PV scheduling, and no line about qspinlocks follows */
        OUTCOME_SCHED_DISABLED, /* pvpreempted is not given, and no line about qspinlocks follows */
        OUTCOME_LOG_LOST,
} PvspinOutcome;

/* The facts about PV qspinlocks on this machine. */
typedef struct Pvspin {
        const Dialect *dialect;
        PvspinOutcome outcome;
        const char *line; /* the line of the kernel log that shows the outcome, or NULL */
        Configuration configuration;
} Pvspin;

static const struct {
        const char *line;
        PvspinOutcome outcome;
} pvspin_lines[] = {
        {"arm-pv: PV qspinlocks enabled", OUTCOME_ENABLED},
        {"arm-pv: PV qspinlocks disabled", OUTCOME_DISABLED},
        {"arm-pv: PV sched is not available", OUTCOME_NOT_AVAILABLE},
        {"arm-pv: PV sched init failed", OUTCOME_INIT_FAILED},
        {"arm-pv: using PV sched preempted", OUTCOME_PREEMPTED_ONLY},
        {"arm-pv: PV sched disabled", OUTCOME_SCHED_DISABLED},
};

static PvspinOutcome pvspin_read_outcome(const Machine *machine, const Dialect *dialect, const char **ret_line) {
        for (size_t i = 0; i < ELEMENTSOF(pvspin_lines); i++) {
                *ret_line = kernel_log_line(&machine->probe->log, pvspin_lines[i].line);
                if (*ret_line)
                        return pvspin_lines[i].outcome;
        }

        *ret_line = dialect_unknown_token(machine, dialect->tokens[0].name);
        if (*ret_line)
                return OUTCOME_UNKNOWN_TOKEN;

        *ret_line = NULL;
        return machine->probe->log.reach == LOG_COMPLETE ? OUTCOME_NONE : OUTCOME_LOG_LOST;
}

static int pvspin_found(int r) {
        return r < 0 ? r : 1;
}

static int pvspin_check_kernel(const View *view, Finding *f) {
        const Machine *m = view->machine;
        const char *line;

        if (streq(m->probe->arch, "aarch64")) {
                if (machine_kernel_option(m, "CONFIG_PARAVIRT_SPINLOCKS") != 'n')
                        return 0;

                return pvspin_found(finding_verdict(f, STATE_UNSUPPORTED, "kernel-no-pvspin",
                                                    "use an openEuler kernel with CONFIG_PARAVIRT_SPINLOCKS",
                                                    "kernel %s was built without CONFIG_PARAVIRT_SPINLOCKS",
                                                    strempty(m->probe->kernel_release)));
        }

        if (!streq(m->probe->arch, "x86_64"))
                return pvspin_found(finding_verdict(f, STATE_UNSUPPORTED, "architecture", NULL,
                                             "PV spinlocks of this kind exist on aarch64 only, and this is %s",
                                             m->probe->arch));

        line = kernel_log_find(&m->probe->log, "PV spinlocks ");
        if (line && finding_evidence(f, "kernel log", line) < 0)
                return -ENOMEM;

        return pvspin_found(finding_verdict(f, STATE_UNSUPPORTED, "x86-automatic", NULL,
                                     "PV spinlocks need no parameter on x86_64: the kernel turns them on by itself "
                                     "where the host supports them%s%s",
                                     line ? "; this one says: " : "", line ? line : ""));
}

static int pvspin_check_parameters(const View *view, const Pvspin *p, Finding *f) {
        const char *release = strempty(view->machine->probe->kernel_release);

        if (view->machine->possible_cpus == 1)
                return pvspin_found(finding_verdict(f, STATE_UNSUPPORTED, "single-cpu", NULL,
                                                    "the guest can only ever have one CPU, and no lock is waited for "
                                                    "there"));

        /* gtuned does not guess the parameter: the wrong one would be without effect. */
        if (p->dialect->doubtful)
                return pvspin_found(finding_verdict(f, STATE_UNKNOWN, "token-unknown",
                                                    "find out which of the two this kernel takes, and add it to the "
                                                    "kernel command line yourself",
                                                    "nothing says whether kernel %s takes arm_pvspin or pvqspinlock",
                                                    release));
        if (machine_parameter(view->machine, "nopvspin"))
                return pvspin_found(finding_verdict(f, STATE_CONFLICT, "nopvspin",
                                                    "remove nopvspin from the kernel command line and reboot",
                                                    "nopvspin on the kernel command line switches PV spinlocks off"));

        return 0;
}

static int pvspin_log_lost(const View *view, Finding *f) {
        if (view->machine->probe->log.reach == LOG_UNREADABLE)
                return finding_verdict(f, STATE_UNKNOWN, "kernel-log-lost", "run gtune as root",
                                       "the kernel log cannot be read without privilege");

        return finding_verdict(f, STATE_UNKNOWN, "kernel-log-lost",
                               "make the journal persistent, so that it keeps the boot messages",
                               "the kernel log no longer reaches back to the boot, and the journal does not have it");
}

/* Check whether this boot has shown that PV qspinlocks cannot work here, or that they failed. */
static int pvspin_check_outcome(const View *view, const Pvspin *p, Finding *f) {
        const char *name = p->dialect->tokens[0].name;
        bool booted_with = machine_parameter(view->machine, name) != NULL;

        switch (p->outcome) {
        case OUTCOME_NOT_AVAILABLE:
                return pvspin_found(finding_verdict(f, STATE_UNSUPPORTED, "host-no-pvsched",
                                             "use a host with openEuler 20.09 or later and its PV scheduling",
                                             "the host does not offer PV scheduling"));
        case OUTCOME_INIT_FAILED:
                return pvspin_found(finding_verdict(f, STATE_CONFLICT, "pvsched-init-failed",
                                             "see the kernel log of this boot",
                                             "the kernel could not set up PV scheduling"));
        case OUTCOME_UNKNOWN_TOKEN:
                return pvspin_found(finding_verdict(f, STATE_UNSUPPORTED, "kernel-unknown-token",
                                             "use an openEuler kernel of the 4.19 or 5.10 line",
                                             "this kernel does not know %s", name));
        case OUTCOME_DISABLED:
                return booted_with ? pvspin_found(finding_verdict(f, STATE_CONFLICT, "disabled-by-kernel", NULL,
                                                           "this boot has %s, and the kernel left PV "
                                                           "qspinlocks disabled",
                                                           name))
                                   : 0;
        case OUTCOME_NONE:
        case OUTCOME_PREEMPTED_ONLY:
        case OUTCOME_SCHED_DISABLED:
                return booted_with ? pvspin_found(finding_verdict(f, STATE_UNSUPPORTED, "kernel-silent",
                                                           p->dialect->silent_remedy,
                                                           "this boot has %s, and the kernel said nothing of "
                                                           "PV qspinlocks: %s",
                                                           name, p->dialect->silence))
                                   : 0;
        case OUTCOME_LOG_LOST:
                return booted_with ? pvspin_found(pvspin_log_lost(view, f)) : 0;
        case OUTCOME_ENABLED:
        default:
                return 0;
        }
}

/* Return: 1 if the verdict is set, 0 if nothing is in the way, -ENOMEM. */
static int pvspin_obstacle(const View *view, const Pvspin *p, Finding *f) {
        int r;

        r = practice_guest_refusal(view, f);
        if (r != 0)
                return r;
        r = pvspin_check_kernel(view, f);
        if (r != 0)
                return r;
        if (view->machine->kind != MACHINE_IMAGE) {
                r = pvspin_check_outcome(view, p, f);
                if (r != 0)
                        return r;
        }
        r = pvspin_check_parameters(view, p, f);
        if (r != 0)
                return r;

        return configuration_atuned_conflict(view, &p->configuration, f);
}

/*
 * "auto" wants PV qspinlocks for shared vCPUs, if this boot has shown that kernel and host support them. A kernel with
 * pvqspinlock asks the host only if the token is given; without the token "disabled" says nothing about the host.
 */
static bool pvspin_wanted_automatically(const View *view, const Pvspin *p) {
        bool built = machine_kernel_option(view->machine, "CONFIG_PARAVIRT_SPINLOCKS") == 'y';

        if (!streq(policy_word(view->policy, "guest", "vcpu", "auto"), "shared") ||
            !streq(view->machine->probe->arch, "aarch64") || view->machine->possible_cpus == 1)
                return false;
        if (view->machine->kind == MACHINE_IMAGE)
                return built;

        switch (p->outcome) {
        case OUTCOME_ENABLED:
        case OUTCOME_PREEMPTED_ONLY:
                return true;
        case OUTCOME_DISABLED:
                return !p->dialect->asks_late ||
                       kernel_log_line(&view->machine->probe->log, "arm-pv: using PV sched preempted");
        case OUTCOME_LOG_LOST:
                return built;
        default:
                return false;
        }
}

static int pvspin_read(const View *view, void **ret) {
        Pvspin *p = calloc(1, sizeof(*p));

        if (!p)
                return -ENOMEM;

        p->dialect = dialect_of(view);
        p->outcome = pvspin_read_outcome(view->machine, p->dialect, &p->line);
        configuration_of_tokens(view, practice_pvspin.name, p->dialect->tokens, p->dialect->n_tokens,
                                &p->configuration);
        *ret = p;
        return 0;
}

static int pvspin_observe(const View *view, const void *facts, Finding *finding) {
        const Pvspin *p = facts;
        int r;

        if (p->line && finding_evidence(finding, "kernel log", p->line) < 0)
                return -ENOMEM;

        r = practice_wanted(view, &practice_pvspin, finding, pvspin_wanted_automatically(view, p));
        if (r < 0)
                return r;

        r = pvspin_obstacle(view, p, finding);
        if (r < 0)
                return r;
        if (r > 0 && !finding->held && (practice_is_on(finding) || finding->state == STATE_UNSUPPORTED))
                return 0;

        return configuration_verdict(view, finding, &p->configuration, p->outcome == OUTCOME_ENABLED);
}

static int pvspin_plan(const View *view, const void *facts, const Finding *finding, Plan *plan) {
        bool insisted = streq(policy_word(view->policy, "pvspin", "enable", "auto"), "yes");
        const Pvspin *p = facts;

        if (!practice_is_on(finding) || practice_is_hopeless(&practice_pvspin, finding) ||
            (finding->state == STATE_UNSUPPORTED && !insisted))
                return 0;

        for (size_t i = 0; i < p->dialect->n_tokens; i++)
                if (plan_token(plan, finding, p->dialect->tokens + i) < 0)
                        return -ENOMEM;

        return 0;
}

static const char *const enable_choices[] = {"auto", "yes", "no", NULL};

static const PolicyKey keys[] = {
        {"pvspin", "enable", KEY_CHOICE, enable_choices, "whether PV qspinlocks are wanted: auto, yes or no"},
};

/*
 * "host-no-pvsched" is hopeless, because without the host's PV scheduling a 6.6 kernel still switches the locks over,
 * and then nothing kicks a waiting vCPU.
 */
static const Reason reasons[] = {
        {"architecture", "PV qspinlocks of this kind exist on aarch64 only.", .hopeless = true},
        {"x86-automatic", "On x86_64 PV spinlocks need no parameter: the kernel decides by what the host offers.",
         .hopeless = true},
        {"kernel-no-pvspin", "The kernel was built without CONFIG_PARAVIRT_SPINLOCKS."},
        {"kernel-unknown-token", "The kernel names arm_pvspin, or pvqspinlock, among the parameters that it does not "
                                 "know."},
        {"kernel-silent", "This boot has the parameter, and the kernel log has no line about PV qspinlocks."},
        {"kernel-log-lost", "The kernel log of the boot cannot be read any more, or not without privilege."},
        {"host-no-pvsched", "The host does not offer PV scheduling, so nobody would wake a waiting vCPU.",
         .hopeless = true},
        {"pvsched-init-failed", "The kernel could not set up PV scheduling."},
        {"disabled-by-kernel", "This boot has the parameter, and the kernel left PV qspinlocks disabled."},
        {"token-unknown", "The kernel has PV qspinlocks, and nothing says whether its parameter is arm_pvspin or "
                          "pvqspinlock.", .hopeless = true},
        {"single-cpu", "The guest can only ever have one CPU."},
        {"nopvspin", "nopvspin on the kernel command line switches PV spinlocks off.", .hopeless = true},
};

static const char *const kernel_options[] = {"CONFIG_PARAVIRT_SPINLOCKS", NULL};

static const char *const log_patterns[] = {
        "arm-pv: ", "PV spinlocks ", "Unknown kernel command line parameters", NULL,
};

static const char *const sources[] = {
        "openEuler: arch/arm64/kernel/paravirt.c",
        "openEuler: Virtualization User Guide, Best Practices, PV-qspinlock",
        NULL,
};

const Practice practice_pvspin = {
        .name = "pvspin",
        .title = "AArch64 PV qspinlock",
        .purpose = "A vCPU that waits for a spinlock halts instead of spinning while the holder is not running, and "
                   "is kicked when the lock is free.",
        .helps = "On aarch64 guests with more vCPUs than the host has cores for them: builds and other work with much "
                 "locking get faster.",
        .harms = "On dedicated vCPUs there is nothing to gain, and the slow path costs a little.",
        .proof = "The kernel itself logged \"arm-pv: PV qspinlocks enabled\" in this boot.",
        .sources = sources,
        .kernel_options = kernel_options,
        .log_patterns = log_patterns,
        .reasons = reasons,
        .n_reasons = ELEMENTSOF(reasons),
        .shared_reasons = 1U << REASON_OF_BOOT | 1U << REASON_OF_GUEST | 1U << REASON_OF_OWNER,
        .keys = {keys, ELEMENTSOF(keys)},
        .read = pvspin_read,
        .done = free,
        .observe = pvspin_observe,
        .plan = pvspin_plan,
};
