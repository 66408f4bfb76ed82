/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The lexer of GRUB's configuration language (grub-core/script/yylex.l). Part of script.c.
 */

#include "grub/script.h"

typedef enum LexerToken {
        LEXER_END,
        LEXER_NEWLINE,
        LEXER_SEMICOLON,
        LEXER_OPEN,     /* { */
        LEXER_CLOSE,    /* } */
        LEXER_OPERATOR, /* the lexer knows it, but the grammar has no use for it: & && | || ;; < > [[ ]] */
        /* All types from here on can be arguments. */
        LEXER_WORD,
        LEXER_NAME,
        LEXER_RESERVED, /* case, esac, in, select: reserved, but no command begins with them */
        LEXER_DO,
        LEXER_DONE,
        LEXER_ELIF,
        LEXER_ELSE,
        LEXER_FI,
        LEXER_FOR,
        LEXER_FUNCTION,
        LEXER_IF,
        LEXER_THEN,
        LEXER_UNTIL,
        LEXER_WHILE,
} LexerToken;

typedef struct Lexer {
        const char *text;
        size_t size;
        size_t pos;     /* at the next byte that GRUB sees, or at the end */
        size_t end;     /* after the byte that was read last, and after the lines that are dropped there */
        unsigned line;
        bool in_line;   /* a byte of this line was read */
        bool os_prober; /* between the comments that 30_os-prober writes */

        /* The token that was read last. */
        LexerToken type;
        unsigned token_line;
        size_t length;    /* its size as GRUB counts it */
        ScriptWord word;
        bool substantial; /* the word has bytes of its own, or quotes: GRUB makes an argument of it */
        bool plain;       /* the word has no quotes, escapes and variables */

        ScriptReference *references; /* of all words */
        size_t n_references;
        char *values;   /* the values of all words; each takes at most the bytes of its text and of the byte after it */
        size_t used;

        ScriptError error;
} Lexer;

/**
 * lexer_start() - go to the first byte that GRUB sees
 * @l: the lexer with text, size, line and values set
 */
void lexer_start(Lexer *l);

/**
 * lexer_next() - read the next token
 * @l: the lexer; its token is replaced
 *
 * Return: 0; -EINVAL with l->error set; -ENOMEM.
 */
int lexer_next(Lexer *l);

/** lexer_fail() - set the error; always -EINVAL */
int lexer_fail(Lexer *l, unsigned line, const char *reason);
