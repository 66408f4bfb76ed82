/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the store "bls" has for its neighbours: "grub-cfg" wants to know whether there are entries, and "grubenv" which
 * of them take their options from a variable.
 */

#include "grub/line.h"

typedef struct BlsLayout {
        Line line;        /* the options; first is SIZE_MAX where there are none */
        size_t begin, end; /* the first line that holds some, without its newline */
        size_t place;     /* behind the "linux" line: where a new line goes */
        EntryKind kind;
        unsigned number;  /* of the "options" line or, where there is none, of the "linux" line */
        char *title, *kernel;
} BlsLayout;

/** bls_find() - find the entries that a boot loader reads; see BootStoreDriver */
int bls_find(const Root *root, BootStores *stores);

/** bls_has_entries() - whether there is any file that can be an entry */
bool bls_has_entries(const Root *root);

/**
 * bls_load() - make a store of an entry that was read
 * @stores: takes the store, or a problem
 * @path: the file, without links
 * @content: its bytes; ownership moves where a store is made
 * @first_only: only the first "options" line counts, as for GRUB's blscfg; elsewhere they are joined
 *
 * Variables are taken as they are written. Return: 0 or -ENOMEM.
 */
int bls_load(BootStores *stores, const char *path, Buffer *content, bool first_only);

/* What a variable is; NULL where it is not set. */
typedef const char *(*BlsLookup)(void *userdata, const char *name);

/** bls_refers() - whether the options of an entry depend on a variable */
bool bls_refers(const BootStore *store);

/** bls_mentions() - whether an entry gets options for the kernel from a variable; those for init do not count */
bool bls_mentions(const BootStore *store, const char *name);

/**
 * bls_expand() - the options of an entry as GRUB's blscfg hands them on
 * @store: the entry
 * @lookup: knows the variables
 * @userdata: handed through
 * @ret: takes the text; empty where there are none
 *
 * "$name" becomes the value and a blank, and swallows the blank behind it (rhboot/grub2: blscfg.c, expand_val()).
 * "${name}" is the same. Return: 0 or -ENOMEM.
 */
int bls_expand(const BootStore *store, BlsLookup lookup, void *userdata, Buffer *ret);

/**
 * bls_entry() - the boot entry of a store with options as they were expanded
 * @store: the entry
 * @options: what the kernel gets
 * @ret: takes a new entry
 *
 * Return: 0 or -ENOMEM.
 */
int bls_entry(const BootStore *store, const Buffer *options, BootEntry *ret);

/** bls_kind() - what an entry boots */
EntryKind bls_kind(const BootStore *store);
