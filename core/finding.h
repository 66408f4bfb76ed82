/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A finding of a practice: a state, the reason for it with a stable code, the remedy, and the evidence for the verdict.
 */

#include "core/json.h"

/* See "States" in README.md. */
typedef enum State {
        STATE_OFF,
        STATE_ACTIVE,
        STATE_PENDING_REBOOT,
        STATE_DIFFERS,
        STATE_DRIFTED,
        STATE_UNMANAGED,
        STATE_CONFLICT,
        STATE_UNSUPPORTED,
        STATE_UNKNOWN,
        _STATE_MAX,
        _STATE_INVALID = -EINVAL,
} State;

/* What the policy wants of a practice. */
typedef enum Wanted {
        WANTED_NOTHING = -1, /* there is no policy: only observe */
        WANTED_OFF,
        WANTED_ON,
} Wanted;

/* What a reason that several practices share is about; a practice names the groups that it can give (core/practice.h). */
typedef enum ReasonGroup {
        REASON_OF_BOOT,  /* boot entries and their tokens; all of grub/reasons.c too */
        REASON_OF_GUEST, /* the machine is none that the practice is for */
        REASON_OF_OWNER, /* the policy, and what gtuned did by it */
        _REASON_GROUP_MAX,
} ReasonGroup;

/* A reason code and what it means, for `gtune explain` and the manual. */
typedef struct Reason {
        const char *code;
        const char *meaning;
        bool hopeless; /* no change of the practice could help, whatever the policy says */
        ReasonGroup group;
} Reason;

typedef struct Evidence {
        char *source; /* a path, or the name of another place that the value was read from */
        char *value;
} Evidence;

typedef struct Setting {
        char *name;
        char *wanted; /* NULL: the policy does not set it */
        char *actual; /* NULL: it could not be read */
} Setting;

/* Something that the owner should know although nothing is wrong. */
typedef struct Warning {
        char *text;
        const char *code; /* a constant string, one of the practice's reasons; NULL: none */
        char *remedy;     /* NULL: none */
} Warning;

typedef struct Finding {
        const char *practice;
        const char *subject;     /* such as the name of a domain; the survey owns it; NULL: this machine */
        Wanted wanted;
        State state;
        bool held;               /* reverted by `gtune revert`, and not changed until `gtune apply` or another policy */
        bool reboot;             /* a part of it takes effect at the next boot, whatever the state is */
        const char *reason_code; /* a constant string; NULL if the state says everything */
        char *reason;
        char *remedy;
        Setting *settings;
        size_t n_settings;
        Evidence *evidence;
        size_t n_evidence;
        Warning *warnings;
        size_t n_warnings;
} Finding;

/**
 * finding_new() - make a finding in state "unknown"
 * @ret: takes the finding; the caller frees it
 * @practice: the name of the practice; must outlive the finding
 * @subject: what the finding is about, or NULL for this machine; must outlive the finding
 *
 * Return: 0 or -ENOMEM.
 */
int finding_new(Finding **ret, const char *practice, const char *subject);

/** finding_free() - release a finding; NULL is ignored */
Finding *finding_free(Finding *f);
DEFINE_CLEANUP(Finding *, finding_free);

/**
 * finding_verdict() - set state, reason and remedy
 * @f: the finding
 * @state: the state
 * @code: stable reason code, or NULL
 * @remedy: what to do, or NULL; copied
 * @format: the reason as a sentence, or NULL
 *
 * finding->reboot is set if the state is "pending-reboot", and cleared if not. Return: 0 or -ENOMEM.
 */
int finding_verdict(Finding *f, State state, const char *code, const char *remedy, const char *format, ...)
        _printf_(5, 6);

/** finding_wait_for_boot() - set finding->reboot whatever the state is; call it after finding_verdict() */
void finding_wait_for_boot(Finding *f);

/**
 * finding_display_name() - name the practice and, in brackets, the subject: "iothreads [web1]"
 * @f: the finding
 *
 * Return: a new string, or NULL when memory is exhausted.
 */
char *finding_display_name(const Finding *f);

/** finding_evidence() - add a source and its value; value NULL: the source is absent. Return: 0 or -ENOMEM. */
int finding_evidence(Finding *f, const char *source, const char *value);

/** finding_setting() - add a setting; wanted and actual may be NULL. Return: 0 or -ENOMEM. */
int finding_setting(Finding *f, const char *name, const char *wanted, const char *actual);

/** finding_warning() - add a sentence about a side effect that the owner should know. Return: 0 or -ENOMEM. */
int finding_warning(Finding *f, const char *format, ...) _printf_(2, 3);

/**
 * finding_coded_warning() - the same with a code for programs, and what to do
 * @f: the finding
 * @code: stable code, one of the practice's reasons
 * @remedy: what to do, or NULL; copied
 * @format: the sentence
 *
 * Return: 0 or -ENOMEM.
 */
int finding_coded_warning(Finding *f, const char *code, const char *remedy, const char *format, ...) _printf_(4, 5);

/** finding_to_json() - make the practice object of a report; the caller puts it. Return: 0 or -ENOMEM. */
int finding_to_json(const Finding *f, json_object **ret);

/** state_to_string() - "pending-reboot" and so on; NULL for any other number */
const char *state_to_string(State state);

/** state_meaning() - a sentence that says what a state means; NULL for any other number */
const char *state_meaning(State state);

/** wanted_to_string() - "on", "off", or NULL for WANTED_NOTHING */
const char *wanted_to_string(Wanted wanted);
