/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A command line as qemu-ga reads it: getopt_long(), lists parted at commas and nowhere else, and everything
 * that is no option passed over in silence (QEMU: qga/main.c, config_parse()).
 */

#include "qga-policy/binary.h"
#include "qga-policy/command.h"

/* What an argument is to qemu-ga. */
typedef enum ArgumentRole {
        ROLE_OTHER,    /* an option that restricts nothing, or its value */
        ROLE_BLOCK,    /* holds the list of a block option; with its name, or behind it */
        ROLE_ALLOW,
        ROLE_CONF,     /* holds the path of qemu-ga.conf */
        ROLE_STATE,    /* holds the directory for its state */
        ROLE_NAME,     /* the name of one of those options, whose value is the next argument */
        ROLE_IGNORED,  /* no option: passed over */
} ArgumentRole;

/* What is wrong with a whole command line. */
typedef enum ArgumentsFault {
        FAULT_NONE,
        FAULT_UNKNOWN,   /* an option that this qemu-ga does not have: it exits */
        FAULT_REMOVED,   /* … and that earlier ones had: --blacklist */
        FAULT_EXITS,     /* an option that makes it print something and exit */
        FAULT_EXCLUSIVE, /* block and allow list at once, which this one refuses */
} ArgumentsFault;

typedef struct ArgumentView {
        ArgumentRole role;
        const char *value; /* of a role that holds something; inside of the argument */
        bool removed;      /* given by an option name that this qemu-ga no longer has */
} ArgumentView;

typedef struct QgaArguments {
        ArgumentView *views; /* one for each argument */
        size_t n;
        ArgumentsFault fault;
        size_t fault_at; /* which argument */
} QgaArguments;

/**
 * qga_arguments_parse() - read a command line
 * @arguments: the arguments; they must outlive the result
 * @binary: what the qemu-ga in question understands
 * @ret: takes the answer; the caller calls qga_arguments_done()
 *
 * A removed --blacklist is read as if it were there. Return: 0 or -ENOMEM.
 */
int qga_arguments_parse(const ExecArguments *arguments, const QgaBinary *binary, QgaArguments *ret);

/** qga_arguments_done() - release what qga_arguments_parse() filled in */
void qga_arguments_done(QgaArguments *a);
#define _cleanup_qga_arguments_ _cleanup_(qga_arguments_done)

/** qga_arguments_value() - what the last argument of a role holds, or NULL */
const char *qga_arguments_value(const QgaArguments *a, ArgumentRole role) _pure_;
