/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "core/cmdline.h"

/*
 * The kernel's isspace() (lib/ctype.c): the white space of ASCII, and 0xA0, which is a no-break space in
 * Latin-1. It does not depend on the locale.
 */
static bool kernel_isspace(char c) {
        return c == ' ' || (c >= '\t' && c <= '\r') || (unsigned char) c == 0xA0;
}

/* Return: the value of a hexadecimal digit, or 16 for any other character. */
static int kernel_digit(char c) {
        if (c >= '0' && c <= '9')
                return c - '0';
        if (c >= 'a' && c <= 'f')
                return c - 'a' + 10;
        if (c >= 'A' && c <= 'F')
                return c - 'A' + 10;
        return 16;
}

/* Return: the size of the token at the beginning of a text. White space between double quotes does not end it. */
static size_t token_size(const char *text, size_t size, bool *ret_open) {
        bool in_quote = false;
        size_t i;

        for (i = 0; i < size; i++) {
                if (kernel_isspace(text[i]) && !in_quote)
                        break;
                if (text[i] == '"')
                        in_quote = !in_quote;
        }

        *ret_open = in_quote;
        return i;
}

/*
 * Split one token into name and value as next_arg() does: a quote at the beginning of the token or of the value is
 * removed and, with it, a quote at the end of the token; other quotes stay. An "=" at the beginning of the token does
 * not end its name.
 */
static int token_split(const char *text, size_t size, Token *t) {
        size_t begin, end = size, equals, value;
        bool quoted, has_value;

        quoted = size > 0 && text[0] == '"';
        begin = quoted ? 1 : 0;

        equals = begin + 1;
        while (equals < end && text[equals] != '=')
                equals++;
        has_value = equals < end;

        value = has_value ? equals + 1 : begin;
        if (has_value && value < end && text[value] == '"') {
                value++;
                quoted = true;
        }

        if (quoted && end > value && text[end - 1] == '"')
                end--;

        t->name = strndup(text + begin, (has_value ? equals : end) - begin);
        t->value = has_value ? strndup(text + value, end - value) : NULL;
        if (!t->name || (has_value && !t->value)) {
                free(t->name);
                free(t->value);
                return -ENOMEM;
        }

        return 0;
}

/* Append the token with which a text begins. */
static int cmdline_append(Cmdline *c, const char *text, size_t size, size_t offset) {
        Token t = { .offset = offset };
        bool after_dashes;
        int r;

        t.size = token_size(text, size, &t.open);
        r = token_split(text, t.size, &t);
        if (r < 0)
                return r;

        after_dashes = c->n_tokens > 0 && c->tokens[c->n_tokens - 1].for_init;
        t.for_init = after_dashes || (!t.value && streq(t.name, "--"));

        r = grow(&c->tokens, c->n_tokens, sizeof(Token));
        if (r < 0) {
                free(t.name);
                free(t.value);
                return r;
        }

        c->tokens[c->n_tokens++] = t;
        return 0;
}

int cmdline_parse(const char *text, size_t size, Cmdline *ret) {
        Cmdline c = CMDLINE_NULL;
        size_t i = 0;

        assert(text || size == 0);
        assert(ret);

        size = text ? strnlen(text, size) : 0;

        for (;;) {
                int r;

                while (i < size && kernel_isspace(text[i]))
                        i++;
                if (i >= size)
                        break;

                r = cmdline_append(&c, text + i, size - i, i);
                if (r < 0) {
                        cmdline_done(&c);
                        return r;
                }

                i += c.tokens[c.n_tokens - 1].size;
        }

        *ret = c;
        return 0;
}

void cmdline_done(Cmdline *c) {
        for (size_t i = 0; i < c->n_tokens; i++) {
                free(c->tokens[i].name);
                free(c->tokens[i].value);
        }

        free(c->tokens);
        *c = CMDLINE_NULL;
}

