/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "tpm/baseline-internal.h"

/* The PCRs of a new baseline, and their levels; see baseline_default_level(). */
static const struct {
        uint32_t pcrs;
        BaselineLevel level;
} baseline_defaults[] = {
        {1U << 0 | 1U << 2 | 1U << 4 | 1U << 7, BASELINE_MUST},
        {1U << 8 | 1U << 9 | 1U << 14, BASELINE_WARN},
        {1U << 1 | 1U << 3 | 1U << 5 | 1U << 6, BASELINE_IGNORE},
};

static const char *const baseline_levels[_BASELINE_LEVEL_MAX] = {
        [BASELINE_IGNORE] = "ignore",
        [BASELINE_WARN] = "warn",
        [BASELINE_MUST] = "must",
};

static const char *const baseline_outcomes[_BASELINE_OUTCOME_MAX] = {
        [BASELINE_NOT_LISTED] = "not-listed",
        [BASELINE_MATCH] = "match",
        [BASELINE_MISMATCH] = "mismatch",
        [BASELINE_NOT_READ] = "not-read",
};

static const char *const baseline_results[_BASELINE_RESULT_MAX] = {
        [BASELINE_NONE] = "none",       [BASELINE_OK] = "ok",           [BASELINE_WARNING] = "warning",
        [BASELINE_FAILURE] = "failure", [BASELINE_INVALID] = "invalid",
};

const char *baseline_level_to_string(BaselineLevel level) {
        return baseline_levels[level];
}

BaselineLevel baseline_level_from_string(const char *name) {
        for (BaselineLevel i = 0; i < _BASELINE_LEVEL_MAX; i++)
                if (streq(baseline_levels[i], name))
                        return i;

        return _BASELINE_LEVEL_INVALID;
}

const char *baseline_outcome_to_string(BaselineOutcome outcome) {
        return baseline_outcomes[outcome];
}

const char *baseline_result_to_string(BaselineResult result) {
        return baseline_results[result];
}

BaselineResult baseline_result_from_string(const char *name) {
        for (BaselineResult i = 0; i < _BASELINE_RESULT_MAX; i++)
                if (streq(baseline_results[i], name))
                        return i;

        return _BASELINE_RESULT_INVALID;
}

BaselineLevel baseline_default_level(unsigned pcr) {
        for (size_t i = 0; i < ELEMENTSOF(baseline_defaults); i++)
                if (pcr < PCR_COUNT && baseline_defaults[i].pcrs & 1U << pcr)
                        return baseline_defaults[i].level;

        return _BASELINE_LEVEL_INVALID;
}

Baseline *baseline_free(Baseline *baseline) {
        if (!baseline)
                return NULL;

        for (unsigned i = 0; i < PCR_COUNT; i++) {
                for (size_t k = 0; k < baseline->pcrs[i].n_values; k++)
                        free(baseline->pcrs[i].values[k].label);
                free(baseline->pcrs[i].values);
        }
        free(baseline);
        return NULL;
}

bool baseline_label_is_valid(const char *label) {
        size_t n = 0;

        for (; label[n]; n++)
                if (n >= BASELINE_LABEL_MAX || label[n] < 0x20 || label[n] >= 0x7F)
                        return false;

        return true;
}

const BaselineValue *baseline_find(const BaselinePcr *pcr, const uint8_t *digest, size_t size) {
        for (size_t i = 0; i < pcr->n_values; i++)
                if (memcmp(pcr->values[i].digest, digest, size) == 0)
                        return pcr->values + i;

        return NULL;
}

int baseline_push(BaselinePcr *pcr, const uint8_t *digest, size_t size, const char *label) {
        _cleanup_free_ char *copy = NULL;
        BaselineValue *value;

        if (free_and_strdup(&copy, label) < 0 || grow(&pcr->values, pcr->n_values, sizeof(BaselineValue)) < 0)
                return -ENOMEM;

        value = pcr->values + pcr->n_values++;
        memcpy(value->digest, digest, size);
        value->label = TAKE_PTR(copy);
        return 0;
}

