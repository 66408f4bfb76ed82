/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Variables and their values, and what a word becomes with them. What gives them values is in grub-scope-run.c.
 *
 * Tested by test-grub-scope.c.
 */

#include <assert.h>

#include "grub/grub-scope-variables.h"

/* A value may have this many bytes; a longer one is not known. No command line can hold it. */
#define SCOPE_VALUE_SIZE_MAX 4096U

/* All forms of a word may have this many bytes together. A word with more is not known. */
#define SCOPE_WORD_SIZE_MAX (16U * 1024U)

/* A scope remembers this many variables. After that, those that are not set here can have any value. */
#define SCOPE_VARIABLES_MAX 1024U

void grub_scope_spend(const GrubScope *scope, size_t n) {
        *scope->left -= n < *scope->left ? n : *scope->left;
}

static void scope_variable_clear(ScopeVariable *v) {
        for (size_t i = 0; i < v->n_values; i++)
                free(v->values[i]);
        v->n_values = 0;
        v->unknown = v->uncertain = false;
}

void scope_done(GrubScope *scope) {
        for (size_t i = 0; i < scope->n_variables; i++) {
                scope_variable_clear(scope->variables + i);
                free(scope->variables[i].name);
        }
        free(scope->variables);
        *scope = (GrubScope) {};
}

GrubScope *grub_scope_free(GrubScope *scope) {
        if (!scope)
                return NULL;

        scope_done(scope);
        free(scope);
        return NULL;
}

/* Where a variable is, or would be: the variables of a scope are sorted by name. */
static size_t scope_search(const GrubScope *scope, const char *name, bool *ret_found) {
        size_t begin = 0, end = scope->n_variables;

        while (begin < end) {
                size_t middle = begin + (end - begin) / 2;
                int r = strcmp(scope->variables[middle].name, name);

                if (r == 0) {
                        *ret_found = true;
                        return middle;
                }
                if (r < 0)
                        begin = middle + 1;
                else
                        end = middle;
        }

        *ret_found = false;
        return begin;
}

