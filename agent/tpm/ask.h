/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the TPM verbs of gtune share. gtune opens neither the TPM nor the event log: it runs gtune-tpm for one
 * question (doc/gtune-tpm.schema.json), and takes its answer as strictly as any other, because that program reads
 * hostile bytes.
 *
 * The program is GTUNE_TPM_PATH. Tests run another one from the build tree: the environment variable GTUNE_TPM names
 * it. It is read by secure_getenv(), so that a program with more rights than its caller ignores it, it must be an
 * absolute path, and sudo drops it unless it is told to keep it. Who can set it for root's gtune could as well set
 * LD_PRELOAD.
 */

#include "agent/tpm/verbs.h"
#include "tpm/verdict.h"

/* The positive outcome of the functions below: there is no answer, and *ret_error says why and what to do. */
#define TPM_NO_ANSWER 1

/**
 * tpm_ask() - ask gtune-tpm
 * @c: where the machine is: below another root than "/" no TPM is opened
 * @command: "pcrs", "eventlog", "verdict" or "quote"
 * @arguments: an object; NULL: none; ownership moves, also on failure
 * @ret: takes the object in "return"; the caller puts it
 * @ret_error: takes a sentence, for a terminal; the caller frees it
 *
 * Return: 0, TPM_NO_ANSWER or -ENOMEM.
 */
int tpm_ask(const Context *c, const char *command, json_object *arguments, json_object **ret, char **ret_error);

/**
 * tpm_pcrs() - what the PCRs hold
 * @c: the context
 * @bank: the bank; _ALGORITHM_INVALID: all
 * @ret: takes the values
 * @ret_document: takes the answer {"source", "pcrs"}; the caller puts it; may be NULL
 * @ret_error: as tpm_ask()
 *
 * Return: as tpm_ask().
 */
int tpm_pcrs(const Context *c, Algorithm bank, Pcrs *ret, json_object **ret_document, char **ret_error);

/**
 * tpm_verdict() - was this boot measured?
 * @c: the context
 * @bank: the bank to judge in; _ALGORITHM_INVALID: the best
 * @baseline: path of a baseline to compare with, or NULL
 * @ret: takes the verdict; the caller frees it
 * @ret_document: as tpm_pcrs()
 * @ret_error: as tpm_ask()
 *
 * Return: as tpm_ask().
 */
int tpm_verdict(const Context *c, Algorithm bank, const char *baseline, Verdict **ret, json_object **ret_document,
                char **ret_error);

/**
 * tpm_bank() - the bank to work with
 * @c: the context; its option --bank counts first
 * @policy: then its [measured-boot] bank, then sha256
 */
Algorithm tpm_bank(const Context *c, const Policy *policy) _pure_;

/**
 * tpm_read_baseline() - read a baseline file
 * @root: the root
 * @path: inside it
 * @ret: takes the baseline; the caller frees it
 * @ret_error: takes a sentence that names the file; the caller frees it
 *
 * Return: 0; -ENOENT where there is none, without a sentence; TPM_NO_ANSWER where it cannot be read or is no baseline;
 * -ENOMEM.
 */
int tpm_read_baseline(const Root *root, const char *path, Baseline **ret, char **ret_error);

/**
 * tpm_complain() - complain about a question without an answer
 * @c: the context
 * @r: what one of the functions above returned
 * @error: its sentence
 *
 * Return: STATUS_ERROR after a complaint where r is TPM_NO_ANSWER, else r.
 */
int tpm_complain(const Context *c, int r, const char *error);

/**
 * tpm_load_baseline() - tpm_read_baseline() with a complaint, also if there is no such file
 *
 * Return: 0, STATUS_ERROR or -ENOMEM.
 */
int tpm_load_baseline(const Context *c, const char *path, Baseline **ret);
