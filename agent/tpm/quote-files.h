/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The files of a quote, as tpm2_checkquote reads them. Tests: tests/tpm/cli-verbs.
 */

#include "agent/tpm/verbs.h"
#include "tpm/attest.h"

typedef struct QuoteFiles {
        Buffer attest, signature, public_key; /* as the TPM marshals them */
        Buffer report;                        /* the report to which the quote is bound */
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
 * @directory: the directory; not below the root, because the user names it; it is made if it does not exist
 *
 * No file is replaced. After an error no file is left. Return: 0, STATUS_ERROR after a complaint, or -ENOMEM.
 */
int quote_files_write(const Context *c, const QuoteFiles *q, const char *directory);

/**
 * quote_files_print_command() - print the tpm2_checkquote command for the files
 * @directory: their directory
 * @qualifying: the qualifying data in hex
 *
 * Return: 0 or -ENOMEM.
 */
int quote_files_print_command(const char *directory, const char *qualifying);
