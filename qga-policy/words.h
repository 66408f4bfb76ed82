/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Words as the service manager takes a line of a unit file apart (systemd: src/basic/extract-word.c).
 */

#include "core/buffer.h"

#define WORDS_MAX 4096U

typedef struct UnitWord {
        char *raw;  /* as it is written, quotes and backslashes included */
        char *text; /* what it says */
} UnitWord;

typedef struct Words {
        UnitWord *list;
        size_t n;
} Words;

/* How strict to be. */
typedef enum WordRules {
        WORDS_COMMAND,     /* ExecStart=: C escapes, one that is none stays as it is; a quote must be closed */
        WORDS_ASSIGNMENTS, /* Environment=: C escapes and nothing that looks like one; a quote must be closed */
        WORDS_VARIABLE,    /* the value of $VARIABLE: a backslash only protects, an open quote ends with the text */
} WordRules;

/**
 * words_split() - take a line apart
 * @s: the text
 * @rules: how strict
 * @ret: takes the words; the caller calls words_done()
 *
 * Return: 0; -EINVAL for an open quote or an unknown escape, and *ret has the words before it; -E2BIG for more
 * than WORDS_MAX words; -ENOMEM.
 */
int words_split(const char *s, WordRules rules, Words *ret);

/** words_done() - release the words */
void words_done(Words *words);
#define _cleanup_words_ _cleanup_(words_done)

/**
 * word_quote() - write a text so that it is one word and means itself
 * @b: takes the word
 * @text: the text; a "%" and a "$" in it are kept from being expanded
 *
 * Return: 0; -EINVAL where it holds a control character or no valid UTF-8; -ENOMEM.
 */
int word_quote(Buffer *b, const char *text);
