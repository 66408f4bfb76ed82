/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Parsing one policy file, in the syntax of inih.
 */

#include "core/policy.h"

/**
 * policy_parse() - add the settings and errors of a text to a policy
 * @policy: the policy; a value replaces the earlier one of its key, and a line of a list is added
 * @keys: the groups of keys that may be set; must outlive the policy
 * @n_keys: how many groups
 * @path: the file that the text comes from, for messages
 * @text: the text; need not end with NUL
 * @size: its length in bytes
 *
 * Each error in the text becomes an entry of policy->errors. Return: 0 or -ENOMEM.
 */
int policy_parse(Policy *policy, const PolicyKeys *keys, size_t n_keys, const char *path, const char *text,
                 size_t size);
