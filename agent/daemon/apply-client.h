/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The daemon's client of gtuned-request.socket, which asks root to start the apply unit. It sends no byte: the
 * connection itself is the request. So no text of a host can reach a process of root.
 */

#include <systemd/sd-event.h>

#include "core/root.h"

#define APPLY_CLIENT_DIRECTORY "/run/gtuned"
#define APPLY_CLIENT_SOCKET "request.sock"

typedef struct ApplyClient ApplyClient;

/*
 * Called once for each apply_client_start(). desc is NULL if the unit was started, else a sentence for people; allowed
 * is false if the policy does not allow the request.
 */
typedef void (*ApplyClientDone)(void *userdata, bool allowed, const char *desc);

/**
 * apply_client_new() - make a client
 * @ret: takes the client; the caller frees it
 * @event: the event loop
 * @root: the root with the socket; must outlive the client
 * @done: called with each answer
 * @userdata: passed to done
 *
 * Return: 0 or -ENOMEM.
 */
int apply_client_new(ApplyClient **ret, sd_event *event, const Root *root, ApplyClientDone done, void *userdata);

/** apply_client_free() - drop a request without calling done, and free the client; NULL is ignored */
ApplyClient *apply_client_free(ApplyClient *client);
DEFINE_CLEANUP(ApplyClient *, apply_client_free);

/**
 * apply_client_start() - ask for the apply unit to be started
 * @client: the client; its last request must be answered
 *
 * The event loop calls done within 15 s. A request within a second after a refusal gets the same refusal without a new
 * process of root.
 */
void apply_client_start(ApplyClient *client);
