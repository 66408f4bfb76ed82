/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The table of practices. A new one is a folder of its own and a line here.
 */

#include "core/guest.h"

#define N_PRACTICES 2U

extern const Practice *const practices[N_PRACTICES];

/** practice_find() - the index of a practice by its name, or -ENOENT */
int practice_find(const char *name) _pure_;

/** practices_read_policy() - policy_read() with the keys of every practice. Return: 0 or -ENOMEM. */
int practices_read_policy(const Root *root, Policy **ret);

/** practices_read_machine() - machine_read() with the kernel log lines of every practice; as machine_read() */
int practices_read_machine(const Root *root, const char *arch, Machine **ret);
