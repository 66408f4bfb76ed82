/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The two halves of the store "grub-cfg": grub-cfg-find.c looks for files, grub-cfg.c knows what is in them.
 */

#include "grub/line.h"

/* A variable that a grub.cfg sets, and that BLS entries may refer to. The last assignment decides. */
typedef struct GrubVariable {
        Line line;        /* the value; nothing in it refers to the file where it is not editable */
        unsigned number;  /* the line of the file; 0: it is not set */
        bool editable;    /* its bytes stand in the file as they are, without escapes */
        size_t *entries;  /* indices of the entries of the store that have this line */
        size_t n_entries;
} GrubVariable;

/**
 * grub_cfg_find() - find every grub.cfg that GRUB itself reads; see BootStoreDriver
 */
int grub_cfg_find(const Root *root, BootStores *stores);

/**
 * grub_cfg_load() - make a store of a grub.cfg that was read
 * @stores: takes the store, or a problem
 * @path: the file, without links
 * @content: its bytes; ownership moves where a store is made
 * @bls_entries: whether there are entries for "blscfg"
 * @ret_handover: takes the line of the first command that hands over to another file, or 0
 *
 * Return: 1 where a store was made, 0 where not, or -ENOMEM.
 */
int grub_cfg_load(BootStores *stores, const char *path, Buffer *content, bool bls_entries, unsigned *ret_handover);

/** grub_cfg_reads_bls() - whether a store is a grub.cfg that has the command "blscfg" */
bool grub_cfg_reads_bls(const BootStore *store);

/**
 * grub_cfg_variable() - what a grub.cfg sets a variable to
 * @store: the grub.cfg
 * @name: the variable
 *
 * Return: the variable, or NULL where it is not set or is none that BLS entries use.
 */
GrubVariable *grub_cfg_variable(const BootStore *store, const char *name);

/**
 * grub_cfg_attach() - let an entry have the line of a variable
 * @store: the grub.cfg
 * @v: the variable
 * @e: the entry; it moves into the store on success
 *
 * Return: 0 or -ENOMEM.
 */
int grub_cfg_attach(BootStore *store, GrubVariable *v, BootEntry *e);
