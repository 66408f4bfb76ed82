/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The menus around a command of a grub.cfg: their titles, and the kind of entry that they make of it. Part of
 * grub-cfg.c.
 */

#include "core/bootentry.h"
#include "grub/script.h"

/** grub_word_is_one_of() - whether a word is in a list that ends with NULL */
bool grub_word_is_one_of(const char *word, const char *const *list);

/** grub_menu_kind() - what the menus around a command say of the kernel that it loads */
EntryKind grub_menu_kind(const Script *script, const ScriptCommand *c);

/**
 * grub_menu_titles() - the titles of all menus around a command, the outermost first, joined with " > "
 * @script: all commands
 * @c: the command
 * @ret: takes a new string, which is empty if no menu is around it
 *
 * Return: 0 or -ENOMEM.
 */
int grub_menu_titles(const Script *script, const ScriptCommand *c, char **ret);

/** grub_menu_id_size() - an upper bound of the bytes that the id of an entry takes */
size_t grub_menu_id_size(const Script *script, const ScriptCommand *c);
