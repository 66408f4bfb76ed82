/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Boot stores: the files that hold kernel command lines. Each kind of store is one file with one constant
 * BootStoreDriver and one line in the table of find.c. A driver finds its stores below a root, lists their entries with
 * their tokens, and renders the bytes that a store has after tokens were added or removed. It never writes.
 */

#include "core/bootentry.h"
#include "core/buffer.h"
#include "core/finding.h"
#include "core/root.h"

typedef struct BootStore BootStore;
typedef struct BootStores BootStores;
typedef struct BootStoreDriver BootStoreDriver;

/* The size limit of a boot file, in bytes. A menu of 10,000 entries takes about 7 MB. */
#define BOOT_FILE_MAX (16U * 1024U * 1024U)

/*
 * A fact about the boot configuration that the administrator has to know. The codes, and whether they are fatal:
 *   boot-store-unreadable   fatal  a file or directory that can hold a boot menu cannot be read
 *   boot-store-not-regular  fatal  it is a directory, FIFO, socket or device
 *   boot-store-too-large    fatal  it, or its titles, are larger than gtuned reads, or there are too many files
 *   boot-store-dangling     fatal  it is a link that leads nowhere
 *   boot-store-syntax       fatal  the boot loader reports an error in it, and drops a part of it
 *   boot-store-bls-empty    fatal  its menu is made of boot loader specification files, and there are none
 *   boot-store-bls-unread          GRUB does not read all of such a file; fatal if an added line would hide one that is
 *                                  not read
 *   boot-store-kernelopts   fatal  entries use a variable whose value in grub.cfg is computed, or not certain
 *   boot-store-unmounted           /etc/fstab mounts a boot file system here, and it is not mounted; fatal if the file
 *                                  that boots this system must be on it
 *   boot-store-uki          fatal  a unified kernel image boots this system; not fatal if BootStores.built
 *   boot-store-ostree       fatal  ostree owns the boot entries
 *   boot-store-zipl         fatal  zipl writes the command line into the boot record (s390x)
 *   boot-store-extlinux     fatal  extlinux, syslinux or U-Boot boots this system
 *   boot-store-xen          fatal  all entries of a grub.cfg start Xen
 *   boot-store-unedited     fatal  only entries that gtuned does not change boot this system
 *   boot-store-systemd-boot fatal  systemd-boot has no entries
 *   boot-store-empty               it is empty
 *   boot-store-stub                it only hands over to another file, and that file was not found
 *   boot-store-none                nothing was found that boots this system
 *   grubenv-syntax          fatal  GRUB would not read the environment block
 *   default-grub-unreadable        /etc/default/grub, or grub.d or a file in it, cannot be read, or is no regular file
 *   default-grub-syntax            a shell would refuse it
 *   default-grub-dynamic           only a shell knows the value of the variable, or a part of it
 *   kernel-cmdline-unreadable      /etc/kernel/cmdline cannot be read, is no regular file, or holds a NUL byte
 *                                  these are fatal only if nothing else boots this system
 */
typedef struct BootStoreProblem {
        char *path;      /* the file */
        unsigned line;   /* from 1; 0 if the problem is in no certain line */
        char *reason;    /* a sentence */
        const char *code; /* stable, for grouping */
        bool fatal;      /* apply refuses: the boot configuration must not be changed */
        bool remark;     /* nothing is refused; the plan and the report of each practice with tokens say it */
} BootStoreProblem;

struct BootStore {
        const BootStoreDriver *driver;
        char *path;      /* the real file, as seen inside the root, without links */
        Buffer content;  /* its bytes as they were read */
        bool own;        /* gtuned makes the file, and removes it when nothing is left in it */
        bool missing;    /* … and it is not there yet: the content is empty */
        /*
         * The entries whose tokens are changed in this file. If there are none, tokens are only removed from this
         * file: the command lines that boot are in another file.
         */
        BootEntry *entries;
        size_t n_entries;
        void *layout;    /* the driver's own parsed form, freed by driver->done(); may be NULL */
};

struct BootStores {
        BootStore **stores;
        size_t n_stores;
        BootStoreProblem *problems;
        size_t n_problems;
        char *systemd_boot;   /* the boot loader on an EFI system partition; NULL: not installed */
        char *unified_kernel; /* a unified kernel image on one; NULL: there is none */
        bool built; /* what boots this system is built anew of a template that was found, /etc/kernel/cmdline */
        bool none; /* what boots this system was not found, or cannot be read: what runs is all that is known of it */

        size_t *index;     /* stores by path; private to bootstore.c */
        size_t index_size;
};

/* One change of the tokens in a store. */
typedef struct TokenEdit {
        const TokenSpec *spec;
        bool add; /* add it to the entries that need it; otherwise remove it */
        /*
         * For a removal: the ids of the entries that had the token before gtuned added it, and keep it.
         * NULL-terminated; may be NULL.
         */
        const char *const *keep;
} TokenEdit;

struct BootStoreDriver {
        const char *name;  /* "grub-cfg": stable, written into the ledger */
        const char *title; /* for people: "GRUB configuration" */

        /* The kinds of stores that other tools make later entries of this one from, NULL-terminated; NULL: none. */
        const char *const *made_from;

        /*
         * Find the stores of this kind below a root, and append them and the problems to the list. A missing file is
         * no problem. Return: 0 or -ENOMEM; every other failure is appended as a problem.
         */
        int (*find)(const Root *root, BootStores *stores);

        /*
         * Make the bytes that the store has after these edits were applied to all its entries: tokens are added to
         * those that take tokens, and removed from those that lose them (grub/edit.h). All other bytes stay as they are.
         * A removal removes one token that has exactly the text of the spec ("-" and "_" are the same in the name) and
         * is not for init. Removing undoes adding, if "keep" names the entries whose state was not TOKEN_ABSENT.
         *
         * Return: 0; -EINVAL if a token needs quotes (only letters, digits and "_.=-" need none); -ENOSPC if the
         * file has a fixed size and is full; -E2BIG if a command line would be longer than CMDLINE_MAX, and only
         * then *ret_entry is that entry and *ret_size its length; -EBADMSG if the new bytes were read again and are
         * not as they should be; -ENOMEM.
         */
        int (*render)(const BootStore *store, const TokenEdit *edits, size_t n_edits, Buffer *ret,
                      const BootEntry **ret_entry, size_t *ret_size);

        /*
         * Read the bytes that a store would have, by themselves. Return: 1: *ret has the one store, which nothing but its
         * bytes makes what it is; 0: other files count, too, so that all have to be searched again; -ENOMEM. May be NULL:
         * other files count.
         */
        int (*reread)(const BootStore *store, const Buffer *content, BootStores *ret);

        void (*done)(BootStore *store); /* may be NULL */
};

/**
 * boot_stores_find() - find and read every boot store below a root
 * @root: the root
 * @running: the command line of the running kernel; NULL: unknown, as in an image
 * @ret: takes the stores and the problems; the caller frees them
 *
 * A file that several paths lead to is one store. Return: 0 or -ENOMEM.
 */
int boot_stores_find(const Root *root, const Cmdline *running, BootStores **ret);

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
 * Return: 0; -EEXIST if the list has a store of that path; -ENOMEM.
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

/** boot_stores_remark() - for drivers: the same of what is only said. Return: 0 or -ENOMEM. */
int boot_stores_remark(BootStores *stores, const char *path, unsigned line, const char *code, const char *format, ...)
        _printf_(5, 6);

/* The codes that boot store problems have. */
extern const Reason boot_store_reasons[];
extern const size_t n_boot_store_reasons;
