/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The daemon's side of gtuned-tpm.socket: it has neither the TPM nor a hash function, and asks gtune-tpm, which runs
 * for one question.
 */

#include <systemd/sd-event.h>

#include "core/buffer.h"
#include "core/root.h"

#define TPM_DIRECTORY "/run/gtuned"
#define TPM_SOCKET "tpm.sock"

typedef struct TpmClient TpmClient;

/* Called once for each tpm_client_ask(): what is returned as JSON text, or NULL and a sentence. */
typedef void (*TpmClientDone)(void *userdata, const char *answer, const char *error);

/**
 * tpm_client_new() - make a client
 * @ret: takes the client; the caller frees it
 * @event: the event loop
 * @root: below which the socket is; must outlive the client
 * @done: told of each answer
 * @userdata: handed through
 *
 * Return: 0 or -ENOMEM.
 */
int tpm_client_new(TpmClient **ret, sd_event *event, const Root *root, TpmClientDone done, void *userdata);

/** tpm_client_free() - end what is under way, without an answer; NULL is ignored */
TpmClient *tpm_client_free(TpmClient *client);
DEFINE_CLEANUP(TpmClient *, tpm_client_free);

/** tpm_client_busy() - whether a question is under way */
bool tpm_client_busy(const TpmClient *client) _pure_;

/** tpm_client_stop() - nobody waits for the answer any more */
void tpm_client_stop(TpmClient *client);

/**
 * tpm_client_ask() - ask one question
 * @client: the client; must not be busy
 * @question: one line of JSON; emptied, because it moves
 * @report: JSON text that becomes the member "report" of the answer, a string; NULL: none; copied
 * @size: its length in bytes
 *
 * The answer comes from the event loop.
 */
void tpm_client_ask(TpmClient *client, Buffer *question, const char *report, size_t size);
