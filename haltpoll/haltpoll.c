/* SPDX-License-Identifier: Apache-2.0 */

#include "haltpoll/haltpoll.h"

static bool wanted_automatically(const View *view) {
        const char *vcpu = policy_word(view->policy, "guest", "vcpu", "auto");

        return streq(vcpu, "dedicated") || (streq(vcpu, "auto") && view->machine->probe->dedicated_hint == 1);
}

/* The module form: both files with our bytes. */
static int configuration_of_files(const View *view, const Haltpoll *h, Configuration *ret) {
        const char *paths[] = {HALTPOLL_MODULES_LOAD, HALTPOLL_MODPROBE}, *texts[2];

        *ret = (Configuration) {.complete = true, .next_boot = true, .running = h->loaded};
        haltpoll_files(&texts[0], &texts[1]);

        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                _cleanup_buffer_ Buffer is = BUFFER_NULL;
                const LedgerFile *record = ledger_file(view->ledger, paths[i]);
                int r = root_read(view->root, paths[i], 65536, &is);

                if (r == -ENOMEM)
                        return r;
                ret->ours = ret->ours || record;
                /* A file that was there when this boot began has had its chance. */
                ret->running = ret->running || (record && !streq_ptr(record->boot_id, view->machine->boot_id));
                if (r >= 0 && streq(is.data, texts[i]))
                        continue;

                ret->complete = ret->next_boot = false;
                ret->path = paths[i];
                ret->detail = r >= 0 ? "other content" : NULL;
        }

        return 0;
}

static int read_configuration(const View *view, const Haltpoll *h, Configuration *ret) {
        Configuration tokens;
        int r;

        configuration_of_tokens(view, practice_haltpoll.name, h->tokens, h->n_tokens, &tokens);
        *ret = tokens;
        if (!h->by_files)
                return 0;

        r = configuration_of_files(view, h, ret);
        if (r < 0 || h->n_tokens == 0)
                return r;

        /* Both are needed: a module whose governor is switched off. */
        if (ret->complete) {
                tokens.ours = tokens.ours || ret->ours;
                *ret = tokens;
        }
        return 0;
}

/*
 * Where the kernel lets "force" be written, the driver registers at once (6.6 and later, arm64). Where another
 * one owns the CPUs the write fails with EBUSY, without cpuidle with ENODEV, and the whole apply with it.
 */
static bool registers_now(const Haltpoll *h) {
        return h->arm64 && h->force_writable && streq_ptr(h->force, "N") && streq_ptr(h->driver, "none");
}

/* On those kernels "force" on the command line may come too early to register the driver: a write is enough. */
static int judge_driver(Finding *finding, const Haltpoll *h, const Configuration *c) {
        if (!practice_is_on(finding) || !registers_now(h) || !c->complete || c->opposite)
                return 0;

        return finding_verdict(finding, STATE_DIFFERS, "driver-not-registered", "run `gtune apply`",
                               "the haltpoll driver is not registered, and this kernel lets it be registered now");
}

static int tunables_verdict(Finding *finding, const char *drifted) {
        if (drifted)
                return finding_verdict(finding, STATE_DRIFTED, "tunable-changed", "run `gtune apply`",
                                       "%s was changed after gtuned had set it", drifted);
        if (finding->state == STATE_DIFFERS)
                return 0;

        return finding_verdict(finding, STATE_DIFFERS, "tunable-differs", "run `gtune apply`",
                               "a tunable has another value than the policy asks for");
}

/* What the tunables say comes on top of a verdict about driver and governor that is no obstacle. */
static int judge_tunables(const View *view, Finding *finding) {
        const char *drifted;
        bool differs, reboot = finding->reboot;
        int r;

        r = tunables_observe(view, finding, &differs, &drifted);
        if (r < 0 || !differs)
                return r;
        if (finding->state != STATE_ACTIVE && finding->state != STATE_PENDING_REBOOT &&
            finding->state != STATE_DIFFERS)
                return 0;

        r = tunables_verdict(finding, drifted);
        finding->reboot = reboot;
        return r;
}

