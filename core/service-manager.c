/* SPDX-License-Identifier: Apache-2.0 */

/* Asking the service manager over sd-bus. Tested by tests/e2e, which have one. */

#include <assert.h>
#include <systemd/sd-bus.h>

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
