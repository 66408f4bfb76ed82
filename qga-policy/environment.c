/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "qga-policy/environment.h"
#include "qga-policy/words.h"

#define ENVIRONMENT_WHITE " \t\n\r"
#define ENVIRONMENT_NEWLINE "\n\r"

/* The position of the reader in the grammar of an EnvironmentFile= (systemd: src/basic/env-file.c). */
typedef enum EnvironmentPlace {
        BEFORE_KEY,
        IN_KEY,
        BEFORE_VALUE,
        IN_VALUE,
        AFTER_BACKSLASH,
        IN_SINGLE_QUOTES,
        IN_DOUBLE_QUOTES,
        IN_DOUBLE_QUOTES_AFTER_BACKSLASH,
        IN_COMMENT,
        IN_COMMENT_AFTER_BACKSLASH,
} EnvironmentPlace;

typedef struct EnvironmentReader {
        Environment *e;
        const char *path;
        EnvironmentPlace place;
        unsigned line, key_line;
        Buffer key, value;
        size_t value_end; /* after it, the value has only white space that does not count */
} EnvironmentReader;

void environment_done(Environment *e) {
        for (size_t i = 0; i < e->n; i++) {
                free(e->list[i].name);
                free(e->list[i].value);
                free(e->list[i].file);
        }
        free(e->list);
        free(e->problem);
        *e = (Environment) {};
}

const EnvironmentVariable *environment_get(const Environment *e, const char *name, size_t size) {
        for (size_t i = 0; i < e->n; i++)
                if (strlen(e->list[i].name) == size && memcmp(e->list[i].name, name, size) == 0)
                        return e->list + i;

        return NULL;
}

static int environment_note_problem(Environment *e, const char *path, const char *what) {
        if (e->problem)
                return 0;

        e->problem = xasprintf("%s %s", path, what);
        return e->problem ? 0 : -ENOMEM;
}

static int environment_set(Environment *e, const char *name, const char *value, const char *file, unsigned line) {
        static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
        EnvironmentVariable *v = (EnvironmentVariable *) environment_get(e, name, strlen(name));

        /* The service manager ignores other names (systemd: src/basic/env-util.c, env_name_is_valid()). */
        if (!*name || name[strspn(name, letters)] || (*name >= '0' && *name <= '9'))
                return 0;
        if (!v && e->n >= ENVIRONMENT_VARIABLES_MAX)
                return environment_note_problem(e, file, "sets more variables than gtuned keeps");
        if (!v) {
                if (grow(&e->list, e->n, sizeof(EnvironmentVariable)) < 0)
                        return -ENOMEM;
                v = e->list + e->n++;
        }

        v->line = line;
        if (free_and_strdup(&v->name, name) < 0 || free_and_strdup(&v->value, value) < 0 ||
            free_and_strdup(&v->file, file) < 0)
                return -ENOMEM;

        return 0;
}

static int environment_put(Buffer *b, char c) {
        return buffer_append(b, &c, 1);
}

/* White space that was quoted or escaped counts, also at the end of the value. */
static int environment_put_quoted(EnvironmentReader *r, char c) {
        int e = environment_put(&r->value, c);

        r->value_end = r->value.size;
        return e;
}

static int environment_finish(EnvironmentReader *r) {
        int e = buffer_puts(&r->value, "");

        if (e < 0)
                return e;

        r->value.data[r->value_end] = 0;
        if (!unit_text_is_utf8(r->key.data) || !unit_text_is_utf8(r->value.data))
                return environment_note_problem(r->e, r->path,
                                                "is no valid UTF-8, and the service manager refuses all of it");

        return environment_set(r->e, strip(r->key.data), r->value.data, r->path, r->key_line);
}

static int environment_begin_key(EnvironmentReader *r, char c) {
        if (strchr(ENVIRONMENT_WHITE, c))
                return 0;
        if (strchr("#;", c)) {
                r->place = IN_COMMENT;
                return 0;
        }

        r->place = IN_KEY;
        r->key.size = r->value.size = r->value_end = 0;
        r->key_line = r->line;
        return environment_put(&r->key, c);
}

static int environment_take_in_key(EnvironmentReader *r, char c) {
        if (strchr(ENVIRONMENT_NEWLINE, c))
                r->place = BEFORE_KEY;
        else if (c == '=')
                r->place = BEFORE_VALUE;
        else
                return environment_put(&r->key, c);

        return 0;
}

