/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Asks many targets at once: decides when each target is asked and in which order answers are printed, and bounds the
 * memory of all targets together. The tests are tests/host/lying-guests.py and tests/host/lying-quotes.py.
 */

#include "host/tpm-options.h"
#include "host/verb.h"

typedef struct Fleet Fleet;

/* The command line: a verb, its arguments, and the targets to ask. */
typedef struct FleetQuestion {
        const HostVerb *verb;
        const char *execute;    /* the command that is sent to the guest */
        json_object *arguments; /* its arguments, an object, or NULL */
        uint64_t timeout;       /* for each target, in microseconds */
        char **paths;           /* of the targets' sockets */
        size_t n_paths;
        HostTpmOptions tpm;
} FleetQuestion;

/**
 * fleet_new() - prepare to ask targets
 * @question: what to ask; must outlive the fleet
 * @output: how to print; must outlive the fleet
 * @ret: takes the fleet; the caller calls fleet_free()
 *
 * Raises the soft limit of open files (RLIMIT_NOFILE) to the hard limit, because each target takes a descriptor.
 * Return: 0 or -errno.
 */
int fleet_new(const FleetQuestion *question, const Output *output, Fleet **ret);

/**
 * fleet_run() - ask all targets and print their answers to standard output
 * @fleet: a new fleet
 *
 * Returns after all targets are done. If the verb streams, the function also returns after SIGINT or SIGTERM.
 * Return: the exit status over all guests, or -errno if gtune-host itself failed.
 */
int fleet_run(Fleet *fleet);

/** fleet_free() - close all connections and free the fleet; NULL is ignored. Return: NULL. */
Fleet *fleet_free(Fleet *fleet);
DEFINE_CLEANUP(Fleet *, fleet_free);
