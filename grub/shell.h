/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a shell file such as /etc/default/grub assigns to a variable, and which of its bytes make up the
 * value. grub-mkconfig reads these files with the "." command of /bin/sh. Nothing is executed, and what only
 * the shell could know is refused.
 */

#include "core/buffer.h"

/* The longest value that is read, in bytes. */
#define SHELL_VALUE_MAX (64U * 1024U)

typedef enum ShellQuote {
        SHELL_UNQUOTED,
        SHELL_SINGLE,
        SHELL_DOUBLE,
} ShellQuote;

/* Where a byte of the value comes from. */
typedef struct ShellByte {
        size_t begin, end; /* its bytes in the file, with an escaping backslash */
        ShellQuote quote;
        unsigned file;     /* which of several files */
} ShellByte;

typedef struct ShellValue {
        Buffer text;      /* the value; variables other than the one itself as they are written */
        ShellByte *bytes; /* one for each byte of the text */
        size_t n_assignments; /* 0: the file does not set the variable */
        size_t begin, end;    /* the last assignment from its name to its end */
        unsigned file;        /* … and the file that it stands in */
        size_t first;         /* where text goes that shall stand before the whole value */
        ShellQuote first_quote;
        unsigned first_file;
} ShellValue;

#define SHELL_VALUE_NULL ((ShellValue) {})

typedef struct ShellError {
        size_t offset;
        bool dynamic;       /* it is a good shell file, but only a shell knows the value */
        const char *reason; /* a sentence without a full stop */
} ShellError;

/**
 * shell_read_variable() - find out what a shell file assigns to a variable
 * @text: the file
 * @size: its length in bytes
 * @name: the variable
 * @ret: takes the value; the caller calls shell_value_done()
 * @ret_error: set with -EINVAL only
 *
 * Understood are quotes, backslashes, line continuations, "+=", the variable in its own new value, "export",
 * and several assignments, of which the last decides. Assignments that may or may not happen (in "if", behind
 * "&&", in a function) and command substitution in the value are refused. No byte of the file is in the value
 * twice.
 *
 * Return: 0; -EINVAL with the error; -ENOMEM.
 */
int shell_read_variable(const char *text, size_t size, const char *name, ShellValue *ret, ShellError *ret_error);

/**
 * shell_continue_variable() - go on with a file that the shell reads after others
 * @text: the file
 * @size: its length in bytes
 * @name: the variable
 * @file: which file this is; its bytes of the value say so
 * @value: what the files before it made of the variable; replaced, and left alone on failure
 * @ret_error: set with -EINVAL only
 *
 * Return: as shell_read_variable().
 */
int shell_continue_variable(const char *text, size_t size, const char *name, unsigned file, ShellValue *value,
                            ShellError *ret_error);

/** shell_value_done() - release a value */
void shell_value_done(ShellValue *v);
