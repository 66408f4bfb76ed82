/* SPDX-License-Identifier: Apache-2.0 */

#include "core/practice.h"

const Reason common_reasons[] = {
        {"container", "This is a container, which runs on the kernel of its host.", .hopeless = true,
         .group = REASON_OF_GUEST},
        {"bare-metal", "This is no virtual machine; tuning it needs allow_bare_metal = yes in [guest].",
         .hopeless = true, .group = REASON_OF_GUEST},
        {"other-hypervisor", "The hypervisor is not KVM, and the practice works only on KVM.", .hopeless = true,
         .group = REASON_OF_GUEST},
        {"hypervisor-unknown", "The hypervisor hides what it is, or is an unknown one, and the practice works only on "
                               "KVM, which the kernel has to see.", .hopeless = true, .group = REASON_OF_GUEST},
        {"held", "It was reverted by hand and is left alone until `gtune apply` is run or its policy changes.",
         .group = REASON_OF_OWNER},
        {"not-configured", "It is wanted, and the next boot would not have it: `gtune apply` configures it."},
        {"later-entries", "The boot entries have it, but the file that later entries are made from does not."},
        {"changed-since", "gtuned configured it, and it was removed afterwards: the evidence names the file."},
        {"opposite-token", "An administrator's token says the opposite, and the last one decides.", .hopeless = true},
        {"tokens-left", "Boot entries have its tokens, and it is not known that gtuned added them."},
        {"boot-config-not-read", "It was configured before this boot, and this boot does not have it: the boot "
                                 "loader reads another file, or the guest is booted with a command line of its host."},
        {"next-boot", "It is configured and takes effect at the next boot.", .group = REASON_OF_OWNER},
        {"image-not-built", "It is configured in /etc/kernel/cmdline, and the unified kernel image of this boot was built "
                            "without it."},
        {"default-unedited", "The entry that is booted by default is none that gtuned changes, and does not have it."},
        {"until-reboot", "It is no longer configured and stays in effect until the next boot."},
        {"ours-to-remove", "The policy does not want it, and gtuned's own changes are still there.",
         .group = REASON_OF_OWNER},
        {"configured-elsewhere", "It is configured, but not by gtuned, and the policy does not ask for it."},
        {"ours-without-policy", "gtuned configured it under a policy that is gone or has errors.",
         .group = REASON_OF_OWNER},
        {"no-effect", "It is configured, this boot was started with it, and it is not in effect; no cause is known."},
        {"atuned", "A-Tune is enabled and edits the same boot file in place; its rollback would undo the change.",
         .hopeless = true},
};
const size_t n_common_reasons = ELEMENTSOF(common_reasons);

static int practice_check_hold(const View *view, const Practice *practice, Finding *finding) {
        const LedgerHold *hold = ledger_hold(view->ledger, finding->practice, finding->subject);
        _cleanup_free_ char *now = NULL;

        if (!hold)
                return 0;

        now = policy_describe(view->policy, &practice->keys, view->subject);
        if (!now)
                return -ENOMEM;

        finding->held = streq(now, hold->policy);
        return 0;
}

int practice_wanted(const View *view, const Practice *practice, Finding *finding, bool automatic) {
        const char *enable;

        finding->wanted = WANTED_NOTHING;
        if (!policy_exists(view->policy) || view->policy->n_errors > 0)
                return 0;

        enable = policy_word(view->policy, practice->name, "enable", "auto");
        finding->wanted = streq(enable, "yes") || (streq(enable, "auto") && automatic) ? WANTED_ON : WANTED_OFF;
        return practice_check_hold(view, practice, finding);
}

int practice_wanted_by_keys(const View *view, const Practice *practice, Finding *finding) {
        finding->wanted = WANTED_NOTHING;
        if (!policy_exists(view->policy) || view->policy->n_errors > 0)
                return 0;

        finding->wanted = WANTED_OFF;
        for (size_t i = 0; i < practice->keys.n_keys; i++) {
                const PolicyKey *key = practice->keys.keys + i;

                if (policy_get_for(view->policy, key->section, key->name, view->subject))
                        finding->wanted = WANTED_ON;
        }

        return practice_check_hold(view, practice, finding);
}

bool practice_is_on(const Finding *finding) {
        return finding->wanted == WANTED_ON && !finding->held;
}

static bool practice_reason_is_hopeless(const Reason *reasons, size_t n, const char *code) {
        for (size_t i = 0; i < n; i++)
                if (streq(reasons[i].code, code))
                        return reasons[i].hopeless;

        return false;
}

bool practice_is_hopeless(const Practice *practice, const Finding *finding) {
        const char *code = finding->reason_code;

        return code && (practice_reason_is_hopeless(practice->reasons, practice->n_reasons, code) ||
                        practice_reason_is_hopeless(common_reasons, n_common_reasons, code));
}

int practice_guest_refusal(const View *view, Finding *finding) {
        const char *virtualization = view->machine->virtualization;
        int r;

        if (view->machine->container)
                r = finding_verdict(finding, STATE_UNSUPPORTED, "container", "run gtuned in the guest itself",
                                    "this is a %s container", view->machine->container);
        else if (!virtualization || streq(virtualization, "kvm"))
                return 0;
        else if (streq(virtualization, "vm-other"))
                r = finding_verdict(finding, STATE_UNSUPPORTED, "hypervisor-unknown",
                                    "if it is KVM, let the host show it to the guest: without kvm=off of QEMU's -cpu, "
                                    "without <hidden state='on'/> in libvirt's XML",
                                    "this is a virtual machine, and its hypervisor does not say that it is KVM");
        else if (!streq(virtualization, "none"))
                r = finding_verdict(finding, STATE_UNSUPPORTED, "other-hypervisor", NULL,
                                    "the hypervisor is %s, not KVM", virtualization);
        else if (!policy_bool(view->policy, "guest", "allow_bare_metal", false))
                r = finding_verdict(finding, STATE_UNSUPPORTED, "bare-metal",
                                    "set allow_bare_metal = yes in [guest] if this is meant",
                                    "this is no virtual machine");
        else
                return 0;

        return r < 0 ? r : 1;
}
