/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "core/json.h"
#include "qga-policy/words.h"

#define WORDS_WHITE " \t\n\r"

typedef struct WordsSplitter {
        const char *p;
        WordRules rules;
        Buffer text;
} WordsSplitter;

void words_done(Words *words) {
        for (size_t i = 0; i < words->n; i++) {
                free(words->list[i].raw);
                free(words->list[i].text);
        }
        free(words->list);
        *words = (Words) {};
}

static int words_put(WordsSplitter *s, char c) {
        return buffer_append(&s->text, &c, 1);
}

static int words_put_character(WordsSplitter *s, uint32_t c) {
        static const struct {
                uint32_t end;
                unsigned char mark;
                unsigned more;
        } forms[] = {{0x80, 0, 0}, {0x800, 0xC0, 1}, {0x10000, 0xE0, 2}, {0x110000, 0xF0, 3}};

        /* Surrogates and noncharacters (systemd: src/basic/utf8.c, unichar_is_valid()). */
        if (c >> 11 == 0xD800 >> 11 || (c >= 0xFDD0 && c <= 0xFDEF) || (c & 0xFFFE) == 0xFFFE)
                return -EINVAL;

        for (size_t i = 0; i < ELEMENTSOF(forms); i++) {
                int r;

                if (c >= forms[i].end)
                        continue;

                r = words_put(s, (char) (forms[i].mark | c >> 6 * forms[i].more));
                for (unsigned k = forms[i].more; r >= 0 && k-- > 0;)
                        r = words_put(s, (char) (0x80 | (c >> 6 * k & 0x3F)));
                return r;
        }

        return -EINVAL;
}

static int words_digit(char c) {
        static const char digits[] = "0123456789abcdef0123456789ABCDEF";
        const char *at = c ? strchr(digits, c) : NULL;

        return at ? (int) (at - digits) % 16 : 99;
}

/* Read the digits of an escape such as \x2d. The number 0 is an error, because NUL would end the text. */
static int words_read_number(WordsSplitter *s, int base, unsigned n, uint32_t *ret) {
        uint32_t value = 0;

        for (unsigned i = 0; i < n; i++) {
                int d = words_digit(*s->p);

                if (d >= base)
                        return -EINVAL;
                value = value * (uint32_t) base + (uint32_t) d;
                s->p++;
        }

        if (value == 0)
                return -EINVAL;

        *ret = value;
        return 0;
}

static int words_take_number(WordsSplitter *s, char kind) {
        uint32_t value;
        int r;

        if (kind == 'u' || kind == 'U') {
                r = words_read_number(s, 16, kind == 'u' ? 4 : 8, &value);
                return r < 0 ? r : words_put_character(s, value);
        }

        if (kind != 'x')
                s->p--;
        r = words_read_number(s, kind == 'x' ? 16 : 8, kind == 'x' ? 2 : 3, &value);
        if (r < 0)
                return r;
        if (value > 0xFF)
                return -EINVAL;

        return words_put(s, (char) value);
}

/* Take an escape after its backslash (systemd: src/basic/escape.c, cunescape_one()). */
static int words_take_escape(WordsSplitter *s) {
        static const char names[] = "abfnrtv\\\"'s", values[] = "\a\b\f\n\r\t\v\\\"' ";
        const char *at, *rest;
        char c = *s->p;
        int r;

        /* systemd keeps a backslash at the end of a command, but it would escape the blank before an added word. */
        if (!c)
                return s->rules == WORDS_VARIABLE ? 0 : -EINVAL;

        rest = ++s->p;
        if (s->rules == WORDS_VARIABLE)
                return words_put(s, c);

        at = strchr(names, c);
        if (at)
                return words_put(s, values[at - names]);

        r = strchr("xuU01234567", c) ? words_take_number(s, c) : -EINVAL;
        if (r != -EINVAL || s->rules != WORDS_COMMAND)
                return r;

        s->p = rest;
        r = words_put(s, '\\');
        return r < 0 ? r : words_put(s, c);
}

/* The word "\\;" of ExecStart= is a semicolon; elsewhere this is no escape. */
static bool words_is_semicolon(const WordsSplitter *s) {
        return s->rules == WORDS_COMMAND && startswith(s->p, "\\;") && (!s->p[2] || strchr(WORDS_WHITE, s->p[2]));
}

static int words_take_text(WordsSplitter *s) {
        char quote = 0;
        int r = buffer_puts(&s->text, "");

        if (words_is_semicolon(s)) {
                s->p += 2;
                return buffer_puts(&s->text, ";");
        }

        while (r >= 0 && *s->p && (quote || !strchr(WORDS_WHITE, *s->p))) {
                char c = *s->p++;

                if (c == '\\')
                        r = words_take_escape(s);
                else if (quote ? c == quote : c == '"' || c == '\'')
                        quote = quote ? 0 : c;
                else
                        r = words_put(s, c);
        }

        if (r < 0)
                return r;

        return quote && s->rules != WORDS_VARIABLE ? -EINVAL : 0;
}

static int words_take_word(WordsSplitter *s, Words *words) {
        const char *begin = s->p;
        UnitWord *w;
        int r;

        if (words->n >= WORDS_MAX)
                return -E2BIG;

        r = words_take_text(s);
        if (r < 0)
                return r;
        if (grow(&words->list, words->n, sizeof(UnitWord)) < 0)
                return -ENOMEM;

        w = words->list + words->n++;
        w->raw = strndup(begin, (size_t) (s->p - begin));
        w->text = TAKE_PTR(s->text.data);
        s->text = BUFFER_NULL;
        return w->raw ? 0 : -ENOMEM;
}

int words_split(const char *text, WordRules rules, Words *ret) {
        WordsSplitter s = {.p = text, .rules = rules};
        int r = 0;

        assert(ret);

        *ret = (Words) {};
        while (r >= 0 && *(s.p += strspn(s.p, WORDS_WHITE)))
                r = words_take_word(&s, ret);

        buffer_done(&s.text);
        if (r < 0 && r != -EINVAL)
                words_done(ret);
        return r;
}

/* The service manager ignores a line that is no valid UTF-8, and a control character could end the line. */
static bool word_fits_into_line(const char *s) {
        size_t size = strlen(s);

        while (size > 0) {
                uint32_t c = 0;
                size_t n = utf8_decode(s, size, &c);

                if (n == 0 || c < 0x20 || c == 0x7F)
                        return false;
                s += n;
                size -= n;
        }

        return true;
}

int word_quote(Buffer *b, const char *text) {
        bool plain = *text && !text[strcspn(text, " \"'\\;")];
        int r = plain ? 0 : buffer_puts(b, "\"");

        if (!word_fits_into_line(text))
                return -EINVAL;

        for (const char *p = text; r >= 0 && *p; p++) {
                if (*p == '%' || *p == '$')
                        r = buffer_append(b, p, 1);
                else if (*p == '"' || *p == '\\')
                        r = buffer_puts(b, "\\");
                if (r >= 0)
                        r = buffer_append(b, p, 1);
        }

        return r < 0 || plain ? r : buffer_puts(b, "\"");
}
