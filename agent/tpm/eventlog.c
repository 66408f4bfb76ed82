/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/tpm/events.h"
#include "core/text.h"

#define WIDTH 80U

static int print_log(json_object *logs, const char *name, Buffer *b) {
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
        return line ? text_wrap(b, line, 0, 0, WIDTH) : -ENOMEM;
}

static int print_logs(json_object *logs, Buffer *b) {
        static const char *const names[] = {"firmware", "userspace"};
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(names); i++)
                r = print_log(logs, names[i], b);

        return r;
}

static const char *plural(uint32_t set) {
        return __builtin_popcount(set) == 1 ? "" : "s";
}

static int print_set(const char *sentence, uint32_t set, Buffer *b) {
        _cleanup_free_ char *pcrs = set == 0 ? NULL : pcr_selection_format(set), *line = NULL;

        if (set == 0)
                return 0;

        line = pcrs ? xasprintf("PCR%s %s %s", plural(set), pcrs, sentence) : NULL;
        return line ? text_wrap(b, line, 8, 8, WIDTH) : -ENOMEM;
}

static int print_bank(const ReplayDifference *d, Algorithm bank, Buffer *b) {
        static const char *const sentences[] = {
                "as the log says",
                "as the log says, but for an event that some logs lack",
                "not as the log says",
        };
        const uint32_t sets[] = {d->compared & ~d->differ & ~d->explained, d->explained, d->differ};
        int r = 0;

        for (size_t i = 0, n = 0; r >= 0 && i < ELEMENTSOF(sets); i++) {
                if (sets[i] == 0)
                        continue;
                r = buffer_printf(b, "%-8s", n++ == 0 ? algorithm_to_string(bank) : "");
                if (r >= 0)
                        r = print_set(sentences[i], sets[i], b);
        }

        return r;
}

static bool is_compared(const Verdict *v) {
        for (Algorithm bank = 0; bank < _ALGORITHM_MAX; bank++)
                if (v->banks[bank].compared != 0)
                        return true;

        return false;
}

static int print_replay(const Verdict *v, Buffer *b) {
        _cleanup_free_ char *line = NULL;
        int r;

        if (!is_compared(v)) {
                line = xasprintf("The log is not compared with the PCRs: %s",
                                 v->log_reason ? v->log_reason : v->reason);
                return line ? text_wrap(b, line, 0, 0, WIDTH) : -ENOMEM;
        }

        r = buffer_puts(b, "What the PCRs hold, bank by bank:\n");
        for (Algorithm bank = 0; r >= 0 && bank < _ALGORITHM_MAX; bank++)
                r = print_bank(v->banks + bank, bank, b);

        return r;
}

static int print_events(json_object *document, const Verdict *v) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        json_object *events = json_get_array(document, "events");
        EventView view;
        int r;

        r = event_header(&b);
        for (size_t i = 0; r >= 0 && i < json_object_array_length(events); i++)
                if (event_view(json_object_array_get_idx(events, i), &view) >= 0)
                        r = event_row(&view, &b);
        if (r >= 0)
                r = buffer_puts(&b, "\n");
        if (r >= 0)
                r = print_logs(json_object_object_get(document, "logs"), &b);
        if (r >= 0)
                r = print_replay(v, &b);
        if (r >= 0)
                (void) fwrite(b.data, 1, b.size, stdout);

        return r;
}

static int print_json(json_object *document, json_object *verdict) {
        json_object *log = json_object_object_get(verdict, "log");
        int r;

        r = json_set(document, "replay", json_object_get(log));
        return r < 0 ? r : print_document(document);
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

        return c->json ? print_json(document, judged) : print_events(document, verdict);
}
