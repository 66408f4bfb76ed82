/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which values a key of the policy may have.
 */

#include "core/policy.h"

/**
 * policy_value_check() - check a value against the type of its key
 * @key: the key
 * @value: the text after the "="
 * @ret_complaint: takes a sentence that says which values are allowed, if the value is not; the caller frees it
 *
 * Return: 0 if the key may have the value, 1 if *ret_complaint is set, -ENOMEM.
 */
int policy_value_check(const PolicyKey *key, const char *value, char **ret_complaint);
