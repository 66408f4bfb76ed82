/* SPDX-License-Identifier: Apache-2.0 */

/*
 * inih parses, but it does not tell its callback in which line a key is, and it reads some lines otherwise than their
 * author meant (core/policy-line.h). So inih gets its lines from policy_parser_next_line(), which counts them and
 * leaves such lines out. Tested by tests/unit/core/test-policy.c.
 */

#include <ini.h>

#include "core/policy-line.h"
#include "core/policy-parse.h"
#include "core/policy-value.h"

#define POLICY_ERRORS_MAX 64U

typedef struct PolicyParser {
        const PolicyKeys *groups;
        size_t n_groups;
        Policy *policy;
        const char *path;
        const char *next, *end; /* the rest of the text */
        unsigned line;          /* the number of the line that inih got last */
        const char *buffer;     /* where inih wanted that line */
        int size;               /* of that buffer */
        bool full;              /* the line fills the buffer */
        bool no_memory;         /* an error that inih's callbacks cannot return */
} PolicyParser;

static _printf_(2, 3) void policy_parser_complain(PolicyParser *p, const char *format, ...) {
        _cleanup_free_ char *reason = NULL;
        va_list ap;

        if (p->policy->n_errors >= POLICY_ERRORS_MAX)
                return;

        va_start(ap, format);
        reason = xvasprintf(format, ap);
        va_end(ap);

        if (!reason || policy_error(p->policy, p->path, p->line, "%s", reason) < 0)
                p->no_memory = true;
}

/*
 * Whether inih asks for the rest of a line, and there is none. It takes a line that fills its buffer for the beginning
 * of a longer one, and asks with another buffer: to drop the rest (inih 61), or to keep it (INI_ALLOW_REALLOC).
 */
static bool policy_parser_line_is_whole(PolicyParser *p, const char *buffer, int size) {
        bool whole = p->full && (buffer != p->buffer || size != p->size);

        p->buffer = buffer;
        p->size = size;
        p->full = false;
        return whole;
}

/* ini_parse_stream() calls this instead of fgets(). */
static char *policy_parser_next_line(char *buffer, int size, void *userdata) {
        PolicyParser *p = userdata;
        const char *line = p->next, *end, *refusal;
        size_t n;

        if (policy_parser_line_is_whole(p, buffer, size))
                return NULL;
        if (line >= p->end)
                return NULL;

        end = memchr(line, '\n', (size_t) (p->end - line));
        n = (size_t) ((end ? end : p->end) - line);
        p->next = end ? end + 1 : p->end;
        p->line++;

        refusal = policy_line_refusal(line, n);
        if (refusal) {
                policy_parser_complain(p, "%s", refusal);
                n = 0;
        }

        /* inih does not need the newline. Without it the longest line fits, so inih never sees half a line. */
        n = n > (size_t) size - 1 ? (size_t) size - 1 : n;
        memcpy(buffer, line, n);
        buffer[n] = 0;
        p->full = n == (size_t) size - 1;
        return buffer;
}

/* The two parts of a section's name: "domain" and "web*" of "domain web*". */
typedef struct PolicySection {
        char *name;
        char *pattern; /* points into name; NULL: there is none */
} PolicySection;

static int policy_section_parse(const char *text, PolicySection *ret) {
        char *blank;

        ret->name = strdup(text);
        if (!ret->name)
                return -ENOMEM;

        blank = ret->name + strcspn(ret->name, " \t");
        ret->pattern = *blank ? strip(blank + 1) : NULL;
        if (isempty(ret->pattern))
                ret->pattern = NULL;
        *blank = 0;
        return 0;
}

static void policy_section_done(PolicySection *s) {
        free(s->name);
}

typedef enum PolicyLookup {
        POLICY_LOOKUP_NO_SECTION,
        POLICY_LOOKUP_NO_PATTERN, /* the section needs one */
        POLICY_LOOKUP_PATTERN,    /* the section takes none */
        POLICY_LOOKUP_NO_KEY,
        POLICY_LOOKUP_FOUND,
} PolicyLookup;

static PolicyLookup policy_parser_find_key(const PolicyParser *p, const PolicySection *section, const char *name,
                                           const PolicyKey **ret) {
        PolicyLookup found = POLICY_LOOKUP_NO_SECTION;

        for (size_t g = 0; g < p->n_groups; g++)
                for (size_t i = 0; i < p->groups[g].n_keys; i++) {
                        const PolicyKey *key = p->groups[g].keys + i;

                        if (!streq(key->section, section->name))
                                continue;
                        if (p->groups[g].by_subject != (section->pattern != NULL))
                                return section->pattern ? POLICY_LOOKUP_PATTERN : POLICY_LOOKUP_NO_PATTERN;
                        if (streq(key->name, name)) {
                                *ret = key;
                                return POLICY_LOOKUP_FOUND;
                        }
                        found = POLICY_LOOKUP_NO_KEY;
                }

        return found;
}

