/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Waiting for a descriptor, and not for ever. A deadline is a moment of CLOCK_MONOTONIC in milliseconds.
 */

#include <poll.h>

#include "core/util.h"

/** deadline_in() - the moment that comes after so many milliseconds */
int64_t deadline_in(int msec);

/**
 * wait_until() - wait for a descriptor
 * @fd: the descriptor
 * @events: POLLIN or POLLOUT
 * @deadline: when to give up
 *
 * Return: 0 where a read or write would not block (also to say that the other side is gone), -ETIMEDOUT, or -errno.
 */
int wait_until(int fd, short events, int64_t deadline);
