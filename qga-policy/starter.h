/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What starts a qemu-ga where none of the units that gtuned knows does: a template such as qemu-ga@.service, a unit
 * that was written by hand, an init script, or something unknown, if the program is there.
 */

#include "core/root.h"

typedef struct Starter {
        char *path;    /* the unit file or init script that starts it; NULL: none was found */
        char *program; /* a program that is called qemu-ga; NULL: none was found */
} Starter;

/**
 * starter_find() - look for what starts a qemu-ga
 * @root: the root
 * @except: name of a unit that does not count, nor does the init script that it replaces (systemd-sysv-generator(8));
 *          NULL: all count
 * @ret: takes the answer; the caller calls starter_done()
 *
 * The program is looked for where distributions have it, and in what the unit files start, wherever that is. A unit
 * whose program does not exist starts nothing. Return: 0 or -ENOMEM.
 */
int starter_find(const Root *root, const char *except, Starter *ret);

/** starter_done() - release what starter_find() filled in */
void starter_done(Starter *s);
