/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The store "grub-cfg": grub-cfg-find.c looks for files, and grub-cfg.c reads them. BLS entries can take their options
 * from variables that a grub.cfg sets; those entries are changed in that grub.cfg.
 */

#include "grub/line.h"

/* A variable of a grub.cfg that BLS entries may refer to. The last assignment decides. */
typedef struct GrubVariable {
        Line line;        /* the value; if it is not editable, its bytes have no place in the file */
        unsigned number;  /* the line of the assignment; 0 if the variable is not set */
        bool editable;    /* the file has the value byte for byte, without escapes */
        size_t *entries;  /* indices of the entries of the store that take this value */
        size_t n_entries;
} GrubVariable;

/**
 * grub_cfg_find() - find every grub.cfg that GRUB itself reads; see BootStoreDriver
 */
int grub_cfg_find(const Root *root, BootStores *stores);

/**
 * grub_cfg_load() - make a store of a grub.cfg that was read
 * @root: the root, where the files that it reads are; NULL: they are not known
 * @stores: takes the store, or a problem
 * @path: the file, without links
 * @content: its bytes; ownership moves if a store is made
 * @bls_entries: whether there are entries for "blscfg"
 * @ret_handover: takes the line of the first command that hands over to another file, or 0
 *
 * Return: 1 if a store was made, 0 if not, or -ENOMEM.
 */
int grub_cfg_load(const Root *root, BootStores *stores, const char *path, Buffer *content, bool bls_entries,
                  unsigned *ret_handover);

/** grub_cfg_forget_variables() - release what grub_cfg_value() reads; other stores than a grub.cfg are ignored */
void grub_cfg_forget_variables(BootStore *store);

/** grub_cfg_reads_bls() - whether a store is a grub.cfg that has the command "blscfg" */
bool grub_cfg_reads_bls(const BootStore *store);

/** grub_cfg_bls_path() - the directory, without its device, that "blscfg" of GRUB 2.14 is given; NULL: none */
const char *grub_cfg_bls_path(const BootStore *store);

/**
 * grub_cfg_variable() - a variable that a grub.cfg sets
 * @store: the grub.cfg
 * @name: the variable
 *
 * Return: the variable, or NULL if it is not set, or if BLS entries do not use it.
 */
GrubVariable *grub_cfg_variable(const BootStore *store, const char *name);

/** grub_cfg_value() - the value that a variable has when a grub.cfg shows its menu: as grub_scope_get() */
const char *grub_cfg_value(const BootStore *store, const char *name, bool *ret_certain);

/**
 * grub_cfg_attach() - add an entry whose command line is the value of a variable
 * @store: the grub.cfg
 * @v: the variable
 * @e: the entry; it moves into the store on success
 *
 * Return: 0 or -ENOMEM.
 */
int grub_cfg_attach(BootStore *store, GrubVariable *v, BootEntry *e);
