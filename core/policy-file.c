/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reads the policy files with inih. inih itself would silently cut a long line in two and join an indented line
 * to the one before it, and it names no lines to its callback. Our line reader stands in front of it: it counts,
 * and it refuses those lines.
 */

#include <assert.h>
#include <ctype.h>
#include <ini.h>

#include "core/buffer.h"
#include "core/cmdline.h"
#include "core/policy-file.h"

#define POLICY_FILE_MAX (1024U * 1024U)
#define LINE_MAX_BYTES 199U /* with the NUL, what inih's own buffer takes (INI_MAX_LINE) */
#define SECTION_MAX_BYTES 49U /* with the NUL, what inih keeps of a section's name; it drops the rest in silence */
#define ERRORS_MAX 64U

/* Later ones win. */
static const char *const directories[] = {"/usr/lib", "/run", "/etc"};

typedef struct Reader {
        const PolicyKeys *groups;
        size_t n_groups;
        Policy *policy;
        const char *path;
        const char *next, *end; /* the text that is left */
        unsigned line;          /* the one that was handed out last */
        bool no_memory;
} Reader;

static _printf_(2, 3) void note_error(Reader *r, const char *format, ...) {
        _cleanup_free_ char *reason = NULL;
        va_list ap;

        if (r->policy->n_errors >= ERRORS_MAX)
                return;

        va_start(ap, format);
        reason = xvasprintf(format, ap);
        va_end(ap);

        if (!reason || policy_error(r->policy, r->path, r->line, "%s", reason) < 0)
                r->no_memory = true;
}

/* inih tells of the first line only that it cannot read. */
static bool is_complete(const char *line, size_t size) {
        size_t i = 0;

        if (size >= 3 && memcmp(line, "\xEF\xBB\xBF", 3) == 0)
                i = 3;
        while (i < size && isspace((unsigned char) line[i]))
                i++;
        if (i == size || line[i] == '#' || line[i] == ';')
                return true;

        return line[i] == '[' ? memchr(line + i, ']', size - i) != NULL
                              : memchr(line + i, '=', size - i) || memchr(line + i, ':', size - i);
}

static bool is_long_section(const char *line, size_t size) {
        const char *end = size > 0 && line[0] == '[' ? memchr(line, ']', size) : NULL;

        return end && (size_t) (end - line) - 1 > SECTION_MAX_BYTES;
}

/* inih ignores what stands behind a section's name. */
static bool has_junk(const char *line, size_t size) {
        const char *p, *end = line + size;

        if (size == 0 || line[0] != '[')
                return false;

        p = memchr(line, ']', size);
        for (p++; p < end; p++)
                if (*p == '#' || *p == ';')
                        return false;
                else if (!isspace((unsigned char) *p))
                        return true;

        return false;
}

/* Why inih must not see a line, or NULL. */
static const char *line_refusal(const char *line, size_t size) {
        if (size > LINE_MAX_BYTES)
                return "the line is longer than 199 bytes; a list key may be repeated instead";
        if (memchr(line, 0, size))
                return "the line holds a NUL byte";
        if (size > 0 && isblank((unsigned char) line[0])) {
                size_t i = 0;

                while (i < size && isspace((unsigned char) line[i]))
                        i++;
                if (i < size && line[i] != '#' && line[i] != ';')
                        return "the line begins with a blank; continuation lines are not supported, "
                               "write every key at the beginning of a line";
        }

        if (!is_complete(line, size))
                return "expected [section], key = value, or a comment";
        if (is_long_section(line, size))
                return "the section's name is longer than 49 bytes; a shell pattern may shorten the name of a subject";

        return has_junk(line, size) ? "there is something behind the ]: write every key on a line of its own" : NULL;
}

/* The reader that ini_parse_stream() calls like fgets(). */
static char *read_line(char *buffer, int size, void *userdata) {
        Reader *r = userdata;
        const char *line = r->next, *end, *refusal;
        size_t n;

        if (line >= r->end)
                return NULL;

        end = memchr(line, '\n', (size_t) (r->end - line));
        n = (size_t) ((end ? end : r->end) - line);
        r->next = end ? end + 1 : r->end;
        r->line++;

        refusal = line_refusal(line, n);
        if (refusal) {
                note_error(r, "%s", refusal);
                n = 0;
        }

        /* It fits inih's buffer without its newline, which inih does not miss, so it never sees half a line. */
        n = n > (size_t) size - 1 ? (size_t) size - 1 : n;
        memcpy(buffer, line, n);
        buffer[n] = 0;
        return buffer;
}

