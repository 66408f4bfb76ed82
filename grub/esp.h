/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Files on EFI system partitions, in all directories where those are mounted. As on FAT, the case of names is ignored.
 */

#include "core/root.h"

/**
 * esp_find_systemd_boot() - look for systemd-boot
 * @root: the root
 * @ret: takes its path, or NULL if it is not installed
 *
 * A directory that cannot be read counts as empty. Return: 0 or -ENOMEM.
 */
int esp_find_systemd_boot(const Root *root, char **ret);

/** esp_find_unified_kernel() - look for a unified kernel image, EFI/Linux/NAME.efi; as esp_find_systemd_boot() */
int esp_find_unified_kernel(const Root *root, char **ret);
