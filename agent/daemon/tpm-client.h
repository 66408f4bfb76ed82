/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The daemon's client of gtuned-tpm.socket. The daemon has no access to the TPM and no hash function, so it asks
 * gtune-tpm, which the socket starts for each question.
 */

#include <systemd/sd-event.h>

#include "core/buffer.h"
#include "core/root.h"

#define TPM_CLIENT_DIRECTORY "/run/gtuned"
#define TPM_CLIENT_SOCKET "tpm.sock"

typedef struct TpmClient TpmClient;

/* The function of the daemon that the client calls. */
typedef struct TpmClientOwner {
        /* Called once for each tpm_client_ask(): with the result, JSON text, and NULL; or with NULL and a sentence. */
        void (*done)(void *userdata, const char *answer, const char *error);

        void *userdata;
} TpmClientOwner;

/**
 * tpm_client_new() - make a client
 * @ret: takes the client; the caller frees it
 * @event: the event loop
 * @root: the root with the socket; must outlive the client
 * @owner: the function of the daemon; copied
 *
 * Return: 0 or -errno.
 */
int tpm_client_new(TpmClient **ret, sd_event *event, const Root *root, const TpmClientOwner *owner);

/** tpm_client_free() - drop a question without calling done, and free the client; NULL is ignored */
TpmClient *tpm_client_free(TpmClient *client);
DEFINE_CLEANUP(TpmClient *, tpm_client_free);

/** tpm_client_busy() - whether a question is not answered yet */
bool tpm_client_busy(const TpmClient *client) _pure_;

/** tpm_client_stop() - drop the question without calling done */
void tpm_client_stop(TpmClient *client);

/**
 * tpm_client_ask() - ask one question
 * @client: the client; must not be busy
 * @verb: the name of the command in gtune-tpm; a constant
 * @arguments: the members of its "arguments", JSON text without the braces; moved, so it is empty afterwards
 * @report: SPAN_NULL, or JSON text that is sent as an argument, to be signed too, and becomes a member of the result
 *
 * The question is sent when the event loop is idle, so that requests that wait already are answered before. The event
 * loop calls done. Return: 0 or -ENOMEM.
 */
int tpm_client_ask(TpmClient *client, const char *verb, Buffer *arguments, Span report);
