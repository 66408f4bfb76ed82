/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The hypervisor's leaves of CPUID (Linux: arch/x86/include/asm/processor.h, hypervisor_cpuid_base();
 * Documentation/virt/kvm/x86/cpuid.rst). The instruction needs no privilege. Tested by tests/e2e, in guests.
 */

#include "core/cpuid.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>

#define CPUID_HYPERVISOR_BIT (1U << 31)
#define CPUID_LEAF_FIRST 0x40000000U
#define CPUID_LEAF_LAST 0x4000ff00U
#define CPUID_LEAF_STEP 0x100U
#define KVM_HINTS_REALTIME (1U << 0)

static void cpuid_signature(unsigned leaf, char signature[static 13]) {
        unsigned a, b, c, d;

        /* Not __get_cpuid(): it refuses leaves above the basic maximum. */
        __cpuid(leaf, a, b, c, d);
        memcpy(signature, &b, 4);
        memcpy(signature + 4, &c, 4);
        memcpy(signature + 8, &d, 4);
        signature[12] = 0;
}

/* Where the leaf does not exist, the processor answers with zeros or with the bits of another leaf. */
static bool cpuid_is_text(const char *signature) {
        for (const char *p = signature; *p; p++)
                if (*p < ' ' || *p > '~')
                        return false;

        return *signature != 0;
}

/* KVM's leaves may follow those of an interface that it emulates (Hyper-V). Return: KVM's first leaf, or 0. */
static unsigned cpuid_find_kvm(void) {
        char signature[13];

        for (unsigned leaf = CPUID_LEAF_FIRST; leaf <= CPUID_LEAF_LAST; leaf += CPUID_LEAF_STEP) {
                cpuid_signature(leaf, signature);
                if (streq(signature, "KVMKVMKVM"))
                        return leaf;
        }

        return 0;
}

int cpuid_read(char **ret_hypervisor, int *ret_dedicated_hint) {
        unsigned a, b, c, d, base;
        char signature[13];

        __cpuid(1, a, b, c, d);
        if (!(c & CPUID_HYPERVISOR_BIT))
                return free_and_strdup(ret_hypervisor, "");

        base = cpuid_find_kvm();
        if (base == 0) {
                cpuid_signature(CPUID_LEAF_FIRST, signature);
                return free_and_strdup(ret_hypervisor, cpuid_is_text(signature) ? signature : HYPERVISOR_HIDDEN);
        }

        __cpuid(base + 1, a, b, c, d);
        *ret_dedicated_hint = d & KVM_HINTS_REALTIME ? 1 : 0;
        return free_and_strdup(ret_hypervisor, "KVMKVMKVM");
}
#else
int cpuid_read(_unused_ char **ret_hypervisor, _unused_ int *ret_dedicated_hint) {
        return 0;
}
#endif
