/* SPDX-License-Identifier: Apache-2.0 */

/* Services as a snapshot keeps them. Tested by tests/unit/core/test-service.c. */

#include "core/service.h"

static int set_list(json_object *o, const char *key, char *const *list) {
        json_object *array = json_object_new_array();

        if (json_set(o, key, array) < 0)
                return -ENOMEM;

        for (; list && *list; list++)
                if (json_add(array, json_text(*list)) < 0)
                        return -ENOMEM;

        return 0;
}

static int process_to_json(const ServiceProcess *p, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();

        if (!o || json_set(o, "pid", json_object_new_int64(p->pid)) < 0 || json_set_text(o, "cgroup", p->cgroup) < 0 ||
            set_list(o, "arguments", p->arguments) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}

static int service_to_json(const Service *s, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        json_object *main_process = NULL, *strays = json_object_new_array();

        if (!o || json_set(o, "strays", strays) < 0 ||
            (s->main.pid > 0 && process_to_json(&s->main, &main_process) < 0) ||
            json_set(o, "main", main_process) < 0 || json_set_text(o, "unit", s->unit) < 0 ||
            json_set_text(o, "load_state", s->load_state) < 0 ||
            json_set_text(o, "active_state", s->active_state) < 0 || json_set_text(o, "fragment", s->fragment) < 0 ||
            json_set(o, "need_reload", json_object_new_boolean(s->need_reload)) < 0 ||
            json_set(o, "started", json_object_new_int64((int64_t) s->started)) < 0 ||
            set_list(o, "drop_ins", s->drop_ins) < 0 || set_list(o, "environment", s->environment) < 0)
                return -ENOMEM;

        for (size_t i = 0; i < s->n_strays; i++) {
                json_object *p;

                if (process_to_json(s->strays + i, &p) < 0 || json_add(strays, p) < 0)
                        return -ENOMEM;
        }

        *ret = TAKE_PTR(o);
        return 0;
}

int services_to_json(const Services *services, json_object **ret) {
        _cleanup_json_ json_object *array = json_object_new_array();

        for (size_t i = 0; i < services->n; i++) {
                json_object *o;

                if (!array || service_to_json(services->list + i, &o) < 0 || json_add(array, o) < 0)
                        return -ENOMEM;
        }

        *ret = TAKE_PTR(array);
        return *ret ? 0 : -ENOMEM;
}

static int get_strings(json_object *o, const char *key, char ***ret) {
        json_object *array = json_get_array(o, key);
        size_t n = array ? json_object_array_length(array) : 0, filled = 0;

        for (size_t i = 0; i < n; i++) {
                json_object *item = json_object_array_get_idx(array, i);

                if (!json_object_is_type(item, json_type_string))
                        return -EBADMSG;
                if (strv_take(ret, &filled, strdup(json_object_get_string(item))) < 0)
                        return -ENOMEM;
        }

        return 0;
}

static int process_from_json(json_object *o, ServiceProcess *p) {
        json_object *pid;

        if (!json_object_object_get_ex(o, "pid", &pid) || !json_object_is_type(pid, json_type_int) ||
            json_object_get_int64(pid) <= 0 || json_object_get_int64(pid) > UINT32_MAX)
                return -EBADMSG;

        p->pid = (uint32_t) json_object_get_int64(pid);
        return free_and_strdup(&p->cgroup, json_get_text(o, "cgroup")) < 0
                       ? -ENOMEM
                       : get_strings(o, "arguments", &p->arguments);
}

static int strays_from_json(json_object *o, Service *s) {
        json_object *array = json_get_array(o, "strays");
        size_t n = array ? json_object_array_length(array) : 0;
        int r = 0;

        for (size_t i = 0; r >= 0 && i < n; i++) {
                if (grow(&s->strays, s->n_strays, sizeof(ServiceProcess)) < 0)
                        return -ENOMEM;
                r = process_from_json(json_object_array_get_idx(array, i), s->strays + s->n_strays++);
        }

        return r;
}

static int service_from_json(json_object *o, Service *s) {
        json_object *part;
        int r = 0;

        if (!json_get_text(o, "unit") || !json_get_text(o, "load_state"))
                return -EBADMSG;
        if (free_and_strdup(&s->unit, json_get_text(o, "unit")) < 0 ||
            free_and_strdup(&s->load_state, json_get_text(o, "load_state")) < 0 ||
            free_and_strdup(&s->active_state, json_get_text(o, "active_state")) < 0 ||
            free_and_strdup(&s->fragment, json_get_text(o, "fragment")) < 0)
                return -ENOMEM;

        s->need_reload = json_object_object_get_ex(o, "need_reload", &part) && json_object_get_boolean(part);
        if (json_object_object_get_ex(o, "started", &part) && json_object_get_int64(part) > 0)
                s->started = (uint64_t) json_object_get_int64(part);
        if (json_object_object_get_ex(o, "main", &part) && part)
                r = process_from_json(part, &s->main);
        if (r >= 0)
                r = get_strings(o, "drop_ins", &s->drop_ins);
        if (r >= 0)
                r = get_strings(o, "environment", &s->environment);

        return r < 0 ? r : strays_from_json(o, s);
}

int services_from_json(json_object *o, Services *ret) {
        size_t n = json_object_is_type(o, json_type_array) ? json_object_array_length(o) : 0;
        int r = json_object_is_type(o, json_type_array) ? 0 : -EBADMSG;

        *ret = (Services) {.known = true};
        for (size_t i = 0; r >= 0 && i < n; i++)
                if (grow(&ret->list, ret->n, sizeof(Service)) < 0)
                        r = -ENOMEM;
                else
                        r = service_from_json(json_object_array_get_idx(o, i), ret->list + ret->n++);
        if (r < 0)
                services_done(ret);

        return r;
}
