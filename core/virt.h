/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/probe.h"
#include "core/root.h"

/**
 * virt_detect() - on what the system runs
 * @root: the root
 * @probe: for the CPUID signature
 * @ret_virtualization: takes "kvm", "qemu", "vmware", "microsoft", "xen", …, or "none"; the caller frees it
 * @ret_container: takes the kind of container, or NULL outside; the caller frees it
 *
 * The same sources in the same order as systemd-detect-virt (systemd: src/basic/virt.c): CPUID, then the
 * firmware's own words (DMI), then the device tree. Return: 0 or -ENOMEM.
 */
int virt_detect(const Root *root, const Probe *probe, char **ret_virtualization, char **ret_container);
