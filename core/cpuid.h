/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the processor says of its hypervisor.
 */

#include "core/util.h"

/**
 * cpuid_read() - ask the processor, if it has CPUID
 * @ret_hypervisor: takes the signature such as "KVMKVMKVM", or "" on bare metal; stays NULL without CPUID; the caller frees it
 * @ret_dedicated_hint: takes 1 or 0 for KVM_HINTS_REALTIME; is left alone if the hypervisor is not KVM
 *
 * Return: 0 or -ENOMEM.
 */
int cpuid_read(char **ret_hypervisor, int *ret_dedicated_hint);
