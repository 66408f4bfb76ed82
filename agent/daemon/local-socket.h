/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * UNIX sockets: connecting to one below a root, and serving one.
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

/**
 * local_socket_listen() - make a socket and listen on it
 * @path: the socket; made with mode 0600
 * @ret_fd: takes the descriptor, which does not block; the caller closes it, and removes the socket
 *
 * A socket that is left over from a daemon that was killed is replaced.
 * Return: 0; -EADDRINUSE when another process listens there; -EEXIST when there is something else; another -errno.
 */
int local_socket_listen(const char *path, int *ret_fd);

/**
 * local_socket_accept() - take the next connection
 * @listen_fd: what local_socket_listen() gave
 * @ret_fd: takes the descriptor, which does not block; the caller closes it
 *
 * Return: 0; -EACCES: it was refused, because only root and the own user are served; another -errno.
 */
int local_socket_accept(int listen_fd, int *ret_fd);
