/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The connection to the host: a virtio-serial port, or a UNIX socket in its place. The bytes of the host go through the
 * framing (agent/channel/frame.h) to the commands (agent/channel/commands.h). The answers wait in the outbox
 * (agent/daemon/outbox.h) until the host takes them.
 *
 * A virtio port differs from a socket (drivers/char/virtio_console.c):
 * - While no host is connected, epoll reports EPOLLHUP all the time. Therefore the port is polled edge-triggered.
 * - While no host is connected, read() returns 0. That is not the end of the stream: a host can connect later.
 * - A request can arrive before the guest's kernel marks the port as connected. Until then read() returns 0 and write()
 *   fails with EAGAIN, although the host waits for its answer. Therefore the host counts as gone only when the port
 *   still reads 0 bytes a second later.
 * - The kernel can lose the wake-up for EPOLLOUT. Therefore a timer repeats the write while a reply waits.
 *
 * tests/channel/hostile-host.py tests it as a socket, and tests/e2e/run.py as a virtio-serial port.
 */

#include <systemd/sd-event.h>

#include "agent/channel/commands.h"

typedef struct Port Port;

/**
 * port_new() - make a port that is not open yet
 * @ret: takes the port; the caller frees it
 * @event: the event loop; a reference is taken
 * @agent: the daemon's functions for the commands; must outlive the port
 *
 * Return: 0 or -errno.
 */
int port_new(Port **ret, sd_event *event, const CommandAgent *agent);

/** port_free() - close the port and drop the replies that wait; NULL is ignored */
Port *port_free(Port *port);
DEFINE_CLEANUP(Port *, port_free);

/**
 * port_open() - serve a virtio-serial port
 * @port: the port
 * @path: the device
 *
 * When the device is unplugged, the event loop ends with status 0. Return: 0; -EBUSY if another process has it open
 * (see port_holder()); another -errno.
 */
int port_open(Port *port, const char *path);

/**
 * port_listen() - serve a UNIX socket, one client at a time
 * @port: the port
 * @path: the socket; made with mode 0600, removed by port_free()
 *
 * Only root and the daemon's own user are served. Return: 0 or -errno.
 */
int port_listen(Port *port, const char *path);

/**
 * port_send() - send a line that answers no request
 * @port: the port
 * @line: the line with its newline; moved, so it is empty afterwards
 *
 * Return: 0; -ENOBUFS if the outbox is full; -ENOTCONN if the port is not open; -ENOMEM.
 */
int port_send(Port *port, Buffer *line);

/**
 * port_answer_background() - answer the request that returned COMMAND_BACKGROUND
 * @port: the port
 * @class: as in command_finish()
 * @desc: as in command_finish()
 *
 * Nothing happens if the host has left since. If the answer cannot be sent, the event loop ends with the error.
 */
void port_answer_background(Port *port, const char *class, const char *desc);

/** port_forget_background() - drop the request that returned COMMAND_BACKGROUND without an answer */
void port_forget_background(Port *port);

/**
 * port_answer_pending() - answer the request that returned COMMAND_PENDING
 * @port: the port
 * @class: as in command_finish()
 * @desc: as in command_finish()
 *
 * Otherwise as port_answer_background().
 */
void port_answer_pending(Port *port, const char *class, const char *desc);

/** port_resume() - answer the request that returned COMMAND_LATER; nothing happens if there is none */
void port_resume(Port *port);
