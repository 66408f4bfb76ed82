/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The daemon's side of gtuned-request.socket: the one thing that it can ask of root. It sends nothing at all; to be
 * connected is the whole question, so that nothing that a host wrote can get there.
 */

#include <systemd/sd-event.h>

#include "core/root.h"

#define REQUEST_DIRECTORY "/run/gtuned"
#define REQUEST_SOCKET "request.sock"

typedef struct Requester Requester;

/* Called once for each requester_start(); desc is a sentence, or NULL where the unit was started. */
typedef void (*RequesterDone)(void *userdata, bool allowed, const char *desc);

/**
 * requester_new() - make a requester
 * @ret: takes the requester; the caller frees it
 * @event: the event loop
 * @root: below which the socket is; must outlive the requester
 * @done: told of each answer
 * @userdata: handed through
 *
 * Return: 0 or -ENOMEM.
 */
int requester_new(Requester **ret, sd_event *event, const Root *root, RequesterDone done, void *userdata);

/** requester_free() - end what is under way, without an answer; NULL is ignored */
Requester *requester_free(Requester *requester);
DEFINE_CLEANUP(Requester *, requester_free);

/**
 * requester_start() - ask for the apply unit
 * @requester: the requester; nothing may be under way
 *
 * The answer comes from the event loop within 5 s. A host that asks again and again gets the last refusal once more
 * instead of a new process.
 */
void requester_start(Requester *requester);
