/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A quote as files, as tpm2_checkquote takes them.
 */

#include "agent/tpm/verbs.h"
#include "tpm/attest.h"

typedef struct QuoteFiles {
        Buffer attest, signature, public_key; /* as the TPM marshals them */
        Buffer report;                        /* that it is bound to */
        Pcrs pcrs;
        Algorithm bank;
        uint32_t selection;
} QuoteFiles;

/** quote_files_done() - release the content */
void quote_files_done(QuoteFiles *q);

/**
 * quote_files_write() - write quote.msg, quote.sig, quote.pcrs, key.pub and report.json
 * @c: the context
 * @q: the quote
 * @directory: where the user says, so not below the root; is made where it is missing
 *
 * No file is replaced. Return: 0, STATUS_ERROR after a complaint, and then none of them is left, or -ENOMEM.
 */
int quote_files_write(const Context *c, const QuoteFiles *q, const char *directory);

/**
 * quote_files_print_command() - print how to check the files
 * @directory: where they are
 * @qualifying: the qualifying data in hex
 *
 * Return: 0 or -ENOMEM.
 */
int quote_files_print_command(const char *directory, const char *qualifying);
