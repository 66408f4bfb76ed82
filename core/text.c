/* SPDX-License-Identifier: Apache-2.0 */

/* Tested by tests/screens, and the escapes by tests/unit/core/test-journal.c. */

#include "core/json.h"
#include "core/text.h"

static const struct {
        const char *name;
        const char *sequence;
} text_colours[] = {
        {"active", "\x1b[32m"},   {"pending-reboot", "\x1b[33m"}, {"differs", "\x1b[31m"}, {"drifted", "\x1b[31m"},
        {"conflict", "\x1b[31m"}, {"error", "\x1b[31m"},          {"no-answer", "\x1b[31m"}, {"refused", "\x1b[31m"},
        {"absent", "\x1b[31m"},   {"invalid", "\x1b[31m"},        {"unknown", "\x1b[33m"},  {"bad-quote", "\x1b[31m"},
        {"verified", "\x1b[32m"},
};

static size_t text_escaped_width(char c) {
        return c >= 0x20 && c < 0x7F && c != '\\' ? 1 : 4;
}

size_t text_escaped_length(const char *s, size_t size) {
        size_t n = 0;

        for (size_t i = 0; i < size; i++)
                n += text_escaped_width(s[i]);

        return n;
}

int text_escape(Buffer *b, const char *s, size_t size, size_t max) {
        size_t printed = 0;
        int r;

        for (size_t i = 0; i < size; i++) {
                printed += text_escaped_width(s[i]);
                if (printed > max)
                        return buffer_puts(b, "...");

                if (text_escaped_width(s[i]) == 1)
                        r = buffer_append(b, s + i, 1);
                else
                        r = buffer_printf(b, "\\x%02x", (unsigned) (uint8_t) s[i]);
                if (r < 0)
                        return r;
        }

        return 0;
}

int text_print(Buffer *b, const char *s, size_t size) {
        for (size_t i = 0; i < size;) {
                uint32_t c = 0;
                size_t n = utf8_decode(s + i, size - i, &c);
                bool plain = n > 0 && ((c >= 0x20 && c < 0x7F) || c >= 0xA0 || c == '\n' || c == '\t');

                n = n > 0 ? n : 1;
                if (plain && buffer_append(b, s + i, n) < 0)
                        return -ENOMEM;
                for (size_t k = 0; !plain && k < n; k++)
                        if (buffer_printf(b, "\\x%02x", (unsigned) (uint8_t) s[i + k]) < 0)
                                return -ENOMEM;
                i += n;
        }

        return 0;
}

const char *text_colour(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(text_colours); i++)
                if (streq(text_colours[i].name, name))
                        return text_colours[i].sequence;

        return NULL;
}

bool text_wants_colour(FILE *f) {
        const char *term = getenv("TERM");

        return isatty(fileno(f)) && !getenv("NO_COLOR") && !(term && streq(term, "dumb"));
}

int text_wrap(Buffer *b, const char *s, size_t indent, size_t column, size_t width) {
        bool first = true;

        while (*(s += strspn(s, " "))) {
                size_t n = strcspn(s, " ");

                if (!first && column + 1 + n > width) {
                        if (buffer_printf(b, "\n%*s", (int) indent, "") < 0)
                                return -ENOMEM;
                        column = indent;
                } else if (!first) {
                        if (buffer_puts(b, " ") < 0)
                                return -ENOMEM;
                        column++;
                }
                if (text_escape(b, s, n, SIZE_MAX) < 0)
                        return -ENOMEM;

                column += text_escaped_length(s, n);
                s += n;
                first = false;
        }

        return buffer_puts(b, "\n");
}
