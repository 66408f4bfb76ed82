/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The store "bls": bls-find.c looks for entries, bls-reader.c for the program that reads them, bls-read.c reads the
 * lines of one as that program does, bls-expand.c knows its variables, and bls.c edits it. The store "grub-cfg" asks
 * whether there are entries, and "grubenv" which of them take their options from a variable.
 */

#include "grub/entry-kind.h"
#include "grub/line.h"

#define BLS_OPTIONS "options"

/* The program that reads an entry. */
typedef enum BlsReader {
        BLS_SYSTEMD_BOOT, /* all lines count, and those with options are joined */
        BLS_GRUB_FEDORA,  /* the blscfg of rhboot/grub2: Fedora, RHEL, openEuler and others */
        BLS_GRUB,         /* the blscfg of GRUB 2.14 and later: Debian and others */
} BlsReader;

/* What a GRUB does not read of an entry. */
typedef struct BlsUnread {
        unsigned end;     /* the line that ends the entry, because it has no value; 0: there is none */
        bool behind_end;  /* lines with values come after it */
        unsigned options; /* the first line "options" that does not count; 0: there is none */
} BlsUnread;

typedef struct BlsLayout {
        Line line;         /* the options; first is SIZE_MAX if there are none */
        size_t begin, end; /* the first line "options", without its newline */
        size_t n_blanks;   /* blanks after them */
        size_t place;      /* after the line "linux": where a line "options" is added */
        EntryKind kind;
        BlsReader reader;
        BlsUnread unread;
        unsigned number;   /* of the first line "options" or, if there is none, of the line "linux" */
        char *title, *kernel;
} BlsLayout;

/* Values that say of what kind an entry is. */
typedef struct BlsKeys {
        char *efi, *version;
} BlsKeys;

/** bls_find_reader() - find out whose blscfg a GRUB has that reads a grub.cfg. Return: 0 or -ENOMEM. */
int bls_find_reader(const Root *root, const char *grub_cfg, BlsReader *ret);

/**
 * bls_read_fields() - read the lines that the reader of an entry takes
 * @content: the bytes of the entry
 * @l: takes what they say; its reader and its line are set
 * @keys: takes values; the caller calls bls_keys_done()
 *
 * Return: 0 or -ENOMEM.
 */
int bls_read_fields(const Buffer *content, BlsLayout *l, BlsKeys *keys);

/** bls_layout_done() - release what a layout owns */
void bls_layout_done(BlsLayout *l);

/** bls_keys_done() - release the values */
void bls_keys_done(BlsKeys *keys);

/**
 * bls_remark_unread() - name what GRUB reads otherwise than it is written
 * @stores: takes a remark, or a problem if an added line "options" would take the place of one that is not read
 * @path: the file of the entry
 * @l: what was read
 *
 * Return: 0 or -ENOMEM.
 */
int bls_remark_unread(BootStores *stores, const char *path, const BlsLayout *l);

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
 * @reader: the program that reads it
 *
 * Variables are not expanded. Return: 0 or -ENOMEM.
 */
int bls_load(KernelFiles *files, BootStores *stores, const char *path, Buffer *content, BlsReader reader);

/* Returns the value of a variable, or NULL if it is not set. */
typedef const char *(*BlsLookup)(void *userdata, const char *name);

/** bls_refers() - whether GRUB can make other options of those of an entry: there are none, or they have a variable */
bool bls_refers(const BootStore *store);

/** bls_mentions() - whether the options for the kernel refer to a variable; those for init do not count */
bool bls_mentions(const BootStore *store, const char *name);

/** bls_loses_byte() - whether the blscfg of GRUB 2.14 drops a byte of the options, whatever the variables are */
bool bls_loses_byte(const BlsLayout *l);

/**
 * bls_expand() - the options of an entry as GRUB's blscfg passes them to the kernel
 * @store: the entry
 * @lookup: returns the value of a variable
 * @userdata: passed to @lookup
 * @ret: takes the text; empty if there are no options
 *
 * "$name" becomes the value and a blank, and one blank after the reference is dropped (rhboot/grub2: blscfg.c,
 * expand_val(); GRUB 2.14: blsuki.c, blsuki_expand_val()). "${name}" is a reference for rhboot/grub2 only. Return: 0 or
 * -ENOMEM.
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

/**
 * bls_overruns() - whether GRUB loses the end of the command that it makes of an entry, and the initrd with it
 * @store: the entry
 * @cmdline_size: as BootEntry.cmdline_size
 *
 * The blscfg of GRUB 2.14 takes a byte too little of memory for "linux KERNEL OPTIONS" (blsuki.c, bls_get_linux()). If
 * none is left over in the last piece of memory, the next piece begins where the command would end.
 */
bool bls_overruns(const BootStore *store, size_t cmdline_size);

/** bls_remark_length() - name an entry whose length is one of those. Return: 0 or -ENOMEM. */
int bls_remark_length(BootStores *stores, const BootStore *store, const BootEntry *e);

/** bls_kind() - the kind of an entry */
EntryKind bls_kind(const BootStore *store);

/** bls_reader() - the program that reads an entry */
BlsReader bls_reader(const BootStore *store);
