/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What lies on EFI system partitions, wherever they are mounted. Names are compared as FAT does.
 */

#include "core/root.h"

/**
 * esp_find_systemd_boot() - look for systemd-boot
 * @root: the root
 * @ret: takes its path, or NULL where it is not installed
 *
 * Return: 0 or -ENOMEM; what cannot be read is not there.
 */
int esp_find_systemd_boot(const Root *root, char **ret);

/** esp_find_unified_kernel() - look for a unified kernel image, EFI/Linux/NAME.efi; as esp_find_systemd_boot() */
int esp_find_unified_kernel(const Root *root, char **ret);
