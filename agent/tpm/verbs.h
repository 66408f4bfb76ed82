/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * gtune's verbs about the TPM, each in its own file, and the options that only they have.
 */

#include "cli/verb.h"
#include "tpm/algorithm.h"

/* The options of the TPM verbs, in Context.own. */
typedef struct TpmVerbOptions {
        Algorithm bank;            /* _ALGORITHM_INVALID: not given */
        uint32_t pcrs;             /* one bit each; 0: not given */
        const char *nonce, *label, *directory; /* NULL: not given */
        bool force;
        const char *baseline_path; /* the baseline, if neither the command line nor the policy names one */
} TpmVerbOptions;

static inline const TpmVerbOptions *tpm_verb_options(const Context *c) {
        return c->own;
}

/** verb_pcr(), verb_eventlog(), verb_baseline(), verb_quote() - run a verb. Return: an exit status, or -errno. */
int verb_pcr(Context *c, char **arguments);
int verb_eventlog(Context *c, char **arguments);
int verb_baseline(Context *c, char **arguments);
int verb_quote(Context *c, char **arguments);
