/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a qemu-ga is told not to answer, and by whom. Lists of all sources add up: a name is closed where any
 * block list has it, or where there is an allow list and none has it. An empty list is none (QEMU: qga/main.c).
 */

#include "qga-policy/arguments.h"
#include "qga-policy/conf.h"

typedef struct Restriction {
        bool allow;   /* only these are open; otherwise these are closed */
        bool by_conf; /* of qemu-ga.conf, and not of the command line */
        Names names;  /* as they are written: one that holds a blank matches nothing */
        char *source; /* "/etc/sysconfig/qemu-ga:3 (BLACKLIST_RPC)" */
} Restriction;

typedef struct Restrictions {
        Restriction *list;
        size_t n;
        Names left_open;        /* names that somebody meant to close: behind a blank, or in a list that is ignored */
        char *left_open_source; /* the first place of those */
        char *left_open_why;
} Restrictions;

/**
 * restrictions_add_arguments() - add what a command line says
 * @r: takes it
 * @arguments: the command line
 * @view: how qemu-ga reads it
 * @source: where it comes from; an argument that was made of a variable names that one's place instead
 *
 * Return: 0 or -ENOMEM.
 */
int restrictions_add_arguments(Restrictions *r, const ExecArguments *arguments, const QgaArguments *view,
                               const char *source);

/** restrictions_add_conf() - add what qemu-ga.conf says. Return: 0 or -ENOMEM. */
int restrictions_add_conf(Restrictions *r, const QgaConf *conf);

/** restrictions_done() - release them */
void restrictions_done(Restrictions *r);
#define _cleanup_restrictions_ _cleanup_(restrictions_done)

/** restrictions_close() - the restriction that closes a name, or NULL where it is open */
const Restriction *restrictions_close(const Restrictions *r, const char *name) _pure_;

/** restrictions_closed() - those of @names that are closed. Return: 0 or -ENOMEM. */
int restrictions_closed(const Restrictions *r, const Names *names, Names *ret);

/** restrictions_have_allow() - whether there is an allow list, in qemu-ga.conf or on the command line */
bool restrictions_have_allow(const Restrictions *r, bool by_conf) _pure_;
