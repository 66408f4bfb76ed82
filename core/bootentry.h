/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A boot entry as practices see it: which kernel command line a boot can have, and where it is written.
 * Practices only read entries. Which file formats exist is known to the boot stores alone.
 */

#include "core/cmdline.h"

typedef enum EntryKind {
        ENTRY_SYSTEM,   /* boots this system: gets tokens */
        ENTRY_TEMPLATE, /* boots nothing itself: later entries are made from it, so it gets tokens too */
        ENTRY_RESCUE,   /* a rescue or recovery entry: left alone */
        ENTRY_MEMTEST,  /* a memory test: left alone */
        ENTRY_FOREIGN,  /* another operating system: left alone */
        _ENTRY_KIND_MAX,
        _ENTRY_KIND_INVALID = -EINVAL,
} EntryKind;

typedef struct BootEntry {
        char *id;          /* names the entry across edits of the file: titles of its menus and its kernel */
        char *title;       /* for people */
        char *path;        /* the file, as seen inside the root, without links */
        unsigned line;     /* where the command line begins, from 1; 0 where the file has none yet */
        EntryKind kind;
        Cmdline cmdline;
        size_t cmdline_size; /* bytes that the kernel will be given by this file, blanks included */
} BootEntry;

/** boot_entry_done() - release what an entry owns */
void boot_entry_done(BootEntry *e);

/** entry_kind_to_string() - "system", "template", "rescue", "memtest", "foreign" */
const char *entry_kind_to_string(EntryKind kind);
