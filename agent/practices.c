/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/credential.h"
#include "agent/practices.h"
#include "haltpoll/haltpoll.h"
#include "pvspin/pvspin.h"
#include "qga-policy/qga-policy.h"
#include "measured-boot/measured-boot.h"

#define LOG_PATTERNS_MAX 64U

const Practice *const practices[N_PRACTICES] = {
        &practice_haltpoll,
        &practice_pvspin,
        &practice_qga_policy,
        &practice_measured_boot,
};

int practice_find(const char *name) {
        for (size_t i = 0; i < N_PRACTICES; i++)
                if (streq(practices[i]->name, name))
                        return (int) i;

        return -ENOENT;
}

void practices_keys(PolicyKeys ret[static N_PRACTICES]) {
        for (size_t i = 0; i < N_PRACTICES; i++)
                ret[i] = practices[i]->keys;
}

int practices_read_policy(const Root *root, Policy **ret) {
        _cleanup_(policy_freep) Policy *policy = NULL;
        PolicyKeys keys[N_PRACTICES];
        int r;

        practices_keys(keys);
        r = policy_read(root, keys, N_PRACTICES, &policy);
        if (r >= 0)
                r = credential_note(root, policy);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(policy);
        return 0;
}

void practices_services(const char *ret[static SERVICES_MAX + 1]) {
        size_t n = 0;

        for (size_t i = 0; i < N_PRACTICES; i++)
                for (size_t k = 0; k < practices[i]->n_services && n < SERVICES_MAX; k++)
                        ret[n++] = practices[i]->services[k].unit;

        ret[n] = NULL;
}

int practices_read_machine(const Root *root, const char *arch, Machine **ret) {
        const char *patterns[LOG_PATTERNS_MAX] = {};
        ServiceInterest services[SERVICES_MAX];
        Interest interest = {.log_patterns = patterns, .services = services};
        size_t n = 0;

        for (size_t i = 0; i < N_PRACTICES; i++) {
                for (const char *const *p = practices[i]->log_patterns; p && *p && n < LOG_PATTERNS_MAX - 1; p++)
                        patterns[n++] = *p;
                for (size_t k = 0; k < practices[i]->n_services && interest.n_services < SERVICES_MAX; k++)
                        services[interest.n_services++] = practices[i]->services[k];
        }

        return machine_read(root, arch, &interest, ret);
}
