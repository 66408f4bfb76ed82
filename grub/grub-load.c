/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reads a command that loads a kernel: the text that GRUB passes to the kernel, and which words of the file it is from.
 *
 * Tested by test-grub-cfg.c and test-grub-scope.c.
 */

#include "grub/grub-load.h"

/* GRUB puts this and the path of the kernel before the arguments (grub-core/loader/i386/linux.c). */
#define GRUB_LOAD_IMAGE_PREFIX "BOOT_IMAGE="

static bool grub_load_is_name(const char *name) {
        return streq(name, "linux") || streq(name, "linux16") || streq(name, "linuxefi");
}

/*
 * Whether a name that is not known is that of such a command, by how it is written: "$linux" (kiwi) or "linux$suf"
 * (Flatcar).
 */
static bool grub_load_is_named(const ScriptWord *w) {
        const char *name = w->value + strspn(w->value, "${");

        return startswith(name, "linux");
}

int grub_load_is(const GrubScope *scope, const Script *script, const ScriptCommand *c) {
        _cleanup_(grub_expansion_done) GrubExpansion e = {};
        int r;

        if (c->n_words < 2)
                return 0;
        if (c->words[0].n_references == 0)
                return grub_load_is_name(c->words[0].value);

        r = grub_scope_expand(scope, script, c->words, &e);
        if (r < 0)
                return r;

        for (size_t i = 0; i < e.n_forms; i++)
                if (e.forms[i].n_args > 0 && grub_load_is_name(e.forms[i].args.data))
                        return 1;

        /* A variable that nothing sets here is not known, either: what boots has set it. */
        return (e.unknown || e.forms[0].n_args == 0 || strchr(e.forms[0].args.data, '$')) && grub_load_is_named(c->words);
}

/* The text that GRUB passes to the kernel after the path of the image, while it is made. */
typedef struct LoadText {
        Buffer text;
        size_t n_args;  /* of the text */
        size_t size;    /* of the arguments, each with a blank, if each variable has its longest value */
        size_t kernel;  /* the word whose first argument is the path of the kernel */
        size_t *ends;   /* for each word, where it ends in the text */
        size_t known;   /* the text after this may begin with any other arguments; SIZE_MAX: all is known */
        struct LoadRange {
                size_t begin, end;
        } *uncertain;   /* parts of the text that the kernel may not get */
        size_t n_uncertain;
} LoadText;

static void load_text_done(LoadText *t) {
        buffer_done(&t->text);
        free(t->ends);
        free(t->uncertain);
}

/*
 * Write an argument as GRUB passes it to the kernel (grub-core/lib/cmdline.c: grub_create_loader_cmdline()): in double
 * quotes if it has a blank, and with a backslash before each quote and backslash. The kernel gets these bytes too.
 */
static int load_write(Buffer *b, const char *value) {
        bool quote = strchr(value, ' ');
        int r;

        r = buffer_puts(b, quote ? "\"" : "");
        if (r < 0)
                return r;

        for (;;) {
                size_t n = strcspn(value, "\\'\"");
                const char with_backslash[] = { '\\', value[n] };

                r = buffer_append(b, value, n);
                if (r < 0)
                        return r;

                value += n;
                if (!*value)
                        break;
                r = buffer_append(b, with_backslash, 2);
                if (r < 0)
                        return r;
                value++;
        }

        return buffer_puts(b, quote ? "\"" : "");
}

/* Add an argument. */
static int load_add(LoadText *t, const char *arg) {
        int r;

        r = buffer_puts(&t->text, t->n_args > 0 ? " " : "");
        if (r < 0)
                return r;

        t->n_args++;
        return load_write(&t->text, arg);
}

static int load_add_uncertain(LoadText *t, const char *arg) {
        size_t begin = t->text.size;
        int r;

        r = grow(&t->uncertain, t->n_uncertain, sizeof(struct LoadRange));
        if (r < 0)
                return r;
        r = load_add(t, arg);
        if (r < 0)
                return r;

        t->uncertain[t->n_uncertain++] = (struct LoadRange) { begin, t->text.size };
        return 0;
}

static const char *load_next_arg(const char *arg) {
        return arg + strlen(arg) + 1;
}

static bool load_form_has(const GrubScope *scope, const GrubForm *form, const char *arg) {
        const char *p = form->args.data;

        grub_scope_spend(scope, form->n_args);
        for (size_t i = 0; i < form->n_args; i++, p = load_next_arg(p))
                if (streq(p, arg))
                        return true;

        return false;
}

