/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * GRUB reads a file system without replaying its log. What XFS has flushed may be in the log only, so that after a reset
 * GRUB would still see the old bytes, or a name that leads to nothing yet. Freezing the file system writes everything to
 * its place.
 */

#include "core/replace.h"

/* A process of its own freezes and thaws. After so many seconds its parent thaws, whatever became of that process. */
#define BOOT_FLUSH_WATCHDOG_SEC 10

/**
 * boot_flush_check() - see whether the file systems that will be changed can be frozen
 * @root: the running system's root
 * @paths: the files that will be changed
 * @n_paths: how many
 * @ret_path: takes the one that cannot be flushed, on failure; owned by paths
 * @ret_on_root: takes a file on an XFS that is the root file system and so cannot be frozen, or NULL; owned by paths
 *
 * A file system that another process has frozen would block whoever writes to it, and gtuned never thaws it. Return: 0;
 * -EBUSY if another process has frozen one; another -errno.
 */
int boot_flush_check(const Root *root, const char *const *paths, size_t n_paths, const char **ret_path,
                     const char **ret_on_root);

/**
 * boot_flush() - write files that were staged or renamed to where GRUB finds them
 * @root: the running system's root
 * @paths: the files
 * @n_paths: how many
 * @ret_path: takes the one that cannot be flushed, on failure; owned by paths
 *
 * Each XFS that is a mount of its own is frozen and thawed once. Return: 0 or -errno.
 */
int boot_flush(const Root *root, const char *const *paths, size_t n_paths, const char **ret_path);

/** boot_flush_explain() - say why boot_flush() or boot_flush_check() failed. Return: a new sentence, or NULL. */
char *boot_flush_explain(const char *path, int r);
