/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <systemd/sd-bus.h>

#include "core/root.h"
#include "core/service.h"

/* src/shared/bus-util.c: bus_connect_system_systemd() */
#define PRIVATE_ADDRESS "unix:path=/run/systemd/private"

#define MANAGER "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"
#define UNIT_INTERFACE "org.freedesktop.systemd1.Unit"
#define SERVICE_INTERFACE "org.freedesktop.systemd1.Service"
#define ROOT_SLICE "-.slice"

/* How long the manager may take for all that is asked, in microseconds. */
#define ANSWER_WAIT_USEC (2ULL * 1000000ULL)

#define STRAYS_MAX 16U
#define COMMAND_LINE_MAX (128U * 1024U)

static void process_done(ServiceProcess *p) {
        free(p->cgroup);
        strv_free(p->arguments);
}

static void service_done(Service *s) {
        free(s->unit);
        free(s->load_state);
        free(s->active_state);
        free(s->fragment);
        strv_free(s->drop_ins);
        strv_free(s->environment);
        process_done(&s->main);
        for (size_t i = 0; i < s->n_strays; i++)
                process_done(s->strays + i);
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
                if (streq(services->list[i].unit, unit))
                        return services->list + i;

        return NULL;
}

/* Command lines ----------------------------------------------------------------------------------------- */

static char unescape(char c) {
        return c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
}

/* Take one word from the text. Return: 1, 0 where none is left, or -errno. */
static int next_word(const char **text, char **ret) {
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
                if (quoted && c == '\\' && p[1])
                        c = unescape(*++p);
                if (buffer_append(&word, &c, 1) < 0)
                        return -ENOMEM;
        }

        *text = p;
        *ret = TAKE_PTR(word.data);
        return quoted ? -EINVAL : 1;
}

/* Append a word to a list, which takes it also where that fails. */
static int add_word(char ***list, size_t *n, char *word) {
        if (!word || grow(list, *n + 1, sizeof(char *)) < 0) {
                free(word);
                return -ENOMEM;
        }

        (*list)[(*n)++] = word;
        (*list)[*n] = NULL;
        return 0;
}

int command_line_split(const char *text, char ***ret) {
        _cleanup_(strv_freep) char **words = NULL;
        size_t n = 0;
        int r;

        for (;;) {
                char *word = NULL;

                r = next_word(&text, &word);
                if (r == 0)
                        break;
                if (r < 0) {
                        free(word);
                        return r;
                }
                if (add_word(&words, &n, word) < 0)
                        return -ENOMEM;
        }

        *ret = TAKE_PTR(words);
        return 0;
}

/* Asking the manager ------------------------------------------------------------------------------------ */

int service_manager_open(sd_bus **ret) {
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        int r;

        if (geteuid() != 0)
                return sd_bus_open_system(ret);

        r = sd_bus_new(&bus);
        if (r >= 0)
                r = sd_bus_set_address(bus, PRIVATE_ADDRESS);
        if (r >= 0)
                r = sd_bus_start(bus);
        if (r < 0)
                return sd_bus_open_system(ret);

        *ret = TAKE_PTR(bus);
        return 0;
}

/* A property that the manager does not have, or not as we know it, stays unknown; but silence is silence. */
static int property_error(int r) {
        return r == -ENOMEM || r == -ETIMEDOUT || r == -ECONNRESET || r == -ENOTCONN ? r : 0;
}

static int get_text(sd_bus *bus, const char *path, const char *interface, const char *name, char **ret) {
        _cleanup_free_ char *value = NULL;
        int r;

        r = sd_bus_get_property_string(bus, "org.freedesktop.systemd1", path, interface, name, NULL, &value);
        if (r < 0)
                return property_error(r);

        *ret = *value ? TAKE_PTR(value) : NULL;
        return 0;
}

static int get_list(sd_bus *bus, const char *path, const char *interface, const char *name, char ***ret) {
        int r;

        r = sd_bus_get_property_strv(bus, "org.freedesktop.systemd1", path, interface, name, NULL, ret);
        if (r >= 0 && *ret && !**ret)
                *ret = strv_free(*ret);

        return r < 0 ? property_error(r) : 0;
}

static int read_properties(sd_bus *bus, const char *path, Service *s) {
        int reload = 0, r;

        r = get_text(bus, path, UNIT_INTERFACE, "LoadState", &s->load_state);
        if (r >= 0)
                r = get_text(bus, path, UNIT_INTERFACE, "ActiveState", &s->active_state);
        if (r >= 0)
                r = get_text(bus, path, UNIT_INTERFACE, "FragmentPath", &s->fragment);
        if (r >= 0)
                r = get_list(bus, path, UNIT_INTERFACE, "DropInPaths", &s->drop_ins);
        if (r >= 0)
                r = get_list(bus, path, SERVICE_INTERFACE, "Environment", &s->environment);
        if (r < 0)
                return r;

        (void) sd_bus_get_property_trivial(bus, "org.freedesktop.systemd1", path, UNIT_INTERFACE, "NeedDaemonReload",
                                           NULL, 'b', &reload);
        (void) sd_bus_get_property_trivial(bus, "org.freedesktop.systemd1", path, SERVICE_INTERFACE, "MainPID", NULL,
                                           'u', &s->main.pid);
        (void) sd_bus_get_property_trivial(bus, "org.freedesktop.systemd1", path, SERVICE_INTERFACE,
                                           "ExecMainStartTimestamp", NULL, 't', &s->started);
        s->need_reload = reload != 0;
        return 0;
}

