/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/channel/reply.h"
#include "core/json.h"

/* A control character in an id is white space between its tokens, because strings cannot hold one. */
static int reply_append_id(Buffer *b, Span id) {
        size_t start = b->size;
        int r;

        r = ascii_append(b, id.data, id.size);
        if (r < 0)
                return r;

        for (size_t i = start; i < b->size; i++)
                if ((uint8_t) b->data[i] < 0x20)
                        b->data[i] = ' ';

        return 0;
}

static int reply_end(Buffer *b, Span id) {
        int r;

        if (id.size > 0) {
                r = buffer_puts(b, ", \"id\": ");
                if (r < 0)
                        return r;
                r = reply_append_id(b, id);
                if (r < 0)
                        return r;
        }

        return buffer_puts(b, "}\n");
}

/* An id grows to at most three times its size: two bytes of UTF-8 become \uXXXX. */
size_t reply_space(Span id) {
        return REPLY_SIZE_MAX - 64 - 3 * id.size;
}

static int reply_body(Buffer *b, Span body, Span id) {
        int r;

        r = buffer_puts(b, "{\"return\": ");
        if (r < 0)
                return r;
        r = buffer_append(b, body.data, body.size);
        if (r < 0)
                return r;

        return reply_end(b, id);
}

int reply_return(Buffer *b, Span body, Span id) {
        size_t start = b->size;
        int r;

        r = reply_body(b, body, id);
        if (r < 0 || b->size - start <= REPLY_SIZE_MAX)
                return r;

        b->size = start;
        return reply_error(b, "GenericError", "The reply would be longer than 256 KiB", id);
}

int reply_error(Buffer *b, const char *class, const char *desc, Span id) {
        _cleanup_json_ json_object *text = NULL;
        int r;

        text = json_text(desc);
        if (!text)
                return -ENOMEM;

        r = buffer_printf(b, "{\"error\": {\"class\": \"%s\", \"desc\": ", class);
        if (r < 0)
                return r;
        r = json_format(text, b);
        if (r < 0)
                return r;
        r = buffer_puts(b, "}");
        if (r < 0)
                return r;

        return reply_end(b, id);
}
