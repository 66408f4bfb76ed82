/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "core/policy-file.h"
#include "engine/side.h"

/* What the boot unit keeps of the kernel log (core/kernel-log.h). */
#define KEPT_LOG_NAME "kernel-log.json"

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

/* Append words to a list that a NULL ends; those beyond its size are dropped. */
static void side_add_words(const char *list[static SIDE_WORDS_MAX], const char *const *words) {
        size_t n = 0;

        while (list[n])
                n++;
        for (; words && *words && n < SIDE_WORDS_MAX - 1; words++)
                list[n++] = *words;
}

int side_interest(const Side *side, SideInterest *ret) {
        assert(side->n_practices <= PRACTICES_MAX);

        *ret = (SideInterest) {.kept_log = side_run_path(side, KEPT_LOG_NAME)};
        if (!ret->kept_log)
                return -ENOMEM;

        ret->interest = (Interest) {
                .kernel_options = ret->kernel_options,
                .log_patterns = ret->log_patterns,
                .services = ret->services,
                .kept_log = ret->kept_log,
        };
        for (size_t i = 0; i < side->n_practices; i++) {
                const Practice *p = side->practices[i];

                side_add_words(ret->kernel_options, p->kernel_options);
                side_add_words(ret->log_patterns, p->log_patterns);
                for (size_t k = 0; k < p->n_services && ret->interest.n_services < SIDE_SERVICES_MAX; k++)
                        ret->services[ret->interest.n_services++] = p->services[k];
        }

        return 0;
}

void side_interest_done(SideInterest *interest) {
        free(interest->kept_log);
        *interest = (SideInterest) {};
}

int side_keep_log(const Side *side, const Root *root, const KernelLog *log) {
        _cleanup_free_ char *path = side_run_path(side, KEPT_LOG_NAME);

        return path ? kernel_log_keep(root, path, log) : -ENOMEM;
}

int side_read_ledger(const Side *side, const Root *root, Ledger **ret) {
        _cleanup_free_ char *path = side_state_path(side, side->ledger_name);

        return path ? ledger_read(root, path, ret) : -ENOMEM;
}
