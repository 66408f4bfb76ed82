/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A verb of gtune-host: a constant table row. A new one is one new file and one line in the table of gtune-host.c.
 */

#include "host/print.h"
#include "host/target.h"

/* How long a guest may take whose TPM is asked, in microseconds. */
#define HOST_TPM_TIMEOUT (30 * USEC_PER_SEC)

typedef struct HostVerb {
        const char *name;
        const char *synopsis; /* what follows the name on the command line */
        const char *help;
        const char *execute; /* the guest's command; NULL: the first argument, which a JSON object may follow */
        const char *event;   /* the name of the events that count; NULL: there are none */
        bool json;           /* the answers are printed as JSON, with or without --json */
        bool stream;         /* events follow the answer; what is printed comes as it comes, not in order */

        unsigned tpm_options; /* HOST_TPM_OPTION_BIT()s of tpm-options.h that it takes */
        uint64_t timeout;     /* how long a guest may take where no --timeout was given, in microseconds; 0: default */

        /* Make what this target is asked: *ret takes the arguments, an object. Return 0 or -errno. NULL: all are asked
         * the same. */
        int (*ask)(Target *t, json_object **ret);

        /* Validate what was returned, or the data of an event: 0; a Cause, with a detail in our own words; -errno.
         * NULL: anything goes. */
        int (*check)(json_object *value, char **ret_detail);
        int (*check_change)(json_object *data, char **ret_detail);

        /* Append to b what is printed before all targets, and after them. May be NULL. */
        int (*head)(const Output *o, Buffer *b);
        int (*foot)(const Output *o, const Target *targets, size_t n, Buffer *b);

        /* Append to t->text what is printed for a target that answered: value is checked and lasts for this call only.
         * May set t->status and t->states. As check, it may return a Cause, with t->detail set. */
        int (*show)(const Output *o, Target *t, json_object *value);
        int (*show_change)(const Output *o, Target *t, json_object *data);
} HostVerb;

/**
 * host_status_judge() - take what a report means for the target: its exit status, and how many practices are in each
 * state
 * @t: the target
 * @report: a checked report
 */
void host_status_judge(Target *t, json_object *report);

/** host_status_foot() - append the counts of outcomes and states, where a person asked about more than one guest */
int host_status_foot(const Output *o, const Target *targets, size_t n, Buffer *b);

/* A file of that name each. */
extern const HostVerb host_verb_status;
extern const HostVerb host_verb_query;
extern const HostVerb host_verb_watch;
extern const HostVerb host_verb_pcrs;
extern const HostVerb host_verb_quote;