static int fill_process(ServiceProcess *p, uint32_t pid, const char *cgroup, const char *command_line) {
        int r;

        p->pid = pid;
        p->cgroup = strdup(cgroup);
        if (!p->cgroup)
                return -ENOMEM;

        r = command_line_split(command_line, &p->arguments);
        return r == -ENOMEM ? r : 0;
}

/* A user's process cannot open what a service holds, and may call itself anything. */
static bool is_of_user(const char *cgroup) {
        const char *user = startswith(cgroup, "/user.slice/user-");

        return user && !startswith(user, "0.slice");
}

static bool runs_program(const char *command_line, const char *program) {
        _cleanup_(strv_freep) char **words = NULL;
        const char *slash;

        if (command_line_split(command_line, &words) < 0 || !words)
                return false;

        slash = strrchr(*words, '/');
        return streq(slash ? slash + 1 : *words, program);
}

/* Either the main process of the service, or what runs its program where it has none. */
static int take_process(Service *s, const char *program, uint32_t pid, const char *cgroup, const char *command_line) {
        if (s->main.pid > 0)
                return s->main.pid == pid && !s->main.cgroup ? fill_process(&s->main, pid, cgroup, command_line) : 0;
        if (s->n_strays >= STRAYS_MAX || is_of_user(cgroup) || strlen(command_line) > COMMAND_LINE_MAX ||
            !runs_program(command_line, program))
                return 0;
        if (grow(&s->strays, s->n_strays, sizeof(ServiceProcess)) < 0)
                return -ENOMEM;

        return fill_process(s->strays + s->n_strays++, pid, cgroup, command_line);
}

static int read_processes(sd_bus *bus, const char *program, Service *s) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *cgroup, *command_line;
        uint32_t pid;
        int r;

        r = sd_bus_call_method(bus, MANAGER, "GetUnitProcesses", NULL, &reply, "s",
                               s->main.pid > 0 ? s->unit : ROOT_SLICE);
        if (r >= 0)
                r = sd_bus_message_enter_container(reply, 'a', "(sus)");
        while (r >= 0) {
                r = sd_bus_message_read(reply, "(sus)", &cgroup, &pid, &command_line);
                if (r == 0)
                        break;
                if (r > 0)
                        r = take_process(s, program, pid, cgroup, command_line);
        }

        return r < 0 ? property_error(r) : 0;
}

static int read_service(sd_bus *bus, const ServiceInterest *interest, Services *services) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(service_done) Service s = {};
        const char *path;
        int r;

        s.unit = strdup(interest->unit);
        if (!s.unit)
                return -ENOMEM;

        r = sd_bus_call_method(bus, MANAGER, "LoadUnit", NULL, &reply, "s", interest->unit);
        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &path);
        if (r >= 0)
                r = read_properties(bus, path, &s);
        if (r < 0 || !s.load_state || streq(s.load_state, "not-found"))
                return r;

        r = read_processes(bus, interest->program, &s);
        if (r < 0)
                return r;
        if (grow(&services->list, services->n, sizeof(Service)) < 0)
                return -ENOMEM;

        services->list[services->n++] = s;
        s = (Service) {};
        return 0;
}

static int read_services(const ServiceInterest *interests, size_t n_interests, Services *services) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        int r;

        r = service_manager_open(&bus);
        if (r >= 0)
                r = sd_bus_set_method_call_timeout(bus, ANSWER_WAIT_USEC);
        for (size_t i = 0; r >= 0 && i < n_interests; i++)
                r = read_service(bus, interests + i, services);

        return r;
}

int services_read(const ServiceInterest *interests, size_t n_interests, Services *ret) {
        int r;

        assert(ret);

        *ret = (Services) {};
        if (n_interests == 0)
                return 0;

        r = read_services(interests, n_interests, ret);
        ret->known = r >= 0;
        if (r >= 0 || r == -ENOMEM)
                return r;

        ret->error = xasprintf("the service manager cannot be asked: %s", strerror(-r));
        return ret->error ? 0 : -ENOMEM;
}

/* As a document ----------------------------------------------------------------------------------------- */

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
                if (add_word(ret, &filled, strdup(json_object_get_string(item))) < 0)
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
