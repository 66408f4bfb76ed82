/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/tpm/baseline-check.h"
#include "agent/tpm/events.h"
#include "core/text.h"

#define BASELINE_CHECK_WIDTH 80U
#define BASELINE_CHECK_LABEL_COLUMN 26U
#define BASELINE_CHECK_VALUE_COLUMN 12U

/* The result of a check, and the events that explain it. */
typedef struct BaselineFound {
        const char *path;
        const Baseline *baseline;
        BaselineCheck check;
        json_object *events; /* an array; NULL: all PCRs agree, or there are no events */
        char *events_error;  /* why there are no events */
} BaselineFound;

static uint32_t baseline_found_disagreeing(const BaselineFound *f) {
        return f->check.failed | f->check.warned;
}

static bool event_view_extends_pcr(json_object *event, unsigned pcr, EventView *v) {
        return event_view(event, v) >= 0 && v->extends && v->pcr == pcr;
}

static int baseline_found_print_events(const BaselineFound *f, unsigned pcr, Buffer *b) {
        size_t n = json_object_array_length(f->events), behind = 0, skipped;
        EventView v;
        int r;

        for (size_t i = 0; i < n; i++)
                behind += event_view_extends_pcr(json_object_array_get_idx(f->events, i), pcr, &v);
        skipped = behind > BASELINE_EVENTS_SHOWN ? behind - BASELINE_EVENTS_SHOWN : 0;

        if (behind == 0)
                return buffer_puts(b, "  no event of the log extends it\n");
        if (skipped > 0) {
                r = text_printf(b, "  the last %u of %zu events that extend it (`gtune eventlog` shows all):\n",
                                  BASELINE_EVENTS_SHOWN, behind);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0, seen = 0; i < n; i++) {
                if (!event_view_extends_pcr(json_object_array_get_idx(f->events, i), pcr, &v) || seen++ < skipped)
                        continue;
                r = event_row(&v, b);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int baseline_found_events_to_json(const BaselineFound *f, unsigned pcr, json_object **ret) {
        _cleanup_json_ json_object *array = json_object_new_array();
        EventView v;

        if (!array)
                return -ENOMEM;

        for (size_t i = 0; i < json_object_array_length(f->events); i++) {
                json_object *event = json_object_array_get_idx(f->events, i);

                if (event_view_extends_pcr(event, pcr, &v) && json_add(array, json_object_get(event)) < 0)
                        return -ENOMEM;
        }

        *ret = TAKE_PTR(array);
        return 0;
}

static int baseline_found_print_row(const BaselineFound *f, unsigned pcr, Buffer *b) {
        const BaselineValue *match = f->check.pcrs[pcr].match;
        int r;

        r = text_printf(b, "%-5u%-9s%s", pcr, baseline_level_to_string(f->baseline->pcrs[pcr].level),
                          baseline_outcome_to_string(f->check.pcrs[pcr].outcome));
        if (r < 0 || !match || !match->label)
                return r < 0 ? r : buffer_puts(b, "\n");

        r = text_printf(b, "%*s", (int) (BASELINE_CHECK_LABEL_COLUMN - 14 - strlen("match")), "");
        if (r < 0)
                return r;

        return text_wrap(b, match->label, BASELINE_CHECK_LABEL_COLUMN, BASELINE_CHECK_LABEL_COLUMN,
                         BASELINE_CHECK_WIDTH);
}

static int baseline_found_print_value(const char *name, const uint8_t *digest, const char *label,
                                      const BaselineFound *f, Buffer *b) {
        char text[2 * DIGEST_SIZE_MAX + 1] = "not read: this TPM does not have it";
        int r;

        if (digest)
                hex_encode(digest, algorithm_size(f->baseline->bank), text);

        r = text_printf(b, "  %-*s%s\n", (int) BASELINE_CHECK_VALUE_COLUMN - 2, name, text);
        if (r < 0 || !label)
                return r;

        r = text_printf(b, "%*s", (int) BASELINE_CHECK_VALUE_COLUMN, "");
        if (r < 0)
                return r;

        return text_wrap(b, label, BASELINE_CHECK_VALUE_COLUMN, BASELINE_CHECK_VALUE_COLUMN, BASELINE_CHECK_WIDTH);
}

static int baseline_found_print_disagreement(const BaselineFound *f, unsigned pcr, Buffer *b) {
        const BaselinePcr *expected = f->baseline->pcrs + pcr;
        int r;

        r = text_printf(b, "\nPCR %u (%s)\n", pcr, baseline_level_to_string(expected->level));
        if (r < 0)
                return r;
        r = baseline_found_print_value("actual", f->check.pcrs[pcr].actual, NULL, f, b);
        if (r < 0)
                return r;
        for (size_t i = 0; i < expected->n_values; i++) {
                r = baseline_found_print_value(i == 0 ? "expected" : "or", expected->values[i].digest,
                                               expected->values[i].label, f, b);
                if (r < 0)
                        return r;
        }
        if (f->events && f->check.pcrs[pcr].actual)
                return baseline_found_print_events(f, pcr, b);

        return 0;
}

static int baseline_found_print_end(const BaselineFound *f, Buffer *b) {
        static const char *const sentences[_BASELINE_RESULT_MAX] = {
                [BASELINE_OK] = "The baseline allows this boot.",
                [BASELINE_WARNING] = "This boot differs only in PCRs of the level warn. If the change was intended, "
                                     "allow it with `gtune baseline add`.",
                [BASELINE_FAILURE] = "The baseline does not allow this boot. Find out what changed; if it was "
                                     "intended, allow it with `gtune baseline add`.",
        };
        _cleanup_free_ char *line = NULL;
        int r;

        r = buffer_puts(b, "\n");
        if (r < 0)
                return r;
        if (f->events_error) {
                line = xasprintf("The events that extend these PCRs are not known: %s", f->events_error);
                if (!line)
                        return -ENOMEM;
                r = text_wrap(b, line, 0, 0, BASELINE_CHECK_WIDTH);
                if (r < 0)
                        return r;
        }

        return text_wrap(b, strempty(sentences[f->check.result]), 0, 0, BASELINE_CHECK_WIDTH);
}

static int baseline_found_print(const BaselineFound *f) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        int r;

        r = text_printf(&b, "%s, bank %s\n\n%-5s%-9s%-12s%s\n", f->path, algorithm_to_string(f->baseline->bank),
                          "PCR", "LEVEL", "RESULT", "LABEL");
        if (r < 0)
                return r;
        for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++) {
                r = f->baseline->pcrs[pcr].listed ? baseline_found_print_row(f, pcr, &b) : 0;
                if (r < 0)
                        return r;
        }
        for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++) {
                r = baseline_found_disagreeing(f) & 1U << pcr ? baseline_found_print_disagreement(f, pcr, &b) : 0;
                if (r < 0)
                        return r;
        }
        r = baseline_found_print_end(f, &b);
        if (r < 0)
                return r;

        (void) text_write(stdout, &b);
        return 0;
}

