/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a guest sends: lines, replies, reports, and their way onto a terminal. The first byte says how the rest is cut
 * into pieces, and whether the stream is synced from the beginning.
 */

#include <assert.h>

#include "host/print.h"
#include "host/reply.h"
#include "host/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_clean(const Buffer *b) {
        for (size_t i = 0; i < b->size; i++)
                if (b->data[i] != '\n' && (b->data[i] < 0x20 || b->data[i] > 0x7E))
                        abort();
}

/* What is printed as JSON must be JSON for us, too, and print the same again. */
static void must_print_again(const Buffer *b) {
        _cleanup_json_ json_object *again = NULL;
        _cleanup_buffer_ Buffer c = BUFFER_NULL;

        if (reply_check(b->data, b->size - 1) != CAUSE_NONE || json_parse(b->data, b->size - 1, &again) < 0)
                abort();
        if (print_json(&c, again) < 0 || !buffer_equal(b, &c))
                abort();
}

static void try_report(json_object *value) {
        static const Output styles[] = {{.target_width = 8}, {.target_width = 8, .clock = true, .colour = false}};
        _cleanup_free_ char *where = NULL;

        if (report_check(value, &where) != 0)
                return;

        assert(report_status(value) >= 0);
        for (size_t i = 0; i < ELEMENTSOF(styles); i++) {
                Target t;

                target_init(&t, NULL, "/a\x1b/target");
                assert(print_report(&styles[i], &t, value) == 0);
                must_be_clean(&t.text);
                target_release(&t);
        }
}

static void try_line(const char *line, size_t size) {
        _cleanup_reply_ Reply reply = {};
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        _cleanup_free_ char *where = NULL;

        if (reply_parse(line, size, &reply) != 0)
                return;

        assert(print_json(&b, reply.object) == 0);
        must_be_clean(&b);
        must_print_again(&b);

        try_report(reply.value);
        (void) report_check_change(reply.value, &where);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        LineReader reader = {};
        size_t step;

        if (size == 0)
                return 0;

        reader.synced = data[0] & 1;
        step = (data[0] >> 1) ? (data[0] >> 1) : size;

        for (size_t i = 1; i < size; i += step) {
                const char *p = (const char *) data + i;
                size_t n = size - i < step ? size - i : step;

                while (line_reader_next(&reader, &p, &n) > 0)
                        try_line(reader.line.data, reader.line.size);
        }

        line_reader_done(&reader);
        return 0;
}
