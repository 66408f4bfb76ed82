/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The variables of a shell file, and what is unsure in them.
 *
 * Tested by test-default-grub.c.
 */

#include "grub/shell-internal.h"

/* Stands for what is unknown. */
#define SHELL_UNKNOWN "…"

int shell_value_append(Shell *s, ShellValue *v, char c, const ShellByte *byte) {
        int r;

        if (v->text.size >= SHELL_VALUE_MAX)
                return shell_fail(s, s->t.pos, /* dynamic= */ true, "the value is too long");
        if (++s->n_work > SHELL_WORK_MAX)
                return shell_fail(s, s->t.pos, /* dynamic= */ true, "the values of the file are too long");

        r = grow(&v->bytes, v->text.size, sizeof(ShellByte));
        if (r < 0)
                return r;

        v->bytes[v->text.size] = *byte;
        return buffer_append(&v->text, &c, 1);
}

int shell_value_append_value(Shell *s, ShellValue *v, const ShellValue *other) {
        for (size_t i = 0; i < other->text.size; i++) {
                int r;

                r = shell_value_append(s, v, other->text.data[i], other->bytes + i);
                if (r < 0)
                        return r;
        }

        return 0;
}

int shell_value_append_as(Shell *s, ShellValue *v, const char *text, size_t size, const ShellByte *byte) {
        for (size_t i = 0; i < size; i++) {
                int r;

                r = shell_value_append(s, v, text[i], byte);
                if (r < 0)
                        return r;
        }

        return 0;
}

bool shell_value_is_sure(const ShellValue *v) {
        for (size_t i = 0; i < v->text.size; i++)
                if (v->bytes[i].unsure)
                        return false;

        return true;
}

void shell_value_done(ShellValue *v) {
        buffer_done(&v->text);
        free(v->bytes);
        *v = SHELL_VALUE_NULL;
}

ShellValue *shell_find(Shell *s, const char *name, size_t size) {
        for (size_t i = 0; i < s->n_variables; i++)
                if (strlen(s->variables[i].name) == size && memcmp(s->variables[i].name, name, size) == 0)
                        return &s->variables[i].value;

        return NULL;
}

int shell_make(Shell *s, const char *name, size_t size, ShellValue **ret) {
        ShellVariable *v;
        int r;

        *ret = shell_find(s, name, size);
        if (*ret)
                return 0;
        if (s->n_variables >= SHELL_VARIABLES_MAX)
                return shell_fail(s, s->t.pos, /* dynamic= */ true, "the file sets too many variables");

        r = grow(&s->variables, s->n_variables, sizeof(ShellVariable));
        if (r < 0)
                return r;

        v = s->variables + s->n_variables;
        *v = (ShellVariable) { .name = strndup(name, size) };
        if (!v->name)
                return -ENOMEM;

        s->n_variables++;
        *ret = &v->value;
        if (!s->wild.reason)
                return 0;

        r = shell_forget(s, &v->value, 0, NULL);
        v->value.doubt = s->wild;
        return r;
}

int shell_look_up(Shell *s, const char *name, size_t size, const ShellValue **ret) {
        ShellValue *v = NULL;
        int r = s->wild.reason ? shell_make(s, name, size, &v) : 0;

        *ret = v ?: shell_find(s, name, size);
        return r;
}

static bool shell_byte_equal(const ShellByte *a, const ShellByte *b) {
        return a->begin == b->begin && a->end == b->end && a->file == b->file && a->quote == b->quote &&
               a->unsure == b->unsure;
}

static bool shell_value_ends_word(const ShellValue *v, size_t n) {
        return n == v->text.size || strchr(" \t\n", v->text.data[n]);
}

/*
 * The value is @old or @new. The words that both begin with, of the same origin, are sure; all others are unsure, and
 * words that both have in the same place come once.
 */
