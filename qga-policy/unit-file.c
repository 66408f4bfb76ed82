/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "core/json.h"
#include "qga-policy/unit-file.h"

#define UNIT_WHITE " \t\r\n"

/* The keys that are kept. An empty assignment resets all earlier ones (systemd.service(5), systemd.exec(5)). */
static const char *const unit_kept_keys[] = {"ExecStart", "Environment", "EnvironmentFile", "UnsetEnvironment"};

/* Reads the text of one file into a unit. */
typedef struct UnitReader {
        Unit *unit;
        const char *path;
        const char *p, *end;
        unsigned line;       /* the line that was read last */
        unsigned first_line; /* the first line of the logical line */
        Buffer logical;      /* a line with its continuations */
        bool in_service;     /* the section is [Service] */
} UnitReader;

static void unit_setting_done(UnitSetting *s) {
        free(s->key);
        free(s->value);
        free(s->file);
}

void unit_done(Unit *unit) {
        for (size_t i = 0; i < unit->n_settings; i++)
                unit_setting_done(unit->settings + i);
        for (size_t i = 0; i < unit->n_drop_ins; i++)
                free(unit->drop_ins[i]);
        free(unit->settings);
        free(unit->drop_ins);
        free(unit->name);
        free(unit->fragment);
        free(unit->exec_file);
        free(unit->problem);
        *unit = (Unit) {};
}

static void unit_reset(Unit *unit, const char *key) {
        size_t kept = 0;

        for (size_t i = 0; i < unit->n_settings; i++)
                if (streq(unit->settings[i].key, key))
                        unit_setting_done(unit->settings + i);
                else
                        unit->settings[kept++] = unit->settings[i];

        unit->n_settings = kept;
}

static int unit_reader_add_setting(UnitReader *r, const char *key, const char *value) {
        Unit *unit = r->unit;
        bool kept = false;
        UnitSetting *s;

        for (size_t i = 0; i < ELEMENTSOF(unit_kept_keys); i++)
                kept = kept || streq(unit_kept_keys[i], key);
        if (!kept)
                return 0;
        if (streq(key, "ExecStart") && free_and_strdup(&unit->exec_file, r->path) < 0)
                return -ENOMEM;
        if (!*value) {
                unit_reset(unit, key);
                return 0;
        }
        if (unit->n_settings >= UNIT_SETTINGS_MAX)
                return -E2BIG;

        if (grow(&unit->settings, unit->n_settings, sizeof(UnitSetting)) < 0)
                return -ENOMEM;
        s = unit->settings + unit->n_settings++;
        s->line = r->first_line;
        if (free_and_strdup(&s->key, key) < 0 || free_and_strdup(&s->value, value) < 0 ||
            free_and_strdup(&s->file, r->path) < 0)
                return -ENOMEM;

        return 0;
}

bool unit_text_is_utf8(const char *s) {
        size_t size = strlen(s);

        while (size > 0) {
                uint32_t c;
                size_t n = utf8_decode(s, size, &c);

                if (n == 0)
                        return false;
                s += n;
                size -= n;
        }

        return true;
}

/* The service manager warns about a line that is no assignment and ignores it; here it is just ignored. */
static int unit_reader_take_logical_line(UnitReader *r) {
        char *l = strip(r->logical.data), *equals;
        size_t n = strlen(l);

        if (n == 0 || !unit_text_is_utf8(l))
                return 0;
        if (*l == '[') {
                if (l[n - 1] != ']')
                        return -EBADMSG;
                r->in_service = streq(l, "[Service]");
                return 0;
        }

        equals = strchr(l, '=');
        if (!equals || !r->in_service)
                return 0;

        *equals = 0;
        return unit_reader_add_setting(r, strip(l), strip(equals + 1));
}

/* Whether a line continues on the next one: its last backslash is not escaped itself. */
static bool unit_line_continues(const char *line, size_t size) {
        bool escaped = false;

        for (size_t i = 0; i < size; i++)
                escaped = !escaped && line[i] == '\\';

        return escaped;
}

static int unit_reader_take_line(UnitReader *r, const char *line, size_t size, bool *going_on) {
        size_t blank = 0;
        int e;

        while (blank < size && strchr(UNIT_WHITE, line[blank]))
                blank++;
        /* A comment between two continued lines does not end them. */
        if (blank < size && strchr("#;", line[blank]))
                return 0;
        if (!*going_on) {
                r->logical.size = 0;
                r->first_line = r->line;
        }

        e = buffer_append(&r->logical, line, size);
        if (e < 0)
                return e;

        *going_on = unit_line_continues(line, size);
        if (*going_on) {
                r->logical.data[r->logical.size - 1] = ' ';
                return 0;
        }

        return unit_reader_take_logical_line(r);
}

static bool unit_is_newline(char c) {
        return c == '\n' || c == '\r';
}

/* A line ends at either character, or at both together (systemd: src/basic/fileio.c, read_line_full()). */
static int unit_reader_take_all(UnitReader *r) {
        bool going_on = false;

        while (r->p < r->end) {
                const char *stop = r->p;
                int e;

                while (stop < r->end && !unit_is_newline(*stop))
                        stop++;

                r->line++;
                e = unit_reader_take_line(r, r->p, (size_t) (stop - r->p), &going_on);
                if (e < 0)
                        return e;
                r->p = stop + (stop < r->end);
                if (r->p < r->end && unit_is_newline(*r->p) && *r->p != *stop)
                        r->p++;
        }

        return going_on ? unit_reader_take_logical_line(r) : 0;
}

int unit_parse(Unit *unit, const char *path, const char *text, size_t size) {
        static const char mark[] = "\xEF\xBB\xBF";
        UnitReader r = {.unit = unit, .path = path, .p = text, .end = text + size};
        int e;

        assert(path);

        /* The service manager ends a line at a NUL byte. No sane unit file has one, so it is refused here. */
        if (size > 0 && memchr(text, 0, size))
                return -EBADMSG;
        if (size >= 3 && memcmp(text, mark, 3) == 0)
                r.p += 3;

        e = unit_reader_take_all(&r);
        buffer_done(&r.logical);
        return e;
}

const UnitSetting *unit_setting(const Unit *unit, const char *key, size_t *ret_n) {
        const UnitSetting *found = NULL;

        *ret_n = 0;
        for (size_t i = 0; i < unit->n_settings; i++)
                if (streq(unit->settings[i].key, key)) {
                        found = unit->settings + i;
                        (*ret_n)++;
                }

        return *ret_n == 1 ? found : NULL;
}
