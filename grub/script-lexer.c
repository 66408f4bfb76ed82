/* SPDX-License-Identifier: Apache-2.0 */

#include "grub/script-lexer.h"

/*
 * The longest token in bytes: flex keeps it in an array of YYLMAX (8192). One that ends in a continuation is
 * counted with what follows, and a comment with its newline twice.
 */
#define TOKEN_SIZE_MAX 8191U
#define CONTINUED_SIZE_MAX 8190U
#define COMMENT_SIZE_MAX 8189U

#define END_OF_TEXT (-1)

static const struct {
        const char *text;
        TokenType type;
} reserved_words[] = {
        { "[[",       TOKEN_OPERATOR },
        { "]]",       TOKEN_OPERATOR },
        { "case",     TOKEN_RESERVED },
        { "do",       TOKEN_DO       },
        { "done",     TOKEN_DONE     },
        { "elif",     TOKEN_ELIF     },
        { "else",     TOKEN_ELSE     },
        { "esac",     TOKEN_RESERVED },
        { "fi",       TOKEN_FI       },
        { "for",      TOKEN_FOR      },
        { "function", TOKEN_FUNCTION },
        { "if",       TOKEN_IF       },
        { "in",       TOKEN_RESERVED },
        { "select",   TOKEN_RESERVED },
        { "then",     TOKEN_THEN     },
        { "until",    TOKEN_UNTIL    },
        { "while",    TOKEN_WHILE    },
};

int lexer_fail(Lexer *l, unsigned line, const char *reason) {
        l->error = (ScriptError) { .line = line, .reason = reason };
        return -EINVAL;
}

