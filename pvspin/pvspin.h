/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * AArch64 PV qspinlock: a vCPU that waits long for a spinlock halts, and the holder's unlock kicks it. An
 * openEuler feature of host and guest (arch/arm64/kernel/paravirt.c), switched on by "arm_pvspin" at boot.
 */

#include "core/guest.h"

extern const Practice practice_pvspin;
