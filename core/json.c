/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <ctype.h>

#include "core/json.h"
#include "core/json-scan.h"

size_t utf8_decode(const char *s, size_t size, uint32_t *ret) {
        static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
        const uint8_t *p = (const uint8_t *) s;
        size_t n;
        uint32_t c;

        if (p[0] < 0x80) {
                *ret = p[0];
                return 1;
        }

        n = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
        if (p[0] < 0xC2 || p[0] > 0xF4 || n > size)
                return 0;

        c = p[0] & (0xFFU >> (n + 1));
        for (size_t i = 1; i < n; i++) {
                if ((p[i] & 0xC0) != 0x80)
                        return 0;
                c = c << 6 | (p[i] & 0x3F);
        }

        if (c < smallest[n] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
                return 0;

        *ret = c;
        return n;
}

json_object *json_text_n(const char *s, size_t size) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        size_t start = 0; /* of what is not in the buffer yet */
        uint32_t c;

        for (size_t i = 0; i < size;) {
                size_t n = utf8_decode(s + i, size - i, &c);

                if (n > 0) {
                        i += n;
                        continue;
                }
                if (buffer_append(&b, s + start, i - start) < 0 || buffer_puts(&b, "\xEF\xBF\xBD") < 0)
                        return NULL;
                start = ++i;
        }

        if (start == 0)
                return json_object_new_string_len(strempty(s), (int) size);
        if (buffer_append(&b, s + start, size - start) < 0)
                return NULL;

        return json_object_new_string_len(b.data, (int) b.size);
}

json_object *json_text(const char *s) {
        return s ? json_text_n(s, strlen(s)) : NULL;
}

int json_set(json_object *o, const char *key, json_object *value) {
        if (!o || json_object_object_add(o, key, value) < 0) {
                json_object_put(value);
                return -ENOMEM;
        }

        return 0;
}

int json_set_text(json_object *o, const char *key, const char *s) {
        json_object *value = json_text(s);

        if (s && !value)
                return -ENOMEM;

        return json_set(o, key, value);
}

int json_add(json_object *array, json_object *value) {
        if (!array || json_object_array_add(array, value) < 0) {
                json_object_put(value);
                return -ENOMEM;
        }

        return 0;
}

const char *json_get_text(json_object *o, const char *key) {
        json_object *value;

        if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, key, &value) ||
            !json_object_is_type(value, json_type_string))
                return NULL;

        return json_object_get_string(value);
}

json_object *json_get_array(json_object *o, const char *key) {
        json_object *value;

        if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, key, &value) ||
            !json_object_is_type(value, json_type_array))
                return NULL;

        return value;
}

static void json_tokener_freep(json_tokener **tok) {
        if (*tok)
                json_tokener_free(*tok);
}

/*
 * What json-c takes for JSON differs from release to release, also in strict mode: NaN, single quotes, and control
 * characters in strings. So it gets only what RFC 8259 allows.
 */
static bool json_is_valid(const char *text, size_t size) {
        JsonScan scan = JSON_SCAN_INIT(JSON_DEPTH_MAX);

        for (size_t i = 0; i < size; i++)
                if (json_scan(&scan, text[i]) != JSON_SCAN_OK)
                        return false;

        return json_scan_end(&scan);
}

/* Whether these digits, which begin with no zero, are a number of more than 64 bits. */
static bool json_is_beyond_64_bits(const char *digits, size_t n, bool negative) {
        const char *limit = negative ? "9223372036854775808" : "18446744073709551615";
        size_t n_limit = strlen(limit);

        return n > n_limit || (n == n_limit && memcmp(digits, limit, n) > 0);
}

/* Whether a text can have an integer of more than 64 bits, which few have: they are copied for it. */
static bool json_has_long_number(const char *text, size_t size) {
        size_t n_digits = 0;

        for (size_t i = 0; i < size; i++) {
                n_digits = text[i] >= '0' && text[i] <= '9' ? n_digits + 1 : 0;
                if (n_digits == strlen("9223372036854775808"))
                        return true;
        }

        return false;
}

/*
 * Copy JSON and write "e0" behind each integer of more than 64 bits: json-c makes another integer of it up to 0.16, and
 * refuses the text since 0.17. With an exponent it is a number whose text json-c keeps. If no integer is so large,
 * nothing is copied and ret stays empty.
 */
