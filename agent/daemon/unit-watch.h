/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Services as announced sources of a report: the service manager says over the system bus when one of them starts,
 * stops or is loaded anew.
 */

#include <systemd/sd-event.h>

#include "core/util.h"

typedef struct UnitWatch UnitWatch;

/**
 * unit_watch_new() - begin to listen
 * @ret: takes the watch; the caller frees it
 * @event: the event loop
 * @units: the services, NULL-terminated; must outlive the watch
 * @changed: called when something may have changed; called often in a burst
 * @userdata: handed through
 *
 * A bus that is not there is no failure: see unit_watch_revive(). Return: 0 or -errno.
 */
int unit_watch_new(UnitWatch **ret, sd_event *event, const char *const *units,
                       void (*changed)(void *userdata), void *userdata);

/** unit_watch_free() - stop listening; NULL is ignored */
UnitWatch *unit_watch_free(UnitWatch *watch);
DEFINE_CLEANUP(UnitWatch *, unit_watch_free);

/** unit_watch_revive() - listen again where the bus was not there, or went away */
void unit_watch_revive(UnitWatch *watch);
