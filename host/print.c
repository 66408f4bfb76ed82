/* SPDX-License-Identifier: Apache-2.0 */

#include <time.h>

#include "core/text.h"
#include "host/print.h"

/* If one path is longer, paths get lines of their own, so that a row fits in 80 columns. */
#define PRINT_TARGET_MAX 30U
#define PRINT_PRACTICE_WIDTH 13U
#define PRINT_STATE_WIDTH 14U
#define PRINT_LABEL_MAX 4096U
#define PRINT_REASON_MAX 160U
#define PRINT_SETTING_MAX 80U
#define PRINT_NOTE_INDENT 4U
#define PRINT_NOTE_WIDTH 80U

static int print_cell(Buffer *b, const char *s, size_t width) {
        size_t length = text_escaped_length(s, strlen(s));
        int r;

        r = text_escape(b, s, strlen(s), PRINT_LABEL_MAX);
        if (r < 0)
                return r;

        return text_printf(b, "%*s", (int) (length < width ? width - length : 0) + 2, "");
}

static int print_clock(const Output *o, Buffer *b, const char *title) {
        char text[16] = "--:--:--";
        struct tm tm;
        time_t now = time(NULL);

        if (!o->clock)
                return 0;
        if (!title && localtime_r(&now, &tm))
                (void) strftime(text, sizeof(text), "%H:%M:%S", &tm);

        return text_printf(b, "%-8s  ", title ?: text);
}

int print_target(const Output *o, Buffer *b, const char *path, bool first) {
        bool wide = text_escaped_length(path, strlen(path)) > o->target_width;
        int r;

        if (!wide)
                return print_cell(b, path, o->target_width);

        if (first) {
                r = text_escape(b, path, strlen(path), PRINT_LABEL_MAX);
                if (r < 0)
                        return r;
                r = text_printf(b, "\n%*s", o->clock ? 10 : 0, "");
                if (r < 0)
                        return r;
        }

        return print_cell(b, "", o->target_width);
}

int print_row(const Output *o, Buffer *b, const char *path, const char *practice, const char *state, bool first) {
        int r;

        r = print_clock(o, b, NULL);
        if (r < 0)
                return r;

        r = print_target(o, b, path, first);
        if (r < 0)
                return r;

        r = print_cell(b, practice, PRINT_PRACTICE_WIDTH);
        if (r < 0)
                return r;

        r = text_add_state(b, state, PRINT_STATE_WIDTH, o->colour);
        return r < 0 ? r : buffer_puts(b, "  ");
}

size_t print_target_width(char *const *paths, size_t n) {
        size_t width = strlen("TARGET");

        for (size_t i = 0; i < n; i++) {
                size_t length = text_escaped_length(paths[i], strlen(paths[i]));

                if (length > width)
                        width = length;
        }

        /* If one path is too long, print_target() puts paths on lines of their own, and the column only indents rows. */
        return width > PRINT_TARGET_MAX ? strlen("TARGET") : width;
}

int print_head(const Output *o, Buffer *b) {
        int r;

        if (o->json)
                return 0;

        r = print_clock(o, b, "TIME");
        if (r < 0)
                return r;

        return text_printf(b, "%-*s  %-*s  %-*s  REASON\n", (int) o->target_width, "TARGET",
                             (int) PRINT_PRACTICE_WIDTH, "PRACTICE", (int) PRINT_STATE_WIDTH, "STATE");
}

static json_object *print_find_setting(json_object *practice, const char *name) {
        json_object *settings = json_get_array(practice, "settings");

        for (size_t i = 0; settings && i < json_object_array_length(settings); i++) {
                json_object *setting = json_object_array_get_idx(settings, i);

                if (streq(json_get_text(setting, "name"), name))
                        return setting;
        }

        return NULL;
}