static int baseline_found_add_events(const BaselineFound *f, json_object *pcrs) {
        json_object_object_foreach(pcrs, key, o) {
                int pcr = pcr_from_string(key);
                json_object *array;

                if (pcr < 0 || !f->events || (baseline_found_disagreeing(f) & 1U << pcr) == 0)
                        continue;
                if (baseline_found_events_to_json(f, (unsigned) pcr, &array) < 0 || json_set(o, "events", array) < 0)
                        return -ENOMEM;
        }

        return 0;
}

static int baseline_found_print_json(const BaselineFound *f) {
        _cleanup_json_ json_object *o = NULL;
        int r;

        r = baseline_check_to_json(f->baseline, &f->check, &o);
        if (r < 0)
                return r;
        if (json_set_text(o, "file", f->path) < 0 || json_set_text(o, "events_error", f->events_error) < 0 ||
            baseline_found_add_events(f, json_object_object_get(o, "pcrs")) < 0)
                return -ENOMEM;

        return print_document(o);
}

/* The events only explain the result, so that a log that cannot be read is no error. */
static int baseline_found_explain(const Context *c, BaselineFound *f) {
        _cleanup_json_ json_object *document = NULL;
        int r;

        if (baseline_found_disagreeing(f) == 0)
                return 0;

        r = tpm_events(c, &document, &f->events_error);
        if (r == 0)
                f->events = json_object_get(json_get_array(document, "events"));
        if (r < 0)
                return r;

        return 0;
}

static void baseline_found_done(BaselineFound *f) {
        json_object_put(f->events);
        free(f->events_error);
}

int baseline_check_verb(Context *c, const char *path) {
        _cleanup_(baseline_freep) Baseline *baseline = NULL;
        _cleanup_free_ char *error = NULL;
        _cleanup_(baseline_found_done) BaselineFound f = {.path = path};
        Pcrs pcrs;
        int r;

        r = tpm_load_baseline(c, path, &baseline);
        if (r != 0)
                return r;

        r = tpm_pcrs(c, _ALGORITHM_INVALID, &pcrs, NULL, &error);
        if (r != 0)
                return tpm_complain(c, r, error);

        f.baseline = baseline;
        baseline_check(baseline, &pcrs, &f.check);
        r = baseline_found_explain(c, &f);
        if (r < 0)
                return r;
        r = c->json ? baseline_found_print_json(&f) : baseline_found_print(&f);
        if (r < 0)
                return r;

        return f.check.result == BASELINE_FAILURE ? STATUS_UNMET : STATUS_OK;
}
