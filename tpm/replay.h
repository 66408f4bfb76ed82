/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The replay: what the PCRs must hold if the logs tell the truth, and where they do not. It proves PCR and digest of
 * each event and nothing else: type and text of an event are only as good as event_text() says.
 */

#include "tpm/eventlog.h"

typedef struct Replay {
        Pcrs pcrs;        /* a PCR for which some event has no digest of the bank is not present in that bank */
        uint32_t touched; /* PCRs that some event extends, one bit each */
} Replay;

/* How a bank compares with a replay. */
typedef struct ReplayDifference {
        uint32_t compared;  /* PCRs that both know */
        uint32_t differ;    /* those of them that disagree */
        uint32_t explained; /* those of them that agree only with an event that is known to be missing in some logs */
} ReplayDifference;

/**
 * replay_logs() - extend PCRs from their start values by every event
 * @logs: the firmware's log and then systemd's; NULL entries are skipped
 * @n_logs: how many
 * @ret: takes the PCRs
 *
 * The events before a defect are replayed too. PCR 17 to 22 start at all ones, PCR 0 where the firmware's log says.
 * Return: 0 or -ENOMEM. A bank that libcrypto cannot compute is left out.
 */
int replay_logs(const EventLog *const *logs, size_t n_logs, Replay *ret);

/**
 * replay_compare() - where a bank of the TPM and the replay disagree
 * @replay: the replay
 * @pcrs: what the TPM holds
 * @bank: the bank
 * @selection: PCRs to look at, one bit each
 * @ret: takes the result
 *
 * Two things are known to be in PCRs and not in a log: the ExitBootServices actions of PCR 5, which kernels before 5.3
 * lose, and systemd's "os-separator" where its own log is gone. A PCR that agrees with these is "explained".
 * Return: 0, or as algorithm_hash().
 */
int replay_compare(const Replay *replay, const Pcrs *pcrs, Algorithm bank, uint32_t selection, ReplayDifference *ret);
