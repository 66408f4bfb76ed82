/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A host that is played, and an agent that answers it: bytes of the host in, lines out (README, "The channel"). Include
 * it behind cmocka.h.
 */

#include "agent/channel/commands.h"
#include "agent/channel/frame.h"
#include "agent/channel/reply.h"

#define PING "{\"execute\":\"guest-ping\"}"
#define PONG "{\"return\": {}}\n"
#define ERROR(desc) "{\"error\": {\"class\": \"GenericError\", \"desc\": \"" desc "\"}}\n"
#define NO_OBJECT ERROR("QMP input must be a JSON object")

typedef struct Stage {
        FrameReader reader;
        CommandAgent agent;
        Buffer said;   /* all lines of the agent */
        Buffer pending_id; /* of the request that is answered later */
        Buffer question; /* for gtune-tpm: verb, arguments, and whether the report is signed */
        bool busy;
        char *report, *changes;
        int failure; /* of report, changes, and of a quote */
        int outcome; /* of the last request */
        bool allowed, watching, applied;
        uint64_t now;
} Stage;

static inline int stage_report(void *userdata, Span *ret) {
        Stage *s = userdata;

        *ret = (Span) {.data = s->report, .size = strlen(s->report)};
        return s->failure;
}

static inline int stage_changes(void *userdata, Span *ret) {
        Stage *s = userdata;

        *ret = (Span) {.data = s->changes, .size = strlen(s->changes)};
        return s->failure;
}

static inline bool stage_allowed(void *userdata) {
        return ((Stage *) userdata)->allowed;
}

static inline void stage_apply(void *userdata) {
        ((Stage *) userdata)->applied = true;
}

static inline void stage_watch(void *userdata, bool on) {
        ((Stage *) userdata)->watching = on;
}

static inline int stage_tpm(void *userdata, const char *verb, Buffer *arguments, bool signs_report) {
        Stage *s = userdata;

        if (s->busy)
                return -EBUSY;
        if (signs_report && s->failure < 0)
                return s->failure;

        s->busy = true;
        assert_return_code(buffer_printf(&s->question, "%s %s%s", verb, strempty(arguments->data),
                                         signs_report ? " and the report" : ""), 0);
        return 0;
}

static inline void stage_init(Stage *s) {
        *s = (Stage) {
                .reader = FRAME_READER_NULL,
                .agent = {stage_report, stage_changes, stage_allowed, stage_apply, stage_watch, stage_tpm, s},
                .now = 1000,
        };
        s->report = strdup("{\"schema\": 1}");
        s->changes = strdup("{\"changes\":[{\"n\":0},{\"n\":1}],\"refusal\":null}");
}

static inline void stage_done(Stage *s) {
        frame_reader_done(&s->reader);
        buffer_done(&s->said);
        buffer_done(&s->pending_id);
        buffer_done(&s->question);
        free(s->report);
        free(s->changes);
}

/* Answers the request that was heard last; also once more, after COMMAND_LATER. */
static inline void stage_request(Stage *s) {
        Span id;

        s->outcome = command_answer(frame_reader_text(&s->reader), &s->agent, &s->said, &id);
        assert_return_code(s->outcome, -s->outcome);
        if (s->outcome == COMMAND_PENDING)
                assert_return_code(buffer_append(&s->pending_id, id.data, id.size), 0);
}

static inline void stage_event(Stage *s, int event) {
        if (event == FRAME_REQUEST)
                stage_request(s);
        if (event == FRAME_GARBAGE)
                assert_return_code(reply_error(&s->said, "GenericError", frame_reader_error(&s->reader), SPAN_NULL), 0);
        if (event == FRAME_FLUSH)
                s->watching = false;
}

static inline void stage_hear(Stage *s, const char *data, size_t size) {
        while (size > 0) {
                size_t used;
                int event = frame_reader_feed(&s->reader, data, size, s->now, &used);

                assert_true(event >= 0);
                stage_event(s, event);
                data += used;
                size -= used;
        }
}

static inline void stage_say(Stage *s, const char *text) {
        stage_hear(s, text, strlen(text));
}

static inline const char *stage_answer(const Stage *s) {
        return strempty(s->said.data);
}

static inline void say_repeated(Stage *s, const char *text, size_t n) {
        for (size_t i = 0; i < n; i++)
                stage_say(s, text);
}

/* One conversation. */
typedef struct Row {
        const char *name, *input, *output;
} Row;

static inline void check_rows(const Row *rows, size_t n) {
        for (size_t i = 0; i < n; i++) {
                Stage whole, bytes;

                print_message("    %s\n", rows[i].name);
                stage_init(&whole);
                stage_say(&whole, rows[i].input);
                assert_string_equal(stage_answer(&whole), rows[i].output);

                /* However the bytes are cut, the answers are the same. */
                stage_init(&bytes);
                for (const char *p = rows[i].input; *p; p++)
                        stage_hear(&bytes, p, 1);
                assert_string_equal(stage_answer(&bytes), rows[i].output);

                stage_done(&whole);
                stage_done(&bytes);
        }
}
