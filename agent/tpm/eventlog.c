/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/tpm/events.h"
#include "core/text.h"

#define EVENTLOG_WIDTH 80U

static int eventlog_print_log(json_object *logs, const char *name, Buffer *b) {
        json_object *o;
        const char *status, *reason, *path;
        _cleanup_free_ char *line = NULL;

        if (!json_object_object_get_ex(logs, name, &o))
                return 0;
        status = json_get_text(o, "status");
        reason = json_get_text(o, "reason");
        path = json_get_text(o, "path");
        if (!status || streq(status, "complete") || streq(status, "absent"))
                return 0;

        line = xasprintf("%s is %s%s%s", strempty(path), status, reason ? ": " : "", strempty(reason));
        return line ? text_wrap(b, line, 0, 0, EVENTLOG_WIDTH) : -ENOMEM;
}

static int eventlog_print_bank(const ReplayDifference *d, Algorithm bank, Buffer *b) {
        static const char *const sentences[] = {
                "as the log says",
                "as the log says, after adding an event that some logs lack",
                "not as the log says",
        };
        const uint32_t sets[] = {d->compared & ~d->differ & ~d->explained, d->explained, d->differ};
        int r;

        for (size_t i = 0, n = 0; i < ELEMENTSOF(sets); i++) {
                _cleanup_free_ char *pcrs = NULL, *line = NULL;

                if (sets[i] == 0)
                        continue;

                r = text_printf(b, "%-8s", n++ == 0 ? algorithm_to_string(bank) : "");
                if (r < 0)
                        return r;
                pcrs = pcr_selection_format(sets[i]);
                if (!pcrs)
                        return -ENOMEM;
                line = xasprintf("PCR%s %s %s", __builtin_popcount(sets[i]) == 1 ? "" : "s", pcrs, sentences[i]);
                if (!line)
                        return -ENOMEM;
                r = text_wrap(b, line, 8, 8, EVENTLOG_WIDTH);
                if (r < 0)
                        return r;
        }

        return 0;
}

static bool verdict_is_compared(const Verdict *v) {
        for (Algorithm bank = 0; bank < _ALGORITHM_MAX; bank++)
                if (v->banks[bank].compared != 0)
                        return true;

        return false;
}

static int eventlog_print_replay(const Verdict *v, Buffer *b) {
        _cleanup_free_ char *line = NULL;
        int r;

        if (!verdict_is_compared(v)) {
                line = xasprintf("The log is not compared with the PCRs: %s",
                                 v->log_reason ? v->log_reason : v->reason);
                return line ? text_wrap(b, line, 0, 0, EVENTLOG_WIDTH) : -ENOMEM;
        }

        r = buffer_puts(b, "The values of the PCRs in each bank:\n");
        if (r < 0)
                return r;
        for (Algorithm bank = 0; bank < _ALGORITHM_MAX; bank++) {
                r = eventlog_print_bank(v->banks + bank, bank, b);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int eventlog_print(json_object *document, const Verdict *v) {
        static const char *const names[] = {"firmware", "userspace"};
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        json_object *events = json_get_array(document, "events"), *logs = json_object_object_get(document, "logs");
        EventView view;
        int r;

        r = event_header(&b);
        if (r < 0)
                return r;
        for (size_t i = 0; i < json_object_array_length(events); i++) {
                if (event_view(json_object_array_get_idx(events, i), &view) < 0)
                        continue;
                r = event_row(&view, &b);
                if (r < 0)
                        return r;
        }

        r = buffer_puts(&b, "\n");
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                r = eventlog_print_log(logs, names[i], &b);
                if (r < 0)
                        return r;
        }
        r = eventlog_print_replay(v, &b);
        if (r < 0)
                return r;

        (void) text_write(stdout, &b);
        return 0;
}

int verb_eventlog(Context *c, _unused_ char **arguments) {
        _cleanup_json_ json_object *document = NULL, *judged = NULL;
        _cleanup_(verdict_freep) Verdict *verdict = NULL;
        _cleanup_free_ char *error = NULL;
        int r;

        r = tpm_events(c, &document, &error);
        if (r == 0)
                r = tpm_verdict(c, _ALGORITHM_INVALID, NULL, &verdict, &judged, &error);
        if (r != 0)
                return tpm_complain(c, r, error);

        if (!c->json)
                return eventlog_print(document, verdict);

        r = json_set(document, "replay", json_object_get(json_object_object_get(judged, "log")));
        if (r < 0)
                return r;

        return print_document(document);
}
