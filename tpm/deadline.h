/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Waiting for a descriptor for a limited time. A deadline is a point of CLOCK_MONOTONIC, in milliseconds.
 */

#include <poll.h>

#include "core/util.h"

/** deadline_in() - the deadline that is @msec milliseconds from now */
int64_t deadline_in(int msec);

/**
 * wait_until() - wait for a descriptor
 * @fd: the descriptor
 * @events: POLLIN or POLLOUT
 * @deadline: when to stop waiting
 *
 * Return: 0 if a read or write does not block, also after the other side closed; -ETIMEDOUT, or -errno of poll().
 */
int wait_until(int fd, short events, int64_t deadline);
