/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/util.h"

/**
 * connect_path() - connect a UNIX socket to a path of any length
 * @fd: the socket
 * @path: the path; a sockaddr takes 107 bytes, a longer one goes by way of a descriptor
 *
 * Return: 0 or -errno.
 */
int connect_path(int fd, const char *path);