/* What the name of a section says: "domain" and "web*" of "domain web*". */
typedef struct Section {
        char *name;
        char *pattern; /* points into name; NULL: there is none */
} Section;

static int section_parse(const char *text, Section *ret) {
        char *blank;

        ret->name = strdup(text);
        if (!ret->name)
                return -ENOMEM;

        blank = ret->name + strcspn(ret->name, " \t");
        ret->pattern = *blank ? strip(blank + 1) : NULL;
        *blank = 0;
        return 0;
}

static void section_done(Section *s) {
        free(s->name);
}

/* How far the name of a key was found. */
typedef enum Lookup {
        LOOKUP_NO_SECTION,
        LOOKUP_NO_PATTERN, /* the section needs one */
        LOOKUP_PATTERN,    /* the section takes none */
        LOOKUP_NO_KEY,
        LOOKUP_FOUND,
} Lookup;

static Lookup find_key(const Reader *r, const Section *section, const char *name, const PolicyKey **ret) {
        Lookup found = LOOKUP_NO_SECTION;

        for (size_t g = 0; g < r->n_groups; g++)
                for (size_t i = 0; i < r->groups[g].n_keys; i++) {
                        const PolicyKey *key = r->groups[g].keys + i;

                        if (!streq(key->section, section->name))
                                continue;
                        if (r->groups[g].by_subject != (section->pattern != NULL))
                                return section->pattern ? LOOKUP_PATTERN : LOOKUP_NO_PATTERN;
                        if (streq(key->name, name)) {
                                *ret = key;
                                return LOOKUP_FOUND;
                        }
                        found = LOOKUP_NO_KEY;
                }

        return found;
}

static bool is_choice(const PolicyKey *key, const char *value) {
        for (const char *const *c = key->choices; *c; c++)
                if (streq(*c, value))
                        return true;

        return false;
}

static char *join_choices(const PolicyKey *key) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;

        for (const char *const *c = key->choices; *c; c++)
                if (buffer_printf(&b, "%s%s", c == key->choices ? "" : c[1] ? ", " : " or ", *c) < 0)
                        return NULL;

        return TAKE_PTR(b.data);
}

/* Complains and returns false where the value is none for its key. */
static bool check_value(Reader *r, const PolicyKey *key, const char *value) {
        _cleanup_free_ char *choices = NULL;
        uint32_t number;
        bool flag;
        int e;

        switch (key->type) {
        case KEY_BOOL:
                if (parse_bool(value, &flag) >= 0)
                        return true;
                note_error(r, "%s = %s: expected yes or no", key->name, value);
                return false;

        case KEY_CHOICE:
                if (is_choice(key, value))
                        return true;
                choices = join_choices(key);
                note_error(r, "%s = %s: expected %s", key->name, value, strempty(choices));
                return false;

        case KEY_KERNEL_UINT:
                e = parse_kernel_uint(value, &number);
                if (e >= 0)
                        return true;
                note_error(r, "%s = %s: %s", key->name, value,
                         e == -ERANGE ? "the largest number is 4294967295"
                                      : "expected a whole number from 0 to 4294967295 (decimal, 0x… or 0…)");
                return false;

        case KEY_KERNEL_BOOL:
                if (*value && parse_kernel_bool(value, &flag) >= 0)
                        return true;
                note_error(r, "%s = %s: expected Y or N", key->name, value);
                return false;

        case KEY_PATH:
                if (value[0] == '/')
                        return true;
                note_error(r, "%s = %s: expected an absolute path", key->name, value);
                return false;

        case KEY_LIST:
        default:
                return true;
        }
}

static PolicySetting *find_setting(Policy *policy, const PolicyKey *key, const char *pattern) {
        for (size_t i = 0; i < policy->n_settings; i++)
                if (policy->settings[i].key == key && streq_ptr(policy->settings[i].pattern, pattern))
                        return policy->settings + i;

        return NULL;
}

/* Of sections with patterns the last one counts, so what is set again moves to the end. */
static PolicySetting *move_to_end(Policy *policy, PolicySetting *s) {
        PolicySetting moved = *s, *last = policy->settings + policy->n_settings - 1;

        memmove(s, s + 1, (size_t) (last - s) * sizeof(*s));
        *last = moved;
        return last;
}

