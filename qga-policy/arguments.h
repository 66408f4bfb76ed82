/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A command line as qemu-ga reads it: getopt_long() takes the options, only commas separate the names of a list, and an
 * argument that is no option is ignored (QEMU: qga/main.c, config_parse()).
 */

#include "qga-policy/binary.h"
#include "qga-policy/command.h"

/* What qemu-ga takes an argument for. */
typedef enum ArgumentRole {
        ROLE_OTHER,    /* an option that restricts nothing, or its value */
        ROLE_BLOCK,    /* holds the list of a block option: in the same argument as the name, or in the next one */
        ROLE_ALLOW,
        ROLE_CONF,     /* holds the path of qemu-ga.conf */
        ROLE_STATE,    /* holds the directory for its state */
        ROLE_NAME,     /* the name of one of those options, whose value is the next argument */
        ROLE_IGNORED,  /* no option: qemu-ga ignores it */
} ArgumentRole;

/* What is wrong with a whole command line. */
typedef enum ArgumentsFault {
        FAULT_NONE,
        FAULT_UNKNOWN,   /* an option that this qemu-ga does not have: it exits */
        FAULT_REMOVED,   /* … and that earlier versions had: --blacklist */
        FAULT_EXITS,     /* an option that makes it print something and exit */
        FAULT_EXCLUSIVE, /* a block list and an allow list, and this qemu-ga refuses both at once */
} ArgumentsFault;

typedef struct ArgumentView {
        ArgumentRole role;
        const char *value; /* of a role that holds a value; points into the argument */
        bool removed;      /* given by an option name that this qemu-ga no longer has */
} ArgumentView;

typedef struct QgaArguments {
        ArgumentView *views; /* one for each argument */
        size_t n;
        ArgumentsFault fault;
        size_t fault_at; /* index of the argument that has the fault */
} QgaArguments;

/**
 * qga_arguments_parse() - read a command line
 * @arguments: the arguments; they must outlive the result
 * @binary: what the qemu-ga in question understands
 * @ret: takes the answer; the caller calls qga_arguments_done()
 *
 * A --blacklist that this qemu-ga no longer has is read as if it had it. Return: 0 or -ENOMEM.
 */
int qga_arguments_parse(const ExecArguments *arguments, const QgaBinary *binary, QgaArguments *ret);

/** qga_arguments_done() - release what qga_arguments_parse() filled in */
void qga_arguments_done(QgaArguments *a);
#define _cleanup_qga_arguments_ _cleanup_(qga_arguments_done)

/** qga_arguments_value() - what the last argument of a role holds, or NULL */
const char *qga_arguments_value(const QgaArguments *a, ArgumentRole role) _pure_;
