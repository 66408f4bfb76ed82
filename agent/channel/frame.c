/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "agent/channel/frame.h"
#include "core/json.h"

#define FRAME_TEXT_KEPT 1024U

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

/* Returns NULL, or why the byte cannot be the next one of the request. */
static const char *frame_reader_check(FrameReader *c, char ch) {
        bool was_in_string = c->scan.in_string;
        JsonScanError error;

        if (c->text.size >= FRAME_SIZE_MAX)
                return "JSON token size limit exceeded";

        error = json_scan(&c->scan, ch);
        if (!was_in_string && c->scan.in_string)
                c->string = c->text.size + 1;
        if (was_in_string && !c->scan.in_string &&
            !frame_utf8_is_valid(c->text.data + c->string, c->text.size - c->string))
                return "JSON parse error, invalid UTF-8 sequence in string";

        return frame_errors[error];
}

/* The memory of an ordinary request is kept for the next one. */
static void frame_reader_forget(FrameReader *c) {
        if (c->text.allocated > FRAME_TEXT_KEPT)
                buffer_done(&c->text);
        c->text.size = 0;
        *c = (FrameReader) {
                .text = c->text,
                .scan = JSON_SCAN_INIT(FRAME_DEPTH_MAX),
                .deadline = UINT64_MAX,
                .discarding = c->discarding,
                .error = c->error,
        };
}

void frame_reader_reset(FrameReader *c) {
        frame_reader_forget(c);
        c->discarding = false;
}

void frame_reader_done(FrameReader *c) {
        frame_reader_reset(c);
        buffer_done(&c->text);
}

static int frame_reader_keep(FrameReader *c, char ch) {
        Buffer *b = &c->text;

        if (b->size + 2 > b->allocated)
                return buffer_append(b, &ch, 1);

        b->data[b->size++] = ch;
        b->data[b->size] = 0;
        return 0;
}

void frame_reader_expire(FrameReader *c, uint64_t now) {
        if (frame_reader_half(c) && now >= c->deadline)
                frame_reader_forget(c);
}

/* A newline that is itself the error ends the garbage: the next line can be a request again. */
static int frame_reader_garbage(FrameReader *c, const char *error, char ch) {
        frame_reader_forget(c);
        c->discarding = ch != '\n';
        c->error = error;
        return FRAME_GARBAGE;
}

static int frame_reader_begin(FrameReader *c, char ch, uint64_t now) {
        if (ch == ' ' || ch == '\t' || ch == '\r' || ch == '\n')
                return FRAME_MORE;
        if (ch != '{' && ch != '[')
                return frame_reader_garbage(c, "QMP input must be a JSON object", ch);

        c->deadline = now + FRAME_HALF_USEC;
        (void) json_scan(&c->scan, ch);
        return frame_reader_keep(c, ch);
}

static int frame_reader_continue(FrameReader *c, char ch) {
        const char *error;
        int r;

        error = frame_reader_check(c, ch);
        if (error)
                return frame_reader_garbage(c, error, ch);

        r = frame_reader_keep(c, ch);
        if (r < 0 || c->scan.depth > 0)
                return r;

        c->complete = true;
        c->deadline = UINT64_MAX;
        return FRAME_REQUEST;
}

static int frame_reader_take(FrameReader *c, char ch, uint64_t now) {
        if ((uint8_t) ch == 0xFF) {
                frame_reader_reset(c);
                return FRAME_FLUSH;
        }

        if (c->discarding) {
                c->discarding = ch != '\n';
                return FRAME_MORE;
        }

        return frame_reader_half(c) ? frame_reader_continue(c, ch) : frame_reader_begin(c, ch, now);
}

int frame_reader_feed(FrameReader *c, const char *data, size_t size, uint64_t now, size_t *ret_used) {
        int r = FRAME_MORE;
        size_t i = 0;

        assert(c && ret_used);

        if (c->complete)
                frame_reader_forget(c);

        while (r == FRAME_MORE && i < size)
                r = frame_reader_take(c, data[i++], now);

        *ret_used = i;
        return r;
}
