/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The client of gtune-tpm, for the TPM verbs of gtune. gtune opens neither the TPM nor the event log: for each request
 * it runs gtune-tpm (doc/gtune-tpm.schema.json). The answer is checked strictly, because that program reads hostile
 * bytes. Tests: tests/tpm/cli-verbs.
 *
 * The program is GTUNE_TPM_PATH. Tests set the environment variable GTUNE_TPM to the absolute path of a program of the
 * build tree. It is read with secure_getenv(), so that a program with more rights than its caller ignores it, and sudo
 * removes it by default. A user who can set it for root's gtune can set LD_PRELOAD as well, so it gives no new rights.
 */

#include "agent/tpm/verbs.h"
#include "tpm/verdict.h"

/* The functions below return this if there is no answer; *ret_error says why and what to do. */
#define TPM_NO_ANSWER 1

/**
 * tpm_ask() - send a request to gtune-tpm
 * @c: the context; for another root than "/" no TPM is opened
 * @command: "pcrs", "eventlog", "verdict" or "quote"
 * @arguments: an object; NULL: none; ownership moves, also on failure
 * @ret: takes the object in "return"; the caller puts it
 * @ret_error: takes a sentence, for a terminal; the caller frees it
 *
 * Return: 0, TPM_NO_ANSWER or -ENOMEM.
 */
int tpm_ask(const Context *c, const char *command, json_object *arguments, json_object **ret, char **ret_error);

/**
 * tpm_pcrs() - read the PCRs
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
 * tpm_verdict() - get the verdict of this boot
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
 * tpm_bank() - choose the bank: the option --bank, else the bank of the policy, else sha256
 * @c: the context
 * @policy: the policy, whose key is [measured-boot] bank
 */
Algorithm tpm_bank(const Context *c, const Policy *policy) _pure_;

/**
 * tpm_read_baseline() - read a baseline file
 * @root: the root
 * @path: the path inside the root
 * @ret: takes the baseline; the caller frees it
 * @ret_error: takes a sentence that names the file; the caller frees it
 *
 * Return: 0; -ENOENT if the file does not exist, without a sentence; TPM_NO_ANSWER if it cannot be read or is not a
 * baseline; -ENOMEM.
 */
int tpm_read_baseline(const Root *root, const char *path, Baseline **ret, char **ret_error);

/**
 * tpm_complain() - complain about a request without an answer
 * @c: the context
 * @r: the result of a function above
 * @error: its sentence
 *
 * Return: STATUS_ERROR after a complaint if @r is TPM_NO_ANSWER, else @r.
 */
int tpm_complain(const Context *c, int r, const char *error);

/**
 * tpm_load_baseline() - read a baseline file as tpm_read_baseline(), and complain about an error
 * @c: the context
 * @path: the path inside the root
 * @ret: takes the baseline; the caller frees it
 *
 * Return: 0, STATUS_ERROR or -ENOMEM.
 */
int tpm_load_baseline(const Context *c, const char *path, Baseline **ret);
