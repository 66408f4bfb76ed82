/* SPDX-License-Identifier: Apache-2.0 */

/* Services as a snapshot keeps them. Tested by tests/unit/core/test-service.c. */

#include "core/service.h"

static int service_strings_to_json(json_object *o, const char *key, char *const *list) {
        json_object *array = json_object_new_array();

        if (json_set(o, key, array) < 0)
                return -ENOMEM;

        for (; list && *list; list++)
                if (json_add(array, json_text(*list)) < 0)
                        return -ENOMEM;

        return 0;
}

static int service_process_to_json(const ServiceProcess *p, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();

        if (!o || json_set(o, "pid", json_object_new_int64(p->pid)) < 0 || json_set_text(o, "cgroup", p->cgroup) < 0 ||
            service_strings_to_json(o, "arguments", p->arguments) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}

static int service_to_json(const Service *s, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        json_object *main_process = NULL, *strays = json_object_new_array();

        if (!o || json_set(o, "strays", strays) < 0 ||
            (s->main.pid > 0 && service_process_to_json(&s->main, &main_process) < 0) ||
            json_set(o, "main", main_process) < 0 || json_set_text(o, "unit", s->unit) < 0 ||
            json_set_text(o, "load_state", s->load_state) < 0 ||
            json_set_text(o, "active_state", s->active_state) < 0 || json_set_text(o, "fragment", s->fragment) < 0 ||
            json_set(o, "need_reload", json_object_new_boolean(s->need_reload)) < 0 ||
            json_set(o, "started", json_object_new_int64((int64_t) s->started)) < 0 ||
            service_strings_to_json(o, "drop_ins", s->drop_ins) < 0 ||
            service_strings_to_json(o, "environment", s->environment) < 0)
                return -ENOMEM;

        for (size_t i = 0; i < s->n_strays; i++) {
                json_object *p;

                if (service_process_to_json(s->strays + i, &p) < 0 || json_add(strays, p) < 0)
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

static int service_strings_from_json(json_object *o, const char *key, char ***ret) {
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

static int service_process_from_json(json_object *o, ServiceProcess *p) {
        json_object *pid;

        if (!json_object_object_get_ex(o, "pid", &pid) || !json_object_is_type(pid, json_type_int) ||
            json_object_get_int64(pid) <= 0 || json_object_get_int64(pid) > UINT32_MAX)
                return -EBADMSG;

        p->pid = (uint32_t) json_object_get_int64(pid);
        if (free_and_strdup(&p->cgroup, json_get_text(o, "cgroup")) < 0)
                return -ENOMEM;

        return service_strings_from_json(o, "arguments", &p->arguments);
}

static int service_strays_from_json(json_object *o, Service *s) {
        json_object *array = json_get_array(o, "strays");
        size_t n = array ? json_object_array_length(array) : 0;
        int r;

        for (size_t i = 0; i < n; i++) {
                if (grow(&s->strays, s->n_strays, sizeof(ServiceProcess)) < 0)
                        return -ENOMEM;
                r = service_process_from_json(json_object_array_get_idx(array, i), s->strays + s->n_strays++);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int service_from_json(json_object *o, Service *s) {
        json_object *part;
        int r;

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
        if (json_object_object_get_ex(o, "main", &part) && part) {
                r = service_process_from_json(part, &s->main);
                if (r < 0)
                        return r;
        }
        r = service_strings_from_json(o, "drop_ins", &s->drop_ins);
        if (r < 0)
                return r;
        r = service_strings_from_json(o, "environment", &s->environment);
        if (r < 0)
                return r;

        return service_strays_from_json(o, s);
}

int services_from_json(json_object *o, Services *ret) {
        _cleanup_(services_done) Services services = {.known = true};
        int r;

        *ret = (Services) {};
        if (!json_object_is_type(o, json_type_array))
                return -EBADMSG;

        for (size_t i = 0; i < json_object_array_length(o); i++) {
                if (grow(&services.list, services.n, sizeof(Service)) < 0)
                        return -ENOMEM;
                r = service_from_json(json_object_array_get_idx(o, i), services.list + services.n++);
                if (r < 0)
                        return r;
        }

        *ret = TAKE_GENERIC(services, (Services) {});
        return 0;
}