static bool load_forms_agree(const GrubScope *scope, const GrubExpansion *e, const char *arg) {
        if (e->uncertain || e->n_forms == 1)
                return !e->uncertain;

        for (size_t i = 0; i < e->n_forms; i++)
                if (!load_form_has(scope, e->forms + i, arg))
                        return false;

        return true;
}

/* Add the arguments of one form before its "--", or those from there on. Those of all forms are added once. */
static int load_add_form(LoadText *t, const GrubScope *scope, const GrubExpansion *e, size_t form, bool for_init) {
        const char *arg = e->forms[form].args.data;
        bool dashes = false;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < e->forms[form].n_args; i++, arg = load_next_arg(arg)) {
                bool agreed = load_forms_agree(scope, e, arg);

                dashes = dashes || streq(arg, "--");
                if (dashes != for_init)
                        continue;
                if (!agreed)
                        r = load_add_uncertain(t, arg);
                else if (form == 0)
                        r = load_add(t, arg);
        }

        return r;
}

/* The size of the arguments of a form as the kernel gets them, each with a blank. */
static int load_form_size(const GrubForm *form, size_t *ret) {
        const char *arg = form->args.data;
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        int r;

        for (size_t i = 0; i < form->n_args; i++, arg = load_next_arg(arg)) {
                r = load_write(&b, arg);
                if (r < 0)
                        return r;
        }

        *ret = b.size + form->n_args;
        return 0;
}

/*
 * Add all arguments that a word can become. What comes before a "--" in one form comes before that of all forms, so that
 * a token with the opposite meaning is not taken for one of init.
 */
static int load_add_forms(LoadText *t, const GrubScope *scope, const GrubExpansion *e) {
        size_t longest = 0;
        int r;

        for (size_t i = 0; i < e->n_forms; i++) {
                size_t size;

                r = load_form_size(e->forms + i, &size);
                if (r < 0)
                        return r;
                longest = size > longest ? size : longest;
        }

        for (size_t i = 0; i < 2 * e->n_forms; i++) {
                r = load_add_form(t, scope, e, i % e->n_forms, /* for_init= */ i >= e->n_forms);
                if (r < 0)
                        return r;
        }

        t->size += longest;
        return 0;
}

/*
 * Whether GRUB drops a word before the kernel: it becomes no argument, and a path follows. Without a path, the word is
 * that of the kernel.
 */
static bool load_drops_word(const ScriptWord *w, const GrubExpansion *e, bool last) {
        return !last && e->n_forms == 1 && e->forms[0].n_args == 0 && strchr("/($", w[1].value[0]);
}

/*
 * Take the path of the kernel: the first argument that the word becomes. Those after it are arguments of the kernel. If
 * the path is a variable that nothing sets here, what boots has set it, and it stays as it is written.
 */
static int load_take_kernel(LoadText *t, const ScriptWord *w, const GrubExpansion *e, GrubLoad *l) {
        const GrubForm *form = e->forms + e->n_forms - 1;
        const char *arg = form->args.data;
        int r = 0;

        l->kernel = strdup(form->n_args > 0 ? arg : w->value);
        if (!l->kernel)
                return -ENOMEM;

        for (size_t i = 1; r >= 0 && i < form->n_args; i++) {
                size_t before = t->text.size;

                arg = load_next_arg(arg);
                r = load_add(t, arg);
                t->size += t->text.size - before + (t->n_args == 1);
        }

        return r;
}

/* Add the arguments that GRUB makes of one word, the i-th of a command. */
static int load_add_word(LoadText *t, const GrubScope *scope, const Script *script, const ScriptCommand *c, size_t i,
                         GrubLoad *l) {
        const ScriptWord *w = c->words + i;
        _cleanup_(grub_expansion_done) GrubExpansion e = {};
        size_t before = t->text.size;
        int r;

        if (w->n_references == 0 && l->kernel) {
                r = load_add(t, w->value);
                t->size += t->text.size - before + (t->n_args == 1);
                return r;
        }

        r = grub_scope_expand(scope, script, w, &e);
        if (r < 0)
                return r;
        if (!l->kernel) {
                t->kernel = i;
                return load_drops_word(w, &e, i + 1 == c->n_words) ? 0 : load_take_kernel(t, w, &e, l);
        }

        if (e.unknown && t->known == SIZE_MAX)
                t->known = before;
        return load_add_forms(t, scope, &e);
}

