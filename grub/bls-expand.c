/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Variables in the options of an entry, expanded as GRUB's blscfg does it (rhboot/grub2: blscfg.c, expand_val(); GRUB
 * 2.14: blsuki.c, blsuki_expand_val()).
 *
 * Tested by test-bls.c and test-grubenv.c.
 */

#include "grub/bls.h"

bool bls_refers(const BootStore *store) {
        const BlsLayout *l = store->layout;

        return l->line.text.size <= 1 || memchr(l->line.text.data, '$', l->line.text.size);
}

static bool bls_is_name_char(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Read "$NAME" or "${NAME}" at a "$". Return: its length in bytes, or 0 if this is no reference to a variable. */
static size_t bls_read_reference(const char *text, char **ret_name) {
        size_t brace = text[1] == '{', n = 0;

        while (bls_is_name_char(text[1 + brace + n]))
                n++;
        if (n == 0 || (brace && text[2 + n] != '}'))
                return 0;

        *ret_name = strndup(text + 1 + brace, n);
        return 1 + n + 2 * brace;
}

/* Whether "$NAME" or, with braces, "${NAME}" occurs in a part of the options. */
static bool bls_has_reference(const char *text, size_t size, const char *name, bool braces) {
        size_t n = strlen(name);

        for (size_t i = 0; i + n < size; i++) {
                const char *p = text + i + 1;

                if (text[i] != '$')
                        continue;
                if (braces && *p == '{')
                        p++;
                if (strncmp(p, name, n) == 0 && !bls_is_name_char(p[n]))
                        return true;
        }

        return false;
}

bool bls_mentions(const BootStore *store, const char *name) {
        const BlsLayout *l = store->layout;

        for (size_t i = 0; i < l->line.cmdline.n_tokens; i++) {
                const Token *t = l->line.cmdline.tokens + i;

                if (!t->for_init && !t->open && bls_has_reference(l->line.text.data + t->offset, t->size, name,
                                                                  l->reader != BLS_GRUB))
                        return true;
        }

        return false;
}

/* Expand a text. A "$" after a backslash is no reference. */
static int bls_expand_text(const char *text, BlsLookup lookup, void *userdata, Buffer *ret) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        int r;

        for (const char *p = text; *p;) {
                _cleanup_free_ char *name = NULL;
                size_t n = *p == '$' && (p == text || p[-1] != '\\') ? bls_read_reference(p, &name) : 0;
                const char *value;

                if (n == 0) {
                        r = buffer_append(&b, p++, 1);
                        if (r < 0)
                                return r;

                        continue;
                }
                if (!name)
                        return -ENOMEM;

                value = lookup(userdata, name);
                if (value) {
                        r = buffer_printf(&b, "%s ", value);
                        if (r < 0)
                                return r;
                }

                p += n;
                p += *p == ' ';
        }

        *ret = b;
        b = BUFFER_NULL;
        return 0;
}

/* What the blscfg of GRUB 2.14 takes in one step: a reference, or what stands before the next one. */
typedef struct BlsPart {
        const char *text;
        size_t size;    /* of a reference without "$" */
        bool reference;
        bool last;      /* "$" or the end comes next */
        bool lost;      /* it drops this part: a single byte before "$" or the end */
        const char *next;
} BlsPart;

static BlsPart bls_part_read(const char *p) {
        BlsPart part = { .text = p + (*p == '$'), .reference = *p == '$' };

        if (part.reference)
                while (bls_is_name_char(part.text[part.size]))
                        part.size++;
        else
                part.size = strcspn(p, "$");

        part.next = part.text + part.size;
        part.last = *part.next == 0 || *part.next == '$';
        part.lost = part.last && part.size == 1;
        if (part.reference && *part.next == ' ')
                part.next++;
        return part;
}

static int bls_expand_grub(const char *text, BlsLookup lookup, void *userdata, Buffer *ret) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        bool any = false;
        BlsPart part;

        for (const char *p = text; *p; p = part.next) {
                _cleanup_free_ char *name = NULL;
                const char *value = NULL;
                int r = 0;

                part = bls_part_read(p);
                if (part.lost)
                        continue;

                name = strndup(part.text, part.size);
                if (!name)
                        return -ENOMEM;
                if (part.reference)
                        value = *name ? lookup(userdata, name) : NULL;

                if (!part.reference || value)
                        r = buffer_printf(&b, "%s%s", part.reference ? value : name, part.reference ? " " : "");
                if (r < 0)
                        return r;

                /* If nothing came before a variable that is not set, GRUB takes this for a lack of memory. */
                any = any || !part.reference || value;
                if (part.last && !any)
                        return 0;
                /* After a blank that was dropped there are bytes, even if there are none. */
                any = any || (!part.last && (*part.next == 0 || *part.next == '$'));
        }

        *ret = b;
        b = BUFFER_NULL;
        return 0;
}

