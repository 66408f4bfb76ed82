/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a run left behind that was killed.
 */

#include "engine/survey.h"

/**
 * recover() - finish or take back what a run began that was killed
 * @side: the side
 * @root: the root
 * @ret_note: takes a sentence about what was done, or NULL; the caller frees it
 * @ret_error: takes a sentence on failure; the caller frees it
 *
 * Must be called with the lock, before a survey. It rolls forward if every staged file is whole and each target has the
 * recorded old or new hash. Otherwise it rolls back: what is not renamed yet is dropped. A target with neither hash is
 * left alone. An attribute that still has the value that was written keeps its record. Of a change that only the side
 * knows, the record that its kind verifies is kept; a record of an unknown kind is kept as it is. Return: 0 or -errno.
 */
int recover(const Side *side, const Root *root, char **ret_note, char **ret_error);

/**
 * recover_leftovers() - remove staged files of a run that was killed before its intent was written
 * @survey: a survey that was taken with the lock
 *
 * A file that cannot be removed is harmless: nothing reads it, and the next run tries again.
 */
void recover_leftovers(const Survey *survey);
