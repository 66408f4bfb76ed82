/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/practices.h"
#include "haltpoll/haltpoll.h"
#include "pvspin/pvspin.h"

#define LOG_PATTERNS_MAX 64U

const Practice *const practices[N_PRACTICES] = {
        &practice_haltpoll,
        &practice_pvspin,
};

int practice_find(const char *name) {
        for (size_t i = 0; i < N_PRACTICES; i++)
                if (streq(practices[i]->name, name))
                        return (int) i;

        return -ENOENT;
}

int practices_read_policy(const Root *root, Policy **ret) {
        PolicyKeys keys[N_PRACTICES];

        for (size_t i = 0; i < N_PRACTICES; i++)
                keys[i] = practices[i]->keys;

        return policy_read(root, keys, N_PRACTICES, ret);
}

int practices_read_machine(const Root *root, const char *arch, Machine **ret) {
        const char *patterns[LOG_PATTERNS_MAX] = {};
        size_t n = 0;

        for (size_t i = 0; i < N_PRACTICES; i++)
                for (const char *const *p = practices[i]->log_patterns; p && *p && n < LOG_PATTERNS_MAX - 1; p++)
                        patterns[n++] = *p;

        return machine_read(root, arch, patterns, ret);
}
