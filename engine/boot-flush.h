/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * GRUB reads a file system without replaying its log. What XFS has flushed may be in the log only, so that after a
 * reset GRUB would still see the old bytes, or a name that leads to nothing yet. Freezing writes everything to its place.
 */

#include "core/replace.h"

/* A process of its own freezes and thaws. When its parent thaws, whatever became of it, in seconds. */
#define SETTLE_WATCHDOG_SEC 10

/**
 * settle_check() - whether the file systems that will be changed can be frozen
 * @root: the running system's root
 * @paths: the files that will be changed
 * @n_paths: how many
 * @ret_path: takes one of them where it cannot be; owned by paths
 * @ret_on_root: takes one of them that lies on an XFS which is the root file system, and cannot be frozen; or NULL
 *
 * A file system that somebody else has frozen would block whoever writes to it, and is never thawed by us.
 * Return: 0; -EBUSY where somebody has frozen it; another -errno.
 */
int settle_check(const Root *root, const char *const *paths, size_t n_paths, const char **ret_path,
                 const char **ret_on_root);

/**
 * settle() - write what was staged or renamed to where GRUB finds it
 * @root: the running system's root
 * @paths: the files
 * @n_paths: how many
 * @ret_path: takes one of them where it fails; owned by paths
 *
 * Each XFS that is a mount of its own is frozen and thawed once. Return: 0 or -errno.
 */
int settle(const Root *root, const char *const *paths, size_t n_paths, const char **ret_path);
