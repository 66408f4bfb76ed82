/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reading policy files: NAME and NAME.d/ below /usr/lib, /run and /etc, in the syntax of inih. A file replaces the file
 * of the same name in an earlier one of these directories.
 */

#include "core/policy.h"
#include "core/root.h"

/**
 * policy_read() - read all policy files below a root
 * @root: the root
 * @name: the name of the main file below /usr/lib, /run and /etc, such as "gtuned/gtuned.conf"
 * @keys: the groups of keys that may be set; must outlive the policy
 * @n_keys: how many groups
 * @ret: takes the policy; the caller frees it
 *
 * Each error in a file becomes an entry of policy->errors. Return: 0 or -ENOMEM.
 */
int policy_read(const Root *root, const char *name, const PolicyKeys *keys, size_t n_keys, Policy **ret);

/** policy_read_text() - policy_read() of one text instead of files; errors name "(text)" as the file */
int policy_read_text(const char *text, size_t size, const PolicyKeys *keys, size_t n_keys, Policy **ret);
