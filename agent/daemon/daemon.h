/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The daemon: keeps a report ready, answers the host from it, and tells a host that asked when it changes.
 */

#include <systemd/sd-event.h>

#include "core/root.h"

typedef struct Daemon Daemon;

/* Where the host is. One of the two is set. */
typedef struct Endpoint {
        const char *port;   /* a virtio-serial device */
        const char *socket; /* a UNIX socket to listen on */
} Endpoint;

/**
 * daemon_new() - make the daemon, with its first report, and open its port
 * @ret: takes the daemon; the caller frees it
 * @event: the event loop; SIGTERM, SIGINT and SIGHUP must be blocked
 * @root: what it reports on; must outlive the daemon
 * @endpoint: where the host is
 *
 * Return: 0, or -errno, which is logged.
 */
int daemon_new(Daemon **ret, sd_event *event, Root *root, const Endpoint *endpoint);

/** daemon_free() - close everything; NULL is ignored */
Daemon *daemon_free(Daemon *daemon);
DEFINE_CLEANUP(Daemon *, daemon_free);
