/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "tpm/verdict-internal.h"

const Algorithm verdict_bank_order[_ALGORITHM_MAX] = {
        ALGORITHM_SHA256, ALGORITHM_SHA384, ALGORITHM_SHA512, ALGORITHM_SM3_256, ALGORITHM_SHA1,
};

/* PCR 0 to 7 of a bank, one bit each. */
typedef struct BankContent {
        uint32_t known;
        uint32_t start; /* PCRs that hold no measurement of the firmware, not even a separator */
        uint32_t empty; /* those, and PCRs that hold only a separator */
} BankContent;

/* Return: 0, -EOPNOTSUPP, -ENOMEM. */
static int bank_content_read(const Pcrs *pcrs, Algorithm bank, BankContent *ret) {
        const PcrBank *b = pcrs->banks + bank;

        *ret = (BankContent){.known = b->present & VERDICT_PCRS};
        for (unsigned i = 0; i < 8; i++) {
                PcrContent content;
                int r;

                if (!(b->present & 1U << i))
                        continue;

                r = pcr_content(bank, i, b->digests[i], &content);
                if (r < 0)
                        return r;
                if (content == PCR_CONTENT_START)
                        ret->start |= 1U << i;
                if (content != PCR_CONTENT_MEASURED)
                        ret->empty |= 1U << i;
        }

        return 0;
}

/* A bank that libcrypto cannot compute counts as not allocated. Return: 0 or -ENOMEM. */
static int verdict_read_banks(const Pcrs *pcrs, BankContent contents[static _ALGORITHM_MAX]) {
        for (Algorithm i = 0; i < _ALGORITHM_MAX; i++) {
                int r = bank_content_read(pcrs, i, contents + i);

                if (r == -EOPNOTSUPP)
                        contents[i] = (BankContent){};
                else if (r < 0)
                        return r;
        }

        return 0;
}

static Algorithm verdict_choose_bank(const BankContent contents[static _ALGORITHM_MAX], Algorithm wanted) {
        if (wanted >= 0)
                return wanted;

        for (size_t i = 0; i < ELEMENTSOF(verdict_bank_order); i++)
                if (contents[verdict_bank_order[i]].known)
                        return verdict_bank_order[i];

        return _ALGORITHM_INVALID;
}

static bool bank_content_is_started(const BankContent *content) {
        return (content->known & ~content->start) != 0;
}

static int verdict_judge_pcrs(const VerdictInput *in, Verdict *v) {
        BankContent contents[_ALGORITHM_MAX];
        const BankContent *bank;
        bool something = false;
        int r = verdict_read_banks(in->pcrs, contents);

        if (r < 0)
                return r;

        v->bank = verdict_choose_bank(contents, in->bank);
        if (verdict_choose_bank(contents, _ALGORITHM_INVALID) < 0) {
                v->state = VERDICT_UNREADABLE;
                return 0;
        }

        for (Algorithm i = 0; i < _ALGORITHM_MAX; i++)
                something = something || bank_content_is_started(contents + i);

        bank = contents + v->bank;
        v->empty = bank->empty;
        if (!something)
                v->state = VERDICT_NOT_MEASURED;
        else if (!bank_content_is_started(bank))
                v->state = VERDICT_WRONG_BANK;
        else if (bank->known != VERDICT_PCRS)
                v->state = VERDICT_UNREADABLE;
        else if (bank->empty == VERDICT_PCRS)
                v->state = VERDICT_SEPARATOR_ONLY;
        else
                v->state = bank->empty & VERDICT_PCRS_NEEDED ? VERDICT_PARTIAL : VERDICT_MEASURED;

        return 0;
}

int verdict_compute(const VerdictInput *in, Verdict **ret) {
        static const VerdictState states[_TPM_PRESENCE_MAX] = {
                [TPM_ABSENT] = VERDICT_NO_TPM,
                [TPM_NO_DRIVER] = VERDICT_TPM_NO_DRIVER,
                [TPM_12] = VERDICT_TPM12,
                [TPM_20] = VERDICT_UNREADABLE,
        };
        _cleanup_(verdict_freep) Verdict *v = calloc(1, sizeof(*v));
        int r;

        assert(in);
        assert(ret);

        if (!v)
                return -ENOMEM;

        v->bank = v->log_bank = _ALGORITHM_INVALID;
        v->secure_boot = -1;
        v->state = states[in->tpm];
        r = free_and_strdup(&v->boot_id, in->boot_id);
        if (r < 0)
                return r;

        if (in->tpm == TPM_20 && in->pcrs) {
                r = verdict_judge_pcrs(in, v);
                if (r < 0)
                        return r;
        }
        r = verdict_judge_log(in, v);
        if (r < 0)
                return r;
        r = verdict_judge_baseline(in, v);
        if (r < 0)
                return r;
        r = verdict_collect_events(in, v);
        if (r < 0)
                return r;
        r = verdict_word(in, v);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(v);
        return 0;
}
