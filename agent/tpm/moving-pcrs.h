/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/json.h"

/* Where GRUB's tpm module measures: commands and command lines into 8, files into 9 (GRUB manual, "Measured Boot"). */
#define GRUB_PCRS (1U << 8 | 1U << 9)

/**
 * moving_pcrs() - which PCRs the next boot changes, by what was measured in this one
 * @events: an array of events as gtune-tpm gives them
 * @cmdline: the running kernel's command line; NULL: unknown
 * @paths: the files of the boot loader that change, as the system sees them; NULL-terminated
 *
 * A PCR moves where this boot measured the kernel command line into it (GRUB's commands "linux" and "kernel_cmdline",
 * the LoadOptions of the kernel's EFI stub, the words of /proc/cmdline in an event of another boot loader), or one of
 * the files (GRUB names what it reads with its own device: "(hd0,gpt2)/grub2/grub.cfg").
 *
 * Return: the PCRs, one bit each.
 */
uint32_t moving_pcrs(json_object *events, const char *cmdline, const char *const *paths) _pure_;
