/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Connecting to a socket of this system below a root.
 */

#include "core/root.h"

/**
 * local_socket_connect() - connect to a UNIX socket
 * @root: the root
 * @directory: where the socket is
 * @name: its name there
 * @ret_fd: takes the descriptor, which does not block; the caller closes it
 *
 * The directory is opened through the root, and its descriptor keeps the path short enough for an address.
 * Return: 0 or -errno.
 */
int local_socket_connect(const Root *root, const char *directory, const char *name, int *ret_fd);
