/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A plan: the changes that practices ask for, so that the machine is as the policy wants it. The engine makes changes
 * of files of them (one new content for each boot store, with the tokens of all practices). The engine also removes
 * those of gtuned's earlier changes, which the ledger records, that no practice asks for any more.
 */

#include "core/cmdline.h"
#include "core/finding.h"

typedef enum ChangeKind {
        CHANGE_TOKEN,     /* a token on the kernel command line */
        CHANGE_FILE,      /* a file with certain bytes */
        CHANGE_ATTRIBUTE, /* a value of a kernel attribute */
        CHANGE_UNIT,      /* a restart of a service */
        CHANGE_OF_SIDE,   /* a change of a kind that only the side knows, such as a domain's definition */
        _CHANGE_KIND_MAX,
} ChangeKind;

typedef struct Change {
        ChangeKind kind;
        const char *practice;
        const char *subject; /* NULL: this machine */
        const char *side_kind; /* change of the side: the name of its kind */
        TokenSpec token; /* its strings are constants in the practices' tables */
        char *target;    /* path of the file or attribute, name of the unit, or object of a change of the side */
        char *value;     /* attribute: the value; NULL: its current one; change of the side: the wanted value */
        Buffer content;  /* file: the bytes */
        char *unit;      /* file: the service that reads it and is restarted when it changes; NULL: none */
        char *expect;    /* unit, or file with a unit: an argument that the restarted process must have; NULL: any */
} Change;

typedef struct Plan {
        Change *changes;
        size_t n_changes;
} Plan;

/** plan_new() - make an empty plan, which the caller frees. Return: 0 or -ENOMEM. */
int plan_new(Plan **ret);

/** plan_free() - release a plan; NULL is ignored */
Plan *plan_free(Plan *plan);
DEFINE_CLEANUP(Plan *, plan_free);

/**
 * plan_token() - ask for a token on the command line
 * @plan: the plan
 * @owner: the finding of the practice and the subject that need the change; its names must outlive the plan
 * @token: the token; its strings must outlive the plan
 *
 * Return: 0 or -ENOMEM.
 */
int plan_token(Plan *plan, const Finding *owner, const TokenSpec *token);

/** plan_file() - ask for a file with these bytes; owner as in plan_token(). Return: 0 or -ENOMEM. */
int plan_file(Plan *plan, const Finding *owner, const char *path, const char *text);

/** plan_attribute() - ask for a value of a kernel attribute, in the order of the calls. Return: 0 or -ENOMEM. */
int plan_attribute(Plan *plan, const Finding *owner, const char *path, const char *value);

/** plan_rewrite() - ask that the current value of an attribute is written to it once more. Return: 0 or -ENOMEM. */
int plan_rewrite(Plan *plan, const Finding *owner, const char *path);

/**
 * plan_unit_file() - ask for a unit file or drop-in with these bytes
 * @plan: the plan
 * @owner: as in plan_token()
 * @path: the file
 * @text: the bytes
 * @unit: the service that reads the file; if it runs, it is restarted after the file was changed or removed
 * @expect: an argument that the restarted process must have, or NULL
 *
 * If the service does not start with the new file, the old file is restored. Return: 0 or -ENOMEM.
 */
int plan_unit_file(Plan *plan, const Finding *owner, const char *path, const char *text, const char *unit,
                   const char *expect);

/**
 * plan_unit() - ask for a unit to be restarted although none of its own files changes
 * @plan: the plan
 * @owner: as in plan_token()
 * @unit: the unit
 * @expect: an argument that the restarted process must have; NULL if the unit has no process that keeps running
 *
 * Return: 0 or -ENOMEM.
 */
int plan_unit(Plan *plan, const Finding *owner, const char *unit, const char *expect);

/**
 * plan_of_side() - ask for a change of a kind that only the side knows
 * @plan: the plan
 * @owner: as in plan_token()
 * @kind: the name of the kind; a constant string
 * @target: the object that is changed, such as the name of a domain
 * @value: the wanted value, as the kind understands it
 *
 * Return: 0 or -ENOMEM.
 */
int plan_of_side(Plan *plan, const Finding *owner, const char *kind, const char *target, const char *value);

/** plan_drop() - remove all changes that a practice asked for, for the one subject of its finding */
void plan_drop(Plan *plan, const Finding *owner);
