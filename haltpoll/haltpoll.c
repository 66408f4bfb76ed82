/* SPDX-License-Identifier: Apache-2.0 */

#include "haltpoll/haltpoll.h"

static bool haltpoll_wanted_automatically(const View *view) {
        const char *vcpu = policy_word(view->policy, "guest", "vcpu", "auto");

        return streq(vcpu, "dedicated") || (streq(vcpu, "auto") && view->machine->probe->dedicated_hint == 1);
}

/* The key by which the policy does not want haltpoll although the host gives the hint. */
static const char *haltpoll_refusing_key(const View *view) {
        return streq(policy_word(view->policy, "haltpoll", "enable", "auto"), "no") ? "enable = no" : "vcpu = shared";
}

/*
 * Whether a write to "force" registers the driver at once (6.6 and later, arm64). If another driver owns the CPUs, the
 * write fails with EBUSY, and without cpuidle with ENODEV; either would make the whole apply fail.
 */
static bool haltpoll_registers_now(const Haltpoll *h) {
        return h->arm64 && h->force_writable && streq_ptr(h->force, "N") && streq_ptr(h->driver, "none");
}

/* On such a kernel the token "force" may be parsed too early to register the driver. Then a write registers it. */
static int haltpoll_judge_driver(const Haltpoll *h, Finding *finding) {
        const Configuration *c = &h->configuration;

        if (!practice_is_on(finding) || !haltpoll_registers_now(h) || !c->complete || c->opposite)
                return 0;

        return finding_verdict(finding, STATE_DIFFERS, "driver-not-registered", "run `gtune apply`",
                               "the haltpoll driver is not registered, and this kernel lets it be registered now");
}

/* With the host's hint the kernel loads haltpoll by itself, and PV spinlocks not at all: no policy can help that. */
static int haltpoll_judge_hint(const View *view, const Haltpoll *h, Finding *finding) {
        if (finding->wanted != WANTED_OFF || !h->effect || !h->x86 || view->machine->probe->dedicated_hint != 1 ||
            h->configuration.ours)
                return 0;

        return finding_verdict(finding, STATE_UNMANAGED, "hint-decides",
                               "if the vCPUs own no physical cores, take the hint away on the host: "
                               "<hint-dedicated state='on'/> in libvirt's XML, kvm-hint-dedicated=on of QEMU's -cpu",
                               "the policy does not want it (%s), and the host's hint that the vCPUs are dedicated makes "
                               "the kernel load it", haltpoll_refusing_key(view));
}

static int haltpoll_verdict_of_tunables(const Haltpoll *h, const TunableOutcome *tunables, Finding *finding) {
        if (tunables->drifted)
                return finding_verdict(finding, STATE_DRIFTED, "tunable-changed", "run `gtune apply`",
                                       "%s was changed after gtuned had set it", tunables->drifted);
        if (tunables->differs)
                return finding->state == STATE_DIFFERS ? 0 :
                       finding_verdict(finding, STATE_DIFFERS, "tunable-differs", "run `gtune apply`",
                                       "a tunable has another value than the policy asks for");
        if (tunables->unreadable && h->governor && finding->state != STATE_DIFFERS)
                return finding_verdict(finding, STATE_UNKNOWN, "tunable-unreadable",
                                       "take the key out of the policy if this kernel does not have it",
                                       HALTPOLL_PARAMETERS "/%s, which the policy sets, cannot be read",
                                       tunables->unreadable);

        return 0;
}

/* The tunables change the verdict about driver and governor only if that is no obstacle. */
static int haltpoll_judge_tunables(const View *view, const Haltpoll *h, Finding *finding) {
        bool reboot = finding->reboot;
        TunableOutcome tunables;
        int r;

        r = tunables_observe(view, h, finding, &tunables);
        if (r < 0)
                return r;
        if (view->machine->kind == MACHINE_IMAGE)
                tunables.unreadable = NULL; /* they are there in the running system */
        if (finding->state != STATE_ACTIVE && finding->state != STATE_PENDING_REBOOT &&
            finding->state != STATE_DIFFERS)
                return 0;

        r = haltpoll_verdict_of_tunables(h, &tunables, finding);
        if (r < 0)
                return r;
        if (reboot)
                finding_wait_for_boot(finding);
        return 0;
}

