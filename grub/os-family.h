/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What is true of a distribution and of those that are made of it, by os-release(5). */

#include "core/root.h"

/* A distribution, as ID or ID_LIKE name it, and what is true of it. The name is no pointer, so that a table is constant. */
typedef struct OsFamily {
        char name[sizeof("opencloudos")]; /* the longest one */
        int answer;                       /* not negative */
} OsFamily;

/**
 * os_family_ask() - ask a table about the distribution below a root
 * @root: the root
 * @families: the table
 * @n: its rows
 * @otherwise: the answer if no word of ID and ID_LIKE is in it, or there is no os-release
 *
 * The first word that is in the table decides, whatever its case. Return: an answer, or -ENOMEM.
 */
int os_family_ask(const Root *root, const OsFamily *families, size_t n, int otherwise);
