/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the store "grub-cfg" knows of its file, and how that is edited. It is a part of grub-cfg.c.
 */

#include "grub/grub-variable.h"

typedef struct GrubCfgLayout {
        size_t *insert_at; /* of each "linux" command: behind its last token that is for the kernel */
        size_t n_linux;    /* so many entries come first; those behind have the line of a variable */
        unsigned bls_line; /* 0: no "blscfg" */
        GrubVariable variables[GRUB_VARIABLES];
} GrubCfgLayout;

/** grub_cfg_render() - see BootStoreDriver.render */
int grub_cfg_render(const BootStore *store, const TokenEdit *edits, size_t n_edits, Buffer *ret,
                    const BootEntry **ret_entry, size_t *ret_size);
