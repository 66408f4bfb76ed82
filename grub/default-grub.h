/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * For the files of the store "default-grub" only: default-grub-files.c finds the files, default-grub-read.c reads them
 * as the shell does, default-grub.c makes stores of them, and default-grub-edit.c edits a store.
 */

#include "grub/line.h"

#define DEFAULT_GRUB_PATH "/etc/default/grub"
#define DEFAULT_GRUB_DROP_INS DEFAULT_GRUB_PATH ".d"

/* The drop-in that gtuned makes, and removes when nothing is left in it. It is read after most others. */
#define DEFAULT_GRUB_OWN_NAME "99-gtuned.cfg"

/* util/grub.d/10_linux.in writes them into an entry in this order. */
typedef enum DefaultGrubVariable {
        DEFAULT_GRUB_ALL,    /* GRUB_CMDLINE_LINUX: for all entries */
        DEFAULT_GRUB_NORMAL, /* GRUB_CMDLINE_LINUX_DEFAULT: not for recovery entries */
        _DEFAULT_GRUB_VARIABLE_MAX,
} DefaultGrubVariable;

/* The first one is also the id of the template in the ledger, whichever of them a token is in. */
#define DEFAULT_GRUB_VARIABLE "GRUB_CMDLINE_LINUX"

/* Their names, by DefaultGrubVariable. */
extern const char *const default_grub_variables[_DEFAULT_GRUB_VARIABLE_MAX];

typedef struct DefaultGrubFile {
        char *path;
        char *real; /* of a file that is sourced: its path without links; NULL: there is no such file */
        Buffer content;
        bool own;     /* it is the drop-in that gtuned makes */
        bool missing; /* … and that is not there yet */
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
        const ShellValue *values[_DEFAULT_GRUB_VARIABLE_MAX];
        unsigned error_file; /* set with -EINVAL */
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

/** default_grub_line() - make a line of a value; its tokens are read. Return: 0 or -ENOMEM. */
int default_grub_line(const ShellValue *value, Line *ret);

/** default_grub_entry_line() - make a line of what grub-mkconfig writes into an entry. Return: 0 or -ENOMEM. */
int default_grub_entry_line(const DefaultGrubReading *r, Line *ret);

/** default_grub_edits() - whether gtuned edits a variable in a file: in others than its own only the first one */
bool default_grub_edits(const DefaultGrubFile *file, DefaultGrubVariable variable) _pure_;

/* Where and how new tokens are added. */
typedef struct DefaultGrubTarget {
        unsigned number; /* of the file */
        DefaultGrubVariable variable;
        bool own_line; /* they get a line of their own at the end of the file */
} DefaultGrubTarget;

/* What a file makes of a variable. */
typedef struct DefaultGrubPart {
        bool edited; /* the file has tokens in it, or gets them */
        bool final;  /* the line is the final value; else nothing of that is from this file */
        Line line;   /* the final value, or the value that this file sets */
        size_t n_assignments; /* in this file */
        size_t begin, end;    /* the last assignment in this file */
} DefaultGrubPart;

/*
 * All files together make up the values that grub-mkconfig writes. New tokens are added to one file. Tokens are removed
 * from every file that has them.
 */
typedef struct DefaultGrubLayout {
        DefaultGrubFiles *files;
        unsigned number; /* of the file that is edited */
        DefaultGrubPart parts[_DEFAULT_GRUB_VARIABLE_MAX];
        DefaultGrubTarget target; /* of a store with an entry */
} DefaultGrubLayout;

/** default_grub_read_alone() - what a file makes of a variable if it is read alone; if that is unknown, nothing */
int default_grub_read_alone(const Buffer *content, DefaultGrubVariable variable, DefaultGrubPart *ret);

/**
 * default_grub_fill_store() - fill in the layout of a store and, if it is the target of new tokens, its entry
 * @store: the store, with its content
 * @f: the files
 * @number: that of the store
 * @all: what a shell makes of all files
 * @target: where new tokens are added; NULL: not in this file
 *
 * Return: 1; 0 if the file does not matter; -ENOMEM.
 */
int default_grub_fill_store(BootStore *store, DefaultGrubFiles *f, unsigned number, const DefaultGrubReading *all,
                            const DefaultGrubTarget *target);

/** default_grub_done() - release the layout of a store; see BootStoreDriver */
void default_grub_done(BootStore *store);

/** default_grub_render() - make the new bytes of a store; see BootStoreDriver */
int default_grub_render(const BootStore *store, const TokenEdit *edits, size_t n_edits, Buffer *ret,
                        const BootEntry **ret_entry, size_t *ret_size);

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
