/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Entries that boot this system and that gtuned does not change: those of a file that grub.cfg sources, those that start
 * Xen, and those whose command is a variable that is not known. Part of grub-cfg.c.
 */

#include "grub/grub-load.h"

/* So many are named. */
#define GRUB_OTHERS_MAX 256U

typedef struct GrubOther {
        GrubLoad load;
        char *titles, *path;
        unsigned line;
        bool by_default; /* GRUB boots it if nobody chooses another one */
} GrubOther;

typedef struct GrubOthers {
        GrubOther *others;
        size_t n_others;
        struct GrubTop {
                const GrubSource *source;
                size_t command;
        } *tops;           /* the entries and submenus of the first menu, in its order */
        size_t n_tops;
        bool blscfg;       /* the menu has entries of other files, too: their numbers are not known */
        const GrubSource *xen_source;
        size_t xen_menu;   /* the menu whose kernel for Xen was not seen yet; SCRIPT_NO_PARENT: none */
        unsigned xen_line; /* of the first command that starts Xen; 0: none */
} GrubOthers;

/**
 * grub_others_examine() - look at a command
 * @o: takes what was found
 * @scope: its variables
 * @source: its file
 * @c: the command
 * @own: it is in the grub.cfg itself: what grub_load_is() recognizes there can be changed
 *
 * Return: 1 if an entry was added, 0 if not, or -ENOMEM.
 */
int grub_others_examine(GrubOthers *o, const GrubScope *scope, const GrubSource *source, const ScriptCommand *c, bool own);

/** grub_others_done() - release the entries */
void grub_others_done(GrubOthers *o);
