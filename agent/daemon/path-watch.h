/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Watches the files that a report is made of, so that they need no polling. While a survey reads them it records their
 * paths (root_trace()). It watches the directory of each with inotify, for the names that were read; for a missing file
 * the nearest directory that exists. Changes of kernel modules come from udev, those of mounts from the mount table.
 *
 * inotify reports nothing if the kernel itself changes a file of sysfs. Such files are read again when the host asks.
 */

#include <systemd/sd-event.h>

#include "core/root.h"

typedef struct PathWatch PathWatch;

/**
 * path_watch_new() - begin to watch
 * @ret: takes the watch; the caller frees it
 * @event: the event loop
 * @root: the root that reports are made of; must outlive the watch
 * @changed: called if a file may have changed; often several times in a row
 * @userdata: passed to changed
 *
 * Without udev or a mount table the rest is watched. Return: 0 or -errno.
 */
int path_watch_new(PathWatch **ret, sd_event *event, Root *root, void (*changed)(void *userdata), void *userdata);

/** path_watch_free() - end watching; NULL is ignored */
PathWatch *path_watch_free(PathWatch *watch);
DEFINE_CLEANUP(PathWatch *, path_watch_free);

/**
 * path_watch_begin() - record and watch the paths that are read below the root from now on
 *
 * A path is watched before it is read, so that no change in between is missed.
 */
void path_watch_begin(PathWatch *watch);

/** path_watch_end() - end recording, and no longer watch the paths that were not read since path_watch_begin() */
void path_watch_end(PathWatch *watch);
