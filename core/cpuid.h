/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What CPUID says about the hypervisor.
 */

#include "core/util.h"

/* What stands for the signature of a hypervisor that does not say what it is, as KVM with kvm=off. */
#define HYPERVISOR_HIDDEN "?"

/**
 * cpuid_read() - read the leaves of the hypervisor, if the processor has CPUID
 * @ret_hypervisor: takes the signature such as "KVMKVMKVM", HYPERVISOR_HIDDEN, or "" on bare metal; unchanged
 *                  without CPUID (the caller frees it)
 * @ret_dedicated_hint: takes 1 or 0 for KVM_HINTS_REALTIME; unchanged if the hypervisor is not KVM
 *
 * Return: 0 or -ENOMEM.
 */
int cpuid_read(char **ret_hypervisor, int *ret_dedicated_hint);
