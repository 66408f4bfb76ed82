/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The policy that the host offers by the systemd credential gtuned.policy. Only the units that apply are given it, so
 * they keep below /run what everybody else needs to know: a policy file where the text is accepted and good, and a
 * record of what became of it.
 */

#include "engine/side.h"

#define CREDENTIAL_NAME "gtuned.policy"
#define CREDENTIAL_ERROR_FILE "credential " CREDENTIAL_NAME /* what errors of the policy have for a file */
#define CREDENTIAL_POLICY_NAME "gtuned.conf.d/50-credential.conf" /* in the run directory */
#define CREDENTIAL_RECORD_NAME "credential.json"                  /* likewise */
#define CREDENTIAL_SIZE_MAX (64U * 1024U)

/* What the units fall back to if the host passes none: SetCredential= in gtuned-apply.service. */
#define CREDENTIAL_NONE "# the host passes no policy"

/**
 * credential_take() - accept, refuse or drop what the host offers
 * @side: the side, which has the run directory
 * @root: the root
 * @policy: the policy as it is; it says whether a credential is accepted
 * @directory: $CREDENTIALS_DIRECTORY, or NULL if this process was given none: what is kept is then only removed, if the
 *             policy no longer accepts it
 * @manager_version: gives the version of the service manager, or 0; called only if a credential is missed
 * @ret_error: takes a sentence if something cannot be written
 *
 * A text that is refused is no failure: credential_note() reports it. Return: 0 or -errno.
 */
int credential_take(const Side *side, const Root *root, const Policy *policy, const char *directory,
                    unsigned (*manager_version)(void), char **ret_error);

/**
 * credential_note() - add what is recorded to a policy
 * @side: the side
 * @root: the root
 * @policy: takes state and note, and each error of a text that is accepted
 *
 * Return: 0 or -ENOMEM.
 */
int credential_note(const Side *side, const Root *root, Policy *policy);

/** credential_manager_version() - ask the running service manager for its version; 0: not known */
unsigned credential_manager_version(void);

/** credential_parse_version() - the number that a version such as "249 (249-71.oe2203)" begins with, or 0 */
unsigned credential_parse_version(const char *text) _pure_;
