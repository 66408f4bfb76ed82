/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The replay computes the values that the PCRs must have if the event logs are true, and compares them. It proves the
 * PCR and the digest of each event. It does not prove type and text of an event; see event_text().
 */

#include "tpm/eventlog.h"

typedef struct Replay {
        Pcrs pcrs;        /* a PCR is not present in a bank if one of its events has no digest of it */
        uint32_t touched; /* PCRs that any event extends, one bit each */
} Replay;

/* The comparison of a bank of the TPM with a replay; PCRs are one bit each. */
typedef struct ReplayDifference {
        uint32_t compared;  /* PCRs that are known in both */
        uint32_t differ;    /* compared PCRs that disagree */
        uint32_t explained; /* compared PCRs that agree after adding events that some logs lack */
} ReplayDifference;

/**
 * replay_logs() - extend PCRs from their start values by every event
 * @logs: the firmware's log and after it systemd's; NULL entries are skipped
 * @n_logs: the number of logs
 * @ret: takes the PCRs
 *
 * Of a damaged log the events before the defect are replayed. PCR 17 to 22 start at all ones, and PCR 0 at the value of
 * eventlog_startup_locality(). A bank that libcrypto cannot compute is left out. Return: 0 or -ENOMEM.
 */
int replay_logs(const EventLog *const *logs, size_t n_logs, Replay *ret);

/**
 * replay_compare() - compare a bank of the TPM with the replay
 * @replay: the replay
 * @pcrs: the values of the TPM
 * @bank: the bank
 * @selection: PCRs to compare, one bit each
 * @ret: takes the result
 *
 * Two kinds of events are known to be missing in some logs: the ExitBootServices actions of PCR 5, which kernels before
 * 5.3 lose, and systemd's "os-separator", if systemd's log is missing. A PCR that agrees with them is "explained".
 * Return: 0, or as algorithm_hash().
 */
int replay_compare(const Replay *replay, const Pcrs *pcrs, Algorithm bank, uint32_t selection, ReplayDifference *ret);
