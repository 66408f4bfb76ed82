/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Splits a grub.cfg into tokens as GRUB does.
 *
 * Tested by test-script.c.
 */

#include <limits.h>

#include "grub/script-lexer.h"

/*
 * The longest token in bytes: flex has an array of YYLMAX (8192) for it. flex counts a token that ends in a
 * continuation with the next byte, and a comment with its newline twice.
 */
#define TOKEN_SIZE_MAX 8191U
#define CONTINUED_SIZE_MAX 8190U
#define COMMENT_SIZE_MAX 8189U

#define LEXER_NO_BYTE (-1)

static const struct {
        const char *text;
        LexerToken type;
} reserved_words[] = {
        { "[[",       LEXER_OPERATOR },
        { "]]",       LEXER_OPERATOR },
        { "case",     LEXER_RESERVED },
        { "do",       LEXER_DO       },
        { "done",     LEXER_DONE     },
        { "elif",     LEXER_ELIF     },
        { "else",     LEXER_ELSE     },
        { "esac",     LEXER_RESERVED },
        { "fi",       LEXER_FI       },
        { "for",      LEXER_FOR      },
        { "function", LEXER_FUNCTION },
        { "if",       LEXER_IF       },
        { "in",       LEXER_RESERVED },
        { "select",   LEXER_RESERVED },
        { "then",     LEXER_THEN     },
        { "until",    LEXER_UNTIL    },
        { "while",    LEXER_WHILE    },
};

/* What a byte is to the lexer; all others only stand for themselves. */
enum {
        BYTE_ENDS_WORD = 1 << 0,    /* in yylex.l, all other bytes are CHAR or begin another piece */
        BYTE_BEGINS_PIECE = 1 << 1, /* quotes, an escape or a variable */
        BYTE_ENDS_DOUBLE = 1 << 2,  /* it is special in double quotes */
        BYTE_ENDS_SINGLE = 1 << 3,
        BYTE_ENDS_RUN = 1 << 4,     /* a newline is counted, and a carriage return is dropped */
};

static const uint8_t lexer_bytes[UCHAR_MAX + 1] = {
        ['\r'] = BYTE_ENDS_RUN,
        ['\n'] = BYTE_ENDS_RUN | BYTE_ENDS_WORD,
        [' '] = BYTE_ENDS_WORD,
        ['\t'] = BYTE_ENDS_WORD,
        ['{'] = BYTE_ENDS_WORD,
        ['}'] = BYTE_ENDS_WORD,
        ['|'] = BYTE_ENDS_WORD,
        ['&'] = BYTE_ENDS_WORD,
        [';'] = BYTE_ENDS_WORD,
        ['<'] = BYTE_ENDS_WORD,
        ['>'] = BYTE_ENDS_WORD,
        ['\\'] = BYTE_BEGINS_PIECE | BYTE_ENDS_DOUBLE,
        ['"'] = BYTE_BEGINS_PIECE | BYTE_ENDS_DOUBLE,
        ['$'] = BYTE_BEGINS_PIECE | BYTE_ENDS_DOUBLE,
        ['\''] = BYTE_BEGINS_PIECE | BYTE_ENDS_SINGLE,
};

int lexer_fail(Lexer *l, unsigned line, const char *reason) {
        l->error = (ScriptError) { .line = line, .reason = reason };
        return -EINVAL;
}

/* GRUB drops a line that begins with "#" before the lexer sees it, even inside quotes. */
static void lexer_skip_hash_line(Lexer *l) {
        static const char begin[] = "### BEGIN ", prober[] = "### BEGIN /etc/grub.d/30_os-prober ###",
                          end[] = "### END ";
        const char *line = l->text + l->pos, *newline;
        size_t left = l->size - l->pos;

        if (left >= strlen(prober) && memcmp(line, prober, strlen(prober)) == 0)
                l->os_prober = true;
        else if ((left >= strlen(begin) && memcmp(line, begin, strlen(begin)) == 0) ||
                 (left >= strlen(end) && memcmp(line, end, strlen(end)) == 0))
                l->os_prober = false;

        newline = memchr(line, '\n', left);
        if (newline)
                l->line++;
        l->pos = newline ? (size_t) (newline + 1 - l->text) : l->size;
        l->end = l->pos;
}

/* Skip bytes that GRUB does not see: such lines, and carriage returns, which grub_file_getline() drops. */
static void lexer_settle(Lexer *l) {
        for (;;) {
                while (l->pos < l->size && l->text[l->pos] == '\r')
                        l->pos++;

                if (l->in_line || l->pos >= l->size || l->text[l->pos] != '#')
                        return;

                lexer_skip_hash_line(l);
        }
}

void lexer_start(Lexer *l) {
        lexer_settle(l);
}

/* The next byte. GRUB adds a newline to a last line that has none. */
static int lexer_current(const Lexer *l) {
        if (l->pos < l->size)
                return (unsigned char) l->text[l->pos];

        return l->in_line ? '\n' : LEXER_NO_BYTE;
}

