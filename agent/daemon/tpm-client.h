/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The daemon's side of gtuned-tpm.socket: it has neither the TPM nor a hash function, and asks gtune-tpm, which runs
 * for one question.
 */

#include <systemd/sd-event.h>

#include "core/buffer.h"
#include "core/root.h"

#define TPM_CLIENT_DIRECTORY "/run/gtuned"
#define TPM_CLIENT_SOCKET "tpm.sock"

typedef struct TpmClient TpmClient;

/* What the client needs of the daemon. */
typedef struct TpmClientOwner {
        /* The report, JSON text. Return: 0 or -errno. */
        int (*report)(void *userdata, Span *ret);

        /* Called once for each tpm_client_ask(): what is returned as JSON text, or NULL and a sentence. */
        void (*done)(void *userdata, const char *answer, const char *error);

        void *userdata;
} TpmClientOwner;

/**
 * tpm_client_new() - make a client
 * @ret: takes the client; the caller frees it
 * @event: the event loop
 * @root: below which the socket is; must outlive the client
 * @owner: gives the report and is told of each answer; copied
 *
 * Return: 0 or -errno.
 */
int tpm_client_new(TpmClient **ret, sd_event *event, const Root *root, const TpmClientOwner *owner);

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
 * @verb: what gtune-tpm calls it; a constant
 * @arguments: the members of its "arguments", JSON text without the braces; emptied, because it moves
 * @signs_report: whether the report goes along: as an argument, for it is signed too, and as a member of the answer
 *
 * The question is put, and the report is taken, when the event loop has nothing else to do: other requests are answered
 * first. The answer comes from the event loop.
 */
void tpm_client_ask(TpmClient *client, const char *verb, Buffer *arguments, bool signs_report);