static int load_make_text(const GrubScope *scope, const Script *script, const ScriptCommand *c, LoadText *t, GrubLoad *l) {
        t->known = SIZE_MAX;
        t->ends = calloc(c->n_words, sizeof(size_t));
        if (!t->ends)
                return -ENOMEM;

        for (size_t i = 1; i < c->n_words; i++) {
                int r;

                r = load_add_word(t, scope, script, c, i, l);
                if (r < 0)
                        return r;
                t->ends[i] = t->text.size;
        }

        return 0;
}

/* Mark the tokens in the parts of the text that the kernel may not get. */
static void load_mark_uncertain(const LoadText *t, Cmdline *c) {
        size_t range = 0;

        for (size_t i = 0; i < c->n_tokens; i++) {
                while (range < t->n_uncertain && t->uncertain[range].end <= c->tokens[i].offset)
                        range++;
                c->tokens[i].uncertain = range < t->n_uncertain && t->uncertain[range].begin <= c->tokens[i].offset;
        }
}

/*
 * Tokens were read from the text that the kernel gets. Change their offsets and sizes to those of the words in the
 * file. A quote in that text can join several words into one token, and one word can hold several tokens.
 */
static void load_locate_tokens(const LoadText *t, const ScriptWord *words, Cmdline *c) {
        size_t w = 1;

        for (size_t i = 0; i < c->n_tokens; i++) {
                Token *token = c->tokens + i;
                size_t last = token->offset + token->size - 1;

                while (t->ends[w] <= token->offset)
                        w++;
                token->from_variable = words[w].n_references > 0;
                token->offset = words[w].offset;

                while (t->ends[w] <= last)
                        w++;
                token->size = words[w].offset + words[w].size - token->offset;
        }
}

/* How many tokens come before everything that is not known. */
static size_t load_count_known(const LoadText *t, const Cmdline *c) {
        size_t n = 0;

        while (n < c->n_tokens && c->tokens[n].offset < t->known)
                n++;

        return n;
}

/*
 * Where new tokens are inserted: after the last token for the kernel that does not share a word with the next one, and
 * after the words behind it of which nothing is left, because they are variables that are not set.
 * @n: the tokens that come before everything that is not known
 */
static size_t load_insertion_point(const LoadText *t, const ScriptCommand *c, const Cmdline *cmdline, size_t n) {
        const ScriptWord *kernel = c->words + t->kernel;
        size_t w = t->kernel, end = kernel->offset + kernel->size;

        for (size_t i = n; i > 0; i--) {
                const Token *token = cmdline->tokens + i - 1;

                end = token->offset + token->size;
                if (!token->for_init && !token->open && (i == cmdline->n_tokens || end <= token[1].offset))
                        break;
                end = kernel->offset + kernel->size;
        }

        while (c->words[w].offset + c->words[w].size < end)
                w++;
        while (w + 1 < c->n_words && c->words[w + 1].n_references > 0 && !c->words[w + 1].quotes &&
               t->ends[w + 1] == t->ends[w])
                w++;

        return c->words[w].offset + c->words[w].size;
}

int grub_load_read(const GrubScope *scope, const Script *script, const ScriptCommand *c, GrubLoad *ret) {
        _cleanup_(grub_load_done) GrubLoad l = { .command = (size_t) (c - script->commands) };
        _cleanup_(load_text_done) LoadText t = {};
        _cleanup_buffer_ Buffer image = BUFFER_NULL;
        size_t n_known;
        int r;

        r = load_make_text(scope, script, c, &t, &l);
        if (r < 0)
                return r;
        r = cmdline_parse(t.text.data, t.text.size, &l.cmdline);
        if (r < 0)
                return r;
        r = load_write(&image, l.kernel);
        if (r < 0)
                return r;

        n_known = load_count_known(&t, &l.cmdline);
        load_mark_uncertain(&t, &l.cmdline);
        load_locate_tokens(&t, c->words, &l.cmdline);
        l.insert_at = load_insertion_point(&t, c, &l.cmdline, n_known);
        l.cmdline_size = strlen(GRUB_LOAD_IMAGE_PREFIX) + image.size + t.size;

        *ret = l;
        l = (GrubLoad) {};
        return 0;
}

void grub_load_done(GrubLoad *l) {
        free(l->kernel);
        cmdline_done(&l->cmdline);
        *l = (GrubLoad) {};
}
