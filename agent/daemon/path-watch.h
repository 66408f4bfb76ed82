/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Watches paths with inotify: each name on the way to a file in the directory that holds it, the names of links and of
 * their targets included. So a change is heard of wherever on the way it is made, and for a missing file the appearance
 * of the first name that is missing.
 *
 * Each watched name knows its readers, a bit each: the parts of a report that were made of it.
 */

#include <systemd/sd-event.h>

#include "core/root.h"

typedef struct PathWatch PathWatch;

/*
 * Called for a change. @moved: names came or went, so that the readers have to be watched anew, by path_watch_forget()
 * and path_watch_note(); otherwise only the content or the metadata of a file has changed.
 */
typedef void (*PathWatchChanged)(uint64_t readers, bool moved, void *userdata);

/**
 * path_watch_new() - begin to watch
 * @ret: takes the watch; the caller frees it
 * @event: the event loop
 * @root: the root that the paths are in; must outlive the watch
 * @changed: called if a file may have changed; often several times in a row
 * @userdata: passed to changed
 *
 * If a limit is in the way nothing is ever heard of: path_watch_limit(). Return: 0 or -errno.
 */
int path_watch_new(PathWatch **ret, sd_event *event, Root *root, PathWatchChanged changed, void *userdata);

/** path_watch_limit() - the setting whose limit keeps changes of some paths from being heard of; NULL: none was hit */
const char *path_watch_limit(const PathWatch *watch) _pure_;

/** path_watch_free() - end watching; NULL is ignored */
PathWatch *path_watch_free(PathWatch *watch);
DEFINE_CLEANUP(PathWatch *, path_watch_free);

/**
 * path_watch_note() - watch a path; call it before the path is read, so that no change in between is missed
 * @watch: the watch
 * @kind: how the path will be looked at
 * @path: absolute path inside the root
 * @readers: for whom
 *
 * Return: 1 if every change will be heard of; 0 if not, because of the kind of file system, because the file has further
 * names or is mounted, or because inotify has no watch left; -ENOMEM.
 */
int path_watch_note(PathWatch *watch, SightKind kind, const char *path, uint64_t readers);

/** path_watch_forget() - forget what was noted for some readers */
void path_watch_forget(PathWatch *watch, uint64_t readers);

/** path_watch_sweep() - end watching what has no reader any more */
void path_watch_sweep(PathWatch *watch);

/**
 * path_watch_pause() - do not touch the watch in the event loop until the pause ends; changes wait in the kernel
 *
 * Meanwhile another thread may call path_watch_note(), path_watch_forget() and path_watch_sweep().
 */
void path_watch_pause(PathWatch *watch, bool pause);
