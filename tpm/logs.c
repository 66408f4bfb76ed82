/* SPDX-License-Identifier: Apache-2.0 */

#include "tpm/describe.h"
#include "tpm/logs.h"
#include "tpm/userspace-log.h"

/* The largest size of the events of an answer; the rest of an answer takes less than 4 KiB. */
#define LOGS_PAGE_EVENTS_SIZE_MAX (190U * 1024)

typedef struct LogSource {
        const char *name, *path;
        EventLogFormat format;
        int (*parse)(const void *data, size_t size, EventLog **ret);
} LogSource;

static const LogSource log_source_firmware = {"firmware", FIRMWARE_LOG_PATH, EVENT_LOG_CRYPTO_AGILE, eventlog_parse};
static const LogSource log_source_userspace = {"userspace", USERSPACE_LOG_PATH, EVENT_LOG_USERSPACE,
                                               userspace_log_parse};

static int logs_set_unreadable(const LogSource *source, FaultClass class, const char *reason, EventLog **ret,
                               Fault *fault) {
        int r;

        r = fault_set(fault, class, "%s: %s", source->path, reason);
        if (r < 0)
                return r;

        return eventlog_new_unreadable(source->format, reason, ret);
}

static int logs_read_one(const Root *root, const LogSource *source, EventLog **ret, Fault *fault) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        _cleanup_free_ char *reason = NULL;
        int r;

        r = root_read(root, source->path, EVENT_LOG_SIZE_MAX, &b);
        if (r >= 0)
                return source->parse(b.data, b.size, ret);
        if (r == -ENOENT || r == -ENOTDIR)
                return 0;
        if (r == -ENOMEM)
                return r;
        if (r == -EACCES || r == -EPERM)
                return logs_set_unreadable(source, FAULT_PERMISSION, "only root may read it", ret, fault);
        if (r == -EFBIG)
                return logs_set_unreadable(source, FAULT_BAD_LOG, "it is larger than 4 MiB", ret, fault);

        reason = xasprintf("it cannot be read: %s", error_text(-r));
        return reason ? logs_set_unreadable(source, FAULT_BAD_LOG, reason, ret, fault) : -ENOMEM;
}

int logs_read(const Root *root, Logs *ret) {
        _cleanup_logs_ Logs logs = {};
        int r;

        /* The firmware's log is read last, so that its fault replaces that of the other log. */
        r = logs_read_one(root, &log_source_userspace, &logs.userspace, &logs.fault);
        if (r < 0)
                return r;
        r = logs_read_one(root, &log_source_firmware, &logs.firmware, &logs.fault);
        if (r < 0)
                return r;

        *ret = logs;
        logs = (Logs){};
        return 0;
}

void logs_done(Logs *logs) {
        logs->firmware = eventlog_free(logs->firmware);
        logs->userspace = eventlog_free(logs->userspace);
        fault_done(&logs->fault);
}

static size_t logs_count_events(const EventLog *log) {
        return log ? log->n_events : 0;
}

static int logs_status_to_json(const LogSource *source, const EventLog *log, json_object *parent) {
        json_object *o = json_object_new_object();

        if (!o || json_set(parent, source->name, o) < 0 || json_set_text(o, "path", source->path) < 0 ||
            json_set_text(o, "status", log ? eventlog_status_to_string(log->status) : "absent") < 0 ||
            json_set_text(o, "format", log ? eventlog_format_to_string(log->format) : NULL) < 0 ||
            json_set_text(o, "reason", log ? log->reason : NULL) < 0 ||
            json_set(o, "events", json_object_new_int64((int64_t) logs_count_events(log))) < 0)
                return -ENOMEM;

        return 0;
}

/* Chooses the digest that proves the text of events: sha1 only if there is no other. */
static Algorithm eventlog_proving_bank(const EventLog *log) {
        static const Algorithm order[] = {
                ALGORITHM_SHA256, ALGORITHM_SHA384, ALGORITHM_SHA512, ALGORITHM_SM3_256, ALGORITHM_SHA1,
        };

        for (size_t i = 0; i < ELEMENTSOF(order); i++)
                if ((log->banks & 1U << order[i]) != 0)
                        return order[i];

        return _ALGORITHM_INVALID;
}

static int logs_event_to_json(const Logs *logs, size_t number, json_object **ret) {
        bool early = number < logs_count_events(logs->firmware);
        const EventLog *log = early ? logs->firmware : logs->userspace;
        size_t i = early ? number : number - logs_count_events(logs->firmware);
        _cleanup_json_ json_object *o = NULL;
        int r;

        r = event_to_json(log->events + i, number, eventlog_proving_bank(log), &o);
        if (r < 0)
                return r;
        if (json_set_text(o, "log", early ? log_source_firmware.name : log_source_userspace.name) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}

static int logs_add_events(const Logs *logs, size_t from, size_t to, json_object *array, size_t *ret_next) {
        size_t number = from, room = LOGS_PAGE_EVENTS_SIZE_MAX;

        for (; number < to; number++) {
                _cleanup_json_ json_object *o = NULL;
                size_t size;
                int r;

                r = logs_event_to_json(logs, number, &o);
                if (r < 0)
                        return r;

                (void) json_object_to_json_string_length(o, JSON_C_TO_STRING_PLAIN, &size);
                if (size + 1 > room)
                        break;
                room -= size + 1;
                if (json_add(array, TAKE_PTR(o)) < 0)
                        return -ENOMEM;
        }

        *ret_next = number;
        return 0;
}

int logs_page(const Logs *logs, uint32_t offset, uint32_t limit, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        json_object *states = json_object_new_object(), *events = json_object_new_array();
        size_t total = logs_count_events(logs->firmware) + logs_count_events(logs->userspace);
        size_t from = offset < total ? offset : total, to = total - from > limit ? from + limit : total;

        if (!o || json_set(o, "logs", states) < 0 || json_set(o, "events", events) < 0 ||
            logs_status_to_json(&log_source_firmware, logs->firmware, states) < 0 ||
            logs_status_to_json(&log_source_userspace, logs->userspace, states) < 0 ||
            logs_add_events(logs, from, to, events, &to) < 0 ||
            json_set(o, "offset", json_object_new_int64(offset)) < 0 ||
            json_set(o, "total", json_object_new_int64((int64_t) total)) < 0 ||
            json_set(o, "next", to < total ? json_object_new_int64((int64_t) to) : NULL) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}
