/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The verdict: was this boot measured, and does the event log agree? It is computed once a boot and kept as JSON;
 * reading it back (verdict-document.c) needs no libcrypto.
 */

#include "tpm/baseline.h"
#include "tpm/replay.h"

/* Events that a verdict names at most, and the PCRs that a boot is judged by. */
#define VERDICT_EVENTS_MAX 64U
#define VERDICT_PCRS 0xFFU

typedef enum TpmPresence {
        TPM_ABSENT, /* neither /dev/tpm* nor /sys/class/tpm/tpm0 */
        TPM_12,
        TPM_20,
        _TPM_PRESENCE_MAX,
} TpmPresence;

/* The ladder: the first that holds. */
typedef enum VerdictState {
        VERDICT_NO_TPM,
        VERDICT_TPM12,
        VERDICT_UNREADABLE,     /* a TPM 2.0 whose PCRs could not be read */
        VERDICT_NOT_MEASURED,   /* PCR 0 to 7 hold nothing in every bank */
        VERDICT_WRONG_BANK,     /* they hold nothing in the chosen bank only, or it is not active */
        VERDICT_SEPARATOR_ONLY, /* the firmware closed the PCRs and measured nothing */
        VERDICT_PARTIAL,        /* PCR 0, 4 or 7 has no measurement, as with SeaBIOS */
        VERDICT_MEASURED,
        _VERDICT_STATE_MAX,
        _VERDICT_STATE_INVALID = -EINVAL,
} VerdictState;

typedef enum VerdictLog {
        VERDICT_LOG_ABSENT,   /* none, an empty one, or one without digests of an active bank */
        VERDICT_LOG_UNUSABLE, /* damaged or unreadable */
        VERDICT_LOG_MISMATCH, /* it does not lead to PCR 0 to 7 */
        VERDICT_LOG_MATCH,
        _VERDICT_LOG_MAX,
        _VERDICT_LOG_INVALID = -EINVAL,
} VerdictLog;

/* The first thing that is wrong with a boot; the order of the enum has no meaning. See verdict_issue(). */
typedef enum VerdictIssue {
        VERDICT_ISSUE_NONE,
        VERDICT_ISSUE_NO_TPM,
        VERDICT_ISSUE_TPM12,
        VERDICT_ISSUE_UNREADABLE,
        VERDICT_ISSUE_NOT_MEASURED,
        VERDICT_ISSUE_WRONG_BANK,
        VERDICT_ISSUE_SEPARATOR_ONLY,
        VERDICT_ISSUE_PARTIAL,
        VERDICT_ISSUE_LOG_MISMATCH,
        VERDICT_ISSUE_BASELINE_INVALID,
        VERDICT_ISSUE_BASELINE_MISMATCH,
        VERDICT_ISSUE_LOG_UNUSABLE,
        VERDICT_ISSUE_LOG_ABSENT,
        VERDICT_ISSUE_BASELINE_WARNING,
        _VERDICT_ISSUE_MAX,
} VerdictIssue;

/* What a single PCR of the boot holds. */
typedef enum PcrContent {
        PCR_CONTENT_START,     /* its start value, or systemd's "os-separator" alone: the firmware did nothing */
        PCR_CONTENT_SEPARATOR, /* only the firmware's separator, with or without "os-separator" */
        PCR_CONTENT_MEASURED,
} PcrContent;

/* An event behind a PCR that disagrees with log or baseline. */
typedef struct VerdictEvent {
        unsigned pcr;
        char *type;        /* "EV_IPL" */
        char *description;
        char *text;        /* event_text_to_string() */
} VerdictEvent;

