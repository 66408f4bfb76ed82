/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A machine, a policy and a ledger that a test makes by hand. Include it after cmocka.h.
 */

#include "core/configuration.h"

#define STAGE_PRACTICE "practice"

_unused_ static const PolicyKey stage_keys[] = {{STAGE_PRACTICE, "enable", KEY_CHOICE, NULL, ""}};
_unused_ static const PolicyKey vcpu_key = {"guest", "vcpu", KEY_CHOICE, NULL, "", .shared = "auto"};
_unused_ static const PolicyKey bare_metal_key = {"guest", "allow_bare_metal", KEY_BOOL, NULL, ""};

typedef struct Stage {
        View view;
        Machine machine;
        Probe probe;
        Policy policy;
        Ledger ledger;
        const PolicyKey *shared[1];
        PolicySetting settings[3];
        BootEntry entry;
        const BootEntry *entries[1];
        Finding *finding;
} Stage;

static inline void stage_init(Stage *s) {
        *s = (Stage) {};
        s->view = (View) {.machine = &s->machine, .policy = &s->policy, .ledger = &s->ledger};
        s->machine.probe = &s->probe;
        s->machine.boot_id = (char *) "this";
        s->machine.virtualization = (char *) "kvm";
        s->machine.entries = s->entries;
        s->machine.n_entries = 1;
        s->entry = (BootEntry) {.path = (char *) "/boot/grub2/grub.cfg", .line = 7};
        s->entries[0] = &s->entry;
        s->policy.settings = s->settings;
        s->shared[0] = &vcpu_key;
        s->policy.shared = s->shared;
        s->policy.n_shared = 1;
        assert_int_equal(finding_new(&s->finding, STAGE_PRACTICE, NULL), 0);
}

static inline void stage_done(Stage *s) {
        finding_free(s->finding);
}

static inline void stage_set_policy(Stage *s, const PolicyKey *key, const char *value) {
        if (value)
                s->settings[s->policy.n_settings++] = (PolicySetting) {.key = key, .value = (char *) value};
}