static int observe(const View *view, Finding *finding) {
        _cleanup_haltpoll_ Haltpoll h = {};
        Configuration c;
        int r;

        r = practice_wanted(view, finding, wanted_automatically(view));
        if (r >= 0)
                r = haltpoll_read(view, finding, &h);
        if (r >= 0)
                r = read_configuration(view, &h, &c);
        if (r < 0)
                return r;

        /* An obstacle matters to somebody who wants it; one who does not is told what the kernel cannot do. */
        r = haltpoll_obstacle(view, &h, finding);
        if (r < 0)
                return r;
        if (r == 0 || finding->held || (!practice_is_on(finding) && finding->state != STATE_UNSUPPORTED)) {
                r = configuration_verdict(view, finding, &c, h.effect);
                if (r >= 0)
                        r = judge_driver(finding, &h, &c);
                if (r < 0)
                        return r;
        }

        return judge_tunables(view, finding);
}

bool haltpoll_hopeless(const Finding *finding) {
        static const char *const codes[] = {
                "container", "bare-metal", "other-hypervisor", "architecture", "force-refused", "atuned",
                "opposite-token",
        };

        for (size_t i = 0; finding->reason_code && i < ELEMENTSOF(codes); i++)
                if (streq(finding->reason_code, codes[i]))
                        return true;

        return false;
}

static int plan_files(const Haltpoll *h, bool load, Plan *plan) {
        const char *modules_load, *modprobe;
        int r;

        haltpoll_files(&modules_load, &modprobe);
        r = plan_file(plan, practice_haltpoll.name, HALTPOLL_MODPROBE, modprobe);
        if (r >= 0)
                r = plan_file(plan, practice_haltpoll.name, HALTPOLL_MODULES_LOAD, modules_load);
        if (r < 0 || !load || h->loaded)
                return r;

        /* It loads what is new in modules-load.d, and so makes it active now. */
        return plan_unit(plan, practice_haltpoll.name, "systemd-modules-load.service", NULL);
}

static int plan_on(const View *view, const Finding *finding, const Haltpoll *h, Plan *plan) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < h->n_tokens; i++)
                r = plan_token(plan, practice_haltpoll.name, h->tokens + i);
        if (r >= 0 && h->by_files)
                r = plan_files(h, finding->state == STATE_DIFFERS || finding->state == STATE_DRIFTED, plan);
        if (r >= 0 && h->governor)
                r = tunables_plan(view, plan);
        if (r < 0)
                return r;

        /* Then no reboot is needed. The kernel does not ask whether this is a guest: we did. */
        if (registers_now(h))
                return plan_attribute(plan, practice_haltpoll.name, HALTPOLL_FORCE, "Y");

        return 0;
}

static int plan(const View *view, const Finding *finding, Plan *p) {
        _cleanup_haltpoll_ Haltpoll h = {};
        int r;

        if (!practice_is_on(finding) || haltpoll_hopeless(finding))
                return 0;

        r = haltpoll_read(view, NULL, &h);
        if (r < 0)
                return r;

        /* "auto" asks only for what can work; "yes" is the administrator's word, for the next kernel too. */
        if (finding->state == STATE_UNSUPPORTED &&
            !streq(policy_word(view->policy, "haltpoll", "enable", "auto"), "yes"))
                return 0;

        return plan_on(view, finding, &h, p);
}

static const Reason reasons[] = {
        {"architecture", "haltpoll exists for x86_64 and aarch64 only."},
        {"kernel-no-driver", "The kernel was built without the haltpoll cpuidle driver."},
        {"kernel-no-governor", "The kernel was built without the haltpoll governor, so there is nothing to tune."},
        {"kernel-parameter", "A parameter on the kernel command line keeps haltpoll from working."},
        {"cpuidle-missing", "There is no cpuidle in /sys, and the kernel's configuration is unknown."},
        {"no-cpuidle", "The kernel runs without cpuidle."},
        {"other-driver", "Another cpuidle driver owns the CPUs, and a CPU has only one."},
        {"other-governor", "The driver is loaded, but another governor decides."},
        {"force-refused", "6.6 kernels of openEuler refuse cpuidle_haltpoll.force on x86_64: only the host's "
                          "hint-dedicated helps."},
        {"driver-not-registered", "It is configured, and the driver waits for a write to force: `gtune apply`."},
        {"driver-failed", "The kernel log says that the driver could not register."},
        {"tunable-differs", "A tunable has another value than the policy asks for."},
        {"tunable-changed", "A tunable was changed after gtuned had set it in this boot."},
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
        .proof = "current_driver and current_governor in " CPUIDLE " are both haltpoll.",
        .sources = sources,
        .log_patterns = log_patterns,
        .reasons = reasons,
        .n_reasons = ELEMENTSOF(reasons),
        .keys = {haltpoll_keys, HALTPOLL_N_KEYS},
        .check = tunables_check,
        .observe = observe,
        .plan = plan,
};
