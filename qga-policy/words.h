/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Splits a line of a unit file into words, as the service manager does (systemd: src/basic/extract-word.c).
 */

#include "core/buffer.h"

#define WORDS_MAX 4096U

typedef struct UnitWord {
        char *raw;  /* as it is written, with quotes and backslashes */
        char *text; /* what it means */
} UnitWord;

typedef struct Words {
        UnitWord *list;
        size_t n;
} Words;

/* Which escapes there are, and whether an open quote is an error. */
typedef enum WordRules {
        WORDS_COMMAND,     /* ExecStart=: C escapes, and an unknown escape stays as it is; an open quote is an error */
        WORDS_ASSIGNMENTS, /* Environment=: C escapes; an unknown escape and an open quote are errors */
        WORDS_VARIABLE,    /* value of $VARIABLE: a backslash quotes any character; an open quote ends with the text */
} WordRules;

/**
 * words_split() - split a line
 * @s: the text
 * @rules: the rules
 * @ret: takes the words; the caller calls words_done()
 *
 * Return: 0; -EINVAL if the rules make an open quote or an unknown escape an error, and then *ret has the words before
 * it; -E2BIG if there are more than WORDS_MAX words; -ENOMEM.
 */
int words_split(const char *s, WordRules rules, Words *ret);

/** words_done() - release the words */
void words_done(Words *words);
#define _cleanup_words_ _cleanup_(words_done)

/**
 * word_quote() - quote a text so that the service manager reads it as one word of ExecStart=
 * @b: takes the word
 * @text: the text; "%" and "$" are doubled, so that they are not expanded
 *
 * Return: 0; -EINVAL if the text holds a control character or is no valid UTF-8; -ENOMEM.
 */
int word_quote(Buffer *b, const char *text);