static int json_mark_large_integers(const char *text, size_t size, Buffer *ret) {
        bool in_string = false;
        size_t start = 0; /* of what is not in the buffer yet */
        int r = 0;

        for (size_t i = 0; i < size && r >= 0;) {
                size_t first = i;

                if (in_string || !strchr("-0123456789", text[i])) {
                        in_string = text[i] == '"' ? !in_string : in_string;
                        i += in_string && text[i] == '\\' ? 2 : 1;
                        continue;
                }

                i += text[i] == '-' ? 1 : 0;
                first = i;
                while (i < size && isdigit((unsigned char) text[i]))
                        i++;
                if ((i == size || !strchr(".eE", text[i])) &&
                    json_is_beyond_64_bits(text + first, i - first, first > 0 && text[first - 1] == '-')) {
                        r = buffer_append(ret, text + start, i - start);
                        if (r >= 0)
                                r = buffer_puts(ret, "e0");
                        start = i;
                }
                /* A fraction and an exponent are no integers of their own. */
                while (i < size && strchr("+-.eE0123456789", text[i]))
                        i++;
        }

        return r < 0 || start == 0 ? r : buffer_append(ret, text + start, size - start);
}

int json_parse(const char *text, size_t size, json_object **ret) {
        _cleanup_(json_tokener_freep) json_tokener *tok = NULL;
        _cleanup_json_ json_object *o = NULL;
        _cleanup_buffer_ Buffer marked = BUFFER_NULL;

        assert(ret);

        if (!json_is_valid(text, size))
                return -EBADMSG;
        if (json_has_long_number(text, size) && json_mark_large_integers(text, size, &marked) < 0)
                return -ENOMEM;
        if (marked.size > 0) {
                text = marked.data;
                size = marked.size;
        }
        if (size > INT32_MAX - 1)
                return -EBADMSG;

        /* json-c counts a scalar inside the innermost container as one more level. */
        tok = json_tokener_new_ex(JSON_DEPTH_MAX + 1);
        if (!tok)
                return -ENOMEM;

        json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
        o = json_tokener_parse_ex(tok, text, (int) size);

        /* A bare number is complete only when something follows it. */
        if (json_tokener_get_error(tok) == json_tokener_continue)
                o = json_tokener_parse_ex(tok, "", 1);
        if (json_tokener_get_error(tok) != json_tokener_success)
                return -EBADMSG;

        *ret = TAKE_PTR(o);
        return 0;
}

/* Write \uXXXX without printf(), because a peer may send a megabyte of these. Return: the number of bytes. */
static size_t ascii_escape(uint32_t unit, char *p) {
        static const char digits[] = "0123456789abcdef";

        p[0] = '\\';
        p[1] = 'u';
        for (size_t i = 0; i < 4; i++)
                p[2 + i] = digits[unit >> (12 - 4 * i) & 0xF];

        return 6;
}

static int ascii_append_character(Buffer *b, uint32_t c) {
        char text[12]; /* two \uXXXX */
        size_t n = 0;

        if (c >= 0x10000) {
                c -= 0x10000;
                n = ascii_escape(0xD800 + (c >> 10), text);
                c = 0xDC00 + (c & 0x3FF);
        }
        n += ascii_escape(c, text + n);

        return buffer_append(b, text, n);
}

int ascii_append(Buffer *b, const char *text, size_t size) {
        size_t start = 0;
        int r;

        for (size_t i = 0; i < size;) {
                uint32_t c = 0xFFFD;
                size_t n;

                if ((uint8_t) text[i] < 0x80) {
                        i++;
                        continue;
                }

                n = utf8_decode(text + i, size - i, &c);
                r = buffer_append(b, text + start, i - start);
                if (r < 0)
                        return r;
                r = ascii_append_character(b, n == 0 ? 0xFFFD : c);
                if (r < 0)
                        return r;

                i += n == 0 ? 1 : n;
                start = i;
        }

        return buffer_append(b, text + start, size - start);
}

int json_quote(Buffer *b, const char *text, size_t size) {
        size_t start = 0;
        int r;

        r = buffer_puts(b, "\"");
        for (size_t i = 0; r >= 0 && i < size; i++)
                if (text[i] == '"' || text[i] == '\\') {
                        r = buffer_append(b, text + start, i - start);
                        if (r >= 0)
                                r = buffer_puts(b, "\\");
                        start = i;
                }
        if (r >= 0)
                r = buffer_append(b, text + start, size - start);

        return r < 0 ? r : buffer_puts(b, "\"");
}

static int json_format_flags(json_object *o, int flags, Buffer *b) {
        size_t size;
        const char *text = json_object_to_json_string_length(o, flags, &size);

        return text ? ascii_append(b, text, size) : -ENOMEM;
}

int json_format(json_object *o, Buffer *b) {
        return json_format_flags(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, b);
}

int json_format_line(json_object *o, Buffer *b) {
        int r;

        r = json_format(o, b);
        if (r < 0)
                return r;

        return buffer_puts(b, "\n");
}

int json_format_pretty(json_object *o, Buffer *b) {
        int r;

        r = json_format_flags(o,
                              JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE, b);
        if (r < 0)
                return r;

        return buffer_puts(b, "\n");
}
