/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* How long a unit's job is waited for, in microseconds. */
#define UNIT_JOB_WAIT_USEC (30ULL * 1000000ULL)

/**
 * unit_act() - restart or reload a unit over sd-bus and wait for its job
 * @unit: the unit
 * @verb: "restart" or "reload"
 *
 * Return: 0; -ETIMEDOUT where the job takes longer than UNIT_JOB_WAIT_USEC; -EIO where it failed; another -errno.
 */
int unit_act(const char *unit, const char *verb);
