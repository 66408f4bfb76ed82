/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What CPUID says about the hypervisor.
 */

#include "core/util.h"

/**
 * cpuid_read() - read the leaves of the hypervisor, if the processor has CPUID
 * @ret_hypervisor: takes the signature such as "KVMKVMKVM", or "" on bare metal; unchanged without CPUID
 *                  (the caller frees it)
 * @ret_dedicated_hint: takes 1 or 0 for KVM_HINTS_REALTIME; unchanged if the hypervisor is not KVM
 *
 * Return: 0 or -ENOMEM.
 */
int cpuid_read(char **ret_hypervisor, int *ret_dedicated_hint);