static int environment_take_in_value(EnvironmentReader *r, char c) {
        if (strchr(ENVIRONMENT_NEWLINE, c)) {
                r->place = BEFORE_KEY;
                return environment_finish(r);
        }
        if (c == '\\') {
                r->place = AFTER_BACKSLASH;
                return 0;
        }
        /* A quote opens only at the beginning of the value, or directly after a closing quote. */
        if (r->place == BEFORE_VALUE && (c == '\'' || c == '"')) {
                r->place = c == '"' ? IN_DOUBLE_QUOTES : IN_SINGLE_QUOTES;
                return 0;
        }
        if (r->place == BEFORE_VALUE && strchr(ENVIRONMENT_WHITE, c))
                return 0;

        r->place = IN_VALUE;
        if (strchr(ENVIRONMENT_WHITE, c))
                return environment_put(&r->value, c);

        return environment_put_quoted(r, c);
}

static int environment_take_in_quotes(EnvironmentReader *r, char c) {
        if (c == (r->place == IN_DOUBLE_QUOTES ? '"' : '\''))
                r->place = BEFORE_VALUE;
        else if (c == '\\' && r->place == IN_DOUBLE_QUOTES)
                r->place = IN_DOUBLE_QUOTES_AFTER_BACKSLASH;
        else
                return environment_put_quoted(r, c);

        return 0;
}

static int environment_take_escaped(EnvironmentReader *r, char c) {
        bool quoted = r->place == IN_DOUBLE_QUOTES_AFTER_BACKSLASH;
        int e;

        r->place = quoted ? IN_DOUBLE_QUOTES : IN_VALUE;
        /* An escaped newline is dropped. */
        if (quoted ? c == '\n' : strchr(ENVIRONMENT_NEWLINE, c) != NULL)
                return 0;
        if (quoted && !strchr("\"\\`$", c)) {
                e = environment_put_quoted(r, '\\');
                if (e < 0)
                        return e;
        }

        return environment_put_quoted(r, c);
}

/*
 * Before systemd 254 a backslash at the end of a comment continues it on the next line; later versions do not. The next
 * line is ignored here: if gtuned counted a list that only some versions see, RPCs could stay open.
 */
static int environment_take_in_comment(EnvironmentReader *r, char c) {
        if (r->place == IN_COMMENT_AFTER_BACKSLASH)
                r->place = IN_COMMENT;
        else if (c == '\\')
                r->place = IN_COMMENT_AFTER_BACKSLASH;
        else if (strchr(ENVIRONMENT_NEWLINE, c))
                r->place = BEFORE_KEY;

        return 0;
}

static int environment_take_character(EnvironmentReader *r, char c) {
        switch (r->place) {
        case BEFORE_KEY:
                return environment_begin_key(r, c);
        case IN_KEY:
                return environment_take_in_key(r, c);
        case BEFORE_VALUE:
        case IN_VALUE:
                return environment_take_in_value(r, c);
        case IN_SINGLE_QUOTES:
        case IN_DOUBLE_QUOTES:
                return environment_take_in_quotes(r, c);
        case AFTER_BACKSLASH:
        case IN_DOUBLE_QUOTES_AFTER_BACKSLASH:
                return environment_take_escaped(r, c);
        case IN_COMMENT:
        case IN_COMMENT_AFTER_BACKSLASH:
        default:
                return environment_take_in_comment(r, c);
        }
}

int environment_parse_file(Environment *e, const char *path, const char *text, size_t size) {
        EnvironmentReader r = {.e = e, .path = path, .line = 1};
        int result = 0;

        for (size_t i = 0; result >= 0 && i < size && text[i]; i++) {
                result = environment_take_character(&r, text[i]);
                r.line += text[i] == '\n';
        }
        if (result >= 0 && r.place >= BEFORE_VALUE && r.place < IN_COMMENT)
                result = environment_finish(&r);

        buffer_done(&r.key);
        buffer_done(&r.value);
        return result;
}

char *unit_expand_specifiers(const char *unit, const char *text) {
        static const struct {
                char letter;
                const char *value;
        } plain[] = {{'%', "%"},        {'t', "/run"},       {'S', "/var/lib"}, {'C', "/var/cache"}, {'L', "/var/log"},
                     {'E', "/etc"},     {'T', "/tmp"},       {'V', "/var/tmp"}, {'u', "root"},       {'U', "0"},
                     {'h', "/root"},    {'i', ""},           {'I', ""}};
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        int r = buffer_puts(&b, "");

        for (const char *p = text; r >= 0 && *p; p++) {
                const char *value = NULL;

                for (size_t i = 0; *p == '%' && i < ELEMENTSOF(plain); i++)
                        if (plain[i].letter == p[1])
                                value = plain[i].value;

                if (*p == '%' && p[1] == 'n')
                        r = buffer_puts(&b, unit);
                else if (*p == '%' && (p[1] == 'N' || p[1] == 'p'))
                        r = buffer_append(&b, unit, strlen(unit) - strlen(".service"));
                else if (value)
                        r = buffer_puts(&b, value);
                else {
                        r = environment_put(&b, *p);
                        continue;
                }
                p++;
        }

        return r < 0 ? NULL : TAKE_PTR(b.data);
}

