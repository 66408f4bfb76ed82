/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Secrets in texts that are made to be sent: reports, events and snapshots. A table of names says what is one. A secret
 * is overwritten in place, with "REDACTED" over and over: so sizes and offsets stay as they are (a block of GRUB's
 * environment, an event log, the length of a command line), and to redact twice is the same as once.
 */

#include "core/util.h"

/* How the text of a row is found. All letters count as small ones, and "-" as "_". */
typedef enum SecretKind {
        SECRET_IN_NAME,   /* NAME=VALUE: the name has the text in it */
        SECRET_NAME_PART, /* NAME=VALUE: a part of the name, between ".", "_", "-" or "/", is the text */
        SECRET_NAME_END,  /* NAME=VALUE: the name ends in the text */
        SECRET_NAME,      /* NAME=VALUE: the name is the text */
        SECRET_LOGIN,     /* what is between the text and the last "@" before the next blank or quote */
        SECRET_SPAN,      /* what is between the text and the word that ends the span */
        SECRET_LINE,      /* the rest of a line of a file, after a word that has the text in it */
        _SECRET_KIND_MAX,
} SecretKind;

typedef struct Secret {
        SecretKind kind;
        const char *text;
        const char *end; /* SECRET_SPAN: the word that ends it; SECRET_LOGIN: characters that end it too, or NULL */
        const char *meaning;
} Secret;

extern const Secret secrets[];
extern const size_t n_secrets;

/** secret_format() - write a row as people know it, as "*password*=VALUE". Return: a new string, or NULL. */
char *secret_format(const Secret *secret);

/**
 * secret_redact() - overwrite the secrets of a command line, or of another text on one line
 * @text: changed in place; need not end with NUL
 * @size: its length in bytes
 *
 * Quotes and backslashes stay, and rows of the kind SECRET_LINE do not count.
 */
void secret_redact(char *text, size_t size);

/**
 * secret_redact_cmdline() - overwrite the secrets of a running kernel's command line
 * @text: changed in place; need not end with NUL
 * @size: its length in bytes
 *
 * As secret_redact(), and the parameter after a bare word of a SECRET_LINE counts too, if it is no NAME=VALUE: those after
 * it stay, since a report rests on them.
 */
void secret_redact_cmdline(char *text, size_t size);

/**
 * secret_redact_file() - overwrite the secrets of a file of any kind
 * @data: changed in place
 * @size: its length in bytes
 *
 * A value goes on over lines until its quote is closed, and line ends stay. In a file with NUL bytes each run of printable
 * ASCII counts as a line, in UTF-16 too: an event log holds command lines in both.
 */
void secret_redact_file(char *data, size_t size);