static int shell_value_merge(Shell *s, const ShellValue *old, const ShellValue *new, ShellValue *ret) {
        static const ShellByte nowhere = { .file = SHELL_NO_FILE, .unsure = true };
        size_t sure = 0, same = 0;
        int r;

        while (same < old->text.size && same < new->text.size && old->text.data[same] == new->text.data[same])
                same++;
        while (sure < same && s->n_loops == 0 && shell_byte_equal(old->bytes + sure, new->bytes + sure))
                sure++;
        while (same > 0 && !(shell_value_ends_word(old, same) && shell_value_ends_word(new, same)))
                same--;
        while (sure > 0 && !(shell_value_ends_word(old, sure) && shell_value_ends_word(new, sure)))
                sure--;

        for (size_t i = 0; i < sure; i++) {
                r = shell_value_append(s, ret, old->text.data[i], old->bytes + i);
                if (r < 0)
                        return r;
        }

        if (old->text.size > sure) {
                r = shell_value_append_as(s, ret, old->text.data + sure, old->text.size - sure, &nowhere);
                if (r < 0)
                        return r;
        }
        if (new->text.size <= same)
                return 0;
        if (ret->text.size > 0 && new->text.data[same] != ' ') {
                r = shell_value_append(s, ret, ' ', &nowhere);
                if (r < 0)
                        return r;
        }

        return shell_value_append_as(s, ret, new->text.data + same, new->text.size - same, &nowhere);
}

int shell_set(Shell *s, ShellValue *v, ShellValue *new, bool weak) {
        _cleanup_(shell_value_done) ShellValue merged = SHELL_VALUE_NULL;
        int r;

        if (weak) {
                r = shell_value_merge(s, v, new, &merged);
                if (r < 0)
                        return r;

                shell_value_done(new);
                *new = TAKE_GENERIC(merged, SHELL_VALUE_NULL);
                new->first_file = SHELL_NO_FILE;
                new->doubt = shell_doubt_at(s, new->begin < new->end ? new->begin : s->t.pos,
                                            "a command sets it that may not be executed, or more than once");
        }

        new->file = s->top;
        new->n_assignments = v->n_assignments + 1;
        new->special = new->special || v->special;
        new->frozen = new->frozen || v->frozen;
        shell_value_done(v);
        *v = TAKE_GENERIC(*new, SHELL_VALUE_NULL);
        return 0;
}

ShellDoubt shell_doubt_at(const Shell *s, size_t offset, const char *reason) {
        return (ShellDoubt) {
                .file = s->top,
                .offset = s->depth > 0 ? s->top_offset : offset,
                .reason = reason,
        };
}

int shell_forget(Shell *s, ShellValue *v, size_t offset, const char *reason) {
        static const ShellByte nowhere = { .file = SHELL_NO_FILE, .unsure = true };
        int r;

        s->n_work += v->text.size;
        for (size_t i = 0; i < v->text.size; i++)
                v->bytes[i] = nowhere;

        v->first_file = SHELL_NO_FILE;
        v->file = s->top;
        v->n_assignments++;
        v->doubt = shell_doubt_at(s, offset, reason);
        if (s->n_work > SHELL_WORK_MAX)
                return shell_fail(s, s->t.pos, /* dynamic= */ true, "the values of the file are too long");
        if (v->text.size >= strlen(SHELL_UNKNOWN) && endswith(v->text.data, SHELL_UNKNOWN))
                return 0;
        if (v->text.size > 0) {
                r = shell_value_append(s, v, ' ', &nowhere);
                if (r < 0)
                        return r;
        }

        return shell_value_append_as(s, v, SHELL_UNKNOWN, strlen(SHELL_UNKNOWN), &nowhere);
}

int shell_forget_all(Shell *s, size_t offset, const char *reason) {
        s->wild = shell_doubt_at(s, offset, reason);

        for (size_t i = 0; i < s->n_variables; i++) {
                int r;

                r = shell_forget(s, &s->variables[i].value, offset, reason);
                if (r < 0)
                        return r;
        }

        return 0;
}

bool shell_same_variables(const Shell *a, const Shell *b, const char *except) {
        for (int pass = 0; pass < 2; pass++) {
                const Shell *from = pass == 0 ? a : b, *to = pass == 0 ? b : a;

                for (size_t i = 0; i < from->n_variables; i++) {
                        const ShellVariable *v = from->variables + i;
                        const ShellValue *other = shell_find((Shell *) to, v->name, strlen(v->name));

                        if (!streq(v->name, except) && (!other || !buffer_equal(&v->value.text, &other->text)))
                                return false;
                }
        }

        return true;
}
