/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/json.h"

/* GRUB's tpm module measures commands and command lines into PCR 8, files into 9 (GRUB manual, "Measured Boot"). */
#define GRUB_PCRS (1U << 8 | 1U << 9)

/**
 * moving_pcrs() - find the PCRs that the next boot changes, from the events of this boot
 * @events: an array of events as gtune-tpm gives them
 * @cmdline: the running kernel's command line; NULL: unknown
 * @paths: the files of the boot loader that change, by their paths in the system; NULL-terminated
 *
 * A PCR changes if this boot measured the kernel command line or one of the files into it. Events of a command line are
 * GRUB's commands "linux" and "kernel_cmdline", the LoadOptions of the kernel's EFI stub, and events of other boot
 * loaders that contain the words of /proc/cmdline. GRUB names a file with its device, as "(hd0,gpt2)/grub2/grub.cfg".
 *
 * Return: the PCRs, one bit each.
 */
uint32_t moving_pcrs(json_object *events, const char *cmdline, const char *const *paths) _pure_;
