/* SPDX-License-Identifier: Apache-2.0 */

#include "core/service.h"

static void service_process_done(ServiceProcess *p) {
        free(p->cgroup);
        strv_free(p->arguments);
}

void service_done(Service *s) {
        free(s->unit);
        free(s->load_state);
        free(s->active_state);
        free(s->fragment);
        strv_free(s->drop_ins);
        strv_free(s->environment);
        service_process_done(&s->main);
        for (size_t i = 0; i < s->n_strays; i++)
                service_process_done(s->strays + i);
        free(s->strays);
}

void services_done(Services *services) {
        for (size_t i = 0; i < services->n; i++)
                service_done(services->list + i);
        free(services->list);
        free(services->error);
        *services = (Services) {};
}

const Service *services_find(const Services *services, const char *unit) {
        for (size_t i = 0; i < services->n; i++)
                if (streq(services->list[i].unit, unit) && !streq(services->list[i].load_state, SERVICE_NOT_FOUND))
                        return services->list + i;

        return NULL;
}

const ServiceProcess *services_find_process(const Services *services, const char *unit) {
        for (size_t i = 0; i < services->n; i++) {
                const Service *s = services->list + i;

                if (streq(s->unit, unit) && streq(s->load_state, SERVICE_NOT_FOUND) && s->n_strays > 0)
                        return s->strays;
        }

        return NULL;
}

/* Take one word from the text. Return: 1, 0 if none is left, or -errno. */
static int command_line_next_word(const char **text, char **ret) {
        _cleanup_buffer_ Buffer word = BUFFER_NULL;
        const char *p = *text + strspn(*text, " ");
        bool quoted = false;

        if (!*p)
                return 0;
        if (buffer_puts(&word, "") < 0)
                return -ENOMEM;

        for (; *p && (quoted || *p != ' '); p++) {
                char c = *p;

                if (c == '"') {
                        quoted = !quoted;
                        continue;
                }
                if (quoted && c == '\\' && p[1]) {
                        c = *++p;
                        c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
                }
                if (buffer_append(&word, &c, 1) < 0)
                        return -ENOMEM;
        }

        *text = p;
        *ret = TAKE_PTR(word.data);
        return quoted ? -EINVAL : 1;
}

int command_line_split(const char *text, char ***ret) {
        _cleanup_(strv_freep) char **words = NULL;
        size_t n = 0;
        int r;

        for (;;) {
                char *word = NULL;

                r = command_line_next_word(&text, &word);
                if (r == 0)
                        break;
                if (r < 0) {
                        free(word);
                        return r;
                }
                if (strv_take(&words, &n, word) < 0)
                        return -ENOMEM;
        }

        *ret = TAKE_PTR(words);
        return 0;
}
