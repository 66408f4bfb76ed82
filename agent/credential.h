/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The policy that the host offers by the systemd credential gtuned.policy. Only the units that apply are given it, so
 * they keep below /run what everybody else needs to know: a policy file where the text is accepted and good, and a
 * record of what became of it.
 */

#include "core/policy.h"

#define CREDENTIAL_NAME "gtuned.policy"
#define CREDENTIAL_ERROR_FILE "credential " CREDENTIAL_NAME /* what errors of the policy have for a file */
#define CREDENTIAL_POLICY_PATH "/run/gtuned/gtuned.conf.d/50-credential.conf"
#define CREDENTIAL_RECORD_PATH "/run/gtuned/credential.json"
#define CREDENTIAL_SIZE_MAX (64U * 1024U)

/**
 * credential_take() - accept, refuse or drop what the host offers
 * @root: the root; its policy says whether it is accepted
 * @directory: $CREDENTIALS_DIRECTORY, or NULL where this process was given none: what is there then only goes where it
 *             has ceased to be accepted
 * @manager_version: the version of the service manager, or 0; asked for only where a credential is missed
 * @ret_error: takes a sentence where something cannot be written
 *
 * A text that is refused is no failure: credential_note() tells of it. Return: 0 or -errno.
 */
int credential_take(const Root *root, const char *directory, unsigned (*manager_version)(void), char **ret_error);

/**
 * credential_note() - add what is recorded to a policy
 * @root: the root
 * @policy: takes state and note, and an error for each that the text has where it is accepted
 *
 * Return: 0 or -ENOMEM.
 */
int credential_note(const Root *root, Policy *policy);

/** credential_manager_version() - ask the running service manager for its version; 0: not known */
unsigned credential_manager_version(void);

/** credential_parse_version() - the number that a version such as "249 (249-71.oe2203)" begins with, or 0 */
unsigned credential_parse_version(const char *text) _pure_;
