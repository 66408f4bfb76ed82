/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the drivers of boot stores share. Nobody outside of this folder includes this file.
 */

#include "grub/bootstore.h"

extern const BootStoreDriver boot_store_grub_cfg;
extern const BootStoreDriver boot_store_bls;
extern const BootStoreDriver boot_store_grubenv;
extern const BootStoreDriver boot_store_default_grub;
extern const BootStoreDriver boot_store_kernel_cmdline;

/* A copy of a text in the making, with pieces of it replaced from front to back. */
typedef struct Rewrite {
        const Buffer *from;
        Buffer *to;
        size_t done; /* bytes of "from" that are copied or dropped */
} Rewrite;

/**
 * rewrite_replace() - replace bytes
 * @w: the copy in the making
 * @offset: where they stand in the text; not before what was replaced last
 * @size: how many
 * @text: what comes in their place; NULL for nothing
 *
 * Return: 0 or -ENOMEM.
 */
int rewrite_replace(Rewrite *w, size_t offset, size_t size, const char *text);

/** rewrite_finish() - copy the rest; as rewrite_replace() */
int rewrite_finish(Rewrite *w);

/* An edit made ready for use on many entries. */
typedef struct PreparedEdit {
        const TokenEdit *edit;
        char *text;        /* what is added or removed: "name" or "name=value" */
        const char **keep; /* sorted */
        size_t n_keep;
} PreparedEdit;

typedef struct PreparedEdits {
        PreparedEdit *edits;
        size_t n_edits;
} PreparedEdits;

/**
 * edits_prepare() - make edits ready
 * @edits: the edits
 * @n_edits: how many
 * @ret: takes what refers to them; the caller calls edits_done()
 *
 * Return: 0; -EINVAL where a token would need quotes in some boot file; -ENOMEM.
 */
int edits_prepare(const TokenEdit *edits, size_t n_edits, PreparedEdits *ret);

/** edits_done() - release what edits_prepare() made */
void edits_done(PreparedEdits *edits);

/** edit_keeps() - whether all these entries keep what the edit removes */
bool edit_keeps(const PreparedEdit *edit, const char *const *ids, size_t n_ids);

/** edit_text_equal() - whether a token is written as the edit would write it ("-" and "_" equal in the name) */
bool edit_text_equal(const PreparedEdit *edit, const char *written, size_t size);

/**
 * edits_mark() - choose the tokens of an entry that edits remove
 * @edits: the edits
 * @content: the file that the tokens refer to
 * @entry: the entry
 * @removed: takes for each token whether it goes
 *
 * A token goes where the file has exactly the text that the edit would write ("-" and "_" are the same in the name).
 * What is for init stays.
 */
void edits_mark(const PreparedEdits *edits, const Buffer *content, const BootEntry *entry, bool *removed);

/**
 * edit_adds() - whether an edit adds its token to an entry
 * @edit: the edit
 * @entry: the entry
 * @removed: the tokens that do not count any more
 *
 * It does where no other token has its name: an opposite one is an administrator's word.
 */
bool edit_adds(const PreparedEdit *edit, const BootEntry *entry, const bool *removed);

/**
 * boot_stores_read_problem_max() - append the problem that a file could not be read
 * @stores: the list
 * @path: the file
 * @max: the size up to which such a file is read
 * @r: the negative errno of the attempt
 *
 * The codes are boot-store-unreadable, boot-store-not-regular and boot-store-too-large, and all are fatal: what
 * the boot loader makes of the file is not known. Return: 0 or -ENOMEM.
 */
int boot_stores_read_problem_max(BootStores *stores, const char *path, size_t max, int r);

/** boot_stores_read_problem() - the same for a file of up to BOOT_FILE_MAX bytes */
int boot_stores_read_problem(BootStores *stores, const char *path, int r);

/** boot_stores_boot_system() - whether this system can be booted by what a kind of store says; NULL: by any */
bool boot_stores_boot_system(const BootStores *stores, const BootStoreDriver *driver);

/** boot_stores_refuse_layouts() - append a problem for each layout that gtuned cannot change. Return: 0 or -ENOMEM. */
int boot_stores_refuse_layouts(const Root *root, BootStores *stores);

/**
 * default_grub_load() - make a store of an /etc/default/grub that was read
 * @stores: takes the store, or a problem
 * @path: the file, without links
 * @content: its bytes; ownership moves where a store is made
 *
 * Return: 0 or -ENOMEM.
 */
int default_grub_load(BootStores *stores, const char *path, Buffer *content);

/** kernel_cmdline_load() - make a store of an /etc/kernel/cmdline that was read; as default_grub_load() */
int kernel_cmdline_load(BootStores *stores, const char *path, Buffer *content);
