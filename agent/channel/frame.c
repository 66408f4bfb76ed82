/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "agent/channel/frame.h"
#include "core/json.h"

#define FRAME_TEXT_KEPT 1024U /* a buffer up to this size is reused for the next request */

static const char *const frame_errors[_JSON_SCAN_ERROR_MAX] = {
        [JSON_SCAN_CHARACTER] = "JSON parse error, unexpected character",
        [JSON_SCAN_TOKEN] = "JSON parse error, unexpected token",
        [JSON_SCAN_BRACKETS] = "JSON parse error, unbalanced brackets",
        [JSON_SCAN_DEPTH] = "JSON nesting depth limit exceeded",
        [JSON_SCAN_WORD] = "JSON parse error, invalid keyword or number",
        [JSON_SCAN_ESCAPE] = "JSON parse error, invalid escape in string",
        [JSON_SCAN_CONTROL] = "JSON parse error, control character in string",
};

static bool frame_utf8_is_valid(const char *s, size_t size) {
        for (size_t i = 0, n; i < size; i += n) {
                uint32_t c;

                n = utf8_decode(s + i, size - i, &c);
                if (n == 0)
                        return false;
        }

        return true;
}

/* Whether the next byte is a double quote in a string in single quotes, where it needs no escape. */
static bool frame_needs_escape(const JsonScan *scan, char ch) {
        return ch == '"' && scan->in_string && scan->quote == '\'' && !scan->escaped;
}

/* Returns NULL, or why the byte cannot be the next one of the request. */
static const char *frame_reader_check(FrameReader *reader, char ch) {
        bool was_in_string = reader->scan.in_string;
        JsonScanError error;

        if (reader->text.size + (frame_needs_escape(&reader->scan, ch) ? 1 : 0) >= FRAME_SIZE_MAX)
                return "JSON token size limit exceeded";

        error = json_scan(&reader->scan, ch);
        if (!was_in_string && reader->scan.in_string)
                reader->string = reader->text.size + 1;
        if (was_in_string && !reader->scan.in_string &&
            !frame_utf8_is_valid(reader->text.data + reader->string, reader->text.size - reader->string))
                return "JSON parse error, invalid UTF-8 sequence in string";

        return frame_errors[error];
}

static void frame_reader_forget(FrameReader *reader) {
        if (reader->text.allocated > FRAME_TEXT_KEPT)
                buffer_done(&reader->text);
        reader->text.size = 0;
        *reader = (FrameReader) {
                .text = reader->text,
                .scan = FRAME_SCAN_NULL,
                .deadline = UINT64_MAX,
                .discarding = reader->discarding,
                .error = reader->error,
        };
}

void frame_reader_reset(FrameReader *reader) {
        frame_reader_forget(reader);
        reader->discarding = false;
}

void frame_reader_done(FrameReader *reader) {
        frame_reader_reset(reader);
        buffer_done(&reader->text);
}

static int frame_reader_keep(FrameReader *reader, char ch) {
        Buffer *b = &reader->text;

        if (b->size + 2 > b->allocated)
                return buffer_append(b, &ch, 1);

        b->data[b->size++] = ch;
        b->data[b->size] = 0;
        return 0;
}

/*
 * Keep a byte as plain JSON has it.
 * @before: the scan before the byte
 */
static int frame_reader_keep_plain(FrameReader *reader, const JsonScan *before, char ch) {
        int r = 0;

        if (ch == '\'' && before->escaped) {
                /* JSON has no escape for it, and needs none. */
                reader->text.data[reader->text.size - 1] = ch;
                return 0;
        }

        if (frame_needs_escape(before, ch))
                r = frame_reader_keep(reader, '\\');
        else if (ch == '\'' && before->in_string != reader->scan.in_string)
                ch = '"';

        return r < 0 ? r : frame_reader_keep(reader, ch);
}

void frame_reader_expire(FrameReader *reader, uint64_t now) {
        if (frame_reader_half(reader) && now >= reader->deadline)
                frame_reader_forget(reader);
}

/* If the wrong byte is a newline, nothing is discarded: the garbage has ended. */
static int frame_reader_garbage(FrameReader *reader, const char *error, char ch) {
        frame_reader_forget(reader);
        reader->discarding = ch != '\n';
        reader->error = error;
        return FRAME_GARBAGE;
}

static int frame_reader_begin(FrameReader *reader, char ch, uint64_t now) {
        if (ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n')
                return FRAME_MORE;
        if (ch != '{' && ch != '[')
                return frame_reader_garbage(reader, "QMP input must be a JSON object", ch);

        reader->deadline = now + FRAME_HALF_USEC;
        (void) json_scan(&reader->scan, ch);
        return frame_reader_keep(reader, ch);
}

static int frame_reader_continue(FrameReader *reader, char ch) {
        const JsonScan before = reader->scan;
        const char *error;
        int r;

        error = frame_reader_check(reader, ch);
        if (error)
                return frame_reader_garbage(reader, error, ch);

        r = frame_reader_keep_plain(reader, &before, ch);
        if (r < 0 || reader->scan.depth > 0)
                return r;

        reader->complete = true;
        reader->deadline = UINT64_MAX;
        return FRAME_REQUEST;
}

static int frame_reader_take(FrameReader *reader, char ch, uint64_t now) {
        if ((uint8_t) ch == 0xFF) {
                frame_reader_reset(reader);
                return FRAME_FLUSH;
        }

        if (reader->discarding) {
                reader->discarding = ch != '\n';
                return FRAME_MORE;
        }

        return frame_reader_half(reader) ? frame_reader_continue(reader, ch) : frame_reader_begin(reader, ch, now);
}

int frame_reader_feed(FrameReader *reader, const char *data, size_t size, uint64_t now, size_t *ret_used) {
        int r = FRAME_MORE;
        size_t i = 0;

        assert(reader && ret_used);

        if (reader->complete)
                frame_reader_forget(reader);

        while (r == FRAME_MORE && i < size)
                r = frame_reader_take(reader, data[i++], now);

        *ret_used = i;
        return r;
}
