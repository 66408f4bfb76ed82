/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The store "bls": bls-find.c looks for entries, bls.c reads and edits one, bls-expand.c knows its variables. The store
 * "grub-cfg" asks whether there are entries, and "grubenv" which of them take their options from a variable.
 */

#include "grub/entry-kind.h"
#include "grub/line.h"

typedef struct BlsLayout {
        Line line;         /* the options; first is SIZE_MAX if there are none */
        size_t begin, end; /* the first line "options", without its newline */
        size_t place;      /* after the line "linux": where a line "options" is added */
        EntryKind kind;
        bool first_only;   /* as bls_load() */
        unsigned number;   /* of the first line "options" or, if there is none, of the line "linux" */
        char *title, *kernel;
} BlsLayout;

/** bls_find() - find the entries that a boot loader reads; see BootStoreDriver */
int bls_find(const Root *root, BootStores *stores);

/** bls_has_entries() - whether a directory of entries has any file named *.conf, or cannot be listed and may have one */
bool bls_has_entries(const Root *root);

/**
 * bls_load() - make a store of an entry that was read
 * @files: the kernels that were looked at
 * @stores: takes the store, or a problem
 * @path: the file, without links
 * @content: its bytes; ownership moves if a store is made
 * @first_only: use only the first line "options", as GRUB's blscfg does; otherwise all of them are joined
 *
 * Variables are not expanded. Return: 0 or -ENOMEM.
 */
int bls_load(KernelFiles *files, BootStores *stores, const char *path, Buffer *content, bool first_only);

/* Returns the value of a variable, or NULL if it is not set. */
typedef const char *(*BlsLookup)(void *userdata, const char *name);

/** bls_refers() - whether the options of an entry depend on a variable */
bool bls_refers(const BootStore *store);

/** bls_mentions() - whether the options for the kernel refer to a variable; those for init do not count */
bool bls_mentions(const BootStore *store, const char *name);

/**
 * bls_expand() - the options of an entry as GRUB's blscfg passes them to the kernel
 * @store: the entry
 * @lookup: returns the value of a variable
 * @userdata: passed to @lookup
 * @ret: takes the text; empty if there are no options
 *
 * "$name" and "${name}" become the value and a blank, and one blank after the reference is dropped (rhboot/grub2:
 * blscfg.c, expand_val()). Return: 0 or -ENOMEM.
 */
int bls_expand(const BootStore *store, BlsLookup lookup, void *userdata, Buffer *ret);

/**
 * bls_mark_places() - find out after which tokens of the options new ones can be added
 * @store: the entry; its tokens are marked
 * @lookup: returns the value of a variable
 * @userdata: passed to @lookup
 *
 * Tokens from a variable with "--" on are for init, and one that ends in a variable, as "a$x", counts as open. Return: 0
 * or -ENOMEM.
 */
int bls_mark_places(BootStore *store, BlsLookup lookup, void *userdata);

/**
 * bls_mark_variables() - mark the tokens of an entry that come from variables which no edit of it changes
 * @store: where its options are written
 * @edited: the line of the variable that is edited instead of the options; NULL: the options are
 * @e: the entry
 * @uncertain: the variables can have other values: these tokens are uncertain
 */
void bls_mark_variables(const BootStore *store, const Line *edited, BootEntry *e, bool uncertain);

/**
 * bls_entry() - make the boot entry of a store
 * @store: the store
 * @options: the expanded options
 * @ret: takes a new entry
 *
 * Return: 0 or -ENOMEM.
 */
int bls_entry(const BootStore *store, const Buffer *options, BootEntry *ret);

/** bls_kind() - the kind of an entry */
EntryKind bls_kind(const BootStore *store);
