/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A set of names, kept in the order in which they were added.
 */

#include "core/buffer.h"

/* A set keeps at most so many names. */
#define NAMES_MAX 1024U

typedef struct Names {
        char **list;
        size_t n;
} Names;

/** names_done() - release the names; the set is empty and reusable afterwards */
void names_done(Names *names);
#define _cleanup_names_ _cleanup_(names_done)

/** names_add() - add a name if the set does not have it; in a full set it is dropped. Return: 0 or -ENOMEM. */
int names_add(Names *names, const char *name);

/** names_add_n() - names_add() of the first @size bytes of a text. Return: 0 or -ENOMEM. */
int names_add_n(Names *names, const char *s, size_t size);

/** names_add_all() - add every name of another set. Return: 0 or -ENOMEM. */
int names_add_all(Names *names, const Names *more);

/** names_add_split() - add the names between commas, untrimmed, as qemu-ga splits a list. Return: 0 or -ENOMEM. */
int names_add_split(Names *names, const char *list);

/** names_has() - whether a name is in the set */
bool names_has(const Names *names, const char *name) _pure_;

/** names_has_all() - whether every name of another set is in the set */
bool names_has_all(const Names *names, const Names *others) _pure_;

/** names_join() - all names in one line. Return: a new string; NULL if memory is exhausted. */
char *names_join(const Names *names, const char *separator);

/** name_is_plain() - whether a text holds nothing but a-z, 0-9 and -, begins with a letter and is at most 64 long */
bool name_is_plain(const char *s) _pure_;
