/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The daemon: it keeps a report ready, answers the host's requests from it, and sends events to a host that watches.
 * tests/channel/hostile-host.py and tests/e2e/run.py test it.
 */

#include <systemd/sd-event.h>

#include "core/root.h"

typedef struct Daemon Daemon;

/* Where the host connects. One of the two is set. */
typedef struct Endpoint {
        const char *port;   /* a virtio-serial device */
        const char *socket; /* a UNIX socket to listen on */
} Endpoint;

/**
 * daemon_new() - make the daemon, with its first report, and open its port
 * @ret: takes the daemon; the caller frees it
 * @event: the event loop; SIGTERM, SIGINT and SIGHUP must be blocked
 * @root: the root to report on; must outlive the daemon
 * @endpoint: where the host connects
 *
 * Return: 0; -errno, and then the error was logged.
 */
int daemon_new(Daemon **ret, sd_event *event, Root *root, const Endpoint *endpoint);

/** daemon_free() - close everything; NULL is ignored */
Daemon *daemon_free(Daemon *daemon);
DEFINE_CLEANUP(Daemon *, daemon_free);
