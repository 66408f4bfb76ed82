/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/side.h"
#include "haltpoll/haltpoll.h"
#include "measured-boot/measured-boot.h"
#include "pvspin/pvspin.h"
#include "qga-policy/qga-policy.h"

static const Practice *const practices[] = {
        &practice_haltpoll,
        &practice_pvspin,
        &practice_qga_policy,
        &practice_measured_boot,
};

static const char *const vcpu_choices[] = {"auto", "dedicated", "shared", NULL};

static const PolicyKey keys[] = {
        {"guest", "vcpu", KEY_CHOICE, vcpu_choices, "whether vCPUs own physical cores: auto, dedicated or shared",
         .shared = "auto"},
        {"guest", "allow_bare_metal", KEY_BOOL, NULL, "apply outside a virtual machine too"},

        /*
         * Whoever makes the image or administers it says whether the host may be believed. What comes and goes with a boot
         * must not widen that, and least of all what the host itself has sent.
         */
        {"guest", "accept_credential", KEY_BOOL, NULL, "take what the host offers by the credential gtuned.policy",
         .lasting = true},
        {"channel", "allow_apply", KEY_BOOL, NULL, "let the host start an apply"},
};

const Side guest_side = {
        .name = "guest",
        .practices = practices,
        .n_practices = ELEMENTSOF(practices),
        .keys = {keys, ELEMENTSOF(keys)},
        .policy_name = "gtuned/gtuned.conf",
        .state_directory = "/var/lib/gtuned",
        .run_directory = "/run/gtuned",
        .apply_unit = "gtuned-apply.service",
        .ledger_name = "ledger.json",
        .read_policy = guest_policy_read,
};
