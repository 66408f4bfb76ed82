/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * AArch64 PV qspinlock: a vCPU that waits long for a spinlock halts, and the holder's unlock kicks it. An
 * openEuler feature of host and guest (arch/arm64/kernel/paravirt.c), switched on by "arm_pvspin" at boot; in other
 * trees by "pvqspinlock".
 */

#include "core/configuration.h"

/* What a tree calls its parameters, and how it behaves. */
typedef struct Dialect {
        TokenSpec tokens[2];
        size_t n_tokens;
        bool asks_late;     /* it asks the host for PV qspinlocks only where the parameter is there */
        bool doubtful;      /* it has PV qspinlocks, and nothing says which dialect it speaks */
        const char *silence; /* what it means that the kernel says nothing, though the parameter is there */
        const char *silent_remedy;
} Dialect;

/** dialect_of() - the dialect of a guest's kernel: by its log, its system, or tokens that are there */
const Dialect *dialect_of(const View *view);

/** dialect_unknown_token() - the kernel's own line that names a parameter as one that it does not know, or NULL */
const char *dialect_unknown_token(const Machine *machine, const char *name) _pure_;

extern const Practice practice_pvspin;
