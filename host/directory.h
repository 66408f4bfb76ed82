/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A directory of this user's own, and small files in it that are replaced whole. No link in the place of a file is
 * followed.
 */

#include "core/buffer.h"

/**
 * directory_open() - open a directory, and make it and those above it where they are missing, with mode 0700
 * @path: the directory
 * @ret_fd: takes the descriptor; the caller closes it
 *
 * Return: 0; -EPERM for one that group or others may write to, or that is neither ours nor root's; -errno.
 */
int directory_open(const char *path, int *ret_fd);

/**
 * directory_lock() - keep other processes from directory_lock() until the descriptor is closed
 * @directory_fd: the directory
 * @deadline: when to wait no longer, in microseconds of CLOCK_MONOTONIC
 * @ret_fd: takes the descriptor; the caller closes it
 *
 * The lock is that of a file ".lock" in it, which nobody else may open; whoever can read the directory could lock it.
 * Where another process has it, which is meant for moments, this waits a second at the most.
 *
 * Return: 0; -EAGAIN where another process keeps it; -EOPNOTSUPP where ".lock" is no file; another -errno.
 */
int directory_lock(int directory_fd, uint64_t deadline, int *ret_fd);

/**
 * directory_read() - read a whole regular file
 * @directory_fd: the directory
 * @name: the file in it
 * @max: the largest size in bytes that is accepted
 * @ret: takes the bytes, appended
 *
 * Return: 0; -EFBIG where it is larger; -ELOOP for a link; -EOPNOTSUPP for what is no file; -EPERM for one that is
 * neither ours nor root's; another -errno.
 */
int directory_read(int directory_fd, const char *name, size_t max, Buffer *ret);

/**
 * directory_write() - make or replace a file, atomically, with mode 0600
 * @directory_fd: the directory
 * @name: the file in it, at most 200 bytes
 * @data: the new content
 * @size: its length in bytes
 *
 * It is on the disk when this returns. Return: 0 or -errno, and then the file is as it was.
 */
int directory_write(int directory_fd, const char *name, const void *data, size_t size);
