/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * For the drivers of boot stores only: no file outside of this folder includes this header, save tests.
 */

#include "grub/bootstore.h"

extern const BootStoreDriver boot_store_grub_cfg;
extern const BootStoreDriver boot_store_bls;
extern const BootStoreDriver boot_store_grubenv;
extern const BootStoreDriver boot_store_default_grub;
extern const BootStoreDriver boot_store_kernel_cmdline;

/**
 * boot_stores_read_problem_max() - append the problem that a file could not be read
 * @stores: the list
 * @path: the file
 * @max: the size up to which such a file is read
 * @r: the negative errno of the failed read; -ENOMEM is returned as it is
 *
 * The codes are boot-store-unreadable, boot-store-not-regular and boot-store-too-large. All are fatal, because it is
 * unknown what the boot loader does with the file. Return: 0 or -ENOMEM.
 */
int boot_stores_read_problem_max(BootStores *stores, const char *path, size_t max, int r);

/** boot_stores_read_problem() - the same for a file of up to BOOT_FILE_MAX bytes */
int boot_stores_read_problem(BootStores *stores, const char *path, int r);

/**
 * boot_stores_leave() - append the problem that a template is left alone
 * @stores: the list
 * @path: the file; copied
 * @line: from 1, or 0
 * @code: a constant string
 * @format: the sentence
 *
 * It is fatal only if nothing else boots this system: then the tokens would be nowhere. Else it is a remark. Return: 0
 * or -ENOMEM.
 */
int boot_stores_leave(BootStores *stores, const char *path, unsigned line, const char *code, const char *format, ...)
        _printf_(5, 6);

/** boot_stores_boot_system() - whether a store of a kind has an entry that boots this system; NULL: of any kind */
bool boot_stores_boot_system(const BootStores *stores, const BootStoreDriver *driver);

/**
 * boot_stores_refuse_layouts() - append a problem for each layout that gtuned cannot change
 * @root: the root
 * @running: as boot_stores_find()
 * @stores: the list
 *
 * Return: 0 or -ENOMEM.
 */
int boot_stores_refuse_layouts(const Root *root, const Cmdline *running, BootStores *stores);

/**
 * default_grub_load() - make a store of an /etc/default/grub that was read, without the files that it sources
 * @stores: takes the store, or a problem
 * @path: the file, without links
 * @content: its bytes; ownership moves if a store is made
 *
 * Return: 0 or -ENOMEM.
 */
int default_grub_load(BootStores *stores, const char *path, Buffer *content);

/** kernel_cmdline_load() - make a store of an /etc/kernel/cmdline that was read; as default_grub_load() */
int kernel_cmdline_load(BootStores *stores, const char *path, Buffer *content);
