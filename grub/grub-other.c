/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Finds entries that boot this system and that gtuned does not change.
 *
 * Tested by test-grub-other.c.
 */

#include "grub/entry-kind.h"
#include "grub/grub-cfg-menu.h"
#include "grub/grub-other.h"

static const char *grub_other_basename(const char *path) {
        const char *slash = strrchr(path, '/');

        return slash ? slash + 1 : path;
}

/* Whether a command that is a variable, and not known, is given a kernel. */
static bool grub_other_takes_kernel(const ScriptCommand *c) {
        static const char *const beginnings[] = { "vmlinu", "bzImage", "Image", "kernel" };

        if (c->n_words < 2 || c->words[0].n_references == 0 || c->words[0].value[0] != '$')
                return false;

        for (size_t i = 0; i < ELEMENTSOF(beginnings); i++)
                if (startswith(grub_other_basename(c->words[1].value), beginnings[i]))
                        return true;

        return false;
}

/* "multiboot2 XEN" and "xen_hypervisor XEN" (grub-mkconfig's 20_linux_xen) */
static bool grub_other_starts_xen(const ScriptCommand *c) {
        static const char *const names[] = { "multiboot", "multiboot2", "xen_hypervisor", NULL };

        return c->n_words > 1 && grub_word_is_one_of(c->words[0].value, names) &&
               startswith(grub_other_basename(c->words[1].value), "xen");
}

/* The first module of Xen is the kernel of its first domain, which is this system. */
static bool grub_other_is_kernel_of_xen(const GrubOthers *o, const GrubSource *source, const ScriptCommand *c) {
        static const char *const names[] = { "module", "module2", "xen_module", NULL };

        return o->xen_source == source && o->xen_menu == c->parent && c->n_words > 1 &&
               grub_word_is_one_of(c->words[0].value, names);
}

/* The entry or submenu of the first menu that holds a command. SCRIPT_NO_PARENT: no menu does. */
static size_t grub_other_top(const Script *s, const ScriptCommand *c) {
        size_t top = c->parent;

        while (top != SCRIPT_NO_PARENT && s->commands[top].parent != SCRIPT_NO_PARENT)
                top = s->commands[top].parent;

        return top;
}

/*
 * The part of "default" for the first menu: it ends at a single ">", and ">>" is a ">" of it (grub-core/normal/menu.c:
 * menuentry_eq() and get_entry_number()). What is for submenus is not looked at: all entries of the submenu count.
 */
static char *grub_other_default_of_top(const char *value) {
        char *name = strdup(value && *value ? value : "0"), *end = name;

        if (!name)
                return NULL;

        for (const char *p = name; *p; p++) {
                if (*p == '>' && p[1] != '>')
                        break;
                p += *p == '>';
                *end++ = *p;
        }
        *end = 0;
        return name;
}

/*
 * Whether GRUB boots an entry if nobody chooses another one: "default" is its number, or one of its words (its title and
 * its id are some of them). All commands outside of menus have run.
 *
 * Return: 1, 0 or -ENOMEM.
 */
static int grub_other_is_default(const GrubOthers *o, const GrubScope *scope, const GrubSource *source,
                                  const ScriptCommand *c) {
        bool certain;
        const char *value = grub_scope_get(grub_scope_outermost(scope), "default", &certain);
        _cleanup_free_ char *name = grub_other_default_of_top(value);
        size_t top = grub_other_top(&source->script, c), n = 0;
        const ScriptCommand *menu;

        if (!name)
                return -ENOMEM;
        /* Without a menu around it, the command runs before there is one, if it surely runs. */
        if (top == SCRIPT_NO_PARENT)
                return !c->in_function && !c->conditional;

        while (n < o->n_tops && (o->tops[n].source != source || o->tops[n].command != top))
                n++;
        if (name[strspn(name, "0123456789")] == 0)
                return !o->blscfg && n == strtoul(name, NULL, 10);

        menu = source->script.commands + top;
        for (size_t i = 1; i < menu->n_words; i++)
                if (streq(menu->words[i].value, name))
                        return 1;

        return 0;
}

static int grub_others_add(GrubOthers *o, const GrubScope *scope, const GrubSource *source, const ScriptCommand *c,
                           bool own) {
        GrubOther *other;
        int r, by_default;

        /* A file can be sourced in several places, of which only one is reached. */
        for (size_t i = 0; i < o->n_others; i++)
                if (o->others[i].line == c->line && streq(o->others[i].path, source->path))
                        return 0;

        /* A grub.cfg is looked for by itself, and its entries are changed there. */
        if (o->n_others == GRUB_OTHERS_MAX || (!own && streq(grub_other_basename(source->path), "grub.cfg")))
                return 0;

        r = grow(&o->others, o->n_others, sizeof(GrubOther));
        if (r < 0)
                return r;
        by_default = grub_other_is_default(o, scope, source, c);
        if (by_default < 0)
                return by_default;

        other = o->others + o->n_others;
        *other = (GrubOther) { .line = c->line, .by_default = by_default > 0 };
        r = grub_load_read(scope, &source->script, c, &other->load);
        if (r < 0)
                return r;

        o->n_others++;
        other->path = strdup(source->path);
        r = grub_menu_titles(&source->script, c, &other->titles);
        return r < 0 || !other->path ? -ENOMEM : 1;
}

static int grub_others_add_top(GrubOthers *o, const GrubSource *source, const ScriptCommand *c) {
        static const char *const names[] = { "menuentry", "submenu", NULL };
        int r;

        if (c->parent != SCRIPT_NO_PARENT || !grub_word_is_one_of(c->words[0].value, names))
                return 0;

        r = grow(&o->tops, o->n_tops, sizeof(struct GrubTop));
        if (r < 0)
                return r;

        o->tops[o->n_tops++] = (struct GrubTop) { source, (size_t) (c - source->script.commands) };
        return 0;
}

int grub_others_examine(GrubOthers *o, const GrubScope *scope, const GrubSource *source, const ScriptCommand *c, bool own) {
        int r;

        r = grub_others_add_top(o, source, c);
        if (r < 0)
                return r;

        if (grub_other_starts_xen(c)) {
                o->xen_source = source;
                o->xen_menu = c->parent;
                o->xen_line = o->xen_line > 0 || !own ? o->xen_line : c->line;
                return 0;
        }
        if (grub_other_is_kernel_of_xen(o, source, c)) {
                o->xen_source = NULL;
                return grub_others_add(o, scope, source, c, own);
        }

        r = grub_load_is(scope, &source->script, c);
        if (r < 0)
                return r;

        return (r > 0 && !own) || (r == 0 && grub_other_takes_kernel(c)) ? grub_others_add(o, scope, source, c, own) : 0;
}

void grub_others_done(GrubOthers *o) {
        for (size_t i = 0; i < o->n_others; i++) {
                grub_load_done(&o->others[i].load);
                free(o->others[i].titles);
                free(o->others[i].path);
        }
        free(o->others);
        free(o->tops);
}
