/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reads GRUB's environment block.
 *
 * Tested by test-grubenv.c.
 */

#include "grub/grubenv.h"

#define GRUBENV_HEADER "# GRUB Environment Block\n"

void grubenv_done(GrubEnv *env) {
        for (size_t i = 0; i < env->n_variables; i++) {
                free(env->variables[i].name);
                line_done(&env->variables[i].value);
        }
        free(env->variables);
        *env = (GrubEnv) {};
}

/* Where a value ends: at a newline that has no backslash before it. */
static size_t grubenv_value_end(const Buffer *content, size_t pos) {
        while (pos < content->size && content->data[pos] != '\n')
                pos += content->data[pos] == '\\' ? 2 : 1;

        return pos;
}

static int grubenv_read_value(const Buffer *content, size_t begin, size_t end, Line *l) {
        l->first = begin;
        l->first_quote = LINE_VERBATIM;

        for (size_t i = begin, n; i < end; i += n) {
                int r;

                n = content->data[i] == '\\' ? 2 : 1;
                r = line_append(l, content->data[i + n - 1], i, i + n);
                if (r < 0)
                        return r;
        }

        return line_parse(l);
}

static int grubenv_add_variable(const Buffer *content, size_t name, size_t equals, size_t end, GrubEnv *env) {
        GrubEnvVariable *v;
        int r;

        r = grow(&env->variables, env->n_variables, sizeof(GrubEnvVariable));
        if (r < 0)
                return r;

        v = env->variables + env->n_variables++;
        v->name = strndup(content->data + name, equals - name);
        return v->name ? grubenv_read_value(content, equals + 1, end, &v->value) : -ENOMEM;
}

bool grubenv_is_block(const Buffer *content) {
        size_t header = strlen(GRUBENV_HEADER), end = content->size;

        if (content->size < header || memcmp(content->data, GRUBENV_HEADER, header) != 0 ||
            memchr(content->data, 0, content->size))
                return false;

        while (end > header && content->data[end - 1] == '#')
                end--;

        return content->data[end - 1] == '\n';
}

int grubenv_parse(const Buffer *content, GrubEnv *ret) {
        GrubEnv env = {};

        for (size_t pos = strlen(GRUBENV_HEADER); pos < content->size;) {
                const char *equals;
                size_t end;
                int r;

                if (content->data[pos] == '#') {
                        pos = grubenv_value_end(content, pos) + 1;
                        continue;
                }

                /* As in GRUB, a name is all bytes before "=", newlines too, and an incomplete assignment is the end. */
                equals = memchr(content->data + pos, '=', content->size - pos);
                if (!equals)
                        break;
                end = grubenv_value_end(content, (size_t) (equals - content->data) + 1);
                if (end >= content->size)
                        break;

                r = grubenv_add_variable(content, pos, (size_t) (equals - content->data), end, &env);
                if (r < 0) {
                        grubenv_done(&env);
                        return r;
                }
                pos = end + 1;
        }

        *ret = env;
        return 0;
}

/* The last assignment decides. */
Line *grubenv_get(const GrubEnv *env, const char *name) {
        for (size_t i = env->n_variables; i > 0; i--)
                if (streq(env->variables[i - 1].name, name))
                        return &env->variables[i - 1].value;

        return NULL;
}
