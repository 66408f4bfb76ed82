/* SPDX-License-Identifier: Apache-2.0 */

/*
 * TuneD reads its profiles with Python's ConfigParser: "=" alone separates, and only "#" begins a comment behind a value.
 * libinih, for which ":" separates, too, and ";" begins one there, would read other options.
 *
 * Tested by tests/unit/core/test-tuned.c.
 */

#include <assert.h>

#include "core/tuned.h"

#define TUNED_UNIT "/etc/systemd/system/tuned.service"
#define TUNED_UNIT_LINK "/etc/systemd/system/multi-user.target.wants/tuned.service"
#define TUNED_ACTIVE_PROFILE "/etc/tuned/active_profile"
#define TUNED_FILE_MAX (64U * 1024U)

/* Profiles that are included by each other, one below the other and in all. Real ones have at most four. */
#define TUNED_DEPTH_MAX 8U
#define TUNED_FILES_MAX 32U

/* The words between separators. */
#define TUNED_SEPARATORS " \t,;"

typedef struct TunedReading {
        const Root *root;
        Tuned *tuned;
        char **seen; /* the files that were read: a profile that includes its own name gets that of the next directory */
        size_t n_seen;
        unsigned depth;
} TunedReading;

/* A file that is read line by line: once for what it includes, which counts first, and then for its options. */
typedef struct TunedFile {
        const char *path;
        unsigned line;
        const char *section;
        bool includes;
} TunedFile;

static int tuned_read_profiles(TunedReading *t, char *names);

static void tuned_option_done(TunedOption *o) {
        free(o->path);
        free(o->section);
        free(o->name);
        free(o->value);
}

Tuned *tuned_free(Tuned *t) {
        if (!t)
                return NULL;

        for (size_t i = 0; i < t->n; i++)
                tuned_option_done(t->options + i);
        free(t->options);
        free(t->profile);
        free(t);
        return NULL;
}

static int tuned_add(Tuned *t, const TunedFile *f, const char *name, const char *value) {
        TunedOption *o;

        if (grow(&t->options, t->n, sizeof(TunedOption)) < 0)
                return -ENOMEM;

        o = t->options + t->n++;
        *o = (TunedOption) {
                .path = strdup(f->path), .line = f->line, .section = strdup(f->section), .name = strdup(name),
                .value = strdup(value),
        };
        return o->path && o->section && o->name && o->value ? 0 : -ENOMEM;
}

/* A comment begins with "#" at the begin of a line or after white space. */
static void tuned_cut_comment(char *line) {
        for (char *p = line; *p; p++)
                if (*p == '#' && (p == line || p[-1] == ' ' || p[-1] == '\t')) {
                        *p = 0;
                        return;
                }
}

/* Without its comment; sets the section, or takes the option. */
static int tuned_read_line(TunedReading *t, TunedFile *f, char *line) {
        char *value, *name, *end;

        tuned_cut_comment(line);
        line = strip(line);
        end = line[0] == '[' ? strchr(line, ']') : NULL;
        if (end) {
                *end = 0;
                f->section = line + 1;
                return 0;
        }

        value = line;
        name = strip(strsep(&value, "="));
        if (!value || !*name)
                return 0;

        value = strip(value);
        if (streq(f->section, "main") && streq(name, "include"))
                return f->includes ? tuned_read_profiles(t, value) : 0;

        return f->includes ? 0 : tuned_add(t->tuned, f, name, value);
}

static int tuned_read_file(TunedReading *t, const char *path, const Buffer *text, bool includes) {
        _cleanup_free_ char *copy = strndup(text->data, text->size);
        TunedFile f = {.path = path, .line = 1, .section = "", .includes = includes};
        char *rest = copy;
        int r = copy ? 0 : -ENOMEM;

        for (char *line = strsep(&rest, "\n"); r == 0 && line; line = strsep(&rest, "\n"), f.line++)
                r = tuned_read_line(t, &f, line);

        return r;
}

/* The first directory that has the profile counts: those of the administrator come first. */
static int tuned_read_profile(TunedReading *t, const char *name) {
        static const char *const directories[] = {
                "/etc/tuned/profiles", "/etc/tuned", "/usr/lib/tuned/profiles", "/usr/lib/tuned",
        };

        if (strchr(name, '/') || name[0] == '.')
                return 0;

        for (size_t i = 0; i < ELEMENTSOF(directories) && t->n_seen < TUNED_FILES_MAX; i++) {
                _cleanup_free_ char *path = xasprintf("%s/%s/tuned.conf", directories[i], name);
                _cleanup_buffer_ Buffer text = BUFFER_NULL;
                int r;

                if (!path)
                        return -ENOMEM;
                if (strv_has(t->seen, path))
                        continue;
                r = root_read(t->root, path, TUNED_FILE_MAX, &text);
                if (r == -ENOMEM)
                        return r;
                if (r < 0)
                        continue;

                if (strv_take(&t->seen, &t->n_seen, strdup(path)) < 0)
                        return -ENOMEM;
                r = text.size > 0 ? tuned_read_file(t, path, &text, /* includes= */ true) : 0;
                return r == 0 && text.size > 0 ? tuned_read_file(t, path, &text, /* includes= */ false) : r;
        }

        return 0;
}

/* "-" before a name: the profile may be missing. */
static int tuned_read_profiles(TunedReading *t, char *names) {
        char *state = NULL;
        int r = 0;

        if (t->depth >= TUNED_DEPTH_MAX)
                return 0;

        t->depth++;
        for (char *name = strtok_r(names, TUNED_SEPARATORS, &state); r == 0 && name;
             name = strtok_r(NULL, TUNED_SEPARATORS, &state))
                r = tuned_read_profile(t, name + (name[0] == '-'));
        t->depth--;
        return r;
}

int tuned_read(const Root *root, Tuned **ret) {
        _cleanup_(tuned_freep) Tuned *tuned = NULL;
        _cleanup_free_ char *line = NULL;
        TunedReading t = {.root = root};
        int r;

        assert(root);
        assert(ret);

        *ret = NULL;
        if (!root_exists(root, TUNED_UNIT_LINK) || root_is_mask(root, TUNED_UNIT) > 0)
                return 0;
        r = root_read_line(root, TUNED_ACTIVE_PROFILE, &line);
        if (r < 0)
                return r == -ENOMEM ? r : 0;

        t.tuned = tuned = calloc(1, sizeof(Tuned));
        if (!tuned)
                return -ENOMEM;
        tuned->profile = strdup(strip(line));
        if (!tuned->profile)
                return -ENOMEM;
        if (!*tuned->profile)
                return 0;
        r = tuned_read_profiles(&t, line);
        strv_free(t.seen);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(tuned);
        return 0;
}

const TunedOption *tuned_option(const Tuned *t, const char *section, const char *name) {
        for (size_t i = t ? t->n : 0; i > 0; i--)
                if (streq(t->options[i - 1].section, section) && streq(t->options[i - 1].name, name))
                        return t->options + i - 1;

        return NULL;
}
