/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The table of practices. A new one is a folder of its own and a line here.
 */

#include "core/practice.h"

#define N_PRACTICES 4U

extern const Practice *const practices[N_PRACTICES];

/* The most services that practices want to know about. */
#define SERVICES_MAX 8U

/** practice_find() - the index of a practice by its name, or -ENOENT */
int practice_find(const char *name) _pure_;

/** practices_keys() - what the policy may say of each practice, as policy_read() takes it */
void practices_keys(PolicyKeys ret[static N_PRACTICES]);

/** practices_read_policy() - policy_read() with the keys of every practice. Return: 0 or -ENOMEM. */
int practices_read_policy(const Root *root, Policy **ret);

/** practices_services() - the services of every practice, NULL-terminated */
void practices_services(const char *ret[static SERVICES_MAX + 1]);

/** practices_read_machine() - machine_read() with what every practice wants to know; as machine_read() */
int practices_read_machine(const Root *root, const char *arch, Machine **ret);
