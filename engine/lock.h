/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One apply at a time.
 */

#include "engine/side.h"

/* How long a second apply waits for the first, in seconds. */
#define LOCK_WAIT_SEC 30U

/**
 * lock_take() - keep other processes from changing anything
 * @side: the side
 * @root: the root
 * @ret_fd: takes the descriptor that holds the lock; the caller closes it
 * @ret_error: takes a sentence for a person on failure, naming the holder; the caller frees it
 *
 * Waits LOCK_WAIT_SEC. Return: 0, -EBUSY, or another -errno.
 */
int lock_take(const Side *side, const Root *root, int *ret_fd, char **ret_error);