/* Variables that GRUB itself sets (grub-core/kern/main.c, normal/main.c, net/net.c), by their name or its beginning. */
static bool scope_is_set_by_grub(const char *name) {
        static const char *const names[] = { "root", "cmdpath", "config_file", "chosen", "lockdown", "shim_lock", "?" };
        static const char *const beginnings[] = { "grub_", "feature_", "net_", "pxe_" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (streq(name, names[i]))
                        return true;
        for (size_t i = 0; i < ELEMENTSOF(beginnings); i++)
                if (startswith(name, beginnings[i]))
                        return true;

        /* The arguments of a function or of a menu entry. */
        return *name == '#' || *name == '*' || *name == '@' || (*name >= '0' && *name <= '9');
}

/* Whether GRUB exports a variable that it sets itself (the same files), so that submenus get it. */
static bool scope_is_exported_by_grub(const char *name) {
        return streq(name, "prefix") || streq(name, "config_directory") || scope_is_set_by_grub(name);
}

/* A variable as a scope sees it. */
typedef struct ScopeFound {
        const ScopeVariable *variable;
        bool unknown;   /* it can have any value besides its own */
        bool uncertain; /* it may not be set */
} ScopeFound;

/*
 * A variable of this scope or of those around it. One that none of them sets is not set, or not known. A submenu begins
 * with the exported variables only (grub-core/normal/context.c: grub_env_new_context()).
 */
static ScopeFound scope_find(const GrubScope *scope, const char *name) {
        static const ScopeVariable unset = { .n_values = 1 }, unknown = { .unknown = true };
        bool open = false, outside = false, found;

        for (; scope; scope = scope->outer) {
                size_t i = scope_search(scope, name, &found);

                grub_scope_spend(scope, 1);
                if (found) {
                        const ScopeVariable *v = scope->variables + i;
                        bool stays = outside && !v->exported;

                        open = open || (stays && scope->open);
                        if (stays && !v->may_export && !open)
                                return (ScopeFound) { .variable = &unset };
                        return (ScopeFound) { v, open || v->unknown, stays || v->uncertain };
                }
                open = open || scope->open;
                outside = outside || scope->submenu;
        }

        open = open || scope_is_set_by_grub(name);
        return (ScopeFound) { open ? &unknown : &unset, open, false };
}

const char *grub_scope_get(const GrubScope *scope, const char *name, bool *ret_certain) {
        ScopeFound found = scope_find(scope, name);
        const ScopeVariable *v = found.variable;

        *ret_certain = v->n_values == 1 && !found.unknown && !found.uncertain;
        return v->n_values > 0 ? v->values[v->n_values - 1] : NULL;
}

const GrubScope *grub_scope_outermost(const GrubScope *scope) {
        while (scope->outer)
                scope = scope->outer;

        return scope;
}

/* Add a value as the one that was assigned last. */
static int scope_variable_add(const GrubScope *scope, ScopeVariable *v, const char *value) {
        char *copy = NULL;

        for (size_t i = 0; i < v->n_values; i++) {
                char *old = v->values[i];

                if (!streq_ptr(old, value))
                        continue;
                memmove(v->values + i, v->values + i + 1, (v->n_values - i - 1) * sizeof(char *));
                v->values[v->n_values - 1] = old;
                return 0;
        }

        if (v->n_values == GRUB_FORMS_MAX || strlen(strempty(value)) > SCOPE_VALUE_SIZE_MAX || *scope->left == 0) {
                v->unknown = true;
                return 0;
        }
        grub_scope_spend(scope, strlen(strempty(value)));

        if (value) {
                copy = strdup(value);
                if (!copy)
                        return -ENOMEM;
        }

        v->values[v->n_values++] = copy;
        return 0;
}

/* Make a variable in a scope, with the values that it has so far. Return: 1; 0 if there is no room; -ENOMEM. */
static int scope_make(GrubScope *scope, const char *name, size_t place, ScopeVariable **ret) {
        ScopeFound found = scope_find(scope, name);
        const ScopeVariable *from = found.variable;
        ScopeVariable v = {
                .unknown = found.unknown,
                .uncertain = found.uncertain,
                .exported = from->exported || scope_is_exported_by_grub(name),
                .may_export = from->may_export,
        };
        int r;

        if (scope->n_variables == SCOPE_VARIABLES_MAX) {
                scope->open = true;
                return 0;
        }

        for (size_t i = 0; i < from->n_values; i++) {
                r = scope_variable_add(scope, &v, from->values[i]);
                if (r < 0) {
                        scope_variable_clear(&v);
                        return r;
                }
        }

        v.name = strdup(name);
        if (!v.name || grow(&scope->variables, scope->n_variables, sizeof(ScopeVariable)) < 0) {
                scope_variable_clear(&v);
                free(v.name);
                return -ENOMEM;
        }

        memmove(scope->variables + place + 1, scope->variables + place,
                (scope->n_variables - place) * sizeof(ScopeVariable));
        scope->n_variables++;
        scope->variables[place] = v;
        *ret = scope->variables + place;
        return 1;
}

/* The variable that an assignment changes. Return: as scope_make(). */
static int scope_prepare(GrubScope *scope, const char *name, bool may, ScopeVariable **ret) {
        bool found;
        size_t i = scope_search(scope, name, &found);
        int r;

        if (found)
                *ret = scope->variables + i;
        else {
                r = scope_make(scope, name, i, ret);
                if (r <= 0)
                        return r;
        }

        if (!may)
                scope_variable_clear(*ret);
        (*ret)->may_export = (*ret)->may_export || scope->in_functions;
        return 1;
}

int scope_set(GrubScope *scope, const char *name, const char *value, bool may) {
        ScopeVariable *v;
        int r;

        r = scope_prepare(scope, name, may, &v);
        if (r <= 0)
                return r;

        /* A variable that is unset and set again is a new one. */
        if (!value && !may)
                v->exported = v->may_export = false;
        return scope_variable_add(scope, v, value);
}

int scope_set_unknown(GrubScope *scope, const char *name, bool may) {
        ScopeVariable *v;
        int r;

        r = scope_prepare(scope, name, may, &v);
        if (r > 0)
                v->unknown = true;
        return r < 0 ? r : 0;
}

int scope_export(GrubScope *scope, const char *name, bool may) {
        ScopeVariable *v;
        int r;

        for (size_t i = 0; !name && i < scope->n_variables; i++)
                scope->variables[i].may_export = true;
        if (!name)
                return 0;

        r = scope_prepare(scope, name, /* may= */ true, &v);
        if (r > 0) {
                v->exported = v->exported || !may;
                v->may_export = true;
        }
        return r < 0 ? r : 0;
}

void scope_open(GrubScope *scope) {
        scope->open = true;
        grub_scope_spend(scope, scope->n_variables);
        for (size_t i = 0; i < scope->n_variables; i++)
                scope->variables[i].unknown = true;
}

/* A form while it is made. */
typedef struct ScopeForm {
        GrubForm *form;
        bool started; /* the last argument has bytes, or quotes: the next one needs a new argument */
} ScopeForm;

static int scope_form_add(ScopeForm *f, const char *text, size_t size) {
        if (size > 0)
                f->started = true;
        return size > 0 ? buffer_append(&f->form->args, text, size) : 0;
}

static int scope_form_end(ScopeForm *f) {
        if (!f->started)
                return 0;

        f->started = false;
        f->form->n_args++;
        return buffer_append(&f->form->args, "", 1);
}

/* Add a value that is split at blanks: its first part continues the argument, and its last one can be continued. */
static int scope_form_split(ScopeForm *f, const char *value) {
        static const char blanks[] = " \t\n\v\f\r";
        int r;

        for (const char *p = value + strspn(value, blanks); *p;) {
                size_t n = strcspn(p, blanks);

                r = scope_form_add(f, p, n);
                if (r < 0)
                        return r;

                p += n + strspn(p + n, blanks);
                if (*p) {
                        r = scope_form_end(f);
                        if (r < 0)
                                return r;
                }
        }

        return 0;
}

/* A reference of a word, with the variable that it names. */
typedef struct ScopePart {
        const ScriptReference *reference;
        const ScopeVariable *variable;
        size_t choice; /* the index of the value that is taken */
} ScopePart;

#define SCOPE_PARTS_MAX 64U

/* Add the value of a variable, or its reference if that is not known. */
static int scope_form_value(ScopeForm *f, const ScriptWord *w, const ScopePart *part) {
        const char *value;

        if (part->variable->n_values == 0)
                return scope_form_add(f, w->value + part->reference->begin, part->reference->size);

        value = strempty(part->variable->values[part->choice]);
        return part->reference->quoted ? scope_form_add(f, value, strlen(value)) : scope_form_split(f, value);
}

/* Make the form in which the variables have the chosen values. */
static int scope_make_form(const ScriptWord *w, const ScopePart *parts, GrubForm *form) {
        ScopeForm f = { .form = form };
        size_t done = 0;
        int r;

        for (size_t i = 0; i < w->n_references; i++) {
                r = scope_form_add(&f, w->value + done, parts[i].reference->begin - done);
                if (r >= 0)
                        r = scope_form_value(&f, w, parts + i);
                if (r < 0)
                        return r;

                done = parts[i].reference->begin + parts[i].reference->size;
        }

        r = scope_form_add(&f, w->value + done, strlen(w->value + done));
        if (r < 0)
                return r;

        f.started = f.started || w->quotes;
        return scope_form_end(&f);
}

/* Go on to the next choice of values. Return: false after the last one. */
static bool scope_choose_next(ScopePart *parts, size_t n) {
        for (size_t i = 0; i < n; i++) {
                if (parts[i].choice + 1 < parts[i].variable->n_values) {
                        parts[i].choice++;
                        return true;
                }
                parts[i].choice = 0;
        }

        return false;
}

static bool scope_is_blank(char c) {
        return c == ' ' || c == '\t' || c == '\n';
}

/* Read one name out of a reference: "$name" or "${name}". */
static char *scope_reference_name(const ScriptWord *w, const ScriptReference *reference) {
        const char *text = w->value + reference->begin;
        size_t brace = text[1] == '{';

        return strndup(text + 1 + brace, reference->size - 1 - 2 * brace);
}

/* Look up the variables of a word. Return: 1; 0 if they have more than GRUB_FORMS_MAX values together; -ENOMEM. */
static int scope_find_parts(const GrubScope *scope, const Script *script, const ScriptWord *w, ScopePart *parts,
                            GrubExpansion *e) {
        size_t forms = 1;

        for (size_t i = 0; i < w->n_references; i++) {
                const ScriptReference *reference = script->references + w->references + i;
                _cleanup_free_ char *name = scope_reference_name(w, reference);
                size_t before = reference->begin;
                ScopeFound found;

                if (!name)
                        return -ENOMEM;

                found = scope_find(scope, name);
                parts[i] = (ScopePart) { .reference = reference, .variable = found.variable };
                if (parts[i].variable->n_values > 1)
                        forms *= parts[i].variable->n_values;
                if (forms > GRUB_FORMS_MAX)
                        break;
                /* A value that continues an argument, as in root=$x, can hardly begin another one. */
                if (found.unknown &&
                    (before == 0 || scope_is_blank(w->value[before - 1]) || w->value[before - 1] == '}'))
                        e->unknown = true;
                e->uncertain = e->uncertain || ((found.unknown || found.uncertain) && found.variable->n_values > 0);
        }

        return forms <= GRUB_FORMS_MAX;
}

/* A word with more variables, more values of them, or longer ones, than are followed: it stays as it is written. */
static int scope_expand_unknown(const ScriptWord *w, GrubExpansion *e) {
        grub_expansion_done(e);
        e->uncertain = false;
        e->unknown = true;
        e->n_forms = 1;
        e->forms[0].n_args = 1;
        return buffer_append(&e->forms[0].args, w->value, strlen(w->value) + 1);
}

static int scope_expand(const GrubScope *scope, const Script *script, const ScriptWord *w, GrubExpansion *e) {
        ScopePart parts[SCOPE_PARTS_MAX];
        size_t size = 0;
        int r;

        if (w->n_references > SCOPE_PARTS_MAX || *scope->left == 0)
                return scope_expand_unknown(w, e);

        r = scope_find_parts(scope, script, w, parts, e);
        if (r < 0)
                return r;
        if (r == 0)
                return scope_expand_unknown(w, e);

        do {
                GrubForm *form = e->forms + e->n_forms++;

                r = scope_make_form(w, parts, form);
                if (r < 0)
                        return r;
                grub_scope_spend(scope, form->args.size);
                size += form->args.size;
                if (size > SCOPE_WORD_SIZE_MAX && w->n_references > 0)
                        return scope_expand_unknown(w, e);
        } while (scope_choose_next(parts, w->n_references));

        return 0;
}

int grub_scope_expand(const GrubScope *scope, const Script *script, const ScriptWord *w, GrubExpansion *ret) {
        GrubExpansion e = {};
        int r;

        assert(scope);
        assert(script);
        assert(w);
        assert(ret);

        r = scope_expand(scope, script, w, &e);
        if (r < 0) {
                grub_expansion_done(&e);
                return r;
        }

        *ret = e;
        return 0;
}

void grub_expansion_done(GrubExpansion *e) {
        for (size_t i = 0; i < e->n_forms; i++)
                buffer_done(&e->forms[i].args);
        e->n_forms = 0;
}
