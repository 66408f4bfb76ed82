/* SPDX-License-Identifier: Apache-2.0 */

/* Tested by tests/unit/core/test-text.c, and by tests/screens. */

#include "core/json.h"
#include "core/text.h"

#define TEXT_COLOUR_OFF "\x1b[0m"

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

/* Characters that no terminal shows as themselves: the ends of each range (Unicode 15, properties Cc, Cf, Zl, Zp). */
static const struct {
        uint32_t first, last;
} text_hidden[] = {
        {0x0000, 0x001F},   /* controls */
        {0x007F, 0x009F},   /* controls */
        {0x00AD, 0x00AD},   /* soft hyphen */
        {0x061C, 0x061C},   /* Arabic letter mark */
        {0x180E, 0x180E},   /* Mongolian vowel separator */
        {0x200B, 0x200F},   /* without a width, and marks of direction */
        {0x2028, 0x202E},   /* ends of lines and paragraphs, embeddings and overrides */
        {0x2060, 0x206F},   /* without a width, and isolates */
        {0xFEFF, 0xFEFF},   /* byte order mark */
        {0xFFF9, 0xFFFB},   /* annotations */
        {0xE0000, 0xE0FFF}, /* tags */
};

static bool text_is_hidden(uint32_t c) {
        for (size_t i = 0; i < ELEMENTSOF(text_hidden); i++)
                if (c >= text_hidden[i].first && c <= text_hidden[i].last)
                        return true;

        return false;
}

/* How many printable ASCII characters a text begins with, up to one that stands for a newline. */
static size_t text_plain_size(const char *s, size_t size, char newline) {
        size_t n = 0;

        while (n < size && s[n] >= ' ' && s[n] <= '~' && s[n] != newline)
                n++;

        return n;
}

/* One character. Return: its size in bytes, or -ENOMEM. */
static int text_clean_character(Buffer *b, const char *s, size_t size, const char *keep, char newline) {
        uint32_t c = 0;
        size_t n = utf8_decode(s, size, &c);
        bool plain = n > 0 && ((c > 0 && c < 0x80 && strchr(keep, (int) c)) || !text_is_hidden(c));
        int r = 0;

        n = n > 0 ? n : 1;
        if (newline && s[0] == newline)
                r = buffer_puts(b, "\n");
        else if (plain)
                r = buffer_append(b, s, n);
        else
                for (size_t k = 0; r >= 0 && k < n; k++)
                        r = buffer_printf(b, "\\x%02x", (unsigned) (uint8_t) s[k]);

        return r < 0 ? -ENOMEM : (int) n;
}

/* The characters of keep stay, and where newline is not NUL it stands for a newline. */
static int text_clean(Buffer *b, const char *s, size_t size, const char *keep, char newline) {
        for (size_t i = 0; i < size;) {
                size_t n = text_plain_size(s + i, size - i, newline);
                int r;

                if (n > 0 && buffer_append(b, s + i, n) < 0)
                        return -ENOMEM;
                i += n;
                if (i == size)
                        break;

                r = text_clean_character(b, s + i, size - i, keep, newline);
                if (r < 0)
                        return r;
                i += (size_t) r;
        }

        return 0;
}

int text_print(Buffer *b, const char *s, size_t size) {
        return text_clean(b, s, size, "\n\t", 0);
}

/* Return: a control character that a text does not have, or NUL if it has all of them. */
static char text_unused_control(const char *s) {
        char c = 1;

        while (c < '\t' && strchr(s, c))
                c++;

        return c < '\t' ? c : 0;
}

/* The format's newlines become another control character, so that those of the arguments can be told from them. */
static _printf_(2, 0) int text_vprintf(Buffer *b, const char *format, va_list ap) {
        _cleanup_free_ char *marked = strdup(format), *text = NULL, *first = NULL;
        va_list again;
        char mark;

        va_copy(again, ap);
        first = xvasprintf(format, again);
        va_end(again);
        if (!first || !marked)
                return -ENOMEM;

        mark = text_unused_control(first);
        for (char *p = marked; mark && (p = strchr(p, '\n')); p++)
                *p = mark;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        text = xvasprintf(marked, ap);
#pragma GCC diagnostic pop
        return text ? text_clean(b, text, strlen(text), "", mark) : -ENOMEM;
}

int text_printf(Buffer *b, const char *format, ...) {
        va_list ap;
        int r;

        va_start(ap, format);
        r = text_vprintf(b, format, ap);
        va_end(ap);
        return r;
}

void text_say(FILE *f, const char *format, ...) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        va_list ap;

        va_start(ap, format);
        if (text_vprintf(&b, format, ap) >= 0)
                (void) text_write(f, &b);
        va_end(ap);
}

int text_write(FILE *f, const Buffer *b) {
        errno = 0;
        return b->size == 0 || fwrite(b->data, 1, b->size, f) == b->size ? 0 : negative_errno();
}

static const char *text_colour(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(text_colours); i++)
                if (streq(text_colours[i].name, name))
                        return text_colours[i].sequence;

        return NULL;
}

int text_add_state(Buffer *b, const char *name, size_t width, bool colour) {
        const char *sequence = colour ? text_colour(name) : NULL;

        if (buffer_puts(b, strempty(sequence)) < 0 || text_printf(b, "%-*s", (int) width, name) < 0)
                return -ENOMEM;

        return buffer_puts(b, sequence ? TEXT_COLOUR_OFF : "");
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
