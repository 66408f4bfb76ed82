/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A quote that quote_check() accepted: its content, the state of its key, and its output. The test is
 * tests/host/lying-quotes.py.
 */

#include "host/known-keys.h"
#include "host/print.h"
#include "host/quote-answer.h"

typedef enum KeyStatus {
        KEY_UNVERIFIED, /* the operator gave no name, so the key is compared with no record */
        KEY_NEW,        /* there was no record of this guest */
        KEY_KNOWN,      /* the key and counters agree with the record of this guest */
        KEY_ACCEPTED,   /* they contradict a record, and the operator gave --accept-key */
        _KEY_STATUS_MAX,
} KeyStatus;

typedef struct Proof {
        const QuoteAnswer *answer;
        QuoteResult result;
        uint8_t nonce[NONCE_SIZE_MAX];
        size_t nonce_size;
        uint8_t qualifying_data[REPORT_HASH_SIZE];
        KeyStatus key_status;
        KnownKey key;     /* the new record of this guest; not set if the operator gave no name */
        char other_name[KNOWN_KEY_NAME_MAX + 1]; /* another guest that has a record of the accepted key, or "" */
        char *checkquote; /* the command that checks the files of --write, or NULL */
} Proof;

/** proof_done() - free the memory that a proof owns; the answer is not freed */
void proof_done(Proof *proof);

/**
 * proof_write() - write the files that tpm2_checkquote takes, and the report
 * @proof: the proof; proof->checkquote is set
 * @path: the path of the directory, for the command and the error
 * @directory_fd: the same directory, open
 * @ret_error: takes a sentence that names the file that could not be written; the caller frees it
 *
 * Return: 0; -errno with *ret_error set if a file could not be written; -errno with *ret_error unchanged after any
 * other error.
 */
int proof_write(Proof *proof, const char *path, int directory_fd, char **ret_error);

/**
 * proof_print() - append the report of a target and its proof to the target's text
 * @o: how to print
 * @t: the target
 * @proof: the proof
 * @report: the report that the quote is bound to; report_check() accepted it
 *
 * Return: 0 or -ENOMEM.
 */
int proof_print(const Output *o, Target *t, const Proof *proof, json_object *report);