int baseline_make(const Pcrs *pcrs, Algorithm bank, const char *label, Baseline **ret) {
        _cleanup_(baseline_freep) Baseline *baseline = NULL;

        assert(ret);

        if (label && !baseline_label_is_valid(label))
                return -EINVAL;

        baseline = calloc(1, sizeof(*baseline));
        if (!baseline)
                return -ENOMEM;

        baseline->bank = bank;
        for (unsigned i = 0; i < PCR_COUNT; i++) {
                BaselineLevel level = baseline_default_level(i);

                if (level < 0)
                        continue;
                if (!(pcrs->banks[bank].present & 1U << i))
                        return -ENODATA;

                baseline->pcrs[i].listed = true;
                baseline->pcrs[i].level = level;
                if (baseline_push(baseline->pcrs + i, pcrs->banks[bank].digests[i], algorithm_size(bank), label) < 0)
                        return -ENOMEM;
        }

        *ret = TAKE_PTR(baseline);
        return 0;
}

/* Finds PCRs whose value is not in the baseline. Return: 0, -ENODATA, -E2BIG. */
static int baseline_find_new_values(const Baseline *baseline, const PcrBank *bank, uint32_t *ret) {
        uint32_t wanted = 0;

        for (unsigned i = 0; i < PCR_COUNT; i++) {
                const BaselinePcr *pcr = baseline->pcrs + i;

                if (!pcr->listed)
                        continue;
                if (!(bank->present & 1U << i))
                        return -ENODATA;
                if (baseline_find(pcr, bank->digests[i], algorithm_size(baseline->bank)))
                        continue;
                if (pcr->n_values >= BASELINE_VALUES_MAX)
                        return -E2BIG;
                wanted |= 1U << i;
        }

        *ret = wanted;
        return 0;
}

int baseline_add(Baseline *baseline, const Pcrs *pcrs, const char *label, uint32_t *ret_added) {
        const PcrBank *bank = pcrs->banks + baseline->bank;
        uint32_t wanted, added = 0;
        int r;

        assert(ret_added);

        if (label && !baseline_label_is_valid(label))
                return -EINVAL;

        r = baseline_find_new_values(baseline, bank, &wanted);
        if (r < 0)
                return r;

        for (unsigned i = 0; i < PCR_COUNT; i++) {
                if (!(wanted & 1U << i))
                        continue;
                r = baseline_push(baseline->pcrs + i, bank->digests[i], algorithm_size(baseline->bank), label);
                if (r < 0) {
                        for (unsigned k = 0; k < i; k++)
                                if (added & 1U << k)
                                        free(baseline->pcrs[k].values[--baseline->pcrs[k].n_values].label);

                        return r;
                }
                added |= 1U << i;
        }

        *ret_added = added;
        return 0;
}

void baseline_check(const Baseline *baseline, const Pcrs *pcrs, BaselineCheck *ret) {
        const PcrBank *bank = pcrs->banks + baseline->bank;

        *ret = (BaselineCheck){};
        for (unsigned i = 0; i < PCR_COUNT; i++) {
                const BaselinePcr *pcr = baseline->pcrs + i;

                if (bank->present & 1U << i)
                        ret->pcrs[i].actual = bank->digests[i];
                if (!pcr->listed)
                        continue;

                ret->pcrs[i].outcome = BASELINE_NOT_READ;
                if (ret->pcrs[i].actual) {
                        ret->pcrs[i].match = baseline_find(pcr, bank->digests[i], algorithm_size(baseline->bank));
                        ret->pcrs[i].outcome = ret->pcrs[i].match ? BASELINE_MATCH : BASELINE_MISMATCH;
                }
                if (ret->pcrs[i].outcome == BASELINE_MATCH)
                        continue;

                ret->failed |= pcr->level == BASELINE_MUST ? 1U << i : 0;
                ret->warned |= pcr->level == BASELINE_WARN ? 1U << i : 0;
        }

        ret->result = ret->failed ? BASELINE_FAILURE : ret->warned ? BASELINE_WARNING : BASELINE_OK;
}
