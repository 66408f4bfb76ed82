/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The RPCs that a qemu-ga is told not to answer, and the source of each list. The lists of all sources add up: a name
 * is closed if any block list has it, or if there are allow lists and none has it. An empty list counts as no list
 * (QEMU: qga/main.c).
 */

#include "qga-policy/arguments.h"
#include "qga-policy/conf.h"

typedef struct Restriction {
        bool allow;   /* an allow list; otherwise a block list */
        bool by_conf; /* from qemu-ga.conf; otherwise from the command line */
        Names names;  /* as they are written: a name with a blank matches no RPC */
        char *source; /* "/etc/sysconfig/qemu-ga:3 (BLACKLIST_RPC)" */
} Restriction;

typedef struct Restrictions {
        Restriction *list;
        size_t n;
        Names left_open;        /* written to be closed without effect: after a blank, or in a list that is ignored */
        char *left_open_source; /* where the first of them is written */
        char *left_open_why;
} Restrictions;

/**
 * restrictions_add_arguments() - add the lists of a command line
 * @r: takes the lists
 * @arguments: the command line
 * @view: how qemu-ga reads it
 * @source: where the command line is written; if a variable gave an argument, the variable's place is noted
 *
 * Return: 0 or -ENOMEM.
 */
int restrictions_add_arguments(Restrictions *r, const ExecArguments *arguments, const QgaArguments *view,
                               const char *source);

/** restrictions_add_conf() - add the lists of qemu-ga.conf. Return: 0 or -ENOMEM. */
int restrictions_add_conf(Restrictions *r, const QgaConf *conf);

/** restrictions_done() - release the restrictions */
void restrictions_done(Restrictions *r);
#define _cleanup_restrictions_ _cleanup_(restrictions_done)

/** restrictions_close() - the restriction that closes a name, or NULL if the name is open */
const Restriction *restrictions_close(const Restrictions *r, const char *name) _pure_;

/** restrictions_closed() - add those of @names that are closed to *ret. Return: 0 or -ENOMEM. */
int restrictions_closed(const Restrictions *r, const Names *names, Names *ret);

/** restrictions_have_allow() - whether there is an allow list, in qemu-ga.conf or on the command line */
bool restrictions_have_allow(const Restrictions *r, bool by_conf) _pure_;