typedef struct Verdict {
        char *boot_id;       /* NULL: not known */
        VerdictState state;
        char *reason;        /* a sentence about the state and what disagrees; never NULL */
        char *remedy;        /* what to do; NULL: nothing */
        Algorithm bank;      /* that was judged; _ALGORITHM_INVALID: none */
        uint32_t empty;      /* of PCR 0 to 7: those that are known to hold no measurement, one bit each */
        VerdictLog log;
        char *log_reason;    /* why it is unusable, or was judged in another bank; NULL: nothing to say */
        Algorithm log_bank;  /* in which the log was compared; _ALGORITHM_INVALID: in none */
        uint32_t disagree;   /* PCRs where log and TPM disagree; PCR 8 and up are told, and do not count */
        uint32_t explained;  /* PCRs that agree after adding what some logs lack, see replay.h */
        ReplayDifference banks[_ALGORITHM_MAX]; /* the same for each bank that both have */
        int secure_boot;     /* 1 on, 0 off, -1: not known, or not proven by a log that matches */
        BaselineResult baseline;
        char *baseline_reason;    /* a sentence, where the result is a warning, failure or invalid */
        uint32_t baseline_failed; /* PCRs of the level "must" that disagree */
        uint32_t baseline_warned; /* of the level "warn" */
        VerdictEvent *events;     /* those of disagree, baseline_failed and baseline_warned, the latest last */
        size_t n_events;
} Verdict;

typedef struct VerdictInput {
        TpmPresence tpm;
        const Pcrs *pcrs;          /* NULL: could not be read */
        const char *pcrs_reason;   /* then: why, as a part of a sentence; or NULL */
        Algorithm bank;            /* what the policy asks for; _ALGORITHM_INVALID: sha256 or the next best */
        const EventLog *firmware;  /* NULL: absent */
        const EventLog *userspace; /* NULL: absent */
        const Baseline *baseline;  /* NULL: none */
        const char *baseline_error; /* what baseline_parse() said of the file, or why it could not be read; or NULL */
        const char *boot_id;       /* NULL: not known */
} VerdictInput;

/**
 * verdict_compute() - judge a boot
 * @in: what is known of it
 * @ret: takes the verdict; the caller frees it
 *
 * Rules: the first state of VerdictState that holds, all in one bank. Return: 0 or -ENOMEM.
 */
int verdict_compute(const VerdictInput *in, Verdict **ret);

/**
 * pcr_content() - whether a PCR of the boot holds a measurement
 * @bank: the bank
 * @pcr: which one, 0 to 7
 * @value: what it holds
 * @ret: takes the answer
 *
 * The values of separators follow from the formula H(start ‖ H(data)) for the data 00000000, ffffffff and 00000001,
 * each with and without systemd's "os-separator" behind it, and that alone. Return: 0, or as algorithm_hash().
 */
int pcr_content(Algorithm bank, unsigned pcr, const uint8_t *value, PcrContent *ret);

/** verdict_to_json() - the document, schema 1. Return: 0 or -ENOMEM. */
int verdict_to_json(const Verdict *verdict, json_object **ret);

/**
 * verdict_from_json() - read the document back
 * @o: the object
 * @ret: takes the verdict; the caller frees it
 *
 * Members that it does not know are skipped. Return: 0, -EBADMSG (another schema, a missing member, an unknown word),
 * -ENOMEM.
 */
int verdict_from_json(json_object *o, Verdict **ret);

/**
 * verdict_issue() - find the first thing that is wrong with a boot
 *
 * If the state is not "measured", the state. Otherwise, in this order: a log that does not match, a baseline that is
 * invalid or not met, a log that is unusable or absent, a baseline that only warns. Return: the issue, or
 * VERDICT_ISSUE_NONE.
 */
VerdictIssue verdict_issue(const Verdict *verdict) _pure_;

/** verdict_code() - the stable reason code of verdict_issue(), as "no-tpm" or "log-mismatch"; NULL: no issue */
const char *verdict_code(const Verdict *verdict) _pure_;

/**
 * verdict_good() - measured, the log matches or is absent, and the baseline is kept
 *
 * A log that is unusable is no disagreement and no agreement: then this is false, and verdict_code() "log-unusable".
 */
bool verdict_good(const Verdict *verdict) _pure_;

/** verdict_state_to_string() - "no-tpm", "tpm12", "unreadable", "not-measured", "wrong-bank", … */
const char *verdict_state_to_string(VerdictState state) _const_;

/** verdict_log_to_string() - "absent", "unusable", "mismatch", "match" */
const char *verdict_log_to_string(VerdictLog log) _const_;

/** verdict_free() - release a verdict; NULL is ignored */
Verdict *verdict_free(Verdict *verdict);
DEFINE_CLEANUP(Verdict *, verdict_free);
