/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Finds the value that a shell file such as /etc/default/grub assigns to a variable, and the bytes of the file that
 * make it up. grub-mkconfig reads these files with the "." command of /bin/sh. Nothing is executed: a value that only a
 * shell can compute is refused.
 */

#include "core/buffer.h"

/* The longest value that is read, in bytes. */
#define SHELL_VALUE_MAX (64U * 1024U)

typedef enum ShellQuote {
        SHELL_UNQUOTED,
        SHELL_SINGLE,
        SHELL_DOUBLE,
} ShellQuote;

/* The origin of a byte of the value. */
typedef struct ShellByte {
        size_t begin, end; /* its bytes in the file, with an escaping backslash */
        ShellQuote quote;
        unsigned file;     /* the number of the file, as given to shell_continue_variable() */
} ShellByte;

typedef struct ShellValue {
        Buffer text;      /* the value; other variables in it are not expanded */
        ShellByte *bytes; /* one for each byte of the text */
        size_t n_assignments; /* 0: the file does not set the variable */
        size_t begin, end;    /* the last assignment from its name to its end */
        unsigned file;        /* the file of the last assignment */
        size_t first;         /* where text is inserted to come before the whole value */
        ShellQuote first_quote;
        unsigned first_file;
} ShellValue;

#define SHELL_VALUE_NULL ((ShellValue) {})

typedef struct ShellError {
        size_t offset;
        bool dynamic;       /* the file is valid, but only a shell can compute the value */
        const char *reason; /* a sentence without a full stop */
} ShellError;

/**
 * shell_read_variable() - read the value that a shell file assigns to a variable
 * @text: the file
 * @size: its length in bytes
 * @name: the variable
 * @ret: takes the value; the caller calls shell_value_done()
 * @ret_error: set with -EINVAL only
 *
 * It understands quotes, backslashes, line continuations, "+=", the variable in its own new value, "export", and
 * several assignments, of which the last decides. It refuses assignments that may not happen (in "if", after "&&", in a
 * function) and command substitution in the value. No byte of the file is in the value twice.
 *
 * Return: 0; -EINVAL with the error; -ENOMEM.
 */
int shell_read_variable(const char *text, size_t size, const char *name, ShellValue *ret, ShellError *ret_error);

/**
 * shell_continue_variable() - read another file that the shell reads after the ones before
 * @text: the file
 * @size: its length in bytes
 * @name: the variable
 * @file: the number of this file, which its bytes of the value get
 * @value: the value after the files before this one; replaced, and not changed on failure
 * @ret_error: set with -EINVAL only
 *
 * Return: as shell_read_variable().
 */
int shell_continue_variable(const char *text, size_t size, const char *name, unsigned file, ShellValue *value,
                            ShellError *ret_error);

/** shell_value_done() - release a value */
void shell_value_done(ShellValue *v);
