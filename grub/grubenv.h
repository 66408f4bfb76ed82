/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * GRUB's environment block, read as grub-core/lib/envblk.c reads it (grubenv-block.c), and the store of it (grubenv.c).
 */

#include "grub/line.h"

/* The file, beside grub.cfg, and its largest size. */
#define GRUBENV_NAME "grubenv"
#define GRUBENV_SIZE_MAX (64U * 1024U)

typedef struct GrubEnvVariable {
        char *name;
        Line value; /* without backslashes */
} GrubEnvVariable;

typedef struct GrubEnv {
        GrubEnvVariable *variables;
        size_t n_variables;
} GrubEnv;

/** grubenv_is_block() - whether GRUB accepts a file as a block, to read and to write */
bool grubenv_is_block(const Buffer *content);

/**
 * grubenv_parse() - read the variables of a block
 * @content: a block
 * @ret: takes the variables; the caller calls grubenv_done()
 *
 * Return: 0 or -ENOMEM.
 */
int grubenv_parse(const Buffer *content, GrubEnv *ret);

/** grubenv_get() - the value of a variable, or NULL */
Line *grubenv_get(const GrubEnv *env, const char *name);

/** grubenv_done() - release the variables */
void grubenv_done(GrubEnv *env);

/**
 * grubenv_load() - make a store of a block, without entries yet
 * @stores: takes the store
 * @path: the file, without links
 * @content: its bytes; ownership moves on success
 * @ret: takes the new store
 *
 * Return: 0; -EEXIST if the list has a store of that path; -ENOMEM.
 */
int grubenv_load(BootStores *stores, const char *path, Buffer *content, BootStore **ret);
