/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libFuzzer: bytes of the host into the channel and its commands. Whatever comes in, what goes out is lines of ASCII
 * that are JSON, one for each request or run of garbage, and what is kept is bounded.
 */

#include "agent/channel/commands.h"
#include "agent/channel/frame.h"
#include "agent/channel/reply.h"
#include "core/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whether the report is being made when it is next asked for; userdata of all functions below. */
typedef struct Making {
        bool now;
} Making;

static int give(void *userdata, Span *ret) {
        static const char text[] = "{\"changes\": [{\"n\": 1}, {\"n\": \"\\u00e9\"}, {\"n\": null}], \"refusal\": null}";

        if (((const Making *) userdata)->now)
                return -EAGAIN;

        *ret = (Span) {.data = text, .size = sizeof(text) - 1};
        return 0;
}

static bool allow(_unused_ void *userdata) {
        return true;
}

static void apply(_unused_ void *userdata) {
}

static void watch(_unused_ void *userdata, _unused_ bool on) {
}

static void require(bool condition) {
        if (!condition)
                __builtin_trap();
}

/* 0xFF stands only before the answer to guest-sync-delimited. */
static void check_line(const Buffer *line) {
        _cleanup_json_ json_object *o = NULL;
        size_t start = line->size > 0 && (uint8_t) line->data[0] == 0xFF;

        require(line->size > start && line->size <= REPLY_SIZE_MAX);
        for (size_t i = start; i + 1 < line->size; i++)
                require(line->data[i] >= 0x20 && line->data[i] <= 0x7F);
        require(line->data[line->size - 1] == '\n');
        require(json_parse(line->data + start, line->size - start, &o) >= 0);
        require(json_object_is_type(o, json_type_object));
}

/* What goes to gtune-tpm is JSON, too. */
static int ask(void *userdata, const char *verb, Buffer *arguments, bool signs_report) {
        _cleanup_json_ json_object *o = NULL;
        _cleanup_buffer_ Buffer object = BUFFER_NULL;

        require(strlen(verb) > 0);
        require(buffer_printf(&object, "{%s}", arguments->size > 0 ? arguments->data : "") >= 0);
        require(json_parse(object.data, object.size, &o) >= 0);
        return signs_report && ((const Making *) userdata)->now ? -EAGAIN : 0;
}

/* A request that finds no report is answered again, as if it had just come. The size of the text decides which does. */
static int answer_request(Span text, Buffer *line, Span *ret_id) {
        Making making = {.now = text.size % 2 == 1};
        const CommandAgent agent = {give, give, allow, apply, watch, ask, &making};
        int r;

        r = command_answer(text, &agent, line, ret_id);
        if (r != COMMAND_LATER)
                return r;

        require(making.now && line->size == 0);
        making.now = false;
        r = command_answer(text, &agent, line, ret_id);
        require(r != COMMAND_LATER);
        return r;
}

static void answer(const FrameReader *c, int event) {
        _cleanup_buffer_ Buffer line = BUFFER_NULL;
        Span id;
        int r;

        if (event == FRAME_REQUEST)
                r = answer_request(frame_reader_text(c), &line, &id);
        else
                r = reply_error(&line, "GenericError", frame_reader_error(c), SPAN_NULL);

        require(r >= 0);
        if (r == COMMAND_PENDING || r == COMMAND_BACKGROUND)
                require(command_finish(id, NULL, "{}", &line) >= 0);
        check_line(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        FrameReader c = FRAME_READER_NULL;
        bool garbage = false; /* it was answered, and nothing has ended it */

        while (size > 0) {
                size_t used;
                int event = frame_reader_feed(&c, (const char *) data, size, 0, &used);

                require(event >= 0 && used > 0 && used <= size);
                require(c.text.size <= FRAME_SIZE_MAX && c.scan.depth <= FRAME_DEPTH_MAX);
                garbage = garbage && !memchr(data, '\n', used) && !memchr(data, 0xFF, used);
                require(!garbage || event == FRAME_MORE);

                if (event == FRAME_REQUEST || event == FRAME_GARBAGE)
                        answer(&c, event);
                garbage = garbage || (event == FRAME_GARBAGE && data[used - 1] != '\n');
                data += used;
                size -= used;
        }

        frame_reader_done(&c);
        return 0;
}
