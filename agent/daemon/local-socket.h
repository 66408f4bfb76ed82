/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * UNIX stream sockets: connecting to one below a root, and listening on one.
 */

#include "core/root.h"

/**
 * local_socket_connect() - connect to a UNIX socket
 * @root: the root
 * @directory: where the socket is
 * @name: its name there
 * @ret_fd: takes the descriptor, which does not block; the caller closes it
 *
 * The address names the directory by its descriptor in /proc/self/fd, because a path below a root can be too long for
 * an address. Return: 0; -ENOENT if the directory or the socket is missing; another -errno.
 */
int local_socket_connect(const Root *root, const char *directory, const char *name, int *ret_fd);

/**
 * local_socket_listen() - make a socket and listen on it
 * @path: the socket; made with mode 0600
 * @ret_fd: takes the descriptor, which does not block; the caller closes it and removes the socket
 *
 * A socket on which no process listens is left over from a daemon that was killed, and is replaced.
 * Return: 0; -EADDRINUSE if a process listens on it; -EEXIST if the path is no socket; another -errno.
 */
int local_socket_listen(const char *path, int *ret_fd);

/**
 * local_socket_accept() - take the next connection
 * @listen_fd: the descriptor from local_socket_listen()
 * @ret_fd: takes the descriptor, which does not block; the caller closes it
 *
 * Return: 0; -EACCES if the client is neither root nor the own user, and its connection was closed; another -errno.
 */
int local_socket_accept(int listen_fd, int *ret_fd);
