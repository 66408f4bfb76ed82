/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Boot stores: the places that hold a kernel command line. Each kind of store is one file with one constant
 * BootStoreDriver and one line in the table of find.c. A store can find itself below a root, list its
 * entries with their tokens, and give the bytes it would have with some tokens added or removed. It never writes.
 */

#include "core/bootentry.h"
#include "core/buffer.h"
#include "core/finding.h"
#include "core/root.h"

typedef struct BootStore BootStore;
typedef struct BootStores BootStores;
typedef struct BootStoreDriver BootStoreDriver;

/* The largest boot file that is read, in bytes. 10,000 menu entries take about 7 MB. */
#define BOOT_FILE_MAX (16U * 1024U * 1024U)

/*
 * Something found on the way that a person should know. The codes, and whether they are fatal:
 *   boot-store-unreadable   fatal  a file or directory that can hold a boot menu cannot be read
 *   boot-store-not-regular  fatal  it is a directory, FIFO, socket or device
 *   boot-store-too-large    fatal  it is larger than gtuned reads, or its titles are, or there are too many of them
 *   boot-store-dangling     fatal  it is a link that leads nowhere
 *   boot-store-syntax       fatal  the boot loader would refuse it
 *   boot-store-bls-empty    fatal  its menu is made of boot loader specification files, and there are none
 *   boot-store-kernelopts   fatal  entries use a variable whose value in grub.cfg is computed
 *   boot-store-unmounted           /etc/fstab mounts a boot file system here, and it is not mounted; fatal where the
 *                                  file that boots this system must lie on it
 *   boot-store-uki          fatal  a unified kernel image boots this system
 *   boot-store-ostree       fatal  ostree owns the boot entries
 *   boot-store-zipl         fatal  zipl writes the command line into the boot record (s390x)
 *   boot-store-systemd-boot fatal  systemd-boot has no entries
 *   boot-store-empty               it holds no byte
 *   boot-store-stub                it only hands over to another file, and no real one was found
 *   boot-store-none                nothing was found that boots this system
 *   grubenv-syntax          fatal  GRUB would not read the environment block
 *   default-grub-unreadable fatal  /etc/default/grub, or a file of grub.d, cannot be read, or is no regular file
 *   default-grub-syntax     fatal  a shell would refuse it
 *   default-grub-dynamic    fatal  only a shell knows the value of the variable
 *   kernel-cmdline-unreadable fatal  /etc/kernel/cmdline cannot be read, is no regular file, or holds a NUL byte
 */
typedef struct BootStoreProblem {
        char *path;      /* the file */
        unsigned line;   /* from 1; 0 where no line is to blame */
        char *reason;    /* a sentence */
        const char *code; /* stable, for grouping */
        bool fatal;      /* the layout must not be changed: apply refuses */
} BootStoreProblem;

struct BootStore {
        const BootStoreDriver *driver;
        char *path;      /* the real file, as seen inside the root, without links */
        Buffer content;  /* its bytes as they were read */
        /*
         * The entries whose tokens are changed in this file. There may be none: then tokens are only removed
         * here, because what boots is said by another file now.
         */
        BootEntry *entries;
        size_t n_entries;
        void *layout;    /* the driver's own parsed form, freed by driver->done(); NULL where none is needed */
};

struct BootStores {
        BootStore **stores;
        size_t n_stores;
        BootStoreProblem *problems;
        size_t n_problems;
        bool none;         /* nothing was found that boots this system, and nothing says why */

        size_t *index;     /* stores by path; private to bootstore.c */
        size_t index_size;
};

/* One change of the tokens in a store. */
typedef struct TokenEdit {
        const TokenSpec *spec;
        bool add; /* add where an entry does not have it (TOKEN_ABSENT); otherwise remove */
        /* When removing: ids of entries that keep the token, because it was theirs before gtuned came.
         * NULL-terminated; may be NULL. */
        const char *const *keep;
} TokenEdit;

struct BootStoreDriver {
        const char *name;  /* "grub-cfg": stable, written into the ledger */
        const char *title; /* for people: "GRUB configuration" */

        /*
         * Find the stores of this kind below root and append them, parsed, to stores; append problems
         * likewise. Absence is no problem. Return: 0, or -ENOMEM; every other failure is a problem entry.
         */
        int (*find)(const Root *root, BootStores *stores);

        /*
         * The bytes that the store would have with these edits applied to all its ENTRY_SYSTEM and
         * ENTRY_TEMPLATE entries. Every byte outside the tokens that change stays as it was. Removing takes one
         * token that has exactly the text of the spec ("-" and "_" equal in the name) and is not for init. Adding
         * and then removing is the identity, where "keep" names the entries whose state was not TOKEN_ABSENT.
         * Return: 0, -ENOMEM, -EINVAL where a token needs quotes (it may hold letters, digits and "_.=-"), -ENOSPC
         * where the file has a fixed size and is full, or -E2BIG where a command line would grow beyond CMDLINE_MAX:
         * then *ret_entry is the entry and *ret_size the length it would have.
         */
        int (*render)(const BootStore *store, const TokenEdit *edits, size_t n_edits, Buffer *ret,
                      const BootEntry **ret_entry, size_t *ret_size);

        void (*done)(BootStore *store); /* may be NULL */
};

/**
 * boot_stores_find() - find and read every boot store below a root
 * @root: the root
 * @ret: takes the stores and the problems; the caller frees them
 *
 * Stores that lead to the same file are found once. Return: 0 or -ENOMEM.
 */
int boot_stores_find(const Root *root, BootStores **ret);

/** boot_stores_free() - release everything; NULL is ignored */
BootStores *boot_stores_free(BootStores *stores);
DEFINE_CLEANUP(BootStores *, boot_stores_free);

/**
 * boot_stores_add() - for drivers: append an empty store
 * @stores: the list
 * @driver: the kind
 * @path: the real path; copied
 * @content: the bytes; ownership moves on success
 * @ret: takes the new store, owned by the list
 *
 * Return: 0; -EEXIST where a store of that path is already there; -ENOMEM.
 */
int boot_stores_add(BootStores *stores, const BootStoreDriver *driver, const char *path, Buffer *content,
                    BootStore **ret);

/**
 * boot_stores_by_path() - the store of a path
 * @stores: the list
 * @path: the real path, as BootStore.path
 *
 * The time does not depend on the number of stores. Return: the store, owned by the list, or NULL if there is none.
 */
const BootStore *boot_stores_by_path(const BootStores *stores, const char *path) _pure_;

/**
 * boot_store_problem_format() - a problem as one line for people: "FILE:LINE: REASON", or "FILE: REASON"
 * @problem: the problem
 *
 * Return: a new string, or NULL when memory is exhausted.
 */
char *boot_store_problem_format(const BootStoreProblem *problem);

/**
 * boot_stores_problem() - for drivers: append a problem
 * @stores: the list
 * @path: the file; copied
 * @line: from 1, or 0
 * @code: a constant string
 * @fatal: whether apply must refuse
 * @format: the sentence
 *
 * Return: 0 or -ENOMEM.
 */
int boot_stores_problem(BootStores *stores, const char *path, unsigned line, const char *code, bool fatal,
                        const char *format, ...) _printf_(6, 7);

/* The codes that boot store problems have. */
extern const Reason boot_store_reasons[];
extern const size_t n_boot_store_reasons;
