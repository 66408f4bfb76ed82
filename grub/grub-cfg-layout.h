/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The parsed form of the store "grub-cfg", and the edit of its file. Part of grub-cfg.c.
 */

#include "grub/grub-scope.h"
#include "grub/grub-variable.h"

typedef struct GrubCfgLayout {
        size_t *insert_at; /* for each "linux" command: where new tokens are inserted */
        size_t n_linux;    /* the first entries are "linux" commands; the rest have the value of a variable */
        unsigned bls_line; /* of the command "blscfg"; 0 if there is none */
        char *bls_path;    /* the directory that "blscfg" is given, without the device; NULL: none */
        GrubVariable variables[GRUB_VARIABLES];
        GrubScope *scope;  /* all variables, as they are when the menu is shown; NULL after all entries are found */
} GrubCfgLayout;

/** grub_cfg_render() - see BootStoreDriver.render */
int grub_cfg_render(const BootStore *store, const TokenEdit *edits, size_t n_edits, Buffer *ret,
                    const BootEntry **ret_entry, size_t *ret_size);