/* "    guest_halt_poll_ns: 200000 -> 400000", or the wanted values if only those have changed. */
static int print_changed_setting(Target *t, json_object *practice, json_object *was) {
        const char *name = json_get_text(was, "name");
        json_object *now = print_find_setting(practice, name);
        const char *actual = now ? json_get_text(now, "actual") : NULL;
        bool wanted = streq_ptr(json_get_text(was, "actual"), actual);
        const char *const parts[] = {
                name,
                wanted ? ": wanted " : ": ",
                json_get_text(was, wanted ? "wanted" : "actual"),
                " -> ",
                wanted ? now ? json_get_text(now, "wanted") : NULL : actual,
        };
        int r;

        r = text_printf(&t->text, "%*s", (int) PRINT_NOTE_INDENT, "");
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(parts); i++)
                r = text_escape(&t->text, parts[i] ? parts[i] : "-", strlen(parts[i] ? parts[i] : "-"),
                                PRINT_SETTING_MAX);

        return r < 0 ? r : buffer_puts(&t->text, "\n");
}

static int print_changed_settings(Target *t, json_object *practice) {
        json_object *was = json_get_array(practice, "was");

        for (size_t i = 0; was && i < json_object_array_length(was); i++) {
                int r = print_changed_setting(t, practice, json_object_array_get_idx(was, i));

                if (r < 0)
                        return r;
        }

        return 0;
}

