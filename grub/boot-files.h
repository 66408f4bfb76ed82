/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Finding the files that a boot loader names. It counts a path from the root of a file system, and that file system can
 * be mounted at "/", /boot, /boot/efi or /efi.
 */

#include "core/root.h"

/* Names in the directories in which files were looked for, so that a menu's many files take one look at each directory. */
typedef struct BootDirectories {
        struct BootDirectory {
                char *path;
                char **names;   /* sorted */
                size_t n_names;
                bool unread;    /* whether a file is there is not known */
        } *directories;
        size_t n_directories;
} BootDirectories;

/** boot_directories_done() - forget the directories */
void boot_directories_done(BootDirectories *directories);

/**
 * boot_file_locate() - find a file that a boot loader names
 * @root: the root
 * @directories: takes the names in the directories, and knows those of before; NULL: the file is looked for by itself
 * @path: its path on its file system, which begins with "/"
 * @ret: takes the real path; the caller frees it
 *
 * Return: 1; 0 if there is no such file; -ENOMEM.
 */
int boot_file_locate(const Root *root, BootDirectories *directories, const char *path, char **ret);
