/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Connects UNIX sockets. The test is tests/host/lying-guests.py.
 */

#include "core/util.h"

/**
 * connect_path() - connect a UNIX socket to a path of any length
 * @fd: the socket; remains the caller's
 * @path: the path of the listening socket; if it is longer than the 107 bytes that sun_path takes (unix(7)), the
 *        function opens it with O_PATH and connects through /proc/self/fd
 *
 * Return: 0 or -errno.
 */
int connect_path(int fd, const char *path);
