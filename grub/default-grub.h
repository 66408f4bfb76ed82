/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * For the files of the store "default-grub" only: default-grub-files.c finds the files and reads them as the shell
 * does, and default-grub.c makes stores of them.
 */

#include "grub/line.h"

#define DEFAULT_GRUB_PATH "/etc/default/grub"
#define DEFAULT_GRUB_VARIABLE "GRUB_CMDLINE_LINUX"

/* util/grub.d/10_linux.in writes this variable after the other one, except in recovery entries. */
#define DEFAULT_GRUB_VARIABLE_BEHIND "GRUB_CMDLINE_LINUX_DEFAULT"

typedef struct DefaultGrubFile {
        char *path;
        char *real; /* of a file that is sourced: its path without links; NULL: there is no such file */
        Buffer content;
} DefaultGrubFile;

/* Files that a shell reads one after the other, and the files that these source. Stores share it. */
typedef struct DefaultGrubFiles {
        unsigned n_references;
        DefaultGrubFile *files;
        unsigned n_files;
        DefaultGrubFile *sourced;
        size_t n_sourced;
        size_t sourced_size;
        const Root *root;         /* where more of them are read from; NULL: they are unknown */
        const char *replaced;     /* during a reading: the file that has other bytes; NULL: none has */
        const Buffer *replacement;
} DefaultGrubFiles;

/** default_grub_files_new() - begin a list of files; the caller releases it. Return: 0 or -ENOMEM. */
int default_grub_files_new(DefaultGrubFiles **ret, const Root *root);

/** default_grub_files_add() - append a file; the content is taken. Return: 0 or -ENOMEM. */
int default_grub_files_add(DefaultGrubFiles *f, const char *path, Buffer *content);

/** default_grub_files_unref() - release a reference; NULL is ignored */
DefaultGrubFiles *default_grub_files_unref(DefaultGrubFiles *f);
DEFINE_CLEANUP(DefaultGrubFiles *, default_grub_files_unref);

/* What a shell makes of the files. */
typedef struct DefaultGrubReading {
        Shell *shell;
        const ShellValue *value;  /* of GRUB_CMDLINE_LINUX */
        const ShellValue *behind; /* of GRUB_CMDLINE_LINUX_DEFAULT */
        unsigned error_file;      /* set with -EINVAL */
        ShellError error;
} DefaultGrubReading;

/**
 * default_grub_read() - read the files as a shell does
 * @f: the files
 * @number: a file
 * @content: the new bytes of that file, wherever it is read; NULL: those that it has
 * @ret: takes the result, also with -EINVAL; the caller calls default_grub_reading_done()
 *
 * Return: 0; -EINVAL; -ENOMEM.
 */
int default_grub_read(DefaultGrubFiles *f, unsigned number, const Buffer *content, DefaultGrubReading *ret);

/** default_grub_reading_done() - release a reading */
void default_grub_reading_done(DefaultGrubReading *r);

/**
 * default_grub_leave() - append the problem that the files are left alone
 * @stores: the list
 * @path: the file
 * @line: from 1, or 0
 * @code: the reason code
 * @reason: a sentence without a full stop
 *
 * Return: 0 or -ENOMEM.
 */
int default_grub_leave(BootStores *stores, const char *path, unsigned line, const char *code, const char *reason);

/** default_grub_find() - find the files and make stores of them; see BootStoreDriver */
int default_grub_find(const Root *root, BootStores *stores);

/**
 * default_grub_add_stores() - make stores of the files that grub-mkconfig reads
 * @stores: takes the stores and problems
 * @f: the files
 *
 * Return: 0 or -ENOMEM.
 */
int default_grub_add_stores(BootStores *stores, DefaultGrubFiles *f);

/** default_grub_add_unread() - make a store of a file that grub-mkconfig does not read: tokens are only removed */
int default_grub_add_unread(BootStores *stores, DefaultGrubFiles *f);
