/* SPDX-License-Identifier: Apache-2.0 */

#include "core/json.h"
#include "core/text.h"

static const struct {
        const char *name;
        const char *sequence;
} colours[] = {
        {"active", "\x1b[32m"},   {"pending-reboot", "\x1b[33m"}, {"differs", "\x1b[31m"}, {"drifted", "\x1b[31m"},
        {"conflict", "\x1b[31m"}, {"error", "\x1b[31m"},          {"no-answer", "\x1b[31m"}, {"refused", "\x1b[31m"},
        {"absent", "\x1b[31m"},   {"invalid", "\x1b[31m"},        {"unknown", "\x1b[33m"},  {"bad-quote", "\x1b[31m"},
        {"verified", "\x1b[32m"},
};

static size_t escaped_width(char c) {
        return c >= 0x20 && c < 0x7F && c != '\\' ? 1 : 4;
}

size_t text_escaped_length(const char *s, size_t size) {
        size_t n = 0;

        for (size_t i = 0; i < size; i++)
                n += escaped_width(s[i]);

        return n;
}

int text_escape(Buffer *b, const char *s, size_t size, size_t max) {
        size_t printed = 0;
        int r = 0;

        for (size_t i = 0; i < size && r >= 0; i++) {
                printed += escaped_width(s[i]);
                if (printed > max)
                        return buffer_puts(b, "...");

                if (escaped_width(s[i]) == 1)
                        r = buffer_append(b, s + i, 1);
                else
                        r = buffer_printf(b, "\\x%02x", (unsigned) (uint8_t) s[i]);
        }

        return r;
}

int text_print(Buffer *b, const char *s, size_t size) {
        int r = 0;

        for (size_t i = 0; r >= 0 && i < size;) {
                uint32_t c = 0;
                size_t n = utf8_decode(s + i, size - i, &c);
                bool plain = n > 0 && ((c >= 0x20 && c < 0x7F) || c >= 0xA0 || c == '\n' || c == '\t');

                n = n > 0 ? n : 1;
                for (size_t k = 0; r >= 0 && !plain && k < n; k++)
                        r = buffer_printf(b, "\\x%02x", (unsigned) (uint8_t) s[i + k]);
                if (plain)
                        r = buffer_append(b, s + i, n);
                i += n;
        }

        return r;
}

const char *text_colour(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(colours); i++)
                if (streq(colours[i].name, name))
                        return colours[i].sequence;

        return NULL;
}

bool text_wants_colour(FILE *f) {
        const char *term = getenv("TERM");

        return isatty(fileno(f)) && !getenv("NO_COLOR") && !(term && streq(term, "dumb"));
}

int text_wrap(Buffer *b, const char *s, size_t indent, size_t column, size_t width) {
        bool first = true;
        int r = 0;

        while (r >= 0 && *(s += strspn(s, " "))) {
                size_t n = strcspn(s, " ");

                if (!first && column + 1 + n > width) {
                        r = buffer_printf(b, "\n%*s", (int) indent, "");
                        column = indent;
                } else if (!first) {
                        r = buffer_puts(b, " ");
                        column++;
                }
                if (r >= 0)
                        r = text_escape(b, s, n, SIZE_MAX);

                column += text_escaped_length(s, n);
                s += n;
                first = false;
        }

        return r < 0 ? r : buffer_puts(b, "\n");
}
