/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The announced sources of a report: what the kernel tells us of by itself, so that nothing has to be looked at
 * again and again. It learns which files a report rests on by listening to the root while a survey is taken
 * (root_trace()), and watches the directory of each of them with inotify, for the names that count; of what is
 * missing the nearest directory that is there. Kernel modules are announced by udev, mounts by the mount table.
 *
 * A kernel-made change in sysfs announces nothing. Such sources are read again when somebody asks.
 */

#include <systemd/sd-event.h>

#include "core/root.h"

typedef struct PathWatch PathWatch;

/**
 * path_watch_new() - begin to listen
 * @ret: takes the watch; the caller frees it
 * @event: the event loop
 * @root: what reports are made of; must outlive the watch
 * @changed: called when something may have changed; called often in a burst
 * @userdata: handed through
 *
 * What cannot be listened to (no udev, no mount table) is left out. Return: 0 or -errno.
 */
int path_watch_new(PathWatch **ret, sd_event *event, Root *root, void (*changed)(void *userdata), void *userdata);

/** path_watch_free() - stop listening; NULL is ignored */
PathWatch *path_watch_free(PathWatch *watch);
DEFINE_CLEANUP(PathWatch *, path_watch_free);

/**
 * path_watch_begin() - from now on, note what is looked at below the root
 *
 * A path is watched before it is looked at, so that no change in between is missed.
 */
void path_watch_begin(PathWatch *watch);

/** path_watch_end() - stop noting, and stop watching what was not looked at since path_watch_begin() */
void path_watch_end(PathWatch *watch);
