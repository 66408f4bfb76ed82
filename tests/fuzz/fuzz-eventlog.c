/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Event logs: the firmware's, or systemd's where the text begins with its record separator. Whatever the bytes are,
 * there is a log with a status, every event lies inside of it and has words, and the replay and the verdict end.
 */

#include <assert.h>

#include "tpm/describe.h"
#include "tpm/userspace-log.h"
#include "tpm/verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(const EventLog *log, const uint8_t *p, size_t size) {
        assert(p >= log->memory && (size_t) (p - log->memory) + size <= log->size);
}

static void check_words(const Event *event) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;

        assert(event_describe(event, &b) == 0);
        assert(b.size <= EVENT_DESCRIPTION_MAX);
        for (size_t i = 0; i < b.size; i++)
                assert(b.data[i] >= 0x20 && b.data[i] < 0x7F);
}

static void check_event(const EventLog *log, const Event *event, size_t number) {
        _cleanup_json_ json_object *o = NULL;
        EventText text;

        assert(event->pcr < PCR_COUNT || !event_extends(event));
        assert(event->offset < log->size);
        check_inside(log, event->data, event->size);
        for (Algorithm i = 0; i < _ALGORITHM_MAX; i++)
                if (event->digests[i])
                        check_inside(log, event->digests[i], algorithm_size(i));

        check_words(event);
        assert(event_secure_boot(event) <= 1);
        assert(event_text(event, ALGORITHM_SHA256, &text) == 0 && text < _EVENT_TEXT_MAX);
        assert(event_to_json(event, number, ALGORITHM_SHA256, &o) == 0);
}

static void check_log(const EventLog *log) {
        assert((log->reason != NULL) == (log->status == EVENT_LOG_TRUNCATED || log->status == EVENT_LOG_MALFORMED));
        assert(log->n_events <= EVENT_LOG_EVENTS_MAX);
        (void) eventlog_startup_locality(log);

        /* All of a log of a megabyte would only take time. */
        for (size_t i = 0; i < log->n_events && i < 256; i++)
                check_event(log, log->events + i, i);
}

static void check_verdict(const EventLog *firmware, const EventLog *userspace) {
        _cleanup_(verdict_freep) Verdict *verdict = NULL, *again = NULL;
        _cleanup_json_ json_object *o = NULL;
        static const Pcrs pcrs = {.banks[ALGORITHM_SHA256] = {.present = PCR_ALL, .digests[0][0] = 1}};
        const VerdictInput in = {
                .tpm = TPM_20,
                .pcrs = &pcrs,
                .bank = _ALGORITHM_INVALID,
                .firmware = firmware,
                .userspace = userspace,
        };

        assert(verdict_compute(&in, &verdict) == 0);
        assert(verdict->reason && verdict->n_events <= VERDICT_EVENTS_MAX);
        assert(verdict_to_json(verdict, &o) == 0);
        assert(verdict_from_json(o, &again) == 0);
        assert(again->state == verdict->state && again->disagree == verdict->disagree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_(eventlog_freep) EventLog *log = NULL;
        bool userspace = size > 0 && data[0] == 0x1E;

        if (size > 65536)
                return 0;

        assert((userspace ? userspace_log_parse(data, size, &log) : eventlog_parse(data, size, &log)) == 0);
        check_log(log);
        check_verdict(userspace ? NULL : log, userspace ? log : NULL);

        return 0;
}
