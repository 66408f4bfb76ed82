/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A plan: what the policy wants of the machine, as practices describe it. What that comes to in files (every
 * token of every practice in one new content per boot store) is the engine's work, and so is taking away
 * what the ledger says is ours and nobody wants any more.
 */

#include "core/cmdline.h"
#include "core/finding.h"

typedef enum ChangeKind {
        CHANGE_TOKEN,     /* this token on the kernel command line */
        CHANGE_FILE,      /* this file with these bytes */
        CHANGE_ATTRIBUTE, /* this kernel attribute with this value */
        CHANGE_UNIT,      /* this service restarted */
        CHANGE_OF_SIDE,   /* a change of a kind that only the side knows, such as a domain's definition */
        _CHANGE_KIND_MAX,
} ChangeKind;

typedef struct Change {
        ChangeKind kind;
        const char *practice;
        const char *subject; /* NULL: this machine */
        const char *side_kind; /* of a change of the side: the name of its kind */
        TokenSpec token; /* constant strings, as the practices' tables hold them */
        char *target;    /* path of the file or attribute, name of the unit, or what the side's kind changes */
        char *value;     /* attribute: the value, or NULL: the one that it has; change of the side: what is wanted */
        Buffer content;  /* file: the bytes */
        char *unit;      /* file: the service that reads it and is restarted when it changes; NULL: none */
        char *expect;    /* unit, or file with a unit: an argument that the restarted process must have; NULL: any */
} Change;

typedef struct Plan {
        Change *changes;
        size_t n_changes;
} Plan;

/** plan_new() - an empty plan. Return: 0 or -ENOMEM. */
int plan_new(Plan **ret);

/** plan_free() - release a plan; NULL is ignored */
Plan *plan_free(Plan *plan);
DEFINE_CLEANUP(Plan *, plan_free);

/**
 * plan_token() - ask for a token on the command line
 * @plan: the plan
 * @owner: the finding of the practice and the subject that ask; its names must outlive the plan
 * @token: the token; its strings must outlive the plan
 *
 * Return: 0 or -ENOMEM.
 */
int plan_token(Plan *plan, const Finding *owner, const TokenSpec *token);

/** plan_file() - ask for a file with these bytes; owner as in plan_token(). Return: 0 or -ENOMEM. */
int plan_file(Plan *plan, const Finding *owner, const char *path, const char *text);

/** plan_attribute() - ask for a value of a kernel attribute, in the order of the calls. Return: 0 or -ENOMEM. */
int plan_attribute(Plan *plan, const Finding *owner, const char *path, const char *value);

/** plan_rewrite() - ask for the value that an attribute has to be written again. Return: 0 or -ENOMEM. */
int plan_rewrite(Plan *plan, const Finding *owner, const char *path);

/**
 * plan_unit_file() - ask for a unit file or drop-in with these bytes
 * @plan: the plan
 * @owner: as in plan_token()
 * @path: the file
 * @text: the bytes
 * @unit: the service that it belongs to: it is restarted if it runs, when the file changes and when it goes
 * @expect: an argument that the restarted process must have, or NULL
 *
 * A service that does not come up with it gets its old file back. Return: 0 or -ENOMEM.
 */
int plan_unit_file(Plan *plan, const Finding *owner, const char *path, const char *text, const char *unit,
                   const char *expect);

/**
 * plan_unit() - ask for a unit to be restarted although none of its own files changes
 * @plan: the plan
 * @owner: as in plan_token()
 * @unit: the unit
 * @expect: an argument that the restarted process must have; NULL for a unit that has no process to stay
 *
 * Return: 0 or -ENOMEM.
 */
int plan_unit(Plan *plan, const Finding *owner, const char *unit, const char *expect);

/**
 * plan_of_side() - ask for a change of a kind that only the side knows
 * @plan: the plan
 * @owner: as in plan_token()
 * @kind: the name of the kind; a constant string
 * @target: what is changed
 * @value: what is wanted, as the kind understands it
 *
 * Return: 0 or -ENOMEM.
 */
int plan_of_side(Plan *plan, const Finding *owner, const char *kind, const char *target, const char *value);

/** plan_drop() - take back all that a practice asked for a subject */
void plan_drop(Plan *plan, const Finding *owner);
