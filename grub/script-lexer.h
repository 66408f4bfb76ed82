/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The lexer of GRUB's configuration language: grub-core/script/yylex.l. It is a part of script.c.
 */

#include "grub/script.h"

typedef enum LexerToken {
        LEXER_END,
        LEXER_NEWLINE,
        LEXER_SEMICOLON,
        LEXER_OPEN,     /* { */
        LEXER_CLOSE,    /* } */
        LEXER_OPERATOR, /* what the lexer knows and no sentence has: & && | || ;; < > [[ ]] */
        /* From here on everything can be an argument. */
        LEXER_WORD,
        LEXER_NAME,
        LEXER_RESERVED, /* case, esac, in, select: reserved, and nothing begins with them */
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
        size_t pos;     /* always at a byte that counts, or at the end */
        size_t end;     /* behind the byte that was read last, and behind the lines that are dropped after it */
        unsigned line;
        bool in_line;   /* something of this line was read */
        bool os_prober;

        /* The token that was read last. */
        LexerToken type;
        unsigned token_line;
        size_t length;    /* its bytes as GRUB counts them */
        ScriptWord word;
        bool substantial; /* a word that leaves something behind */
        bool plain;       /* a word without quotes, escapes and variables */

        char *values;   /* holds the values of all words; none needs more bytes than its text and the byte behind it */
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
 * Return: 0, or -EINVAL with l->error set.
 */
int lexer_next(Lexer *l);

/** lexer_fail() - set the error; always -EINVAL */
int lexer_fail(Lexer *l, unsigned line, const char *reason);