/* The kernel switches the host's polling off for its vCPUs, if the host offers that (arch/x86/kernel/kvm.c). */
static int haltpoll_judge_host(const View *view, const Haltpoll *h, Finding *finding) {
        const char *line = kernel_log_find(&view->machine->probe->log, "host does not support poll control");

        if (!h->effect || !line)
                return 0;
        if (finding_evidence(finding, "kernel log", line) < 0)
                return -ENOMEM;

        return finding_coded_warning(finding, "host-polls-too",
                                     "on the host, add <poll-control state='on'/> to <kvm> in libvirt's XML, or "
                                     "kvm-poll-control=on to QEMU's -cpu",
                                     "the host does not let the guest switch its own polling off "
                                     "(kvm-poll-control), so that host and guest both poll");
}

/* What is to be said of a governor at work, whether it is wanted or not. */
static int haltpoll_judge_running(const View *view, const Haltpoll *h, Finding *finding) {
        int r;

        r = practice_is_on(finding) ? 0 : latency_judge(h, finding, /* warn= */ true);
        if (r < 0)
                return r;
        r = practice_is_on(finding) ? 0 : rival_warn(h, finding);
        if (r < 0)
                return r;
        r = polls_judge(h, finding);
        if (r < 0)
                return r;
        r = tunables_advise(h, finding);
        if (r < 0)
                return r;

        return haltpoll_judge_host(view, h, finding);
}

