/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "tpm/verdict-internal.h"

/* Without a measurement in one of these, no boot was measured: firmware code, boot loader, Secure Boot state. */
#define PCRS_NEEDED (1U << 0 | 1U << 4 | 1U << 7)

const Algorithm verdict_bank_order[_ALGORITHM_MAX] = {
        ALGORITHM_SHA256, ALGORITHM_SHA384, ALGORITHM_SHA512, ALGORITHM_SM3_256, ALGORITHM_SHA1,
};

/* PCR 0 to 7 of a bank, one bit each. */
typedef struct BankContent {
        uint32_t known;
        uint32_t start; /* nothing of the firmware */
        uint32_t empty; /* that, or only a separator */
} BankContent;

/* Return: 0, -EOPNOTSUPP, -ENOMEM. */
static int read_bank(const Pcrs *pcrs, Algorithm bank, BankContent *ret) {
        const PcrBank *b = pcrs->banks + bank;

        *ret = (BankContent) {.known = b->present & VERDICT_PCRS};
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

/* Return: 0 or -ENOMEM. A bank that libcrypto cannot compute counts as one that is not there. */
static int read_banks(const Pcrs *pcrs, BankContent contents[static _ALGORITHM_MAX]) {
        for (Algorithm i = 0; i < _ALGORITHM_MAX; i++) {
                int r = read_bank(pcrs, i, contents + i);

                if (r == -EOPNOTSUPP)
                        contents[i] = (BankContent) {};
                else if (r < 0)
                        return r;
        }

        return 0;
}

static Algorithm choose_bank(const BankContent contents[static _ALGORITHM_MAX], Algorithm wanted) {
        if (wanted >= 0)
                return wanted;

        for (size_t i = 0; i < ELEMENTSOF(verdict_bank_order); i++)
                if (contents[verdict_bank_order[i]].known)
                        return verdict_bank_order[i];

        return _ALGORITHM_INVALID;
}

static bool holds_something(const BankContent *content) {
        return (content->known & ~content->start) != 0;
}

static VerdictState judge_bank(const BankContent *content) {
        if (content->known != VERDICT_PCRS)
                return VERDICT_UNREADABLE;
        if (content->empty == VERDICT_PCRS)
                return VERDICT_SEPARATOR_ONLY;

        return content->empty & PCRS_NEEDED ? VERDICT_PARTIAL : VERDICT_MEASURED;
}

static int judge_pcrs(const VerdictInput *in, Verdict *v) {
        BankContent contents[_ALGORITHM_MAX];
        bool something = false;
        int r = read_banks(in->pcrs, contents);

        if (r < 0)
                return r;

        v->bank = choose_bank(contents, in->bank);
        if (choose_bank(contents, _ALGORITHM_INVALID) < 0) {
                v->state = VERDICT_UNREADABLE;
                return 0;
        }

        for (Algorithm i = 0; i < _ALGORITHM_MAX; i++)
                something = something || holds_something(contents + i);

        v->empty = contents[v->bank].empty;
        if (!something)
                v->state = VERDICT_NOT_MEASURED;
        else if (!holds_something(contents + v->bank))
                v->state = VERDICT_WRONG_BANK;
        else
                v->state = judge_bank(contents + v->bank);

        return 0;
}

static int judge_boot(const VerdictInput *in, Verdict *v) {
        static const VerdictState states[_TPM_PRESENCE_MAX] = {
                [TPM_ABSENT] = VERDICT_NO_TPM,
                [TPM_12] = VERDICT_TPM12,
                [TPM_20] = VERDICT_UNREADABLE,
        };

        v->state = states[in->tpm];
        return in->tpm == TPM_20 && in->pcrs ? judge_pcrs(in, v) : 0;
}

int verdict_compute(const VerdictInput *in, Verdict **ret) {
        _cleanup_(verdict_freep) Verdict *v = calloc(1, sizeof(*v));
        int r;

        assert(in);
        assert(ret);

        if (!v)
                return -ENOMEM;

        v->bank = v->log_bank = _ALGORITHM_INVALID;
        v->secure_boot = -1;

        r = free_and_strdup(&v->boot_id, in->boot_id);
        if (r >= 0)
                r = judge_boot(in, v);
        if (r >= 0)
                r = verdict_judge_log(in, v);
        if (r >= 0)
                r = verdict_judge_baseline(in, v);
        if (r >= 0)
                r = verdict_collect_events(in, v);
        if (r >= 0)
                r = verdict_word(in, v);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(v);
        return 0;
}
