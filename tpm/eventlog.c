/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "tpm/eventlog.h"
#include "tpm/reader.h"

#define SPEC_ID_SIGNATURE "Spec ID Event03" /* and its NUL */
#define LOCALITY_SIGNATURE "StartupLocality"
#define EVENT_LOG_ALGORITHMS_MAX 16U

/* The outcome of reading a record; or -ENOMEM. */
enum {
        EVENT_LOG_RECORD_OK = 0,
        EVENT_LOG_RECORD_BAD = 1, /* status, reason and offset of the log are set */
};

/* The digests that each record has, from the Spec ID event. */
typedef struct EventLogSpec {
        size_t n;
        struct {
                uint16_t id;
                size_t size;
        } algorithms[EVENT_LOG_ALGORITHMS_MAX];
} EventLogSpec;

/* The digest sizes of all algorithms of the TCG Algorithm Registry, not only of those that Algorithm has. */
static const struct {
        uint16_t id;
        size_t size;
} eventlog_digest_sizes[] = {
        {0x0004, 20}, {0x000B, 32}, {0x000C, 48}, {0x000D, 64}, {0x0012, 32}, {0x0027, 32}, {0x0028, 48}, {0x0029, 64},
};

EventLog *eventlog_free(EventLog *log) {
        if (!log)
                return NULL;

        free(log->reason);
        free(log->events);
        free(log->memory);
        free(log);
        return NULL;
}

