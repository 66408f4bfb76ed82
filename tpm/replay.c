/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "tpm/replay.h"

/* The PCRs of a dynamic launch hold all ones until it happens (PTP 1.05, 4.6.2). */
#define PCR_DYNAMIC_FIRST 17U
#define PCR_DYNAMIC_LAST 22U

/* Events that some logs lack: the hashes of these texts extend the PCRs in this order, after the log's events. */
static const struct {
        uint32_t pcrs;
        const char *texts[3];
} replay_tails[] = {
        {1U << 5, {"Exit Boot Services Invocation", "Exit Boot Services Returned with Success"}},
        {0x72FF, {"os-separator"}},
        {1U << 5, {"Exit Boot Services Invocation", "Exit Boot Services Returned with Success", "os-separator"}},
};

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

int replay_logs(const EventLog *const *logs, size_t n_logs, Replay *ret) {
        uint8_t locality = 0;
        uint32_t banks = 0;

        assert(ret);

        *ret = (Replay){};
        for (size_t i = 0; i < n_logs; i++) {
                if (!logs[i])
                        continue;
                banks |= logs[i]->banks;
                for (size_t k = 0; k < logs[i]->n_events; k++)
                        if (event_extends(logs[i]->events + k))
                                ret->touched |= 1U << logs[i]->events[k].pcr;
                if (logs[i]->format != EVENT_LOG_USERSPACE)
                        locality = eventlog_startup_locality(logs[i]);
        }

        for (Algorithm a = 0; a < _ALGORITHM_MAX; a++) {
                PcrBank *bank = ret->pcrs.banks + a;
                int r = 0;

                if (!(banks & 1U << a))
                        continue;

                bank->present = PCR_ALL;
                for (unsigned i = PCR_DYNAMIC_FIRST; i <= PCR_DYNAMIC_LAST; i++)
                        memset(bank->digests[i], 0xFF, algorithm_size(a));
                bank->digests[0][algorithm_size(a) - 1] = locality;

                for (size_t i = 0; i < n_logs && r >= 0; i++)
                        r = logs[i] ? replay_bank(logs[i], a, bank) : 0;
                if (r == -EOPNOTSUPP)
                        *bank = (PcrBank){};
                else if (r < 0)
                        return r;
        }

        return 0;
}

/* Return: 1 if a tail turns the replayed value into the actual one, 0 if none does, or as algorithm_hash(). */
static int replay_is_explained(Algorithm bank, unsigned number, const uint8_t *value, const uint8_t *actual) {
        for (size_t i = 0; i < ELEMENTSOF(replay_tails); i++) {
                const char *const *texts = replay_tails[i].texts;
                uint8_t pcr[DIGEST_SIZE_MAX], digest[DIGEST_SIZE_MAX];

                if (!(replay_tails[i].pcrs & 1U << number))
                        continue;

                memcpy(pcr, value, sizeof(pcr));
                for (size_t k = 0; k < ELEMENTSOF(replay_tails[i].texts) && texts[k]; k++) {
                        int r;

                        r = algorithm_hash(bank, &(HashPart){texts[k], strlen(texts[k])}, 1, digest);
                        if (r < 0)
                                return r;
                        r = pcr_extend(bank, pcr, digest);
                        if (r < 0)
                                return r;
                }
                if (memcmp(pcr, actual, algorithm_size(bank)) == 0)
                        return 1;
        }

        return 0;
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

                r = replay_is_explained(bank, i, expected->digests[i], actual->digests[i]);
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
