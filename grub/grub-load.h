/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A command of a grub.cfg that loads a kernel, with the command line that GRUB makes of it. Part of grub-cfg.c.
 */

#include "core/bootentry.h"
#include "grub/grub-scope.h"

typedef struct GrubLoad {
        size_t command;      /* its index in the script */
        char *kernel;        /* the path of the kernel, variables expanded as far as they are known */
        EntryKind kind;      /* set by grub-cfg.c */
        Cmdline cmdline;     /* the tokens refer to words of the file; those of one variable to the same word */
        size_t cmdline_size; /* bytes that the kernel gets, at most */
        size_t insert_at;    /* where in the file new tokens are inserted */
} GrubLoad;

/**
 * grub_load_is() - whether a command loads a kernel: "linux", "linux16" or "linuxefi" with a path
 * @scope: its variables; the name can hold some
 * @script: the script of the command
 * @c: the command
 *
 * Return: 1; 0; -ENOMEM.
 */
int grub_load_is(const GrubScope *scope, const Script *script, const ScriptCommand *c);

/**
 * grub_load_read() - read a command that loads a kernel
 * @scope: its variables
 * @script: the script of the command
 * @c: the command
 * @ret: takes what was read; the caller calls grub_load_done()
 *
 * Return: 0 or -ENOMEM.
 */
int grub_load_read(const GrubScope *scope, const Script *script, const ScriptCommand *c, GrubLoad *ret);

/** grub_load_done() - release what a load owns */
void grub_load_done(GrubLoad *l);
