/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A private directory of this user, and small files in it. A file is always replaced as a whole, and a symbolic link in
 * the place of a file is never followed. The test is in tests/unit/host/test-known-keys.c.
 */

#include "core/buffer.h"

/**
 * directory_open() - open a directory; if it or one of its parents is missing, make it with mode 0700
 * @path: the directory
 * @ret_fd: takes the descriptor; the caller closes it
 *
 * Return: 0; -EPERM if its group or others may write to the directory, or if it belongs neither to this user nor to
 * root; another -errno.
 */
int directory_open(const char *path, int *ret_fd);

/**
 * directory_lock() - take the lock of a directory, which lasts until the descriptor is closed
 * @directory_fd: the directory
 * @deadline: when to give up, in microseconds of CLOCK_MONOTONIC
 * @ret_fd: takes the descriptor of the lock; the caller closes it
 *
 * The function locks the file ".lock", which only this user may open, and not the directory: any user who can read the
 * directory could lock the directory itself. Processes hold the lock only for moments. If another process holds it, the
 * function waits, but no longer than a second.
 *
 * Return: 0; -EAGAIN if another process holds the lock until then; -EOPNOTSUPP if ".lock" is not a regular file;
 * another -errno.
 */
int directory_lock(int directory_fd, uint64_t deadline, int *ret_fd);

/**
 * directory_read() - read a whole regular file
 * @directory_fd: the directory
 * @name: the name of the file
 * @max: the largest size in bytes that is accepted
 * @ret: the bytes are appended to it
 *
 * Return: 0; -EFBIG if the file is larger; -ELOOP if it is a symbolic link; -EOPNOTSUPP if it is not a regular file;
 * -EPERM if it belongs neither to this user nor to root; another -errno.
 */
int directory_read(int directory_fd, const char *name, size_t max, Buffer *ret);

/**
 * directory_write() - make or replace a file, atomically, with mode 0600
 * @directory_fd: the directory
 * @name: the name of the file, at most 200 bytes
 * @data: the new content
 * @size: the length of @data in bytes
 *
 * The new file is on the disk when the function returns. Return: 0, or -errno; after an error before the rename the
 * file is unchanged.
 */
int directory_write(int directory_fd, const char *name, const void *data, size_t size);