int eventlog_new_unreadable(EventLogFormat format, const char *reason, EventLog **ret) {
        _cleanup_(eventlog_freep) EventLog *log = calloc(1, sizeof(*log));

        assert(ret);

        if (!log)
                return -ENOMEM;

        log->format = format;
        log->status = EVENT_LOG_UNREADABLE;
        if (free_and_strdup(&log->reason, reason) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(log);
        return 0;
}

_printf_(4, 5) static int eventlog_set_defect(EventLog *log, EventLogStatus status, size_t offset, const char *format,
                                              ...) {
        va_list ap;

        va_start(ap, format);
        log->reason = xvasprintf(format, ap);
        va_end(ap);
        if (!log->reason)
                return -ENOMEM;

        log->status = status;
        log->offset = offset;
        return EVENT_LOG_RECORD_BAD;
}

static int eventlog_cut_off(EventLog *log, size_t offset) {
        return eventlog_set_defect(log, EVENT_LOG_TRUNCATED, offset, "it ends inside the record at byte %zu", offset);
}

/* Reads size and data of the event, the end of each record. Data beyond the end are a cut if the size is plausible. */
static int eventlog_read_data(EventLog *log, Reader *reader, Event *event) {
        uint32_t size = reader_le32(reader);

        event->data = reader_take(reader, size);
        event->size = size;
        if (!reader->failed)
                return EVENT_LOG_RECORD_OK;
        if (size > EVENT_LOG_SIZE_MAX)
                return eventlog_set_defect(log, EVENT_LOG_MALFORMED, event->offset,
                                           "the record at byte %zu claims an event of %u bytes", event->offset, size);

        return eventlog_cut_off(log, event->offset);
}

static int eventlog_add(EventLog *log, const Event *event) {
        if (event->pcr >= PCR_COUNT && event_extends(event))
                return eventlog_set_defect(log, EVENT_LOG_MALFORMED, event->offset,
                                           "the record at byte %zu names PCR %u", event->offset, event->pcr);
        if (log->n_events >= EVENT_LOG_EVENTS_MAX)
                return eventlog_set_defect(log, EVENT_LOG_MALFORMED, event->offset, "it has more than %u events",
                                           EVENT_LOG_EVENTS_MAX);
        if (grow(&log->events, log->n_events, sizeof(Event)) < 0)
                return -ENOMEM;

        log->events[log->n_events++] = *event;
        for (Algorithm i = 0; i < _ALGORITHM_MAX; i++)
                if (event->digests[i])
                        log->banks |= 1U << i;

        return EVENT_LOG_RECORD_OK;
}

/* TCG_PCR_EVENT: the layout of TPM 1.2, and of the first record of every log. */
static int eventlog_read_sha1_record(EventLog *log, Reader *reader, Event *ret) {
        Event event = {.offset = reader->offset};

        event.pcr = reader_le32(reader);
        event.type = reader_le32(reader);
        event.digests[ALGORITHM_SHA1] = reader_take(reader, algorithm_size(ALGORITHM_SHA1));

        *ret = event;
        return eventlog_read_data(log, reader, ret);
}

static int eventlog_read_digests(EventLog *log, Reader *reader, const EventLogSpec *spec, Event *event) {
        uint32_t count = reader_le32(reader);

        if (!reader->failed && count != spec->n)
                return eventlog_set_defect(log, EVENT_LOG_MALFORMED, event->offset,
                                           "the record at byte %zu has %u digests, and the log's header announces %zu",
                                           event->offset, count, spec->n);

        for (size_t i = 0; i < spec->n; i++) {
                uint16_t id = reader_le16(reader);
                const uint8_t *digest = reader_take(reader, spec->algorithms[i].size);
                Algorithm bank = algorithm_from_id(spec->algorithms[i].id);

                if (reader->failed)
                        break;
                if (id != spec->algorithms[i].id)
                        return eventlog_set_defect(
                                log, EVENT_LOG_MALFORMED, event->offset,
                                "the record at byte %zu has a digest of algorithm 0x%04x in place of 0x%04x",
                                event->offset, id, spec->algorithms[i].id);
                if (bank >= 0)
                        event->digests[bank] = digest;
        }

        return reader->failed ? eventlog_cut_off(log, event->offset) : EVENT_LOG_RECORD_OK;
}

/* TCG_PCR_EVENT2 */
static int eventlog_read_agile_record(EventLog *log, Reader *reader, const EventLogSpec *spec, Event *ret) {
        Event event = {.offset = reader->offset};
        int r;

        event.pcr = reader_le32(reader);
        event.type = reader_le32(reader);
        r = eventlog_read_digests(log, reader, spec, &event);
        if (r != EVENT_LOG_RECORD_OK)
                return r;

        *ret = event;
        return eventlog_read_data(log, reader, ret);
}

static size_t eventlog_digest_size(uint16_t id) {
        for (size_t i = 0; i < ELEMENTSOF(eventlog_digest_sizes); i++)
                if (eventlog_digest_sizes[i].id == id)
                        return eventlog_digest_sizes[i].size;

        return 0;
}

static bool eventlog_spec_has(const EventLogSpec *spec, uint16_t id) {
        for (size_t i = 0; i < spec->n; i++)
                if (spec->algorithms[i].id == id)
                        return true;

        return false;
}

/* TCG_EfiSpecIDEvent: signature, platform class, versions, algorithms, vendor information. */
static int eventlog_read_spec(EventLog *log, const Event *event, EventLogSpec *spec) {
        Reader reader = reader_of(event->data, event->size);
        uint32_t n;

        (void) reader_take(&reader, sizeof(SPEC_ID_SIGNATURE) + 4 + 4);
        n = reader_le32(&reader);
        if (!reader.failed && (n < 1 || n > EVENT_LOG_ALGORITHMS_MAX))
                return eventlog_set_defect(log, EVENT_LOG_MALFORMED, event->offset,
                                           "its header announces %u algorithms", n);

        for (uint32_t i = 0; i < n && !reader.failed; i++) {
                uint16_t id = reader_le16(&reader), size = reader_le16(&reader);

                if (reader.failed)
                        break;
                if (size < 1 || size > DIGEST_SIZE_MAX ||
                    (eventlog_digest_size(id) > 0 && size != eventlog_digest_size(id)) || eventlog_spec_has(spec, id))
                        return eventlog_set_defect(log, EVENT_LOG_MALFORMED, event->offset,
                                                   "its header announces algorithm 0x%04x with digests of %u bytes%s",
                                                   id, size, eventlog_spec_has(spec, id) ? " twice" : "");
                spec->algorithms[spec->n].id = id;
                spec->algorithms[spec->n++].size = size;
        }

        (void) reader_take(&reader, reader_u8(&reader));
        if (reader.failed)
                return eventlog_set_defect(log, EVENT_LOG_MALFORMED, event->offset,
                                           "its header is longer than its own record");

        return EVENT_LOG_RECORD_OK;
}

static bool event_is_spec_id(const Event *event) {
        static const uint8_t zero[DIGEST_SIZE_MAX];

        return event->type == EV_NO_ACTION && event->pcr == 0 && event->size >= sizeof(SPEC_ID_SIGNATURE) &&
               memcmp(event->data, SPEC_ID_SIGNATURE, sizeof(SPEC_ID_SIGNATURE)) == 0 &&
               memcmp(event->digests[ALGORITHM_SHA1], zero, algorithm_size(ALGORITHM_SHA1)) == 0;
}

static int eventlog_read_records(EventLog *log, Reader *reader) {
        size_t end = reader->size;
        EventLogSpec spec = {};
        Event event;
        int r;

        /* The firmware may pass on unused space after the last record: zero bytes up to the end. */
        while (end > 0 && reader->data[end - 1] == 0)
                end--;
        if (end == 0) {
                log->status = EVENT_LOG_EMPTY;
                return EVENT_LOG_RECORD_OK;
        }

        /* The first record tells the layout of the others; the header of a crypto-agile log has no digest. */
        r = eventlog_read_sha1_record(log, reader, &event);
        if (r != EVENT_LOG_RECORD_OK)
                return r;
        if (event_is_spec_id(&event)) {
                log->format = EVENT_LOG_CRYPTO_AGILE;
                event.digests[ALGORITHM_SHA1] = NULL;
                r = eventlog_read_spec(log, &event, &spec);
                if (r != EVENT_LOG_RECORD_OK)
                        return r;
        }

        for (;;) {
                r = eventlog_add(log, &event);
                if (r != EVENT_LOG_RECORD_OK)
                        return r;
                if (reader->offset >= end)
                        break;

                r = log->format == EVENT_LOG_CRYPTO_AGILE ? eventlog_read_agile_record(log, reader, &spec, &event)
                                                          : eventlog_read_sha1_record(log, reader, &event);
                if (r != EVENT_LOG_RECORD_OK)
                        return r;
        }

        /* Fewer than 8 bytes at the end are no unused space: they begin a record of PCR 0, and the rest was cut. */
        if (reader_left(reader) > 0 && reader_left(reader) < 2 * sizeof(uint32_t))
                return eventlog_cut_off(log, reader->offset);

        return EVENT_LOG_RECORD_OK;
}

/* A log that has only its header is as good as empty. */
static bool eventlog_has_measurement(const EventLog *log) {
        for (size_t i = 0; i < log->n_events; i++)
                if (event_extends(log->events + i))
                        return true;

        return false;
}

int eventlog_parse(const void *data, size_t size, EventLog **ret) {
        _cleanup_(eventlog_freep) EventLog *log = calloc(1, sizeof(*log));
        Reader reader;
        int r;

        assert(ret);

        if (!log)
                return -ENOMEM;

        log->size = size;
        if (size > EVENT_LOG_SIZE_MAX) {
                r = eventlog_set_defect(log, EVENT_LOG_MALFORMED, 0, "it is larger than %u MiB",
                                        EVENT_LOG_SIZE_MAX >> 20);
        } else {
                log->memory = malloc(size > 0 ? size : 1);
                if (!log->memory)
                        return -ENOMEM;
                if (size > 0)
                        memcpy(log->memory, data, size);
                reader = reader_of(log->memory, size);
                r = eventlog_read_records(log, &reader);
        }
        if (r < 0)
                return r;
        if (log->status == EVENT_LOG_COMPLETE && !eventlog_has_measurement(log))
                log->status = EVENT_LOG_EMPTY;

        *ret = TAKE_PTR(log);
        return 0;
}

bool event_extends(const Event *event) {
        return event->kind || event->type != EV_NO_ACTION;
}

bool eventlog_usable(const EventLog *log) {
        return log && log->status == EVENT_LOG_COMPLETE;
}

uint8_t eventlog_startup_locality(const EventLog *log) {
        for (size_t i = 0; i < log->n_events && log->format != EVENT_LOG_USERSPACE; i++) {
                const Event *event = log->events + i;

                if (event->pcr != 0)
                        continue;
                if (event->type == EV_EFI_HCRTM_EVENT)
                        return 4;
                if (event->type == EV_NO_ACTION && event->size == sizeof(LOCALITY_SIGNATURE) + 1 &&
                    memcmp(event->data, LOCALITY_SIGNATURE, sizeof(LOCALITY_SIGNATURE)) == 0)
                        return event->data[sizeof(LOCALITY_SIGNATURE)];
        }

        return 0;
}

const char *eventlog_status_to_string(EventLogStatus status) {
        static const char *const names[_EVENT_LOG_STATUS_MAX] = {
                [EVENT_LOG_COMPLETE] = "complete",     [EVENT_LOG_EMPTY] = "empty",
                [EVENT_LOG_TRUNCATED] = "truncated",   [EVENT_LOG_MALFORMED] = "malformed",
                [EVENT_LOG_UNREADABLE] = "unreadable",
        };

        return names[status];
}

const char *eventlog_format_to_string(EventLogFormat format) {
        static const char *const names[_EVENT_LOG_FORMAT_MAX] = {
                [EVENT_LOG_SHA1] = "sha1",
                [EVENT_LOG_CRYPTO_AGILE] = "crypto-agile",
                [EVENT_LOG_USERSPACE] = "userspace",
        };

        return names[format];
}
