/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "host/reply.h"

static int line_reader_take(LineReader *reader, const char *piece, size_t size) {
        const char *mark = memrchr(piece, 0xFF, size);

        if (mark) {
                size -= (size_t) (mark + 1 - piece);
                piece = mark + 1;
                reader->line.size = 0;
                reader->delimited = true;
        }

        if (!reader->synced && (!reader->delimited || reader->line.size + size > REPLY_SYNC_MAX)) {
                reader->line.size = 0;
                reader->delimited = false;
                return 0;
        }

        if (reader->line.size + size > REPLY_LINE_MAX)
                return -EMSGSIZE;

        return buffer_append(&reader->line, piece, size);
}

int line_reader_next(LineReader *reader, const char **data, size_t *size) {
        int r;

        assert(reader);
        assert(data);
        assert(size);

        if (reader->complete) {
                reader->complete = false;
                reader->delimited = false;
                reader->line.size = 0;
        }

        while (*size > 0) {
                const char *end = memchr(*data, '\n', *size);
                size_t n = end ? (size_t) (end - *data) : *size;

                r = line_reader_take(reader, *data, n);
                if (r < 0)
                        return r;

                n += end ? 1 : 0;
                *data += n;
                *size -= n;

                if (end && reader->line.size > 0) {
                        reader->complete = true;
                        return 1;
                }
                if (end)
                        reader->delimited = false;
        }

        return 0;
}

void line_reader_done(LineReader *reader) {
        buffer_done(&reader->line);
        *reader = (LineReader) {};
}

static size_t skip_digits(const char *s, size_t n, size_t i) {
        while (i < n && s[i] >= '0' && s[i] <= '9')
                i++;

        return i;
}

/* -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)? */
static bool is_number(const char *s, size_t n) {
        size_t i = n > 0 && s[0] == '-' ? 1 : 0, start = i;

        i = skip_digits(s, n, i);
        if (i == start || (s[start] == '0' && i > start + 1))
                return false;

        if (i < n && s[i] == '.') {
                start = i + 1;
                i = skip_digits(s, n, start);
                if (i == start)
                        return false;
        }

        if (i < n && (s[i] == 'e' || s[i] == 'E')) {
                start = i + 1;
                if (start < n && (s[start] == '+' || s[start] == '-'))
                        start++;
                i = skip_digits(s, n, start);
                if (i == start)
                        return false;
        }

        return i == n;
}

static bool is_word(const char *s, size_t n) {
        static const char *const words[] = {"true", "false", "null"};

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (n == strlen(words[i]) && memcmp(s, words[i], n) == 0)
                        return true;

        return is_number(s, n);
}

/* How many bytes the string that begins at s takes, with its quotes, or 0 where it has no end or a control byte. */
static size_t string_size(const char *s, size_t n) {
        for (size_t i = 1; i < n; i++) {
                if (s[i] == '"')
                        return i + 1;
                if ((uint8_t) s[i] < 0x20)
                        return 0;
                if (s[i] == '\\')
                        i++;
        }

        return 0;
}

/* How many bytes the string, number or word takes that begins at s, or 0 where it is none. */
static size_t scalar_size(const char *s, size_t n) {
        size_t i = 0;

        if (s[0] == '"')
                return string_size(s, n);

        while (i < n && !memchr("{}[]:,\" \t\r", s[i], 10))
                i++;

        return is_word(s, i) ? i : 0;
}

Cause reply_check(const char *text, size_t size) {
        unsigned depth = 0, values = 0, containers = 0;

        for (size_t i = 0, n; i < size; i += n) {
                n = 1;

                if (memchr(" \t\r:,", text[i], 5))
                        continue;

                if (memchr("}]", text[i], 2)) {
                        if (depth-- == 0)
                                return CAUSE_NOT_JSON;
                        continue;
                }

                if (++values > REPLY_VALUES_MAX)
                        return CAUSE_TOO_MANY_VALUES;

                if (memchr("{[", text[i], 2)) {
                        if (++depth > JSON_DEPTH_MAX)
                                return CAUSE_TOO_DEEP;
                        if (++containers > REPLY_CONTAINERS_MAX)
                                return CAUSE_TOO_MANY_VALUES;
                        continue;
                }

                n = scalar_size(text + i, size - i);
                if (n == 0)
                        return CAUSE_NOT_JSON;
        }

        return depth > 0 ? CAUSE_NOT_JSON : CAUSE_NONE;
}

static void reply_read_id(Reply *reply) {
        json_object *id;

        if (!json_object_object_get_ex(reply->object, "id", &id) || !json_object_is_type(id, json_type_int))
                return;

        reply->id = json_object_get_int64(id);
        reply->has_id = true;
}

static Cause reply_classify(Reply *reply) {
        bool returned;
        json_object *error;

        if (!json_object_is_type(reply->object, json_type_object))
                return CAUSE_NOT_A_REPLY;

        reply_read_id(reply);
        returned = json_object_object_get_ex(reply->object, "return", &reply->value);

        if (json_object_object_get_ex(reply->object, "error", &error)) {
                if (returned || !json_object_is_type(error, json_type_object))
                        return CAUSE_NOT_A_REPLY;

                reply->kind = REPLY_ERROR;
                reply->value = error;
                return CAUSE_NONE;
        }

        if (returned) {
                reply->kind = REPLY_RETURN;
                return CAUSE_NONE;
        }

        reply->event = json_get_text(reply->object, "event");
        if (reply->event) {
                reply->kind = REPLY_EVENT;
                (void) json_object_object_get_ex(reply->object, "data", &reply->value);
        }

        return CAUSE_NONE;
}

int reply_parse(const char *text, size_t size, Reply *ret) {
        _cleanup_reply_ Reply reply = {};
        Cause cause;
        int r;

        assert(text);
        assert(ret);

        cause = reply_check(text, size);
        if (cause != CAUSE_NONE)
                return (int) cause;

        r = json_parse(text, size, &reply.object);
        if (r < 0)
                return r == -EBADMSG ? (int) CAUSE_NOT_JSON : r;

        cause = reply_classify(&reply);
        if (cause != CAUSE_NONE)
                return (int) cause;

        *ret = reply;
        reply = (Reply) {};
        return 0;
}

void reply_done(Reply *reply) {
        if (reply->object)
                json_object_put(reply->object);
        *reply = (Reply) {};
}
