/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Baseline files: a text is refused with an error of one line, or it is a baseline that is read the same after it was
 * written again.
 */

#include <assert.h>

#include "tpm/baseline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_error(const char *error) {
        assert(error && strncmp(error, "FILE: ", 6) == 0);
        for (const char *p = error; *p; p++)
                assert(*p >= 0x20 && *p < 0x7F);
}

static void check_limits(const Baseline *baseline) {
        assert(baseline->bank >= 0 && baseline->bank < _ALGORITHM_MAX);
        for (unsigned i = 0; i < PCR_COUNT; i++) {
                const BaselinePcr *pcr = baseline->pcrs + i;

                assert(pcr->n_values <= BASELINE_VALUES_MAX && pcr->listed == (pcr->n_values > 0));
                assert(!pcr->listed || (pcr->level >= 0 && pcr->level < _BASELINE_LEVEL_MAX));
        }
}

static void check_again(const Baseline *baseline) {
        _cleanup_(baseline_freep) Baseline *again = NULL;
        _cleanup_buffer_ Buffer a = BUFFER_NULL, b = BUFFER_NULL;
        _cleanup_free_ char *error = NULL;

        assert(baseline_format(baseline, &a) == 0);
        if (a.size > BASELINE_SIZE_MAX)
                return; /* the indented form of a file near the limit */
        assert(baseline_parse(a.data, a.size, "FILE", &again, &error) == 0);
        assert(baseline_format(again, &b) == 0);
        assert(buffer_equal(&a, &b));
}

static void check_use(Baseline *baseline) {
        static const Pcrs pcrs = {.banks[ALGORITHM_SHA256] = {.present = PCR_ALL}};
        _cleanup_json_ json_object *o = NULL;
        BaselineCheck check;
        uint32_t added;

        baseline_check(baseline, &pcrs, &check);
        assert(baseline_check_to_json(baseline, &check, &o) == 0);

        if (baseline_add(baseline, &pcrs, "label", &added) == 0) {
                baseline_check(baseline, &pcrs, &check);
                assert(check.result == BASELINE_OK);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(baseline_freep) Baseline *baseline = NULL;
        _cleanup_free_ char *error = NULL;
        int r = baseline_parse((const char *) data, size, "FILE", &baseline, &error);

        if (r < 0) {
                assert(r == -EBADMSG && !baseline);
                check_error(error);
                return 0;
        }

        assert(!error);
        check_limits(baseline);
        check_again(baseline);
        check_use(baseline);
        return 0;
}
