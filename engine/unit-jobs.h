/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/*
 * How long the service manager may take to read its files again, in microseconds. It runs all generators and ends one
 * after 90 s (systemd: src/core/manager.c).
 */
#define UNITS_RELOAD_WAIT_USEC (180ULL * 1000000ULL)

/* How long a unit's job is waited for, in microseconds. */
#define UNIT_JOB_WAIT_USEC (30ULL * 1000000ULL)

/* How long a restarted service must live to have come up, in seconds. */
#define SERVICE_LIFE_SEC 2

/**
 * units_reload() - let the service manager read unit files again
 *
 * Return: 0; -ETIMEDOUT if it takes longer than UNITS_RELOAD_WAIT_USEC, and may end later; another -errno.
 */
int units_reload(void);

/**
 * unit_act() - start or restart a unit over sd-bus and wait for its job
 * @unit: the unit
 * @method: the manager's method: "StartUnit" or "RestartUnit"
 *
 * Return: 0; -ETIMEDOUT if the job takes longer than UNIT_JOB_WAIT_USEC; -EIO if it failed; another -errno.
 */
int unit_act(const char *unit, const char *method);

/**
 * service_restart() - restart a service that runs, and see that it comes up
 * @unit: the service
 * @expect: an argument that its process must have, or NULL
 * @ret_was_up: takes whether it was up before; one that had failed is started, too
 * @ret_why: takes a sentence where it did not come up; the caller frees it
 *
 * That the job succeeds says little: for a simple service it does at fork, and ExecStart=- hides a failure. It has come
 * up when after SERVICE_LIFE_SEC the same process is still there. Return: 1, or 0 where it does not run and is left
 * alone; -EIO where it did not come up; another -errno.
 */
int service_restart(const char *unit, const char *expect, bool *ret_was_up, char **ret_why);
