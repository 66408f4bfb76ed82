/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Variables of a grub.cfg that hold command lines of BLS entries.
 *
 * Tested by test-grubenv.c.
 */

#include "grub/grub-variable.h"

/* Set by rhboot/grub2 (blscfg.c) and tuned (00_tuned). */
static const char *const grub_variable_names[GRUB_VARIABLES] = { "kernelopts", "default_kernelopts", "tuned_params" };

/* Map a value that the file has byte for byte in one pair of quotes. Any other value is not editable. */
static int grub_variable_map(const Buffer *content, size_t begin, size_t end, GrubVariable *v) {
        if (end - begin < 2 || !strchr("'\"", content->data[begin]) || content->data[end - 1] != content->data[begin])
                return 0;

        begin++;
        end--;
        for (size_t i = begin; i < end; i++)
                if (strchr("\\'\"\r\n", content->data[i]))
                        return 0;

        v->editable = true;
        v->line.first = begin;
        v->line.first_quote = LINE_VERBATIM;
        return line_map(&v->line, content, begin, end);
}

/* "set NAME=VALUE" or "NAME=VALUE" */
static int grub_variable_set(const Buffer *content, const ScriptCommand *c, const ScriptWord *w, const char *value,
                             GrubVariable *v) {
        size_t name = (size_t) (value - w->value);
        int r;

        line_done(&v->line);
        *v = (GrubVariable) { .number = c->line };

        if (w->size > name && memcmp(content->data + w->offset, w->value, name) == 0) {
                r = grub_variable_map(content, w->offset + name, w->offset + w->size, v);
                if (r < 0)
                        return r;
        }

        for (; !v->editable && *value; value++) {
                r = line_append(&v->line, *value, 0, 0);
                if (r < 0)
                        return r;
        }

        cmdline_done(&v->line.cmdline);
        return line_parse(&v->line);
}

int grub_variables_read(const Script *script, const Buffer *content, GrubVariable *variables) {
        for (size_t i = 0; i < script->n_commands; i++) {
                const ScriptCommand *c = script->commands + i;
                const ScriptWord *w = c->words + (c->n_words > 1 && streq(c->words->value, "set"));

                for (size_t k = 0; k < GRUB_VARIABLES; k++) {
                        const char *value = startswith(w->value, grub_variable_names[k]);
                        int r;

                        if (!value || *value != '=')
                                continue;
                        r = grub_variable_set(content, c, w, value + 1, variables + k);
                        if (r < 0)
                                return r;
                }
        }

        return 0;
}

GrubVariable *grub_variables_get(GrubVariable *variables, const char *name) {
        for (size_t i = 0; i < GRUB_VARIABLES; i++)
                if (streq(name, grub_variable_names[i]))
                        return variables[i].number > 0 ? variables + i : NULL;

        return NULL;
}

int grub_variable_render(const BootStore *store, const GrubVariable *v, const PreparedEdits *edits, Pieces *pieces,
                         const BootEntry **ret_entry, size_t *ret_size) {
        _cleanup_free_ const BootEntry **entries = NULL;
        _cleanup_(line_change_done) LineChange change = { .n_entries = v->n_entries };
        int r;

        if (v->n_entries == 0)
                return 0;

        entries = calloc(v->n_entries, sizeof(BootEntry *));
        if (!entries)
                return -ENOMEM;

        for (size_t i = 0; i < v->n_entries; i++)
                entries[i] = store->entries + v->entries[i];

        change.entries = entries;
        r = line_change(&v->line, &store->content, edits, pieces, &change);
        *ret_entry = change.longest;
        *ret_size = change.size;
        return r;
}

void grub_variables_done(GrubVariable *variables) {
        for (size_t i = 0; i < GRUB_VARIABLES; i++) {
                line_done(&variables[i].line);
                free(variables[i].entries);
        }
}
