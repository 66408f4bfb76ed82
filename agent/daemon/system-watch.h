/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Watches what the kernel announces by itself: changes of the mount table, and of kernel modules, by way of udev.
 */

#include <systemd/sd-event.h>

#include "core/util.h"

typedef struct SystemWatch SystemWatch;

/* What is to be done about a change. */
typedef struct SystemWatchOwner {
        void (*mounts_changed)(void *userdata);
        void (*modules_changed)(void *userdata); /* NULL: modules do not matter */
        void *userdata;
} SystemWatchOwner;

/**
 * system_watch_new() - begin to watch
 * @ret: takes the watch; the caller frees it
 * @event: the event loop
 * @owner: the functions to call; copied
 *
 * Without udev or a mount table the other is watched. Return: 0 or -errno.
 */
int system_watch_new(SystemWatch **ret, sd_event *event, const SystemWatchOwner *owner);

/** system_watch_free() - end watching; NULL is ignored */
SystemWatch *system_watch_free(SystemWatch *watch);
DEFINE_CLEANUP(SystemWatch *, system_watch_free);
