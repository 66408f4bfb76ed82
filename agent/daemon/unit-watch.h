/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Services as announced sources of a report: the service manager says over the system bus when one of them starts,
 * stops or is loaded anew.
 */

#include <systemd/sd-event.h>

#include "core/util.h"

typedef struct ServiceSource ServiceSource;

/**
 * service_source_new() - begin to listen
 * @ret: takes the source; the caller frees it
 * @event: the event loop
 * @units: the services, NULL-terminated; must outlive the source
 * @changed: called when something may have changed; called often in a burst
 * @userdata: handed through
 *
 * A bus that is not there is no failure: see service_source_revive(). Return: 0 or -errno.
 */
int service_source_new(ServiceSource **ret, sd_event *event, const char *const *units,
                       void (*changed)(void *userdata), void *userdata);

/** service_source_free() - stop listening; NULL is ignored */
ServiceSource *service_source_free(ServiceSource *s);
DEFINE_CLEANUP(ServiceSource *, service_source_free);

/** service_source_revive() - listen again where the bus was not there, or went away */
void service_source_revive(ServiceSource *s);
