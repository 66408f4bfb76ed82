/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The daemon's side of gtuned-request.socket: the one thing that it can ask of root. It sends nothing at all; to be
 * connected is the whole question, so that nothing that a host wrote can get there.
 */

#include <systemd/sd-event.h>

#include "core/root.h"

#define APPLY_CLIENT_DIRECTORY "/run/gtuned"
#define APPLY_CLIENT_SOCKET "request.sock"

typedef struct ApplyClient ApplyClient;

/* Called once for each apply_client_start(); desc is a sentence, or NULL where the unit was started. */
typedef void (*ApplyClientDone)(void *userdata, bool allowed, const char *desc);

/**
 * apply_client_new() - make a client
 * @ret: takes the client; the caller frees it
 * @event: the event loop
 * @root: below which the socket is; must outlive the client
 * @done: told of each answer
 * @userdata: handed through
 *
 * Return: 0 or -ENOMEM.
 */
int apply_client_new(ApplyClient **ret, sd_event *event, const Root *root, ApplyClientDone done, void *userdata);

/** apply_client_free() - end what is under way, without an answer; NULL is ignored */
ApplyClient *apply_client_free(ApplyClient *client);
DEFINE_CLEANUP(ApplyClient *, apply_client_free);

/**
 * apply_client_start() - ask for the apply unit
 * @client: the client; nothing may be under way
 *
 * The answer comes from the event loop within 5 s. A host that asks again and again gets the last refusal once more
 * instead of a new process.
 */
void apply_client_start(ApplyClient *client);