static int haltpoll_add_evidence(const Haltpoll *h, Finding *finding) {
        const struct {
                const char *source, *value;
        } rows[] = {
                {HALTPOLL_CPUIDLE "/current_driver", h->driver},
                {h->governor_path, h->current_governor},
                {HALTPOLL_FORCE, h->force},
                {HALTPOLL_PARAMETERS "/enable", h->enable},
                {"/sys/devices/system/cpu/cpu0/cpuidle/state0/usage",
                 !h->poll_usage ? NULL : streq(h->poll_usage, "0") ? "0" : "more than 0"},
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (rows[i].value && finding_evidence(finding, rows[i].source, rows[i].value) < 0)
                        return -ENOMEM;

        return 0;
}

static int haltpoll_observe(const View *view, const void *facts, Finding *finding) {
        const Haltpoll *h = facts;
        int r;

        r = practice_wanted(view, &practice_haltpoll, finding, haltpoll_wanted_automatically(view));
        if (r < 0)
                return r;
        r = haltpoll_add_evidence(h, finding);
        if (r < 0)
                return r;
        r = rival_add_evidence(h, finding);
        if (r < 0)
                return r;

        /* If haltpoll is not wanted, of all obstacles only "unsupported" is reported. */
        r = haltpoll_obstacle(view, h, finding);
        if (r < 0)
                return r;
        if (r == 0 || finding->held || (!practice_is_on(finding) && finding->state != STATE_UNSUPPORTED)) {
                r = configuration_verdict(view, finding, &h->configuration, h->effect);
                if (r < 0)
                        return r;
                r = haltpoll_judge_driver(h, finding);
                if (r < 0)
                        return r;
        }

        r = haltpoll_judge_hint(view, h, finding);
        if (r < 0)
                return r;
        r = haltpoll_judge_tunables(view, h, finding);
        if (r < 0)
                return r;

        return haltpoll_judge_running(view, h, finding);
}

static int haltpoll_plan_files(const Haltpoll *h, const Finding *finding, Plan *plan) {
        bool load = finding->state == STATE_DIFFERS || finding->state == STATE_DRIFTED;
        const char *modules_load, *modprobe;
        int r;

        haltpoll_files(&modules_load, &modprobe);
        r = plan_file(plan, finding, HALTPOLL_MODPROBE, modprobe);
        if (r < 0)
                return r;
        r = plan_file(plan, finding, HALTPOLL_MODULES_LOAD, modules_load);
        if (r < 0 || !load || h->loaded)
                return r;

        /* Starting this unit loads the modules of modules-load.d, so that the driver is active now. */
        return plan_unit(plan, finding, "systemd-modules-load.service", NULL);
}

static int haltpoll_plan(const View *view, const void *facts, const Finding *finding, Plan *plan) {
        const Haltpoll *h = facts;
        int r;

        if (!practice_is_on(finding) || practice_is_hopeless(&practice_haltpoll, finding))
                return 0;

        /*
         * "auto" plans only what is known to work on this kernel. "yes" is the administrator's order, and holds for
         * the next kernel.
         */
        if ((finding->state == STATE_UNSUPPORTED ||
             (h->form == HALTPOLL_UNKNOWN && view->machine->kind == MACHINE_IMAGE)) &&
            !streq(policy_word(view->policy, "haltpoll", "enable", "auto"), "yes"))
                return 0;

        for (size_t i = 0; i < h->n_tokens; i++) {
                r = plan_token(plan, finding, h->tokens + i);
                if (r < 0)
                        return r;
        }
        if (h->by_files) {
                r = haltpoll_plan_files(h, finding, plan);
                if (r < 0)
                        return r;
        }
        if (h->governor) {
                r = tunables_plan(view, h, finding, plan);
                if (r < 0)
                        return r;
                r = polls_plan(h, finding, plan);
                if (r < 0)
                        return r;
        }

        /* With this write no reboot is needed. The kernel does not check whether it runs in a guest; gtuned has. */
        return haltpoll_registers_now(h) ? plan_attribute(plan, finding, HALTPOLL_FORCE, "Y") : 0;
}

static const Reason reasons[] = {
        {"architecture", "haltpoll exists for x86_64 and aarch64 only.", .hopeless = true},
        {"kernel-no-driver", "The kernel was built without the haltpoll cpuidle driver."},
        {"kernel-no-governor", "The kernel was built without the haltpoll governor, so there is nothing to tune."},
        {"kernel-unknown", "This is an image, and nothing in it says whether its kernel has the haltpoll driver."},
        {"module-missing", "The driver is a module, and its file is not among the modules of the kernel."},
        {"module-denied", "The driver is a module, and a line of modprobe.d keeps it from being loaded.",
         .hopeless = true},
        {"module-denial-unknown", "The driver is a module, and a file or directory of modprobe.d cannot be read: a line "
                                  "there may keep it from being loaded."},
        {"kernel-parameter", "A parameter on the kernel command line keeps haltpoll from working."},
        {"cpuidle-missing", "There is no cpuidle in /sys, and the kernel's configuration is unknown."},
        {"no-cpuidle", "The kernel runs without cpuidle."},
        {"other-driver", "Another cpuidle driver owns the CPUs, and a CPU has only one."},
        {"other-governor", "The driver is loaded, but another governor decides."},
        {"force-refused", "6.6 kernels of openEuler refuse cpuidle_haltpoll.force on x86_64: only the host's "
                          "hint-dedicated helps.", .hopeless = true},
        {"driver-not-registered", "It is configured, and the driver waits for a write to force: `gtune apply`."},
        {"driver-failed", "The kernel log says that the driver could not register."},
        {"tuned", "The active profile of TuneD, which is started at each boot, sets haltpoll otherwise than the policy.",
         .hopeless = true},
        {"qos-zero", "A PM QoS request tolerates no wake-up latency at all: every idle is a poll, whatever the "
                     "tunables say, also with guest_halt_poll_ns = 0."},
        {"limit-stuck", "A CPU polls for longer than guest_halt_poll_ns: its limit was left behind by another value or "
                        "by a PM QoS request, and the kernel looks at it only after a halt."},
        {"hint-decides", "The policy does not want it, and the kernel loads it because the host gives the hint "
                         "\"dedicated vCPUs\". Only the host can take the hint away."},
        {"tunable-differs", "A tunable has another value than the policy asks for."},
        {"tunable-changed", "A tunable was changed after gtuned had set it in this boot."},
        {"tunable-unreadable", "A tunable that the policy sets cannot be read, so that nobody knows its value."},
        {"grow-start-clamped", "guest_halt_poll_grow_start is above guest_halt_poll_ns, and the kernel takes it for "
                               "that: a limit is 0 or the maximum. That is no error."},
        {"grow-start-zero", "With guest_halt_poll_grow_start = 0 a limit of 0 never grows: no CPU begins to poll."},
        {"host-polls-too", "The host does not offer poll control (kvm-poll-control), so that host and guest both poll."},
};

static const char *const kernel_options[] = {
        "CONFIG_HALTPOLL_CPUIDLE", "CONFIG_CPU_IDLE_GOV_HALTPOLL", NULL,
};

static const char *const log_patterns[] = {
        "Enable haltpoll driver", "Fail to enable haltpoll driver", "Unregister haltpoll driver",
        "invalid for parameter `cpuidle_haltpoll.force'", "host does not support poll control", NULL,
};

static const char *const sources[] = {
        "Linux: Documentation/virt/guest-halt-polling.rst",
        "Linux: drivers/cpuidle/governors/haltpoll.c, drivers/cpuidle/cpuidle-haltpoll.c",
        "openEuler: Virtualization User Guide, Best Practices, Guest-Idle-Haltpoll",
        NULL,
};

const Practice practice_haltpoll = {
        .name = "haltpoll",
        .title = "guest halt polling",
        .purpose = "A vCPU that goes idle polls for a short time before it halts, so that a wake-up shortly after "
                   "costs no exit to the host and no inter-processor interrupt.",
        .how = "The governor keeps a limit for each CPU, which begins at 0. A CPU that goes idle polls for so long, "
               "then it halts. Only a halt changes the limit. One that is longer than the limit, and not longer "
               "than guest_halt_poll_ns, raises it: times grow, at least to grow_start, at most to "
               "guest_halt_poll_ns. A longer one lowers it, if allow_shrink lets it. While all idles end during the "
               "poll nothing changes it, also no smaller guest_halt_poll_ns and no 0; that is why gtuned resets all "
               "limits after it has lowered guest_halt_poll_ns or changed grow_start. Idles between the limit and "
               "its double are polled for nothing, and the limit stays; grow_start = guest_halt_poll_ns ends that "
               "up to guest_halt_poll_ns, and idles between that and its double are then the ones that are polled "
               "for nothing. A PM QoS request of 0 makes every idle a poll, whatever the tunables say.",
        .helps = "On vCPUs that own a physical core: wake-up latency and message passing between vCPUs get faster.",
        .harms = "On overcommitted hosts: an idle guest burns CPU time that other guests could use. A large "
                 "guest_halt_poll_ns makes an idle guest look fully busy to the host.",
        .proof = "current_driver and current_governor in " HALTPOLL_CPUIDLE " are both haltpoll.",
        .sources = sources,
        .kernel_options = kernel_options,
        .log_patterns = log_patterns,
        .reasons = reasons,
        .n_reasons = ELEMENTSOF(reasons),
        .shared_reasons = 1U << REASON_OF_BOOT | 1U << REASON_OF_GUEST | 1U << REASON_OF_OWNER,
        .keys = {haltpoll_keys, HALTPOLL_N_KEYS},
        .read = haltpoll_read,
        .done = haltpoll_free,
        .check = tunables_check,
        .observe = haltpoll_observe,
        .plan = haltpoll_plan,
        .list_rewrites = tunables_list_rewrites,
};
