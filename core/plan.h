/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A plan: what the policy wants of the machine, as practices describe it. What that comes to in files (every
 * token of every practice in one new content per boot store) is the engine's work, and so is taking away
 * what the ledger says is ours and nobody wants any more.
 */

#include "core/buffer.h"
#include "core/cmdline.h"

typedef enum ChangeKind {
        CHANGE_TOKEN,     /* this token on the kernel command line */
        CHANGE_FILE,      /* this file with these bytes */
        CHANGE_ATTRIBUTE, /* this kernel attribute with this value */
        CHANGE_UNIT,      /* this unit reloaded or restarted */
        _CHANGE_KIND_MAX,
} ChangeKind;

typedef struct Change {
        ChangeKind kind;
        const char *practice;
        TokenSpec token; /* constant strings, as the practices' tables hold them */
        char *target;    /* path of the file or attribute, or name of the unit */
        char *value;     /* attribute: the value, or NULL: the one that it has; unit: "restart" or "reload" */
        Buffer content;  /* file: the bytes */
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

/** plan_token() - ask for a token on the command line. Return: 0 or -ENOMEM. */
int plan_token(Plan *plan, const char *practice, const TokenSpec *token);

/** plan_file() - ask for a file with these bytes. Return: 0 or -ENOMEM. */
int plan_file(Plan *plan, const char *practice, const char *path, const char *text);

/** plan_attribute() - ask for a value of a kernel attribute, in the order of the calls. Return: 0 or -ENOMEM. */
int plan_attribute(Plan *plan, const char *practice, const char *path, const char *value);

/** plan_rewrite() - ask for the value that an attribute has to be written again. Return: 0 or -ENOMEM. */
int plan_rewrite(Plan *plan, const char *practice, const char *path);

/** plan_unit() - ask for a unit to be restarted or reloaded after the files are there. Return: 0 or -ENOMEM. */
int plan_unit(Plan *plan, const char *practice, const char *unit, const char *verb);
