/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Watches the services that a report is made of: the service manager announces on the system bus when one of them
 * starts, stops or is loaded again.
 */

#include <systemd/sd-event.h>

#include "core/util.h"

typedef struct UnitWatch UnitWatch;

/**
 * unit_watch_new() - begin to watch
 * @ret: takes the watch; the caller frees it
 * @event: the event loop
 * @units: the names of the services, ended by NULL; must outlive the watch
 * @changed: called if a service may have changed; often several times in a row
 * @userdata: passed to changed
 *
 * If the bus cannot be reached, nothing is watched until unit_watch_revive(). Return: 0 or -ENOMEM.
 */
int unit_watch_new(UnitWatch **ret, sd_event *event, const char *const *units,
                   void (*changed)(void *userdata), void *userdata);

/** unit_watch_free() - end watching; NULL is ignored */
UnitWatch *unit_watch_free(UnitWatch *watch);
DEFINE_CLEANUP(UnitWatch *, unit_watch_free);

/** unit_watch_revive() - connect to the bus again if it could not be reached or has closed the connection */
void unit_watch_revive(UnitWatch *watch);

/** unit_watch_hears() - whether the service manager announces every change */
bool unit_watch_hears(const UnitWatch *watch);
