/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Carrying out a transaction: the only code that writes. Every new file is staged and flushed beside its
 * target, the intent goes to the ledger, all are renamed, attributes are written, units act, and the ledger
 * says what is true now. A failure on the way puts everything back; a crash is mended by the next run.
 */

#include "engine/transaction.h"

/* How long a second apply waits for the first, in seconds. */
#define LOCK_WAIT_SEC 30U

/**
 * engine_lock() - keep others from changing anything
 * @root: the root
 * @ret_fd: takes the descriptor that holds the lock; the caller closes it
 * @ret_error: takes a sentence for a person on failure, naming the holder; the caller frees it
 *
 * Waits LOCK_WAIT_SEC. Return: 0, -EBUSY, or another -errno.
 */
int engine_lock(const Root *root, int *ret_fd, char **ret_error);

/**
 * engine_recover() - finish or take back what a run began that was killed
 * @root: the root
 * @ret_note: takes a sentence about what was done, or NULL; the caller frees it
 * @ret_error: takes a sentence on failure; the caller frees it
 *
 * Must be called with the lock, before a survey. It rolls forward if every staged file is whole and each
 * target has the recorded old or new hash, else back: what is not renamed yet is dropped. A target with
 * neither hash is left alone. Return: 0 or -errno.
 */
int engine_recover(const Root *root, char **ret_note, char **ret_error);

/**
 * engine_remove_leftovers() - remove staged files of a run that was killed before its intent was written
 * @survey: a survey that was taken with the lock
 *
 * What cannot be removed is harmless: nothing reads it, and the next run tries again.
 */
void engine_remove_leftovers(const Survey *survey);

/**
 * engine_commit() - carry out a transaction
 * @survey: the survey that it was made from
 * @t: the transaction; its ledger is completed
 * @ret_error: takes a sentence that names the path on failure; the caller frees it
 *
 * Return: 0; -errno, and everything is as it was; or, where only a unit failed, a positive errno: files and
 * attributes are in place.
 */
int engine_commit(const Survey *survey, Transaction *t, char **ret_error);
