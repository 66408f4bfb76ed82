/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The variables of a grub.cfg that BLS entries can refer to. Part of grub-cfg.c.
 */

#include "grub/grub-cfg.h"
#include "grub/script.h"

#define GRUB_VARIABLES 3U

/**
 * grub_variables_read() - read the values that a grub.cfg gives the variables
 * @script: its commands
 * @content: its bytes
 * @variables: GRUB_VARIABLES zeroed elements, which are filled in
 *
 * Return: 0 or -ENOMEM.
 */
int grub_variables_read(const Script *script, const Buffer *content, GrubVariable *variables);

/** grub_variables_get() - the variable with a name, or NULL if it is not set */
GrubVariable *grub_variables_get(GrubVariable *variables, const char *name);

/**
 * grub_variable_render() - apply edits to the value of a variable, for all entries that take it
 * @store: the grub.cfg
 * @v: the variable
 * @edits: the edits
 * @pieces: takes the changes
 * @ret_entry: takes the entry with the longest command line; not set if there is no entry
 * @ret_size: takes the length of that command line
 *
 * Return: 0; -E2BIG if a command line becomes too long; -ENOMEM.
 */
int grub_variable_render(const BootStore *store, const GrubVariable *v, const PreparedEdits *edits, Pieces *pieces,
                         const BootEntry **ret_entry, size_t *ret_size);

/** grub_variables_done() - release the GRUB_VARIABLES elements */
void grub_variables_done(GrubVariable *variables);