static int store_value(Reader *r, const PolicyKey *key, const char *pattern, const char *value) {
        PolicySetting *s = find_setting(r->policy, key, pattern);
        _cleanup_free_ char *text = NULL, *file = strdup(r->path), *copy = pattern ? strdup(pattern) : NULL;

        if (key->type == KEY_LIST && s && *value && *s->value)
                text = xasprintf("%s, %s", s->value, value);
        else
                text = strdup(value);
        if (!text || !file || (pattern && !copy))
                return -ENOMEM;

        if (s && pattern)
                s = move_to_end(r->policy, s);
        if (!s) {
                if (grow(&r->policy->settings, r->policy->n_settings, sizeof(PolicySetting)) < 0)
                        return -ENOMEM;
                s = r->policy->settings + r->policy->n_settings++;
        }

        free(s->pattern);
        free(s->value);
        free(s->file);
        *s = (PolicySetting) {
                .key = key,
                .pattern = TAKE_PTR(copy),
                .value = TAKE_PTR(text),
                .file = TAKE_PTR(file),
                .line = r->line,
        };
        return 0;
}

/* Say what is wrong with the section or the name of a key. */
static void note_unknown(Reader *r, Lookup found, const Section *section, const char *text, const char *name) {
        if (!*text)
                note_error(r, "%s stands before any [section]", name);
        else if (found == LOOKUP_NO_PATTERN)
                note_error(r, "[%s] needs a name or a shell pattern: write [%s NAME]", section->name, section->name);
        else if (found == LOOKUP_PATTERN)
                note_error(r, "[%s] takes no name: write [%s] alone", section->name, section->name);
        else if (found == LOOKUP_NO_SECTION)
                note_error(r, "unknown section [%s]", text);
        else
                note_error(r, "unknown key %s in [%s]", name, section->name);
}

static int handle_pair(void *userdata, const char *text, const char *name, const char *value) {
        _cleanup_(section_done) Section section = {};
        Reader *r = userdata;
        const PolicyKey *key = NULL;
        Lookup found;

        if (section_parse(text, &section) < 0) {
                r->no_memory = true;
                return 1;
        }

        found = find_key(r, &section, name, &key);
        if (found != LOOKUP_FOUND)
                note_unknown(r, found, &section, text, name);
        else if (key->lasting && startswith(r->path, "/run/"))
                note_error(r, "%s does not count below /run: set it in /etc/gtuned or /usr/lib/gtuned", name);
        else if (check_value(r, key, value) && store_value(r, key, section.pattern, value) < 0)
                r->no_memory = true;

        return 1;
}

static const char *explain_read_error(int r) {
        switch (r) {
        case -EFBIG:
                return "the file is larger than 1 MiB";
        case -EISDIR:
                return "it is a directory, not a file";
        case -EOPNOTSUPP:
                return "it is not a regular file";
        default:
                return strerror(-r);
        }
}

/* A link to /dev/null masks a file of the same name, also in an image, which has no /dev/null yet. */
static bool is_mask(const Root *root, const char *path) {
        static const char null[] = "/dev/null";
        _cleanup_close_ int directory = -EBADF;
        char target[sizeof(null)];
        const char *name;

        return root_open_parent(root, path, false, &directory, &name) == ROOT_OK &&
               readlinkat(directory, name, target, sizeof(target)) == (ssize_t) strlen(null) &&
               memcmp(target, null, strlen(null)) == 0;
}

static int remember_file(Policy *policy, const char *path) {
        size_t n = 0;

        while (policy->files && policy->files[n])
                n++;
        if (grow(&policy->files, n + 1, sizeof(char *)) < 0)
                return -ENOMEM;

        policy->files[n] = strdup(path);
        policy->files[n + 1] = NULL;
        return policy->files[n] ? 0 : -ENOMEM;
}

static int read_text(Reader *r, const char *path, const char *text, size_t size) {
        int e;

        r->path = path;
        r->next = text;
        r->end = text + size;
        r->line = 0;

        e = ini_parse_stream(read_line, r, handle_pair, r);
        if (e > 0) {
                r->line = (unsigned) e;
                note_error(r, "expected [section], key = value, or a comment");
        }

        return e == -2 || r->no_memory ? -ENOMEM : 0;
}