/* The options with the blanks after them: a last word before blanks is never a single byte. */
static char *bls_whole_text(const BlsLayout *l) {
        return xasprintf("%s%*s", strempty(l->line.text.data), (int) l->n_blanks, "");
}

bool bls_loses_byte(const BlsLayout *l) {
        const char *text = strempty(l->line.text.data);

        for (BlsPart part; l->reader == BLS_GRUB && *text; text = part.next) {
                part = bls_part_read(text);
                if (part.lost && (*part.next || l->n_blanks == 0))
                        return true;
        }

        return false;
}

int bls_expand(const BootStore *store, BlsLookup lookup, void *userdata, Buffer *ret) {
        const BlsLayout *l = store->layout;

        if (l->reader == BLS_GRUB) {
                _cleanup_free_ char *text = bls_whole_text(l);

                return text ? bls_expand_grub(text, lookup, userdata, ret) : -ENOMEM;
        }

        return bls_expand_text(strempty(l->line.text.data), lookup, userdata, ret);
}

/*
 * Whether a token ends in a variable after bytes of its own, as in "a$x": if the variable is not set, the blank after it
 * is dropped, and what follows becomes a part of the token.
 */
static bool bls_is_glued(const char *token) {
        const char *end = token + strlen(token), *p = token;

        while (*p && *p != '$')
                p++;
        while (p > token && *p == '$') {
                _cleanup_free_ char *name = NULL;
                size_t n = bls_read_reference(p, &name);

                if (n == 0)
                        return false;
                p += n;
                if (p == end)
                        return true;
                while (*p && *p != '$')
                        p++;
        }

        return false;
}

/* Whether the variables of a token end the part of the kernel. Return: 1; 0; -ENOMEM. */
static int bls_ends_kernel(const char *token, BlsLookup lookup, void *userdata) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        Cmdline c;
        bool ends;
        int r;

        r = bls_expand_text(token, lookup, userdata, &text);
        if (r < 0)
                return r;
        r = cmdline_parse(text.data, text.size, &c);
        if (r < 0)
                return r;

        ends = c.n_tokens > 0 && c.tokens[c.n_tokens - 1].for_init;
        cmdline_done(&c);
        return ends;
}

/*
 * A byte that GRUB drops comes into force with a token behind it, or between it and the variable before it. Both blscfg
 * drop it, except for that of RHEL 8.
 */
static void bls_mark_lost(BlsLayout *l) {
        const char *text = strempty(l->line.text.data), *p = text;

        for (BlsPart part; *p; p = part.next) {
                part = bls_part_read(p);
                /* Whatever is added to a first part brings it into force. */
                if (!part.lost || p == text || (part.reference && l->reader != BLS_GRUB))
                        continue;

                for (size_t i = 0; i < l->line.cmdline.n_tokens; i++) {
                        Token *t = l->line.cmdline.tokens + i;
                        const char *begin = text + t->offset, *end = begin + t->size;

                        t->open = t->open || (begin <= part.text && part.text < end) ||
                                  (!part.reference && end + 1 == part.text);
                }
        }
}

int bls_mark_places(BootStore *store, BlsLookup lookup, void *userdata) {
        BlsLayout *l = store->layout;
        bool for_init = false;

        for (size_t i = 0; i < l->line.cmdline.n_tokens; i++) {
                Token *t = l->line.cmdline.tokens + i;
                _cleanup_free_ char *text = strndup(l->line.text.data + t->offset, t->size);
                int r;

                if (!text)
                        return -ENOMEM;

                r = for_init || !strchr(text, '$') ? for_init : bls_ends_kernel(text, lookup, userdata);
                if (r < 0)
                        return r;

                for_init = r > 0;
                t->for_init = t->for_init || for_init;
                t->open = t->open || bls_is_glued(text);
        }

        if (l->n_blanks == 0)
                bls_mark_lost(l);
        return 0;
}

void bls_mark_variables(const BootStore *store, const Line *edited, BootEntry *e, bool uncertain) {
        const BlsLayout *l = store->layout;

        for (size_t i = 0; i < e->cmdline.n_tokens; i++) {
                Token *t = e->cmdline.tokens + i;

                t->from_variable = !cmdline_find(&l->line.cmdline, t->name) &&
                                   (!edited || !cmdline_find(&edited->cmdline, t->name));
                t->uncertain = t->uncertain || (uncertain && t->from_variable);
        }
}
