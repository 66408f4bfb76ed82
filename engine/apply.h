/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * An apply or a revert, step by step: lock and recover, survey, resolve with holds and prechecks, commit. What a person is
 * told stands in cli/apply.c.
 */

#include "engine/transaction.h"

typedef struct Apply {
        const Side *side;
        Root *root;
        const char *arch; /* as in survey_take() */

        int lock_fd;
        Survey *survey;
        Transaction *t;
        char *error;    /* why a step failed */
        char *left_out; /* why what practices ask for is not done now, although the rest is; NULL: all is done */
} Apply;

#define APPLY_NULL ((Apply) {.lock_fd = -EBADF})

/** apply_done() - give up the lock and release what was made */
void apply_done(Apply *a);

/**
 * apply_begin() - take the lock, and finish or take back what a killed run began
 * @a: the apply; side and root are set
 * @ret_note: takes a sentence about a killed run, or NULL; the caller frees it
 *
 * Return: 0, or -errno and a->error says why.
 */
int apply_begin(Apply *a, char **ret_note);

/** apply_survey() - look at everything, and remove what a killed run staged. Return: as survey_take(). */
int apply_survey(Apply *a);

/**
 * apply_drop_holds() - take up again what was reverted by hand
 * @a: the apply, with a survey, which is taken anew
 *
 * Return: 0, or -errno: a->error says why the ledger cannot be written; if it is NULL, as survey_take().
 */
int apply_drop_holds(Apply *a);

/**
 * apply_resolve() - find out what the policy comes to
 * @a: the apply, with a survey
 *
 * A practice whose precheck refuses is left out, with a sentence in a->left_out, and does not stop the others. One
 * whose tokens cannot be set does not either, and a->t->left_out names it. Return: 0 or -ENOMEM.
 */
int apply_resolve(Apply *a);

/**
 * apply_resolve_revert() - find out what taking back practices comes to, and hold those that are wanted
 * @a: the apply, with a survey
 * @set: the practices
 *
 * If the tokens of a practice cannot be taken back, a->t->refusal says why. Return: 0; -EBUSY, if a precheck refuses:
 * a->left_out says why; -ENOMEM.
 */
int apply_resolve_revert(Apply *a, PracticeSet set);

/**
 * apply_commit() - carry out the transaction, and keep how it ended
 * @a: the apply, with a transaction
 * @result: "applied" or "reverted"
 *
 * Return: 0; -errno and a->error says why; or a positive errno, if only a unit failed, and a->error says why.
 */
int apply_commit(Apply *a, const char *result);

/** apply_keep_failure() - keep for the report that the apply failed with a->error */
void apply_keep_failure(const Apply *a);

/** apply_failed_so_before() - whether the last apply of this boot failed with the same error */
bool apply_failed_so_before(const Apply *a);
