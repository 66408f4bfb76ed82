/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The kernel command line as a list of tokens, by the kernel's own rules (lib/cmdline.c: next_arg(),
 * kernel/params.c: parse_args()): blanks between double quotes do not end a token, "-" and "_" are the same in a
 * parameter's name, the tokens after "--" are for init, and the last of several tokens of one name decides.
 */

#include "core/util.h"

/* The longest command line in bytes: COMMAND_LINE_SIZE is 2048 on x86 and arm64 and counts the NUL. */
#define CMDLINE_MAX 2047U

typedef struct Token {
        char *name;          /* without quotes */
        char *value;         /* without quotes; NULL if there is no "=" */
        size_t offset, size; /* the bytes of the text that it was read from, quotes included */
        bool for_init;       /* it is the first "--", or comes after it */
        bool open;           /* its double quote is never closed, so text appended to the line becomes part of it */
        bool from_variable;  /* it is not written in the line, but in the value of a variable that the line refers to */
        bool uncertain;      /* a variable holds it that can also have another value: the kernel may not get it */
} Token;

typedef struct Cmdline {
        Token *tokens;
        size_t n_tokens;
} Cmdline;

#define CMDLINE_NULL ((Cmdline) {})

/**
 * cmdline_parse() - split a command line into tokens
 * @text: the command line; need not end with NUL
 * @size: its length in bytes
 * @ret: takes the tokens; the caller calls cmdline_done()
 *
 * A quote that is still open ends with the text, as for the kernel. Return: 0 or -ENOMEM.
 */
int cmdline_parse(const char *text, size_t size, Cmdline *ret);

/** cmdline_done() - release the tokens; the list is empty afterwards */
void cmdline_done(Cmdline *c);

/** parameter_name_equal() - compare two parameter names as the kernel's parameq() does: "-" equals "_" */
bool parameter_name_equal(const char *a, const char *b) _pure_;

/**
 * cmdline_find() - find the token that decides a parameter
 * @c: the list
 * @name: the name of the parameter
 *
 * Return: the last token of that name that is not for init, or NULL.
 */
const Token *cmdline_find(const Cmdline *c, const char *name) _pure_;

/**
 * parse_kernel_bool() - read a bool as the kernel's kstrtobool() does
 * @s: the text; NULL (a parameter without "=") is true
 * @ret: takes the value
 *
 * Return: 0, or -EINVAL.
 */
int parse_kernel_bool(const char *s, bool *ret);

/**
 * parse_kernel_uint() - read a number as the kernel's kstrtouint(…, 0) does
 * @s: decimal, octal with a leading 0, or hexadecimal with 0x; one leading "+" is allowed, "-" is not
 * @ret: takes the value, 0 to 4294967295
 *
 * Return: 0; -EINVAL if the text is no number; -ERANGE if the number does not fit 32 bits.
 */
int parse_kernel_uint(const char *s, uint32_t *ret);

/* How the value of a parameter is compared. */
typedef enum TokenKind {
        TOKEN_FLAG,   /* its presence counts, whatever its value: arm_pvspin=0 enables too */
        TOKEN_BOOL,   /* values are compared as bools */
        TOKEN_STRING, /* values are compared as text */
        _TOKEN_KIND_MAX,
} TokenKind;

/* A token that is wanted (or not) on the command line of the next boot. */
typedef struct TokenSpec {
        const char *name;  /* the parameter */
        const char *value; /* the value that it shall have; NULL: none */
        TokenKind kind;
} TokenSpec;

/* Whether a command line has a wanted token. */
typedef enum TokenState {
        TOKEN_ABSENT,   /* it has no token of this name */
        TOKEN_EQUAL,    /* the deciding token has the wanted meaning */
        TOKEN_OPPOSITE, /* the deciding token has another meaning */
} TokenState;

/**
 * cmdline_state() - find out whether a command line has a wanted token
 * @c: the command line
 * @spec: the wanted token
 * @ret_token: takes the deciding token, which belongs to c, or NULL if there is none; may be NULL
 *
 * A token that the kernel may not get counts only if it has another meaning.
 */
TokenState cmdline_state(const Cmdline *c, const TokenSpec *spec, const Token **ret_token);

/**
 * token_spec_format() - make the text that is written for a token: "name" or "name=value"
 * @spec: the token
 *
 * Return: a new string, or NULL when memory is exhausted.
 */
char *token_spec_format(const TokenSpec *spec);

/**
 * token_spec_parse() - read a token from the text that token_spec_format() wrote, as the ledger records it
 * @text: "name" or "name=value", without quotes; the first "=" ends the name
 * @ret: takes the token, of the kind TOKEN_STRING; name and value point into *ret_text
 * @ret_text: takes a new string that holds both; the caller frees it, after the last use of *ret
 *
 * Return: 0 or -ENOMEM.
 */
int token_spec_parse(const char *text, TokenSpec *ret, char **ret_text);
