/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * gtune's verbs about the TPM, a file each, and the options that only they take.
 */

#include "cli/verb.h"
#include "tpm/algorithm.h"

/* What Context.own points to. */
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

int verb_pcr(Context *c, char **arguments);
int verb_eventlog(Context *c, char **arguments);
int verb_baseline(Context *c, char **arguments);
int verb_quote(Context *c, char **arguments);
