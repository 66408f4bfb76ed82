/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "core/json-scan.h"
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

Cause reply_check(const char *text, size_t size) {
        JsonScan scan = JSON_SCAN_INIT(JSON_DEPTH_MAX);

        for (size_t i = 0; i < size; i++) {
                JsonScanError error;

                if (text[i] == '\n')
                        return CAUSE_NOT_JSON;

                error = json_scan(&scan, text[i]);
                if (scan.values > REPLY_VALUES_MAX)
                        return CAUSE_TOO_MANY_VALUES;
                if (error == JSON_SCAN_DEPTH)
                        return CAUSE_TOO_DEEP;
                if (error != JSON_SCAN_OK)
                        return CAUSE_NOT_JSON;
                if (scan.containers > REPLY_CONTAINERS_MAX)
                        return CAUSE_TOO_MANY_VALUES;
        }

        return json_scan_end(&scan) ? CAUSE_NONE : CAUSE_NOT_JSON;
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
