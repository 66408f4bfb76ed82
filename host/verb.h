/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A verb of gtune-host is a constant. A new verb is one new file and one row in the table of gtune-host.c.
 */

#include "host/print.h"
#include "host/target.h"

/* The default timeout of verbs that ask the TPM, which is slow; in microseconds. */
#define HOST_TPM_TIMEOUT (30 * USEC_PER_SEC)

typedef struct HostVerb {
        const char *name;
        const char *synopsis; /* the arguments, for --help */
        const char *help;     /* one line, for --help */
        const char *execute;  /* the command for the guest; NULL: the operator gives it, and a JSON object may follow */
        const char *event;    /* the name of the events that are printed; NULL: none */
        bool json;            /* answers are always printed as JSON, even without --json */
        bool stream;          /* events follow the answer; each is printed at once, and targets are not put in order */

        unsigned tpm_options; /* the options that the verb takes, HOST_TPM_OPTION_BIT() of each */
        uint64_t timeout;     /* for each guest, if there is no --timeout, in microseconds; 0: the program's default */

        /* Make the arguments for this target; *ret takes the object. Return 0 or -errno. If NULL, all targets get the
         * same command. */
        int (*ask)(Target *t, json_object **ret);

        /* Check an answer, or the data of an event. Return 0; a Cause, with a detail that holds no byte of the guest;
         * -errno. check may be NULL: every answer is valid. */
        int (*check)(json_object *value, char **ret_detail);
        int (*check_change)(json_object *data, char **ret_detail);

        /* Append to b the text before the first target, and the text after the last target. May be NULL. */
        int (*head)(const Output *o, Buffer *b);
        int (*foot)(const Output *o, const Target *targets, size_t n, Buffer *b);

        /* Append the output for an answer, or for an event, to t->text. The value was checked; it is freed after the
         * call. show may set t->status and t->states, and may return a Cause with t->detail set. */
        int (*show)(const Output *o, Target *t, json_object *value);
        int (*show_change)(const Output *o, Target *t, json_object *data);
} HostVerb;

/**
 * host_status_judge() - set the exit status of a target and count its practices by state
 * @t: the target; status and states are set
 * @report: a report that report_check() accepted
 */
void host_status_judge(Target *t, json_object *report);

/**
 * host_status_foot() - append a line with the number of guests by outcome and of practices by state
 * @o: how to print; nothing is appended if the output is JSON or does not go to a terminal
 * @targets: all targets, which are done
 * @n: the number of targets; nothing is appended for a single target
 * @b: takes the line
 *
 * Return: 0 or -ENOMEM.
 */
int host_status_foot(const Output *o, const Target *targets, size_t n, Buffer *b);

/* Each in the file of its name. */
extern const HostVerb host_verb_status;
extern const HostVerb host_verb_query;
extern const HostVerb host_verb_watch;
extern const HostVerb host_verb_pcrs;
extern const HostVerb host_verb_quote;