static int environment_take_assignments(const Unit *unit, const UnitSetting *s, Environment *e) {
        _cleanup_free_ char *text = unit_expand_specifiers(unit->name, s->value);
        _cleanup_words_ Words words = {};
        int r;

        if (!text)
                return -ENOMEM;

        /* The assignments before an error count. */
        r = words_split(text, WORDS_ASSIGNMENTS, &words);
        if (r == -ENOMEM)
                return r;
        if (r == -E2BIG)
                return environment_note_problem(e, s->file, "sets more variables than gtuned keeps");

        for (size_t i = 0; i < words.n; i++) {
                char *equals = strchr(words.list[i].text, '=');

                if (!equals)
                        continue;
                *equals = 0;
                r = environment_set(e, words.list[i].text, equals + 1, s->file, s->line);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int environment_read_file(const Root *root, const Unit *unit, const UnitSetting *s, uint64_t started,
                                 Environment *e) {
        _cleanup_free_ char *path = unit_expand_specifiers(unit->name, s->value);
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        bool optional;
        int r;

        if (!path)
                return -ENOMEM;

        optional = *path == '-';
        if (path[optional] != '/')
                return 0;
        if (strpbrk(path, "*?["))
                return environment_note_problem(e, path + optional,
                                                "is a pattern, and gtuned does not know which files it stands for");

        e->stale |= unit_file_is_newer(root, path + optional, started);
        r = root_read(root, path + optional, UNIT_FILE_MAX, &text);
        if (r >= 0 && text.size > 0 && memchr(text.data, 0, text.size))
                return environment_note_problem(e, path + optional,
                                                "holds a NUL, and the service manager refuses all of it");
        if (r >= 0)
                return environment_parse_file(e, path + optional, text.data, text.size);
        if (r == -ENOMEM || optional)
                return r == -ENOMEM ? r : 0;

        return environment_note_problem(e, path, r == -ENOENT ? "does not exist, and the unit does not start without it"
                                                  : error_text(-r));
}

static int environment_read_files(const Root *root, const Unit *unit, uint64_t started, Environment *e) {
        for (size_t i = 0; i < unit->n_settings; i++) {
                int r;

                if (!streq(unit->settings[i].key, "EnvironmentFile"))
                        continue;

                r = environment_read_file(root, unit, unit->settings + i, started, e);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int environment_take_setting(const Unit *unit, const UnitSetting *s, Environment *e) {
        _cleanup_free_ char *place = NULL;

        if (streq(s->key, "Environment"))
                return environment_take_assignments(unit, s, e);
        if (!streq(s->key, "UnsetEnvironment"))
                return 0;

        place = xasprintf("%s:%u", s->file, s->line);
        if (!place)
                return -ENOMEM;

        return environment_note_problem(e, place, "has UnsetEnvironment=, which gtuned does not follow");
}

int environment_read(const Root *root, const Unit *unit, Environment *ret) {
        _cleanup_environment_ Environment e = {};
        int r;

        assert(ret);

        *ret = (Environment) {};
        for (size_t i = 0; i < unit->n_settings; i++) {
                r = environment_take_setting(unit, unit->settings + i, &e);
                if (r < 0)
                        return r;
        }

        r = environment_read_files(root, unit, /* started= */ 0, &e);
        if (r < 0)
                return r;

        *ret = e;
        e = (Environment) {};
        return 0;
}

int environment_read_process(const Root *root, const Unit *unit, char *const *list, uint64_t started,
                             Environment *ret) {
        _cleanup_environment_ Environment e = {};
        int r;

        assert(ret);

        *ret = (Environment) {};
        for (; list && *list; list++) {
                _cleanup_free_ char *name = strdup(*list);
                char *equals;

                if (!name)
                        return -ENOMEM;
                equals = strchr(name, '=');
                if (!equals)
                        continue;

                *equals = 0;
                r = environment_set(&e, name, equals + 1, unit->name, 0);
                if (r < 0)
                        return r;
        }

        r = environment_read_files(root, unit, started, &e);
        if (r < 0)
                return r;

        *ret = e;
        e = (Environment) {};
        return 0;
}
