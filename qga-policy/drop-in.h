/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The drop-in that gives qemu-ga its restrictions. A drop-in can only replace the whole ExecStart, so this one repeats
 * the unit's own word for word, and adds a list. An administrator's override.conf is read after it.
 */

#include "qga-policy/agent-command.h"
#include "qga-policy/wish.h"

#define DROP_IN_NAME "90-gtuned.conf"

/* The lists that close what the policy wants closed. */
typedef struct DropInForm {
        Names block;        /* for -b */
        Names allow;        /* for --allow-rpcs=; empty: none */
        bool replace_allow; /* the command's own allow lists are dropped: this qemu-ga refuses -b beside them */
} DropInForm;

/**
 * drop_in_form() - decide which lists close what the policy wants closed
 * @base: the unit without the drop-in
 * @binary: what its qemu-ga understands
 * @wish: what the policy wants
 * @ret: takes the answer; the caller calls drop_in_form_done()
 *
 * Each name is closed exactly once: a name that the distribution or qemu-ga.conf closes is not repeated. Lists of one
 * kind add up (QEMU: qga/main.c), so an allow list is never added beside another one. No allow list is ever empty,
 * because qemu-ga would ignore it. Return: 0; -EOPNOTSUPP if this qemu-ga cannot be told: qemu-ga.conf and the command
 * line both have an allow list; -ENOMEM.
 */
int drop_in_form(const AgentCommand *base, const QgaBinary *binary, const Wish *wish, DropInForm *ret);

/** drop_in_form_done() - release what drop_in_form() filled in */
void drop_in_form_done(DropInForm *form);

/**
 * drop_in_write() - make the text of the drop-in
 * @base: the unit without the drop-in
 * @form: the lists
 * @b: takes the text
 *
 * Return: 0; -EINVAL if a word cannot be written into a unit file; -ENOMEM.
 */
int drop_in_write(const AgentCommand *base, const DropInForm *form, Buffer *b);

/* The file at the path of the drop-in. */
typedef struct DropInFile {
        bool exists;
        bool masked;  /* it is a link to /dev/null, which hides every file of that name */
        bool intact;  /* its bytes are as gtuned wrote them, under this policy or an older one */
        char *copied; /* the ExecStart that it repeats, as its comment says; NULL: no such comment */
} DropInFile;

/**
 * drop_in_read() - parse the file at the path of the drop-in
 * @text: its text
 * @ret: takes the answer; the caller calls drop_in_file_done()
 *
 * Return: 0 or -ENOMEM.
 */
int drop_in_read(const char *text, DropInFile *ret);

/** drop_in_file_done() - release what drop_in_read() filled in */
void drop_in_file_done(DropInFile *file);
