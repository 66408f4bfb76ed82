/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A boot entry: a kernel command line with which the machine can boot, and the place in a file that holds it. Practices
 * only read entries. Only the boot stores (grub/) know the formats of the files.
 */

#include "core/cmdline.h"

typedef enum EntryKind {
        ENTRY_SYSTEM,   /* boots this system: gtuned adds tokens to it */
        ENTRY_TEMPLATE, /* boots nothing itself, but later entries are made from it: gtuned adds tokens to it too */
        ENTRY_RESCUE,   /* a rescue or recovery entry, which gtuned never changes */
        ENTRY_MEMTEST,  /* a memory test, which gtuned never changes */
        ENTRY_PROGRAM,  /* loads a program that is no kernel, such as iPXE; gtuned never changes it */
        ENTRY_UNEDITED, /* boots this system by a file or a command that gtuned does not change */
        ENTRY_FOREIGN,  /* boots another operating system; gtuned never changes it */
        _ENTRY_KIND_MAX,
        _ENTRY_KIND_INVALID = -EINVAL,
} EntryKind;

typedef struct BootEntry {
        char *id;          /* titles of its menus and its kernel, so that it stays the same when the file is edited */
        char *title;       /* for people */
        char *kernel;      /* the path of the kernel, as it is written; NULL: it is a template */
        char *path;        /* the file, as seen inside the root, without links */
        unsigned line;     /* where the command line begins, from 1; 0 if the file has none yet */
        EntryKind kind;
        bool by_default;   /* of ENTRY_UNEDITED: the boot loader takes it if nobody chooses another one */
        Cmdline cmdline;
        size_t cmdline_size; /* bytes of the command line that the kernel gets from this file, blanks included */
} BootEntry;

/** boot_entry_done() - release what an entry owns; the entry is empty afterwards */
void boot_entry_done(BootEntry *e);

/** entry_kind_to_string() - "system", "template", "rescue", "memtest", "program", "unedited", "foreign"; NULL for any other number */
const char *entry_kind_to_string(EntryKind kind);