int print_practices(const Output *o, Target *t, json_object *practices, bool first) {
        int r;

        for (size_t i = 0; i < json_object_array_length(practices); i++) {
                json_object *practice = json_object_array_get_idx(practices, i);
                const char *reason = json_get_text(practice, "reason_code");

                r = print_row(o, &t->text, t->path, json_get_text(practice, "name"),
                              state_to_string(practice_state(practice)), first && i == 0);
                if (r < 0)
                        return r;

                if (isempty(reason))
                        reason = "-";
                r = text_escape(&t->text, reason, strlen(reason), PRINT_REASON_MAX);
                if (r < 0)
                        return r;

                r = buffer_puts(&t->text, "\n");
                if (r < 0)
                        return r;
                r = print_changed_settings(t, practice);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* Print the first error of the policy, and the number of further errors. */
static int print_policy_errors(const Output *o, Target *t, json_object *errors) {
        json_object *error = json_object_array_get_idx(errors, 0), *line = NULL;
        size_t more = json_object_array_length(errors) - 1;
        _cleanup_free_ char *text = NULL;
        int r;

        r = print_row(o, &t->text, t->path, "policy", outcome_name(OUTCOME_ERROR), true);
        if (r < 0)
                return r;

        (void) json_object_object_get_ex(error, "line", &line);
        text = xasprintf("%s:%lld: %s", strempty(json_get_text(error, "file")),
                         (long long) json_object_get_int64(line), strempty(json_get_text(error, "reason")));
        if (!text)
                return -ENOMEM;

        r = text_escape(&t->text, text, strlen(text), PRINT_REASON_MAX);
        if (r < 0)
                return r;

        if (more > 0)
                return text_printf(&t->text, " (and %zu more)\n", more);

        return buffer_puts(&t->text, "\n");
}

int print_report(const Output *o, Target *t, json_object *report) {
        json_object *practices = json_get_array(report, "practices"), *errors = report_policy_errors(report);
        int r;

        if (errors) {
                r = print_policy_errors(o, t, errors);
                if (r < 0)
                        return r;
        } else if (json_object_array_length(practices) == 0) {
                r = print_row(o, &t->text, t->path, "-", outcome_name(OUTCOME_OK), true);
                if (r < 0)
                        return r;

                return buffer_puts(&t->text, "no-practices\n");
        }

        return print_practices(o, t, practices, !errors);
}

int print_note(Buffer *b, const char *text) {
        int r;

        r = text_printf(b, "%*s", (int) PRINT_NOTE_INDENT, "");
        if (r < 0)
                return r;

        return text_wrap(b, text, PRINT_NOTE_INDENT, PRINT_NOTE_INDENT, PRINT_NOTE_WIDTH);
}

static const char *print_reason_code(const Target *t) {
        return t->cause == CAUSE_BAD_QUOTE && t->code ? t->code : cause_code(t->cause);
}

static int print_failure_row(const Output *o, Target *t) {
        bool note = t->cause == CAUSE_BAD_QUOTE && t->detail;
        const char *const parts[] = {print_reason_code(t), t->error_class, note ? NULL : t->detail};
        int r;

        r = print_row(o, &t->text, t->path, "-", outcome_name(cause_outcome(t->cause)), true);
        if (r < 0)
                return r;

        for (size_t i = 0; i < ELEMENTSOF(parts); i++) {
                if (isempty(parts[i]))
                        continue;

                r = buffer_puts(&t->text, i > 0 ? ": " : "");
                if (r < 0)
                        return r;

                r = text_escape(&t->text, parts[i], strlen(parts[i]), PRINT_REASON_MAX);
                if (r < 0)
                        return r;
        }

        r = buffer_puts(&t->text, "\n");
        if (r < 0 || !note)
                return r;

        /* Why a quote is refused is too important to be cut to one line. */
        return print_note(&t->text, t->detail);
}

int print_failure(const Output *o, Target *t) {
        _cleanup_json_ json_object *object = NULL;

        if (!o->json)
                return print_failure_row(o, t);

        object = print_object(o, t, true);
        if (!object)
                return -ENOMEM;

        return print_json(&t->text, object);
}

int print_json(Buffer *b, json_object *o) {
        _cleanup_buffer_ Buffer line = BUFFER_NULL;
        const char *p, *end, *del;
        int r;

        r = json_format(o, &line);
        if (r < 0)
                return r;

        /* JSON allows an unescaped DEL, but only in a string. A terminal should not get it. */
        end = line.data + line.size;
        for (p = line.data; (del = memchr(p, 0x7F, (size_t) (end - p))); p = del + 1) {
                r = buffer_append(b, p, (size_t) (del - p));
                if (r < 0)
                        return r;
                r = buffer_puts(b, "\\u007f");
                if (r < 0)
                        return r;
        }

        r = buffer_append(b, p, (size_t) (end - p));
        if (r < 0)
                return r;

        return buffer_puts(b, "\n");
}

static int print_put_error(json_object *object, const Target *t) {
        _cleanup_json_ json_object *error = json_object_new_object();
        int r;

        if (!error)
                return -ENOMEM;

        r = json_set_text(error, "class", t->error_class);
        if (r < 0)
                return r;
        r = json_set_text(error, "desc", t->detail);
        if (r < 0)
                return r;

        return json_set(object, "error", TAKE_PTR(error));
}

static int print_put_outcome(json_object *object, const Target *t) {
        int r;

        r = json_set_text(object, "outcome", outcome_name(cause_outcome(t->cause)));
        if (r < 0)
                return r;

        r = json_set_text(object, "reason", print_reason_code(t));
        if (r < 0)
                return r;

        if (t->cause == CAUSE_GUEST_ERROR)
                return print_put_error(object, t);
        if (t->detail)
                return json_set_text(object, "detail", t->detail);

        return 0;
}

json_object *print_object(const Output *o, const Target *t, bool with_outcome) {
        _cleanup_json_ json_object *object = json_object_new_object();
        char now[32];

        timestamp_utc(now);
        if (!object ||
            (o->clock && json_set_text(object, "time", now) < 0) ||
            json_set_text(object, "target", t->path) < 0 ||
            (with_outcome && print_put_outcome(object, t) < 0))
                return NULL;

        return TAKE_PTR(object);
}

int print_answer(const Output *o, Target *t, const char *key, json_object *value) {
        _cleanup_json_ json_object *object = print_object(o, t, true);
        int r;

        if (!object)
                return -ENOMEM;

        r = json_set(object, key, json_object_get(value));
        if (r < 0)
                return r;

        return print_json(&t->text, object);
}
