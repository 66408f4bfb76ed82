/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "tpm/replay.h"

/* Dynamic launch: they hold all ones until one happens (PTP 1.05, 4.6.2). */
#define PCR_DYNAMIC_FIRST 17U
#define PCR_DYNAMIC_LAST 22U

/* What is in PCRs and missing in some logs: texts, hashed and extended in this order behind the log's events. */
static const struct {
        uint32_t pcrs;
        const char *texts[3];
} tails[] = {
        {1U << 5, {"Exit Boot Services Invocation", "Exit Boot Services Returned with Success"}},
        {0x72FF, {"os-separator"}},
        {1U << 5, {"Exit Boot Services Invocation", "Exit Boot Services Returned with Success", "os-separator"}},
};

static void start_bank(PcrBank *bank, Algorithm algorithm, uint8_t locality) {
        *bank = (PcrBank) {.present = PCR_ALL};

        for (unsigned i = PCR_DYNAMIC_FIRST; i <= PCR_DYNAMIC_LAST; i++)
                memset(bank->digests[i], 0xFF, algorithm_size(algorithm));
        bank->digests[0][algorithm_size(algorithm) - 1] = locality;
}

/* Return: 0, -EOPNOTSUPP, -ENOMEM. */
static int replay_bank(const EventLog *log, Algorithm algorithm, PcrBank *bank) {
        for (size_t i = 0; i < log->n_events; i++) {
                const Event *event = log->events + i;
                int r;

                if (!event_extends(event))
                        continue;
                if (!event->digests[algorithm]) {
                        bank->present &= ~(1U << event->pcr);
                        continue;
                }

                r = pcr_extend(algorithm, bank->digests[event->pcr], event->digests[algorithm]);
                if (r < 0)
                        return r;
        }

        return 0;
}

static uint32_t touched_pcrs(const EventLog *log) {
        uint32_t touched = 0;

        for (size_t i = 0; i < log->n_events; i++)
                if (event_extends(log->events + i))
                        touched |= 1U << log->events[i].pcr;

        return touched;
}

int replay_logs(const EventLog *const *logs, size_t n_logs, Replay *ret) {
        uint8_t locality = 0;
        uint32_t banks = 0;

        assert(ret);

        *ret = (Replay) {};
        for (size_t i = 0; i < n_logs; i++) {
                if (!logs[i])
                        continue;
                banks |= logs[i]->banks;
                ret->touched |= touched_pcrs(logs[i]);
                if (logs[i]->format != EVENT_LOG_USERSPACE)
                        locality = eventlog_startup_locality(logs[i]);
        }

        for (Algorithm a = 0; a < _ALGORITHM_MAX; a++) {
                int r = 0;

                if (!(banks & 1U << a))
                        continue;

                start_bank(ret->pcrs.banks + a, a, locality);
                for (size_t i = 0; i < n_logs && r >= 0; i++)
                        r = logs[i] ? replay_bank(logs[i], a, ret->pcrs.banks + a) : 0;
                if (r == -EOPNOTSUPP)
                        ret->pcrs.banks[a] = (PcrBank) {};
                else if (r < 0)
                        return r;
        }

        return 0;
}

/* Return: 1 where the value with the texts behind it is the other one. */
static int tail_explains(Algorithm bank, const uint8_t *value, const char *const texts[static 3],
                         const uint8_t *actual) {
        uint8_t pcr[DIGEST_SIZE_MAX], digest[DIGEST_SIZE_MAX];
        int r = 0;

        memcpy(pcr, value, sizeof(pcr));
        for (size_t i = 0; i < 3 && texts[i] && r >= 0; i++) {
                r = algorithm_hash(bank, &(HashPart) {texts[i], strlen(texts[i])}, 1, digest);
                if (r >= 0)
                        r = pcr_extend(bank, pcr, digest);
        }

        return r < 0 ? r : memcmp(pcr, actual, algorithm_size(bank)) == 0;
}

static int is_explained(Algorithm bank, unsigned pcr, const uint8_t *value, const uint8_t *actual) {
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(tails) && r == 0; i++)
                if (tails[i].pcrs & 1U << pcr)
                        r = tail_explains(bank, value, tails[i].texts, actual);

        return r;
}

int replay_compare(const Replay *replay, const Pcrs *pcrs, Algorithm bank, uint32_t selection, ReplayDifference *ret) {
        const PcrBank *expected = replay->pcrs.banks + bank, *actual = pcrs->banks + bank;
        ReplayDifference d = {.compared = selection & expected->present & actual->present};

        assert(ret);

        for (unsigned i = 0; i < PCR_COUNT; i++) {
                int r;

                if (!(d.compared & 1U << i) ||
                    memcmp(expected->digests[i], actual->digests[i], algorithm_size(bank)) == 0)
                        continue;

                r = is_explained(bank, i, expected->digests[i], actual->digests[i]);
                if (r < 0)
                        return r;
                if (r > 0)
                        d.explained |= 1U << i;
                else
                        d.differ |= 1U << i;
        }

        *ret = d;
        return 0;
}
