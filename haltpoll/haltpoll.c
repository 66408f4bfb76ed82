/* SPDX-License-Identifier: Apache-2.0 */

#include "haltpoll/haltpoll.h"

static bool haltpoll_wanted_automatically(const View *view) {
        const char *vcpu = policy_word(view->policy, "guest", "vcpu", "auto");

        return streq(vcpu, "dedicated") || (streq(vcpu, "auto") && view->machine->probe->dedicated_hint == 1);
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

/* The tunables change the verdict about driver and governor only if that is no obstacle. */
static int haltpoll_judge_tunables(const View *view, const Haltpoll *h, Finding *finding) {
        const char *drifted;
        bool differs, reboot = finding->reboot;
        int r;

        r = tunables_observe(view, h, finding, &differs, &drifted);
        if (r < 0 || !differs)
                return r;
        if (finding->state != STATE_ACTIVE && finding->state != STATE_PENDING_REBOOT &&
            finding->state != STATE_DIFFERS)
                return 0;

        if (drifted) {
                r = finding_verdict(finding, STATE_DRIFTED, "tunable-changed", "run `gtune apply`",
                                    "%s was changed after gtuned had set it", drifted);
                if (r < 0)
                        return r;
        } else if (finding->state != STATE_DIFFERS) {
                r = finding_verdict(finding, STATE_DIFFERS, "tunable-differs", "run `gtune apply`",
                                    "a tunable has another value than the policy asks for");
                if (r < 0)
                        return r;
        }

        if (reboot)
                finding_wait_for_boot(finding);
        return 0;
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

        return haltpoll_judge_tunables(view, h, finding);
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
         * "auto" plans only what works on this kernel. "yes" is the administrator's order, and holds for the next
         * kernel.
         */
        if (finding->state == STATE_UNSUPPORTED &&
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
        }

        /* With this write no reboot is needed. The kernel does not check whether it runs in a guest; gtuned has. */
        return haltpoll_registers_now(h) ? plan_attribute(plan, finding, HALTPOLL_FORCE, "Y") : 0;
}

static const Reason reasons[] = {
        {"architecture", "haltpoll exists for x86_64 and aarch64 only.", .hopeless = true},
        {"kernel-no-driver", "The kernel was built without the haltpoll cpuidle driver."},
        {"kernel-no-governor", "The kernel was built without the haltpoll governor, so there is nothing to tune."},
        {"kernel-parameter", "A parameter on the kernel command line keeps haltpoll from working."},
        {"cpuidle-missing", "There is no cpuidle in /sys, and the kernel's configuration is unknown."},
        {"no-cpuidle", "The kernel runs without cpuidle."},
        {"other-driver", "Another cpuidle driver owns the CPUs, and a CPU has only one."},
        {"other-governor", "The driver is loaded, but another governor decides."},
        {"force-refused", "6.6 kernels of openEuler refuse cpuidle_haltpoll.force on x86_64: only the host's "
                          "hint-dedicated helps.", .hopeless = true},
        {"driver-not-registered", "It is configured, and the driver waits for a write to force: `gtune apply`."},
        {"driver-failed", "The kernel log says that the driver could not register."},
        {"tunable-differs", "A tunable has another value than the policy asks for."},
        {"tunable-changed", "A tunable was changed after gtuned had set it in this boot."},
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
};
