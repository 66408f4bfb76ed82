/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * AArch64 PV qspinlock: a vCPU that waits long for a spinlock halts, and is kicked when the holder unlocks. A feature
 * of openEuler, in host and guest (arch/arm64/kernel/paravirt.c). The parameter "arm_pvspin" switches it on at boot; in
 * other kernel trees it is "pvqspinlock".
 */

#include "core/configuration.h"

/* The parameters of a kernel tree, and how it behaves. */
typedef struct Dialect {
        TokenSpec tokens[2];
        size_t n_tokens;
        bool asks_late;     /* it asks the host for PV qspinlocks only if the parameter is given */
        bool doubtful;      /* it has PV qspinlocks, and it is unknown which parameters it takes */
        const char *silence; /* why the kernel may log nothing although the parameter is given */
        const char *silent_remedy;
} Dialect;

/** dialect_of() - the dialect of a guest's kernel: by its log, its distribution, or the tokens of its command lines */
const Dialect *dialect_of(const View *view);

/** dialect_unknown_token() - the line of the kernel log that names a parameter as unknown, or NULL */
const char *dialect_unknown_token(const Machine *machine, const char *name) _pure_;

extern const Practice practice_pvspin;
