/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "tpm/userspace-log.h"

#define USERSPACE_LOG_SEPARATOR 0x1E

/*
 * Digests and texts are stored in one block of memory, which is as large as the log. They always fit: a digest has half
 * the length of its hex digits, and a text is not longer than its JSON form with the quotation marks.
 */
typedef struct UserspaceLogParser {
        EventLog *log;
        size_t used; /* of log->memory, in bytes */
} UserspaceLogParser;

/* Copies bytes into the memory of the log. Return: the copy, or NULL: no room. */
static const char *userspace_log_take_bytes(UserspaceLogParser *p, const void *data, size_t size) {
        uint8_t *copy = p->log->memory + p->used;

        if (size > p->log->size - p->used)
                return NULL;

        if (size > 0)
                memcpy(copy, data, size);
        p->used += size;
        return (const char *) copy;
}

static int userspace_log_read_digest(UserspaceLogParser *p, json_object *o, Event *event) {
        const char *name = json_get_text(o, "hashAlg"), *hex = json_get_text(o, "digest");
        Algorithm bank = name ? algorithm_from_string(name) : _ALGORITHM_INVALID;
        uint8_t digest[DIGEST_SIZE_MAX];

        if (!name || !hex)
                return -EBADMSG;
        if (bank < 0)
                return 0; /* an algorithm that gtuned does not know: skipped */
        if (event->digests[bank] || hex_decode(hex, algorithm_size(bank), digest) < 0)
                return -EBADMSG;

        event->digests[bank] = (const uint8_t *) userspace_log_take_bytes(p, digest, algorithm_size(bank));
        return event->digests[bank] ? 0 : -EBADMSG;
}

static int userspace_log_read_content(UserspaceLogParser *p, json_object *o, Event *event) {
        json_object *content;
        const char *kind, *text;

        if (!json_object_object_get_ex(o, "content", &content))
                content = NULL;

        kind = strempty(json_get_text(content, "eventType"));
        text = strempty(json_get_text(content, "string"));
        event->kind = userspace_log_take_bytes(p, kind, strlen(kind) + 1);
        event->data = (const uint8_t *) userspace_log_take_bytes(p, text, strlen(text));
        event->size = strlen(text);
        return event->kind && event->data ? 0 : -EBADMSG;
}

/* Whether a record is about an NV index that acts as a PCR, or a register of a confidential guest. */
static bool userspace_log_is_other_register(json_object *o) {
        json_object *content;

        return json_object_object_get_ex(o, "nv_index", NULL) || json_object_object_get_ex(o, "rtmr", NULL) ||
               (json_object_object_get_ex(o, "content", &content) && json_get_text(content, "nvIndexName"));
}

/* Return: 0; 1 if the record extends no PCR; -EBADMSG, -ENOMEM. */
static int userspace_log_read_record(UserspaceLogParser *p, const char *text, size_t size, Event *event) {
        _cleanup_json_ json_object *o = NULL;
        json_object *value, *digests;
        int64_t pcr;
        int r = json_parse(text, size, &o);

        if (r < 0)
                return r;
        if (!json_object_is_type(o, json_type_object))
                return -EBADMSG;
        if (!json_object_object_get_ex(o, "pcr", &value))
                return userspace_log_is_other_register(o) ? 1 : -EBADMSG;

        pcr = json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : -1;
        if (pcr < 0 || pcr >= PCR_COUNT)
                return -EBADMSG;

        event->pcr = (uint32_t) pcr;
        digests = json_get_array(o, "digests");
        if (!digests)
                return -EBADMSG;
        for (size_t i = 0; i < json_object_array_length(digests); i++)
                if (userspace_log_read_digest(p, json_object_array_get_idx(digests, i), event) < 0)
                        return -EBADMSG;

        return userspace_log_read_content(p, o, event);
}

static int userspace_log_set_defect(EventLog *log, EventLogStatus status, size_t offset, const char *what) {
        log->reason = xasprintf("%s (byte %zu)", what, offset);
        log->status = status;
        log->offset = offset;
        return log->reason ? 1 : -ENOMEM;
}

static int userspace_log_add(EventLog *log, const Event *event) {
        if (log->n_events >= EVENT_LOG_EVENTS_MAX)
                return userspace_log_set_defect(log, EVENT_LOG_MALFORMED, event->offset,
                                                "it has more events than are read");
        if (grow(&log->events, log->n_events, sizeof(Event)) < 0)
                return -ENOMEM;

        log->events[log->n_events++] = *event;
        for (Algorithm i = 0; i < _ALGORITHM_MAX; i++)
                if (event->digests[i])
                        log->banks |= 1U << i;

        return 0;
}

/* Return: 0; 1 if the log has a defect, which is set; -ENOMEM. */
static int userspace_log_read_records(UserspaceLogParser *p, const char *text, size_t size) {
        int r = 0;

        for (size_t i = 0, end; r == 0 && i < size; i = end) {
                const char *next = memchr(text + i + 1, USERSPACE_LOG_SEPARATOR, size - i - 1);
                Event event = {.offset = i};

                end = next ? (size_t) (next - text) : size;
                if (text[i] != USERSPACE_LOG_SEPARATOR)
                        return userspace_log_set_defect(p->log, EVENT_LOG_MALFORMED, i, "no record begins here");

                r = userspace_log_read_record(p, text + i + 1, end - i - 1, &event);
                if (r == -EBADMSG)
                        /* Each record ends with a newline, so only the last record may have been cut. */
                        r = userspace_log_set_defect(p->log,
                                                     end == size && text[size - 1] != '\n' ? EVENT_LOG_TRUNCATED
                                                                                           : EVENT_LOG_MALFORMED,
                                                     i, "there is no valid record");
                else if (r == 0)
                        r = userspace_log_add(p->log, &event);
                else if (r > 0)
                        r = 0;
        }

        return r;
}

int userspace_log_parse(const void *data, size_t size, EventLog **ret) {
        _cleanup_(eventlog_freep) EventLog *log = calloc(1, sizeof(*log));
        int r;

        assert(ret);

        if (!log)
                return -ENOMEM;

        log->format = EVENT_LOG_USERSPACE;
        log->size = size;
        if (size > EVENT_LOG_SIZE_MAX) {
                r = userspace_log_set_defect(log, EVENT_LOG_MALFORMED, EVENT_LOG_SIZE_MAX, "it is larger than 4 MiB");
        } else {
                log->memory = malloc(size > 0 ? size : 1);
                if (!log->memory)
                        return -ENOMEM;
                r = userspace_log_read_records(&(UserspaceLogParser){.log = log}, data, size);
        }
        if (r < 0)
                return r;
        if (log->status == EVENT_LOG_COMPLETE && log->n_events == 0)
                log->status = EVENT_LOG_EMPTY;

        *ret = TAKE_PTR(log);
        return 0;
}