bool parameter_name_equal(const char *a, const char *b) {
        for (; *a && *b; a++, b++)
                if ((*a == '-' ? '_' : *a) != (*b == '-' ? '_' : *b))
                        return false;

        return *a == *b;
}

const Token *cmdline_find(const Cmdline *c, const char *name) {
        for (size_t i = c->n_tokens; i > 0; i--) {
                const Token *t = c->tokens + i - 1;

                if (!t->for_init && parameter_name_equal(t->name, name))
                        return t;
        }

        return NULL;
}

int parse_kernel_bool(const char *s, bool *ret) {
        assert(ret);

        switch (s ? s[0] : '1') {
        case 'y': case 'Y': case 't': case 'T': case '1':
                *ret = true;
                return 0;
        case 'n': case 'N': case 'f': case 'F': case '0':
                *ret = false;
                return 0;
        case 'o': case 'O':
                if (s[1] != 'n' && s[1] != 'N' && s[1] != 'f' && s[1] != 'F')
                        return -EINVAL;

                *ret = s[1] == 'n' || s[1] == 'N';
                return 0;
        default:
                return -EINVAL;
        }
}

int parse_kernel_uint(const char *s, uint32_t *ret) {
        uint64_t value = 0;
        const char *begin;
        int base = 10;

        assert(s);
        assert(ret);

        if (*s == '+')
                s++;

        if (s[0] == '0') {
                base = (s[1] == 'x' || s[1] == 'X') && kernel_digit(s[2]) < 16 ? 16 : 8;
                if (base == 16)
                        s += 2;
        }

        for (begin = s; kernel_digit(*s) < base; s++)
                if (__builtin_mul_overflow(value, (uint64_t) base, &value) ||
                    __builtin_add_overflow(value, (uint64_t) kernel_digit(*s), &value))
                        return -ERANGE;

        /* The kernel accepts one newline at the end, as "echo" writes it. */
        if (s == begin || (*s == '\n' ? s[1] : s[0]) != 0)
                return -EINVAL;
        if (value > UINT32_MAX)
                return -ERANGE;

        *ret = (uint32_t) value;
        return 0;
}

static bool token_value_equal(const char *a, const char *b, TokenKind kind) {
        bool x, y;

        switch (kind) {
        case TOKEN_FLAG:
                return true;
        case TOKEN_BOOL:
                return parse_kernel_bool(a, &x) >= 0 && parse_kernel_bool(b, &y) >= 0 && x == y;
        default:
                return streq_ptr(a, b);
        }
}

TokenState cmdline_state(const Cmdline *c, const TokenSpec *spec, const Token **ret_token) {
        assert(c);
        assert(spec);

        if (ret_token)
                *ret_token = NULL;

        for (size_t i = c->n_tokens; i > 0; i--) {
                const Token *t = c->tokens + i - 1;
                bool equal;

                if (t->for_init || !parameter_name_equal(t->name, spec->name))
                        continue;
                equal = token_value_equal(t->value, spec->value, spec->kind);
                if (equal && t->uncertain)
                        continue;

                if (ret_token)
                        *ret_token = t;
                return equal ? TOKEN_EQUAL : TOKEN_OPPOSITE;
        }

        return TOKEN_ABSENT;
}

char *token_spec_format(const TokenSpec *spec) {
        assert(spec);

        return spec->value ? xasprintf("%s=%s", spec->name, spec->value) : strdup(spec->name);
}

int token_spec_parse(const char *text, TokenSpec *ret, char **ret_text) {
        char *copy, *equals;

        assert(text);
        assert(ret);
        assert(ret_text);

        copy = strdup(text);
        if (!copy)
                return -ENOMEM;

        equals = strchr(copy, '=');
        if (equals)
                *equals = 0;

        *ret = (TokenSpec) { .name = copy, .value = equals ? equals + 1 : NULL, .kind = TOKEN_STRING };
        *ret_text = copy;
        return 0;
}
