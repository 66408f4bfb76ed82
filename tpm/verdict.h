/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The verdict says whether this boot was measured, and whether the event log and the baseline agree with the PCRs. It
 * is computed once for each boot and kept as JSON. Reading it (verdict-document.c) needs no libcrypto.
 */

#include "tpm/baseline.h"
#include "tpm/replay.h"

/* The largest number of events in a verdict. */
#define VERDICT_EVENTS_MAX 64U

/* The PCRs by which a boot is judged: 0 to 7. */
#define VERDICT_PCRS 0xFFU

typedef enum TpmPresence {
        TPM_ABSENT,    /* neither /dev/tpm* nor /sys/class/tpm/tpm0 */
        TPM_NO_DRIVER, /* the same, but the firmware announces one */
        TPM_12,
        TPM_20,
        _TPM_PRESENCE_MAX,
} TpmPresence;

/* The state of a boot is the first of these that is true. */
typedef enum VerdictState {
        VERDICT_NO_TPM,
        VERDICT_TPM_NO_DRIVER,
        VERDICT_TPM12,
        VERDICT_UNREADABLE,     /* a TPM 2.0 whose PCRs could not be read */
        VERDICT_NOT_MEASURED,   /* PCR 0 to 7 hold nothing in every bank */
        VERDICT_WRONG_BANK,     /* they hold nothing in the chosen bank, or it is not active; another bank is used */
        VERDICT_SEPARATOR_ONLY, /* the firmware closed the PCRs and measured nothing */
        VERDICT_PARTIAL,        /* PCR 0, 4 or 7 has no measurement, as with SeaBIOS */
        VERDICT_MEASURED,
        _VERDICT_STATE_MAX,
        _VERDICT_STATE_INVALID = -EINVAL,
} VerdictState;

typedef enum VerdictLog {
        VERDICT_LOG_ABSENT,   /* no log, an empty log, or a log without digests of the judged bank */
        VERDICT_LOG_UNUSABLE, /* damaged or unreadable */
        VERDICT_LOG_MISMATCH, /* its replay does not give the values of PCR 0 to 7, in whatever bank it has */
        VERDICT_LOG_MATCH,
        _VERDICT_LOG_MAX,
        _VERDICT_LOG_INVALID = -EINVAL,
} VerdictLog;

/* The first thing that is wrong with a boot; the order of the enum has no meaning. See verdict_issue(). */
typedef enum VerdictIssue {
        VERDICT_ISSUE_NONE,
        VERDICT_ISSUE_NO_TPM,
        VERDICT_ISSUE_TPM_NO_DRIVER,
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

/* The content of a PCR of the boot. */
typedef enum PcrContent {
        PCR_CONTENT_START,     /* its start value, or systemd's "os-separator" alone: the firmware did nothing */
        PCR_CONTENT_SEPARATOR, /* only the firmware's separator, with or without "os-separator" */
        PCR_CONTENT_MEASURED,
} PcrContent;

/* An event that extends a PCR that disagrees with the log or the baseline. */
typedef struct VerdictEvent {
        unsigned pcr;
        char *type;        /* "EV_IPL" */
        char *description;
        char *text;        /* event_text_to_string() */
} VerdictEvent;

typedef struct Verdict {
        char *boot_id;       /* NULL: not known */
        VerdictState state;
        char *reason;        /* a sentence about verdict_issue(); never NULL */
        char *remedy;        /* what to do, as a sentence; NULL: nothing */
        Algorithm bank;      /* the judged bank; _ALGORITHM_INVALID: none */
        uint32_t empty;      /* those of PCR 0 to 7 that are known to hold no measurement, one bit each */
        VerdictLog log;
        char *log_reason;    /* why the log is unusable, or was compared in another bank; NULL: neither */
        Algorithm log_bank;  /* the bank in which the log was compared; _ALGORITHM_INVALID: none */
        uint32_t disagree;   /* PCRs in which log and TPM disagree; PCR 8 and up do not change the verdict */
        uint32_t explained;  /* PCRs that agree after adding events that some logs lack, see replay.h */
        ReplayDifference banks[_ALGORITHM_MAX]; /* the comparison for each bank that log and TPM have */
        int secure_boot;     /* 1: on, 0: off, -1: unknown, or not proven by a log that matches */
        BaselineResult baseline;
        char *baseline_reason;    /* a sentence, if the result is a warning, failure or invalid */
        uint32_t baseline_failed; /* PCRs of the level "must" that disagree */
        uint32_t baseline_warned; /* the same for the level "warn" */
        VerdictEvent *events;     /* of the PCRs in disagree, baseline_failed and baseline_warned, the latest last */
        size_t n_events;
} Verdict;

typedef struct VerdictInput {
        TpmPresence tpm;
        const Pcrs *pcrs;          /* NULL: they could not be read */
        const char *pcrs_reason;   /* why they could not be read, as a part of a sentence; or NULL */
        Algorithm bank;            /* the bank of the policy; _ALGORITHM_INVALID: the best bank of the TPM */
        const EventLog *firmware;  /* NULL: absent */
        const EventLog *userspace; /* NULL: absent */
        const Baseline *baseline;  /* NULL: none */
        const char *baseline_error; /* the error of baseline_parse(), or why the file could not be read; or NULL */
        const char *boot_id;       /* NULL: not known */
} VerdictInput;

/**
 * verdict_compute() - judge a boot
 * @in: the facts
 * @ret: takes the verdict; the caller frees it
 *
 * The state is the first of VerdictState that is true, and all of it is judged in one bank. Return: 0 or -ENOMEM.
 */
int verdict_compute(const VerdictInput *in, Verdict **ret);

/**
 * pcr_content() - find out whether a PCR of the boot holds a measurement
 * @bank: the bank
 * @pcr: its number, 0 to 7
 * @value: its value
 * @ret: takes the answer
 *
 * The value of a PCR that holds only a separator is H(start ‖ H(data)) for the data 00000000, ffffffff or 00000001.
 * After the start value or a separator, systemd may have extended the PCR by "os-separator". Return: 0, or as
 * algorithm_hash().
 */
int pcr_content(Algorithm bank, unsigned pcr, const uint8_t *value, PcrContent *ret);

/** verdict_to_json() - make the document, schema 1; the caller puts it. Return: 0 or -ENOMEM. */
int verdict_to_json(const Verdict *verdict, json_object **ret);

/**
 * verdict_from_json() - read the document
 * @o: the object
 * @ret: takes the verdict; the caller frees it
 *
 * Unknown members are skipped. Return: 0, -EBADMSG (another schema, a missing member, an unknown word),
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
 * verdict_good() - whether the boot was measured, its log matches or is absent, and the baseline allows it
 *
 * An unusable log makes this false, and verdict_code() is "log-unusable".
 */
bool verdict_good(const Verdict *verdict) _pure_;

/** verdict_state_to_string() - "no-tpm", "tpm12", "unreadable", "not-measured", "wrong-bank", … */
const char *verdict_state_to_string(VerdictState state) _const_;

/** verdict_log_to_string() - "absent", "unusable", "mismatch", "match" */
const char *verdict_log_to_string(VerdictLog log) _const_;

/** verdict_free() - release a verdict; NULL is ignored */
Verdict *verdict_free(Verdict *verdict);
DEFINE_CLEANUP(Verdict *, verdict_free);
