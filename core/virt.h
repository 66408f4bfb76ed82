/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "core/probe.h"
#include "core/root.h"

/*
 * Which hypervisor and which container the system runs on.
 */

/**
 * virt_detect() - find out on which hypervisor, and in which container, the system runs
 * @root: the root
 * @probe: for the CPUID signature
 * @ret_virtualization: takes "kvm", "qemu", "vmware", "microsoft", "xen", …, "vm-other" for an unknown hypervisor, or
 *                      "none"; the caller frees it
 * @ret_container: takes the kind of container, or stays NULL outside of one; the caller frees it
 *
 * It reads the same sources in the same order as systemd-detect-virt (systemd: src/basic/virt.c): CPUID, then the
 * tables of the firmware (DMI), then the device tree. Return: 0 or -ENOMEM.
 */
int virt_detect(const Root *root, const Probe *probe, char **ret_virtualization, char **ret_container);
