/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The drop-in that gives qemu-ga its restrictions. It repeats the unit's own ExecStart word for word, because
 * a drop-in can only replace the whole, and adds a list. An administrator's override.conf sorts behind it.
 */

#include "qga-policy/agent-command.h"
#include "qga-policy/wish.h"

#define DROP_IN_NAME "90-gtuned.conf"

/* How the wanted names get closed. */
typedef struct DropInForm {
        Names block;        /* for -b */
        Names allow;        /* for --allow-rpcs=; empty: none */
        bool replace_allow; /* the allow lists among the words go: this qemu-ga takes no -b beside them */
} DropInForm;

/**
 * drop_in_form() - decide how to close what is wanted
 * @base: the unit without our drop-in
 * @binary: what its qemu-ga understands
 * @wish: what the policy wants
 * @ret: takes the answer; the caller calls drop_in_form_done()
 *
 * Each name is closed exactly once: what the distribution or qemu-ga.conf closes is left to them. Lists of one kind
 * add up (QEMU: qga/main.c), so an allow list of ours never stands beside another one, and no allow list is ever
 * empty: qemu-ga would take that for none. Return: 0; -EOPNOTSUPP where it cannot be said to this qemu-ga: its
 * qemu-ga.conf has an allow list and its command line another one; -ENOMEM.
 */
int drop_in_form(const AgentCommand *base, const QgaBinary *binary, const Wish *wish, DropInForm *ret);

/** drop_in_form_done() - release what drop_in_form() filled in */
void drop_in_form_done(DropInForm *form);

/**
 * drop_in_write() - the bytes of the drop-in
 * @base: the unit without it
 * @form: how
 * @b: takes the text
 *
 * Return: 0; -EINVAL where a word cannot be written into a unit file; -ENOMEM.
 */
int drop_in_write(const AgentCommand *base, const DropInForm *form, Buffer *b);

/* What a file in the drop-in's place turns out to be. */
typedef struct DropInFile {
        bool exists;
        bool masked;  /* it is a link to /dev/null, which hides every file of that name */
        bool intact;  /* it is as gtuned wrote it, whatever the policy was then */
        char *copied; /* the ExecStart that it was made from; NULL: it does not say */
} DropInFile;

/**
 * drop_in_read() - look at a file
 * @text: its bytes, NUL-terminated
 * @ret: takes the answer; the caller calls drop_in_file_done()
 *
 * Return: 0 or -ENOMEM.
 */
int drop_in_read(const char *text, DropInFile *ret);

/** drop_in_file_done() - release what drop_in_read() filled in */
void drop_in_file_done(DropInFile *file);
