/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Files on EFI system partitions, in all directories where those are mounted. As on FAT, the case of names is ignored.
 */

#include "grub/bootstore.h"

/**
 * esp_find() - look for systemd-boot and for a unified kernel image, EFI/Linux/NAME.efi
 * @root: the root
 * @stores: takes their paths: systemd_boot and unified_kernel
 *
 * A directory that cannot be read counts as empty. Return: 0 or -ENOMEM.
 */
int esp_find(const Root *root, BootStores *stores);