static int read_file(const Root *root, Reader *r, const char *path) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        int e;

        e = root_read(root, path, POLICY_FILE_MAX, &text);
        if (e == -ENOENT || (e == -EOPNOTSUPP && is_mask(root, path)))
                return 0;
        if (e < 0)
                return policy_error(r->policy, path, 0, "cannot be read: %s", explain_read_error(e));
        if (remember_file(r->policy, path) < 0)
                return -ENOMEM;

        return read_text(r, path, text.data, text.size);
}

/* The directory that wins for a name: a file of the same name in a later one masks the earlier. */
static char *winning_path(const Root *root, const char *name) {
        for (size_t i = ELEMENTSOF(directories); i-- > 0;) {
                _cleanup_free_ char *path = xasprintf("%s/%s", directories[i], name), *real = NULL;
                int r;

                if (!path)
                        return NULL;
                r = root_resolve(root, path, &real);
                if (r >= 0 || r != -ENOENT || is_mask(root, path))
                        return TAKE_PTR(path);
        }

        return xasprintf("%s/%s", directories[0], name);
}

static int collect_names(const Root *root, const char *name, char ***names, size_t *n) {
        for (size_t i = 0; i < ELEMENTSOF(directories); i++) {
                _cleanup_(strv_freep) char **found = NULL;
                _cleanup_free_ char *path = xasprintf("%s/%s.d", directories[i], name);

                if (!path)
                        return -ENOMEM;
                if (root_list(root, path, &found) < 0)
                        continue;

                for (char **f = found; *f; f++) {
                        if (!endswith(*f, ".conf") || **f == '.')
                                continue;
                        if (grow(names, *n + 1, sizeof(char *)) < 0)
                                return -ENOMEM;
                        (*names)[*n] = xasprintf("%s.d/%s", name, *f);
                        if (!(*names)[*n])
                                return -ENOMEM;
                        (*names)[++*n] = NULL;
                }
        }

        return 0;
}

static int compare_strings(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static int read_drop_ins(const Root *root, Reader *reader, char **names, size_t n) {
        int r;

        if (n > 0)
                qsort(names, n, sizeof(char *), compare_strings);

        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *path = NULL;

                if (i > 0 && streq(names[i], names[i - 1]))
                        continue;

                path = winning_path(root, names[i]);
                if (!path)
                        return -ENOMEM;
                r = read_file(root, reader, path);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* A policy without settings, and the keys that decide for every practice. */
static int policy_new(const PolicyKeys *keys, size_t n_keys, Policy **ret) {
        _cleanup_(policy_freep) Policy *policy = calloc(1, sizeof(*policy));

        if (!policy)
                return -ENOMEM;

        for (size_t g = 0; g < n_keys; g++)
                for (size_t i = 0; i < keys[g].n_keys; i++) {
                        if (!keys[g].keys[i].shared)
                                continue;
                        if (grow(&policy->shared, policy->n_shared, sizeof(PolicyKey *)) < 0)
                                return -ENOMEM;
                        policy->shared[policy->n_shared++] = keys[g].keys + i;
                }

        *ret = TAKE_PTR(policy);
        return 0;
}

int policy_read_text(const char *text, size_t size, const PolicyKeys *keys, size_t n_keys, Policy **ret) {
        _cleanup_(policy_freep) Policy *policy = NULL;
        Reader reader = {.groups = keys, .n_groups = n_keys};
        int r;

        assert(ret);

        r = policy_new(keys, n_keys, &policy);
        if (r < 0)
                return r;

        reader.policy = policy;
        r = read_text(&reader, "(text)", text, size);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(policy);
        return 0;
}

static int read_all(const Root *root, const char *name, Reader *reader) {
        _cleanup_(strv_freep) char **names = NULL;
        _cleanup_free_ char *path = winning_path(root, name);
        size_t n = 0;
        int r;

        if (!path)
                return -ENOMEM;
        r = read_file(root, reader, path);
        if (r < 0)
                return r;
        r = collect_names(root, name, &names, &n);
        if (r < 0)
                return r;

        return read_drop_ins(root, reader, names, n);
}

int policy_read(const Root *root, const char *name, const PolicyKeys *keys, size_t n_keys, Policy **ret) {
        _cleanup_(policy_freep) Policy *policy = NULL;
        Reader reader = {.groups = keys, .n_groups = n_keys};
        int r;

        assert(root && name && ret);

        r = policy_new(keys, n_keys, &policy);
        if (r < 0)
                return r;

        reader.policy = policy;
        r = read_all(root, name, &reader);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(policy);
        return 0;
}
