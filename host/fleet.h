/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Many targets at once: who is asked when, in which order answers are printed, and how much memory all may take.
 */

#include "host/tpm-options.h"
#include "host/verb.h"

typedef struct Fleet Fleet;

/* What is asked of whom. */
typedef struct FleetQuestion {
        const HostVerb *verb;
        const char *execute;    /* the guest's command */
        json_object *arguments; /* an object, or NULL */
        uint64_t timeout;       /* microseconds for each target */
        char **paths;
        size_t n_paths;
        HostTpmOptions tpm;
} FleetQuestion;

/**
 * fleet_new() - prepare to ask
 * @question: must outlive the fleet
 * @output: likewise
 * @ret: takes the fleet; the caller frees it
 *
 * Raises the number of files that this process may have open as far as it may. Return: 0 or -errno.
 */
int fleet_new(const FleetQuestion *question, const Output *output, Fleet **ret);

/**
 * fleet_run() - ask all targets and print what they answer to standard output
 * @fleet: a new fleet
 *
 * Returns when all targets are done; a verb that streams also on SIGINT and SIGTERM. Return: the exit status, or
 * -errno where we failed ourselves.
 */
int fleet_run(Fleet *fleet);

/** fleet_free() - close everything; NULL is ignored */
Fleet *fleet_free(Fleet *fleet);
DEFINE_CLEANUP(Fleet *, fleet_free);
