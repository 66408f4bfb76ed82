/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The two halves of the store "grub-cfg": grub-cfg-find.c looks for files, grub-cfg.c knows what is in them.
 */

#include "grub/stores.h"

/**
 * grub_cfg_find() - find every grub.cfg that GRUB itself reads; see BootStoreDriver
 */
int grub_cfg_find(const Root *root, BootStores *stores);

/**
 * grub_cfg_load() - make a store of a grub.cfg that was read
 * @stores: takes the store, or a problem
 * @path: the file, without links
 * @content: its bytes; ownership moves where a store is made
 * @bls_entries: whether /boot/loader/entries holds entries
 * @ret_handover: takes the line of the first command that hands over to another file, or 0
 *
 * Return: 1 where a store was made, 0 where not, or -ENOMEM.
 */
int grub_cfg_load(BootStores *stores, const char *path, Buffer *content, bool bls_entries, unsigned *ret_handover);
