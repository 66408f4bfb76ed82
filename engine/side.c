/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "core/policy-file.h"
#include "engine/side.h"

/* What the boot unit keeps of the kernel log (core/kernel-log.h). */
#define KEPT_LOG_NAME "kernel-log.json"

#define LOG_PATTERNS_MAX 64U

int side_find_practice(const Side *side, const char *name) {
        for (size_t i = 0; i < side->n_practices; i++)
                if (streq(side->practices[i]->name, name))
                        return (int) i;

        return -ENOENT;
}

const ChangeKindRow *side_find_kind(const Side *side, const char *name) {
        for (size_t i = 0; i < side->n_kinds; i++)
                if (streq(side->kinds[i].name, name))
                        return side->kinds + i;

        return NULL;
}

char *side_state_path(const Side *side, const char *name) {
        return xasprintf("%s/%s", side->state_directory, name);
}

char *side_run_path(const Side *side, const char *name) {
        return xasprintf("%s/%s", side->run_directory, name);
}

/* The groups of keys that a policy of the side may set; *ret_n takes how many. */
static PolicyKeys *side_keys(const Side *side, size_t *ret_n) {
        PolicyKeys *keys = calloc(side->n_practices + 1, sizeof(PolicyKeys));

        if (!keys)
                return NULL;

        for (size_t i = 0; i < side->n_practices; i++)
                keys[i] = side->practices[i]->keys;
        keys[side->n_practices] = side->keys;
        *ret_n = side->n_practices + 1;
        return keys;
}

int side_read_policy_files(const Side *side, const Root *root, Policy **ret) {
        _cleanup_free_ PolicyKeys *keys = NULL;
        size_t n;

        keys = side_keys(side, &n);
        return keys ? policy_read(root, side->policy_name, keys, n, ret) : -ENOMEM;
}

int side_read_policy_text(const Side *side, const char *text, size_t size, Policy **ret) {
        _cleanup_free_ PolicyKeys *keys = NULL;
        size_t n;

        keys = side_keys(side, &n);
        return keys ? policy_read_text(text, size, keys, n, ret) : -ENOMEM;
}

void side_services(const Side *side, const char *ret[static SIDE_SERVICES_MAX + 1]) {
        size_t n = 0;

        for (size_t i = 0; i < side->n_practices; i++)
                for (size_t k = 0; k < side->practices[i]->n_services && n < SIDE_SERVICES_MAX; k++)
                        ret[n++] = side->practices[i]->services[k].unit;

        ret[n] = NULL;
}

int side_read_machine(const Side *side, const Root *root, const char *arch, Machine **ret) {
        _cleanup_free_ char *kept_log = side_run_path(side, KEPT_LOG_NAME);
        const char *patterns[LOG_PATTERNS_MAX] = {};
        ServiceInterest services[SIDE_SERVICES_MAX];
        Interest interest = {.log_patterns = patterns, .services = services, .kept_log = kept_log};
        size_t n = 0;

        assert(side->n_practices <= PRACTICES_MAX);

        if (!kept_log)
                return -ENOMEM;

        for (size_t i = 0; i < side->n_practices; i++) {
                const Practice *p = side->practices[i];

                for (const char *const *line = p->log_patterns; line && *line && n < LOG_PATTERNS_MAX - 1; line++)
                        patterns[n++] = *line;
                for (size_t k = 0; k < p->n_services && interest.n_services < SIDE_SERVICES_MAX; k++)
                        services[interest.n_services++] = p->services[k];
        }

        return machine_read(root, arch, &interest, ret);
}

int side_keep_log(const Side *side, const Root *root, const KernelLog *log) {
        _cleanup_free_ char *path = side_run_path(side, KEPT_LOG_NAME);

        return path ? kernel_log_keep(root, path, log) : -ENOMEM;
}

int side_read_ledger(const Side *side, const Root *root, Ledger **ret) {
        _cleanup_free_ char *path = side_state_path(side, side->ledger_name);

        return path ? ledger_read(root, path, ret) : -ENOMEM;
}