static void lexer_advance(Lexer *l) {
        if (lexer_current(l) == '\n') {
                l->line++;
                l->in_line = false;
        } else
                l->in_line = true;

        if (l->pos < l->size)
                l->pos++;
        l->end = l->pos;
        l->length++;
        lexer_settle(l);
}

/* Append a byte to the value of the word. */
static void lexer_put(Lexer *l, int c) {
        l->values[l->used++] = (char) c;
}

/* The bytes that were read since "begin" belong to the word. */
static void lexer_mark(Lexer *l, size_t begin) {
        if (!l->substantial)
                l->word.offset = begin;

        l->word.size = l->end - l->word.offset;
        l->substantial = true;
}

static bool lexer_is_alpha(int c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool lexer_is_digit(int c) {
        return c >= '0' && c <= '9';
}

static bool lexer_is_special(int c) {
        return c == '?' || c == '#' || c == '*' || c == '@';
}

static void lexer_copy(Lexer *l) {
        lexer_put(l, lexer_current(l));
        lexer_advance(l);
}

/* Copy all bytes up to one that is special here, and at least one. */
static void lexer_copy_run(Lexer *l, unsigned special) {
        size_t n = 0;

        while (l->pos + n < l->size &&
               (lexer_bytes[(unsigned char) l->text[l->pos + n]] & (special | BYTE_ENDS_RUN)) == 0)
                n++;
        if (n == 0) {
                lexer_copy(l);
                return;
        }

        memcpy(l->values + l->used, l->text + l->pos, n);
        l->used += n;
        l->pos += n;
        l->end = l->pos;
        l->length += n;
        l->in_line = true;
        lexer_settle(l);
}

/* Note that the value of the word has a variable from "begin" on. */
static int lexer_note_reference(Lexer *l, size_t begin, bool quoted) {
        int r;

        r = grow(&l->references, l->n_references, sizeof(ScriptReference));
        if (r < 0)
                return r;

        l->references[l->n_references++] = (ScriptReference) {
                .begin = (uint32_t) (l->values + begin - l->word.value),
                .size = (uint32_t) (l->used - begin) & INT32_MAX,
                .quoted = quoted,
        };
        l->word.n_references++;
        return 0;
}

/* $name, $1, $?, and the same in braces (yylex.l: VARIABLE); the "$" was read. */
static int lexer_read_variable(Lexer *l, bool quoted) {
        size_t begin = l->used;
        bool braces;

        lexer_put(l, '$');
        braces = lexer_current(l) == '{';
        if (braces)
                lexer_copy(l);

        if (lexer_is_special(lexer_current(l)))
                lexer_copy(l);
        else if (lexer_is_digit(lexer_current(l)))
                while (lexer_is_digit(lexer_current(l)))
                        lexer_copy(l);
        else if (lexer_is_alpha(lexer_current(l)))
                while (lexer_is_alpha(lexer_current(l)) || lexer_is_digit(lexer_current(l)))
                        lexer_copy(l);
        else
                return lexer_fail(l, l->line, "a \"$\" is not followed by a variable's name");

        if (braces && lexer_current(l) != '}')
                return lexer_fail(l, l->line, "a \"${\" is not closed after the variable's name");
        if (braces)
                lexer_copy(l);

        return lexer_note_reference(l, begin, quoted);
}

/* The byte after a backslash in double quotes. Before most bytes the backslash stands for itself. */
static void lexer_read_quoted_escape(Lexer *l) {
        int c = lexer_current(l);

        if (c == LEXER_NO_BYTE)
                return;

        if (c != '$' && c != '\\' && c != '"' && c != '\n')
                lexer_put(l, '\\');
        if (c != '\n')
                lexer_put(l, c);
        lexer_advance(l);
}

/* "..." and $"..."; the opening quote is next. In the second, translated form a "$" stands for itself. */
static int lexer_read_double_quotes(Lexer *l, bool translated) {
        int r;

        l->word.quotes = true;
        for (lexer_advance(l); lexer_current(l) != '"';)
                switch (lexer_current(l)) {
                case LEXER_NO_BYTE:
                        return lexer_fail(l, l->token_line, "a double quote is never closed");
                case '\\':
                        lexer_advance(l);
                        lexer_read_quoted_escape(l);
                        break;
                case '$':
                        if (translated) {
                                lexer_copy(l);
                                break;
                        }
                        lexer_advance(l);
                        r = lexer_read_variable(l, /* quoted= */ true);
                        if (r < 0)
                                return r;
                        break;
                default:
                        lexer_copy_run(l, BYTE_ENDS_DOUBLE);
                }

        lexer_advance(l);
        return 0;
}

static int lexer_read_single_quotes(Lexer *l) {
        l->word.quotes = true;
        for (lexer_advance(l); lexer_current(l) != '\'';) {
                if (lexer_current(l) == LEXER_NO_BYTE)
                        return lexer_fail(l, l->token_line, "a single quote is never closed");

                lexer_copy_run(l, BYTE_ENDS_SINGLE);
        }

        lexer_advance(l);
        return 0;
}

/* A backslash outside of quotes. Return: 1; 0 if it is a line continuation; -EINVAL. */
static int lexer_read_escape(Lexer *l) {
        unsigned line = l->line;

        lexer_advance(l);

        if (lexer_current(l) != '\n') {
                lexer_copy(l);
                return true;
        }

        lexer_advance(l);
        if (lexer_current(l) == LEXER_NO_BYTE)
                return lexer_fail(l, line, "the file ends in a line continuation");

        return false;
}

/* One of the pieces that make up a word. Return: 1; 0 if it is a line continuation; -EINVAL. */
static int lexer_read_piece(Lexer *l) {
        int r;

        switch (lexer_current(l)) {
        case '\\':
                return lexer_read_escape(l);
        case '"':
                r = lexer_read_double_quotes(l, /* translated= */ false);
                break;
        case '\'':
                r = lexer_read_single_quotes(l);
                break;
        case '$':
                lexer_advance(l);
                if (lexer_current(l) == '"')
                        r = lexer_read_double_quotes(l, /* translated= */ true);
                else
                        r = lexer_read_variable(l, /* quoted= */ false);
                break;
        default:
                lexer_copy_run(l, BYTE_ENDS_WORD | BYTE_BEGINS_PIECE);
                return true;
        }

        return r < 0 ? r : true;
}

static bool lexer_is(const Lexer *l, unsigned what) {
        int c = lexer_current(l);

        return c != LEXER_NO_BYTE && (lexer_bytes[c] & what) != 0;
}

static LexerToken lexer_word_type(const Lexer *l) {
        const char *s = l->word.value;

        if (!l->plain)
                return LEXER_WORD;

        for (size_t i = 0; i < ELEMENTSOF(reserved_words); i++)
                if (*s == *reserved_words[i].text && streq(s, reserved_words[i].text))
                        return reserved_words[i].type;

        if (!lexer_is_alpha(*s))
                return LEXER_WORD;
        while (lexer_is_alpha(*s) || lexer_is_digit(*s))
                s++;
        return *s ? LEXER_WORD : LEXER_NAME;
}

static int lexer_read_word(Lexer *l) {
        bool continued = false;
        int r;

        l->word = (ScriptWord) {
                .offset = l->pos,
                .value = l->values + l->used,
                .references = (uint32_t) l->n_references,
        };
        l->substantial = false;
        l->plain = true;

        while (lexer_current(l) != LEXER_NO_BYTE && !lexer_is(l, BYTE_ENDS_WORD)) {
                size_t begin = l->pos;

                if (lexer_is(l, BYTE_BEGINS_PIECE))
                        l->plain = false;

                r = lexer_read_piece(l);
                if (r < 0)
                        return r;
                if (r > 0)
                        lexer_mark(l, begin);
                continued = r == 0;
        }

        if (l->length > (continued ? CONTINUED_SIZE_MAX : TOKEN_SIZE_MAX))
                return lexer_fail(l, l->token_line, "a word is longer than GRUB can read");

        lexer_put(l, 0);
        l->type = lexer_word_type(l);

        /*
         * "]]" is an argument only because a continuation follows, so the continuation has to stay with it. Then a line
         * after it that begins with "#" is still dropped.
         */
        if (continued && (streq(l->word.value, "[[") || streq(l->word.value, "]]")))
                lexer_mark(l, l->word.offset);

        return 0;
}

/* Skip blanks, and a comment after them. */
static int lexer_skip_blanks(Lexer *l) {
        l->length = 0;
        while (lexer_current(l) == ' ' || lexer_current(l) == '\t')
                lexer_advance(l);
        if (l->length > TOKEN_SIZE_MAX)
                return lexer_fail(l, l->line, "a run of blanks is longer than GRUB can read");

        if (lexer_current(l) != '#')
                return 0;

        l->length = 0;
        while (lexer_current(l) != '\n')
                lexer_advance(l);
        if (l->length > COMMENT_SIZE_MAX)
                return lexer_fail(l, l->line, "a comment is longer than GRUB can read");

        return 0;
}

int lexer_next(Lexer *l) {
        int r;

        r = lexer_skip_blanks(l);
        if (r < 0)
                return r;

        l->length = 0;
        l->token_line = l->line;

        switch (lexer_current(l)) {
        case LEXER_NO_BYTE:
                l->type = LEXER_END;
                return 0;
        case '\n':
                l->type = LEXER_NEWLINE;
                break;
        case ';':
                l->type = LEXER_SEMICOLON;
                break;
        case '{':
                l->type = LEXER_OPEN;
                break;
        case '}':
                l->type = LEXER_CLOSE;
                break;
        case '|': case '&': case '<': case '>':
                l->type = LEXER_OPERATOR;
                break;
        default:
                return lexer_read_word(l);
        }

        lexer_advance(l);
        return 0;
}