/* A line that begins with "#" is dropped before anything looks at it, even inside of quotes. */
static void skip_hash_line(Lexer *l) {
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

/* Go on to the next byte that GRUB sees: grub_file_getline() drops every carriage return. */
static void settle(Lexer *l) {
        for (;;) {
                while (l->pos < l->size && l->text[l->pos] == '\r')
                        l->pos++;

                if (l->in_line || l->pos >= l->size || l->text[l->pos] != '#')
                        return;

                skip_hash_line(l);
        }
}

void lexer_start(Lexer *l) {
        settle(l);
}

/* The next byte. GRUB gives a last line without a newline one. */
static int current(const Lexer *l) {
        if (l->pos < l->size)
                return (unsigned char) l->text[l->pos];

        return l->in_line ? '\n' : END_OF_TEXT;
}

static void advance(Lexer *l) {
        if (current(l) == '\n') {
                l->line++;
                l->in_line = false;
        } else
                l->in_line = true;

        if (l->pos < l->size)
                l->pos++;
        l->end = l->pos;
        l->length++;
        settle(l);
}

/* Take a byte into the value of the word. */
static void put(Lexer *l, int c) {
        l->values[l->used++] = (char) c;
}

/* What was read since "begin" is part of what the word leaves behind. */
static void mark(Lexer *l, size_t begin) {
        if (!l->substantial)
                l->word.offset = begin;

        l->word.size = l->end - l->word.offset;
        l->substantial = true;
}

static bool is_alpha(int c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(int c) {
        return c >= '0' && c <= '9';
}

static bool is_special(int c) {
        return c == '?' || c == '#' || c == '*' || c == '@';
}

static void copy_one(Lexer *l) {
        put(l, current(l));
        advance(l);
}

/* $name, $1, $?, and the same in braces (yylex.l: VARIABLE); the "$" was read. */
static int read_variable(Lexer *l) {
        bool braces;

        put(l, '$');
        braces = current(l) == '{';
        if (braces)
                copy_one(l);

        if (is_special(current(l)))
                copy_one(l);
        else if (is_digit(current(l)))
                while (is_digit(current(l)))
                        copy_one(l);
        else if (is_alpha(current(l)))
                while (is_alpha(current(l)) || is_digit(current(l)))
                        copy_one(l);
        else
                return lexer_fail(l, l->line, "a \"$\" is not followed by a variable's name");

        if (braces && current(l) != '}')
                return lexer_fail(l, l->line, "a \"${\" is not closed behind the variable's name");
        if (braces)
                copy_one(l);

        return 0;
}

/* A backslash in double quotes; it was read. Before most characters it stands for itself. */
static void read_quoted_escape(Lexer *l) {
        int c = current(l);

        if (c == END_OF_TEXT)
                return;

        if (c != '$' && c != '\\' && c != '"' && c != '\n')
                put(l, '\\');
        if (c != '\n')
                put(l, c);
        advance(l);
}

/* "..." and $"..."; the opening quote is next. The translated form takes a "$" as it is. */
static int read_double_quotes(Lexer *l, bool translated) {
        int r;

        for (advance(l); current(l) != '"';)
                switch (current(l)) {
                case END_OF_TEXT:
                        return lexer_fail(l, l->token_line, "a double quote is never closed");
                case '\\':
                        advance(l);
                        read_quoted_escape(l);
                        break;
                case '$':
                        if (translated) {
                                copy_one(l);
                                break;
                        }
                        advance(l);
                        r = read_variable(l);
                        if (r < 0)
                                return r;
                        break;
                default:
                        copy_one(l);
                }

        advance(l);
        return 0;
}

static int read_single_quotes(Lexer *l) {
        for (advance(l); current(l) != '\'';) {
                if (current(l) == END_OF_TEXT)
                        return lexer_fail(l, l->token_line, "a single quote is never closed");

                copy_one(l);
        }

        advance(l);
        return 0;
}

/* A backslash outside of quotes. Return: whether it is more than a line continuation, or -EINVAL. */
static int read_escape(Lexer *l) {
        unsigned line = l->line;

        advance(l);

        if (current(l) != '\n') {
                copy_one(l);
                return true;
        }

        advance(l);
        if (current(l) == END_OF_TEXT)
                return lexer_fail(l, line, "the file ends in a line continuation");

        return false;
}

/* One of the pieces that make up a word. Return: whether it leaves something behind, or -EINVAL. */
static int read_piece(Lexer *l) {
        int r;

        switch (current(l)) {
        case '\\':
                return read_escape(l);
        case '"':
                r = read_double_quotes(l, /* translated= */ false);
                break;
        case '\'':
                r = read_single_quotes(l);
                break;
        case '$':
                advance(l);
                r = current(l) == '"' ? read_double_quotes(l, /* translated= */ true) : read_variable(l);
                break;
        default:
                copy_one(l);
                return true;
        }

        return r < 0 ? r : true;
}

/* Whether a byte ends a word. Only these are not part of CHAR or of what can begin another piece in yylex.l. */
static bool ends_word(int c) {
        return c == END_OF_TEXT || c == '\n' || strchr(" \t{}|&;<>", c);
}

static TokenType word_type(const Lexer *l) {
        const char *s = l->word.value;

        if (!l->plain)
                return TOKEN_WORD;

        for (size_t i = 0; i < ELEMENTSOF(reserved_words); i++)
                if (streq(s, reserved_words[i].text))
                        return reserved_words[i].type;

        if (!is_alpha(*s))
                return TOKEN_WORD;
        while (is_alpha(*s) || is_digit(*s))
                s++;
        return *s ? TOKEN_WORD : TOKEN_NAME;
}

static int read_word(Lexer *l) {
        bool continued = false;
        int r;

        l->word = (ScriptWord) { .offset = l->pos, .value = l->values + l->used };
        l->substantial = false;
        l->plain = true;

        while (!ends_word(current(l))) {
                size_t begin = l->pos;

                if (strchr("\\\"'$", current(l)))
                        l->plain = false;

                r = read_piece(l);
                if (r < 0)
                        return r;
                if (r > 0)
                        mark(l, begin);
                continued = r == 0;
        }

        if (l->length > (continued ? CONTINUED_SIZE_MAX : TOKEN_SIZE_MAX))
                return lexer_fail(l, l->token_line, "a word is longer than GRUB can read");

        put(l, 0);
        l->type = word_type(l);

        /*
         * A continuation behind it is all that makes an argument of "]]", so it must not be parted from it, nor the "#"
         * of a line behind that from the line's beginning.
         */
        if (continued && (streq(l->word.value, "[[") || streq(l->word.value, "]]")))
                mark(l, l->word.offset);

        return 0;
}

/* Blanks, and a comment where a word could begin. */
static int skip_blanks(Lexer *l) {
        l->length = 0;
        while (current(l) == ' ' || current(l) == '\t')
                advance(l);
        if (l->length > TOKEN_SIZE_MAX)
                return lexer_fail(l, l->line, "a run of blanks is longer than GRUB can read");

        if (current(l) != '#')
                return 0;

        l->length = 0;
        while (current(l) != '\n')
                advance(l);
        if (l->length > COMMENT_SIZE_MAX)
                return lexer_fail(l, l->line, "a comment is longer than GRUB can read");

        return 0;
}

int lexer_next(Lexer *l) {
        int r;

        r = skip_blanks(l);
        if (r < 0)
                return r;

        l->length = 0;
        l->token_line = l->line;

        switch (current(l)) {
        case END_OF_TEXT:
                l->type = TOKEN_END;
                return 0;
        case '\n':
                l->type = TOKEN_NEWLINE;
                break;
        case ';':
                l->type = TOKEN_SEMICOLON;
                break;
        case '{':
                l->type = TOKEN_OPEN;
                break;
        case '}':
                l->type = TOKEN_CLOSE;
                break;
        case '|': case '&': case '<': case '>':
                l->type = TOKEN_OPERATOR;
                break;
        default:
                return read_word(l);
        }

        advance(l);
        return 0;
}
