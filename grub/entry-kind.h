/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a boot entry boots: told by its names, its command line and the file that it loads. For the drivers of boot stores.
 */

#include "core/bootentry.h"
#include "grub/boot-files.h"

/** entry_name_is_rescue() - whether a title, an id or the name of a file is that of a rescue or recovery system */
bool entry_name_is_rescue(const char *name) _pure_;

/** entry_name_is_snapshot() - whether the title of a menu, or the path of a kernel, is that of snapshots of the system */
bool entry_name_is_snapshot(const char *name) _pure_;

/**
 * entry_kind_of_cmdline() - what a command line alone says
 * @c: the command line
 *
 * Return: ENTRY_RESCUE for a shell, a rescue target or a live system; ENTRY_FOREIGN for a system in an ISO image; else
 * ENTRY_SYSTEM.
 */
EntryKind entry_kind_of_cmdline(const Cmdline *c) _pure_;

/* Files that were looked at, so that each is read once. */
typedef struct KernelFiles {
        const Root *root; /* NULL: no file is there */
        struct KernelFile {
                char *path;
                EntryKind kind;
        } *files; /* sorted by path */
        size_t n_files;
        BootDirectories directories;
} KernelFiles;

/**
 * entry_kind_of_kernel() - what the file that an entry loads is
 * @files: takes what was found out
 * @path: its path as the boot loader counts it, with or without a device
 * @ret: takes ENTRY_MEMTEST, ENTRY_PROGRAM or ENTRY_RESCUE; ENTRY_SYSTEM if nothing says that it is no kernel of this system
 *
 * A file that is there is told by its header, others by their name. Return: 0 or -ENOMEM.
 */
int entry_kind_of_kernel(KernelFiles *files, const char *path, EntryKind *ret);

/** kernel_files_done() - forget the files */
void kernel_files_done(KernelFiles *files);
