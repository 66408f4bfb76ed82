/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the type of a file system says about its files (statfs(2)).
 */

#include "core/util.h"

/**
 * file_system_is_virtual() - whether the content of a file system describes the running kernel, not a tree
 * @fd: an open file or directory, O_PATH is enough
 * @tmpfs: whether a tmpfs counts as one
 *
 * Return: 1, 0, or -errno.
 */
int file_system_is_virtual(int fd, bool tmpfs);

/**
 * file_system_announces() - whether inotify(7) reports every change of the files of a file system
 * @fd: an open file or directory, O_PATH is enough
 *
 * The kernel itself changes files of sysfs and procfs, and other machines change those of a network file system.
 * Return: false also for a file system that gtuned does not know.
 */
bool file_system_announces(int fd);
