/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A quote that was checked: what it says, whose key made it, and how that is told.
 */

#include "host/known-keys.h"
#include "host/print.h"
#include "host/quote-answer.h"

typedef enum KeyStatus {
        KEY_UNVERIFIED, /* the operator gave no name: nobody knows whose key it is */
        KEY_NEW,        /* nothing was remembered under the name */
        KEY_KNOWN,      /* the one that is remembered */
        KEY_ACCEPTED,   /* another one, or another guest's, or an older state, which we were told to accept */
        _KEY_STATUS_MAX,
} KeyStatus;

typedef struct Proof {
        const QuoteAnswer *answer;
        QuoteResult result;
        uint8_t nonce[NONCE_SIZE_MAX];
        size_t nonce_size;
        uint8_t qualifying_data[REPORT_HASH_SIZE];
        KeyStatus key_status;
        KnownKey key;     /* what is remembered */
        char other_name[KNOWN_KEY_NAME_MAX + 1]; /* under which an accepted key is remembered, too; or "" */
        char *checkquote; /* the command that checks the files of --write, or NULL */
} Proof;

/** proof_done() - free what a proof holds, but not the answer */
void proof_done(Proof *proof);

/**
 * proof_write() - write the files that tpm2_checkquote takes, and the report
 * @proof: a proof
 * @path: the directory, for the command
 * @directory_fd: the same
 * @ret_error: takes a sentence that names the file; the caller frees it
 *
 * proof->checkquote is set. Return: 0, or -errno with *ret_error set unless it is -ENOMEM.
 */
int proof_write(Proof *proof, const char *path, int directory_fd, char **ret_error);

/**
 * proof_print() - append to the target's text its report and what proves it
 * @o: how
 * @t: the target
 * @proof: the proof
 * @report: its report, checked
 *
 * Return: 0 or -ENOMEM.
 */
int proof_print(const Output *o, Target *t, const Proof *proof, json_object *report);
