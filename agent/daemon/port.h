/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Where the host is talked to: a virtio-serial port, or a UNIX socket that stands for one. Bytes go through the
 * channel (agent/channel/frame.h) to the commands (agent/channel/commands.h), and the answers wait in the outbox
 * (agent/daemon/outbox.h) until the host takes them.
 *
 * What a virtio port does, and a socket does not:
 * - With no host attached, poll() says EPOLLHUP all the time, so the port is watched for edges.
 * - read() then returns 0, and that is no end: it goes on when a host comes.
 * - A request can arrive before the port is marked as connected. read() then says 0 and write() says EAGAIN although
 *   the host waits, so a 0 that follows data is believed only after a second.
 * - Kernels lose the wake-up that EPOLLOUT waits for, so a timer tries again while a reply waits.
 */

#include <systemd/sd-event.h>

#include "agent/channel/commands.h"

typedef struct Port Port;

/**
 * port_new() - make a port that is not open yet
 * @ret: takes the port; the caller frees it
 * @event: the event loop; must outlive the port
 * @agent: who answers; must outlive the port
 *
 * Return: 0 or -errno.
 */
int port_new(Port **ret, sd_event *event, const CommandAgent *agent);

/** port_free() - close the port and drop what waits; NULL is ignored */
Port *port_free(Port *port);
DEFINE_CLEANUP(Port *, port_free);

/**
 * port_open() - serve a virtio-serial port
 * @port: the port
 * @path: the device
 *
 * When the device goes away the event loop ends with status 0. Return: 0; -EBUSY when somebody has it open (see
 * port_holder()); another -errno.
 */
int port_open(Port *port, const char *path);

/**
 * port_listen() - serve a UNIX socket, one client at a time
 * @port: the port
 * @path: the socket; made with mode 0600, and removed by port_free()
 *
 * Only root and the own user are served. Return: 0 or -errno.
 */
int port_listen(Port *port, const char *path);

/**
 * port_send() - send a line that answers no request
 * @port: the port
 * @line: the line with its newline; emptied, because it moves
 *
 * Return: 0; -ENOBUFS where too much waits already; -ENOTCONN where there is nobody to send it to; -ENOMEM.
 */
int port_send(Port *port, Buffer *line);

/**
 * port_answer_background() - give the answer that a command put aside (COMMAND_BACKGROUND)
 * @port: the port
 * @class: as in command_finish()
 * @desc: as in command_finish()
 */
void port_answer_background(Port *port, const char *class, const char *desc);

/** port_forget_background() - nobody wants the answer that a command put aside */
void port_forget_background(Port *port);

/**
 * port_answer_pending() - give the answer that a command put off (COMMAND_PENDING)
 * @port: the port
 * @class: as in command_finish()
 * @desc: as in command_finish()
 */
void port_answer_pending(Port *port, const char *class, const char *desc);
