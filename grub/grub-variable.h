/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The variables of a grub.cfg that BLS entries can refer to. It is a part of grub-cfg.c.
 */

#include "grub/grub-cfg.h"
#include "grub/script.h"

#define GRUB_VARIABLES 3U

/**
 * grub_variables_read() - find out what a grub.cfg sets the variables to
 * @script: its commands
 * @content: its bytes
 * @variables: GRUB_VARIABLES zeroed ones, which are filled in
 *
 * Return: 0 or -ENOMEM.
 */
int grub_variables_read(const Script *script, const Buffer *content, GrubVariable *variables);

/** grub_variables_get() - the variable of a name, or NULL where it is not set */
GrubVariable *grub_variables_get(GrubVariable *variables, const char *name);

/**
 * grub_variable_render() - the changes of the line of a variable, for all entries that have it
 * @store: the grub.cfg
 * @v: the variable
 * @edits: the edits
 * @pieces: takes the changes
 * @ret_entry: takes the entry with the longest command line; left alone where there is no entry
 * @ret_size: … and its length
 *
 * Return: 0; -E2BIG where a command line grows too long; -ENOMEM.
 */
int grub_variable_render(const BootStore *store, const GrubVariable *v, const PreparedEdits *edits, Pieces *pieces,
                         const BootEntry **ret_entry, size_t *ret_size);

/** grub_variables_done() - release all of them */
void grub_variables_done(GrubVariable *variables);
