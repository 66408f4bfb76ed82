/* SPDX-License-Identifier: Apache-2.0 */

#include "qga-policy/names.h"

#define NAMES_LENGTH_MAX 64U

void names_done(Names *names) {
        for (size_t i = 0; i < names->n; i++)
                free(names->list[i]);
        free(names->list);
        *names = (Names) {};
}

bool names_has(const Names *names, const char *name) {
        for (size_t i = 0; i < names->n; i++)
                if (streq(names->list[i], name))
                        return true;

        return false;
}

bool names_has_all(const Names *names, const Names *others) {
        for (size_t i = 0; i < others->n; i++)
                if (!names_has(names, others->list[i]))
                        return false;

        return true;
}

int names_add_n(Names *names, const char *s, size_t size) {
        _cleanup_free_ char *copy = strndup(s, size);

        if (!copy)
                return -ENOMEM;
        if (names->n >= NAMES_MAX || names_has(names, copy))
                return 0;
        if (grow(&names->list, names->n, sizeof(char *)) < 0)
                return -ENOMEM;

        names->list[names->n++] = TAKE_PTR(copy);
        return 0;
}

int names_add(Names *names, const char *name) {
        return names_add_n(names, name, strlen(name));
}

int names_add_all(Names *names, const Names *more) {
        for (size_t i = 0; i < more->n; i++)
                if (names_add(names, more->list[i]) < 0)
                        return -ENOMEM;

        return 0;
}

int names_add_split(Names *names, const char *list) {
        int r;

        if (!*list)
                return 0;

        for (;;) {
                size_t n = strcspn(list, ",");

                r = names_add_n(names, list, n);
                if (r < 0 || !list[n])
                        return r;
                list += n + 1;
        }
}

char *names_join(const Names *names, const char *separator) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;

        if (buffer_puts(&b, "") < 0)
                return NULL;

        for (size_t i = 0; i < names->n; i++)
                if (buffer_printf(&b, "%s%s", i > 0 ? separator : "", names->list[i]) < 0)
                        return NULL;

        return TAKE_PTR(b.data);
}

bool name_is_plain(const char *s) {
        size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");

        return n > 0 && n <= NAMES_LENGTH_MAX && !s[n] && s[0] >= 'a' && s[0] <= 'z';
}
