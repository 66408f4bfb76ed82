/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * gtune: what its verbs share.
 */

#include "engine/transaction.h"
#include "core/options.h"
#include "tpm/algorithm.h"

typedef struct Context {
        const char *root_path;
        const char *arch;
        bool json;
        bool unattended;
        bool colour;
        bool finished; /* --help or --version has been answered */
        Root *root;

        /* For the TPM verbs. */
        Algorithm bank;  /* _ALGORITHM_INVALID: not given */
        uint32_t pcrs;   /* one bit each; 0: not given */
        const char *nonce, *label, *directory; /* NULL: not given */
        bool force;
} Context;

/* A verb gives its exit status, or -errno after which main() says what failed. */
typedef struct Verb {
        const char *name;
        const char *arguments; /* for people, or NULL */
        const char *help;
        unsigned min, max; /* how many arguments */
        int (*run)(Context *c, char **arguments);
} Verb;

int verb_status(Context *c, char **arguments);
int verb_plan(Context *c, char **arguments);
int verb_apply(Context *c, char **arguments);
int verb_revert(Context *c, char **arguments);
int verb_reboot_needed(Context *c, char **arguments);
int verb_explain(Context *c, char **arguments);
int verb_snapshot(Context *c, char **arguments);
int verb_pcr(Context *c, char **arguments);
int verb_eventlog(Context *c, char **arguments);
int verb_baseline(Context *c, char **arguments);
int verb_quote(Context *c, char **arguments);

/** complain() - write "gtune: …" to stderr. Return: STATUS_ERROR, to be returned in the same statement. */
int complain(const char *format, ...) _printf_(1, 2);

/**
 * take_survey() - survey_take() with the context's options
 *
 * Return: 0, or -errno after a complaint.
 */
int take_survey(const Context *c, Survey **ret);

/**
 * parse_practices() - names on the command line as a mask
 * @arguments: NULL-terminated names; none means all
 * @ret: takes the mask
 *
 * Return: 0, or STATUS_USAGE after a complaint.
 */
int parse_practices(char **arguments, unsigned *ret);

/** print_policy_errors() - write each error of the policy to stderr, with file and line */
void print_policy_errors(const Policy *policy);

/** print_status() - print one line a practice, then reasons and remedies. Return: 0 or -ENOMEM. */
int print_status(const Context *c, const Survey *survey, unsigned mask);

/** print_document() - print a JSON document. Return: 0 or -ENOMEM. */
int print_document(json_object *o);