static void policy_parser_complain_unknown(PolicyParser *p, PolicyLookup found, const PolicySection *section,
                                           const char *text, const char *name) {
        if (!*text)
                policy_parser_complain(p, "%s stands before any [section]", name);
        else if (found == POLICY_LOOKUP_NO_PATTERN)
                policy_parser_complain(p, "[%s] needs a name or a shell pattern: write [%s NAME]", section->name,
                                       section->name);
        else if (found == POLICY_LOOKUP_PATTERN)
                policy_parser_complain(p, "[%s] takes no name: write [%s] alone", section->name, section->name);
        else if (found == POLICY_LOOKUP_NO_SECTION)
                policy_parser_complain(p, "unknown section [%s]", text);
        else
                policy_parser_complain(p, "unknown key %s in [%s]", name, section->name);
}

/*
 * Find the setting of a key, or make one. Of several sections whose patterns match a subject the last one counts, so a
 * setting with a pattern moves to the end when it is set again. Return: the setting, or NULL when memory is exhausted.
 */
static PolicySetting *policy_place_setting(Policy *policy, const PolicyKey *key, const char *pattern) {
        PolicySetting *s = policy->settings, *last, moved;
        size_t i = 0;

        while (i < policy->n_settings && (s[i].key != key || !streq_ptr(s[i].pattern, pattern)))
                i++;

        if (i == policy->n_settings) {
                if (grow(&policy->settings, i, sizeof(PolicySetting)) < 0)
                        return NULL;
                policy->n_settings++;
                return policy->settings + i;
        }
        if (!pattern)
                return s + i;

        moved = s[i];
        last = s + policy->n_settings - 1;
        memmove(s + i, s + i + 1, (policy->n_settings - 1 - i) * sizeof(PolicySetting));
        *last = moved;
        return last;
}

/* Add the line to the list of a setting; an empty value clears the list. Return: 0 or -ENOMEM. */
static int policy_parser_add_part(const PolicyParser *p, PolicySetting *s, const char *value) {
        PolicyPart part = {.line = p->line};

        if (!*value) {
                policy_clear_list(s);
                return 0;
        }

        if (grow(&s->parts, s->n_parts, sizeof(PolicyPart)) < 0)
                return -ENOMEM;
        part.text = strdup(value);
        part.file = strdup(p->path);
        s->parts[s->n_parts++] = part;
        return part.text && part.file ? 0 : -ENOMEM;
}

static int policy_parser_set(PolicyParser *p, const PolicyKey *key, const char *pattern, const char *value) {
        _cleanup_free_ char *text = NULL, *file = strdup(p->path), *copy = pattern ? strdup(pattern) : NULL;
        PolicySetting *s;

        if (!file || (pattern && !copy))
                return -ENOMEM;

        s = policy_place_setting(p->policy, key, pattern);
        if (!s)
                return -ENOMEM;

        /* A new setting is zeroed and gets its key here, so that the policy can be freed if the text cannot be made. */
        s->key = key;
        if (key->type == KEY_LIST && policy_parser_add_part(p, s, value) < 0)
                return -ENOMEM;
        if (s->n_parts > 1)
                text = xasprintf("%s, %s", s->value, value);
        else
                text = strdup(value);
        if (!text)
                return -ENOMEM;

        free(s->pattern);
        free(s->value);
        free(s->file);
        s->pattern = TAKE_PTR(copy);
        s->value = TAKE_PTR(text);
        s->file = TAKE_PTR(file);
        s->line = p->line;
        return 0;
}

static int policy_parser_take_pair(PolicyParser *p, const char *text, const char *name, const char *value) {
        _cleanup_(policy_section_done) PolicySection section = {};
        _cleanup_free_ char *complaint = NULL;
        const PolicyKey *key = NULL;
        PolicyLookup found;
        int r;

        r = policy_section_parse(text, &section);
        if (r < 0)
                return r;

        found = policy_parser_find_key(p, &section, name, &key);
        if (found != POLICY_LOOKUP_FOUND) {
                policy_parser_complain_unknown(p, found, &section, text, name);
                return 0;
        }
        if (key->lasting && startswith(p->path, "/run/")) {
                policy_parser_complain(p, "%s does not count below /run: set it in /etc/gtuned or /usr/lib/gtuned",
                                       name);
                return 0;
        }

        r = policy_value_check(key, value, &complaint);
        if (r < 0)
                return r;
        if (complaint) {
                policy_parser_complain(p, "%s", complaint);
                return 0;
        }

        return policy_parser_set(p, key, section.pattern, value);
}

/* inih's callback for a key and its value. It returns 1, so that inih goes on. */
static int policy_parser_handle(void *userdata, const char *text, const char *name, const char *value) {
        PolicyParser *p = userdata;

        if (policy_parser_take_pair(p, text, name, value) < 0)
                p->no_memory = true;
        return 1;
}

int policy_parse(Policy *policy, const PolicyKeys *keys, size_t n_keys, const char *path, const char *text,
                 size_t size) {
        PolicyParser p = {
                .groups = keys,
                .n_groups = n_keys,
                .policy = policy,
                .path = path,
                .next = text,
                .end = text + size,
        };
        int r;

        r = ini_parse_stream(policy_parser_next_line, &p, policy_parser_handle, &p);
        if (r > 0) {
                p.line = (unsigned) r;
                policy_parser_complain(&p, "expected [section], key = value, or a comment");
        }

        /* ini_parse_stream() returns -2 when memory is exhausted. */
        if (r == -2 || p.no_memory)
                return -ENOMEM;

        return 0;
}
