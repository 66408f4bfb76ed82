/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the drivers of boot stores share. Nobody outside of this folder includes this file.
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
 * @r: the negative errno of the attempt
 *
 * The codes are boot-store-unreadable, boot-store-not-regular and boot-store-too-large, and all are fatal: what
 * the boot loader makes of the file is not known. Return: 0 or -ENOMEM.
 */
int boot_stores_read_problem_max(BootStores *stores, const char *path, size_t max, int r);

/** boot_stores_read_problem() - the same for a file of up to BOOT_FILE_MAX bytes */
int boot_stores_read_problem(BootStores *stores, const char *path, int r);

/** boot_stores_boot_system() - whether this system can be booted by what a kind of store says; NULL: by any */
bool boot_stores_boot_system(const BootStores *stores, const BootStoreDriver *driver);

/** boot_stores_refuse_layouts() - append a problem for each layout that gtuned cannot change. Return: 0 or -ENOMEM. */
int boot_stores_refuse_layouts(const Root *root, BootStores *stores);

/**
 * default_grub_load() - make a store of an /etc/default/grub that was read
 * @stores: takes the store, or a problem
 * @path: the file, without links
 * @content: its bytes; ownership moves where a store is made
 *
 * Return: 0 or -ENOMEM.
 */
int default_grub_load(BootStores *stores, const char *path, Buffer *content);

/** kernel_cmdline_load() - make a store of an /etc/kernel/cmdline that was read; as default_grub_load() */
int kernel_cmdline_load(BootStores *stores, const char *path, Buffer *content);
