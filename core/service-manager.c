/* SPDX-License-Identifier: Apache-2.0 */

/* Asking the service manager over sd-bus. Tested by tests/e2e, which have one. */

#include <assert.h>
#include <systemd/sd-bus.h>

#include "core/service.h"

/* systemd: src/shared/bus-util.c, bus_connect_system_systemd() */
#define SERVICE_MANAGER_ADDRESS "unix:path=/run/systemd/private"

#define SERVICE_MANAGER "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"
#define SERVICE_MANAGER_UNIT "org.freedesktop.systemd1.Unit"
#define SERVICE_MANAGER_SERVICE "org.freedesktop.systemd1.Service"
#define SERVICE_ROOT_SLICE "-.slice"

/* How long the manager may take for each answer, in microseconds. */
#define SERVICE_MANAGER_WAIT_USEC (2ULL * 1000000ULL)

#define SERVICE_STRAYS_MAX 16U
#define SERVICE_COMMAND_LINE_MAX (128U * 1024U)

int service_manager_open(sd_bus **ret) {
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;

        if (geteuid() != 0)
                return sd_bus_open_system(ret);

        if (sd_bus_new(&bus) < 0 || sd_bus_set_address(bus, SERVICE_MANAGER_ADDRESS) < 0 || sd_bus_start(bus) < 0)
                return sd_bus_open_system(ret);

        *ret = TAKE_PTR(bus);
        return 0;
}

/*
 * If the manager does not have a property, or has it in another form, the property stays unknown. If the manager does
 * not answer, asking for the next property would only take longer.
 */
static int service_property_error(int r) {
        return r == -ENOMEM || r == -ETIMEDOUT || r == -ECONNRESET || r == -ENOTCONN ? r : 0;
}

static int service_get_text(sd_bus *bus, const char *path, const char *interface, const char *name, char **ret) {
        _cleanup_free_ char *value = NULL;
        int r;

        r = sd_bus_get_property_string(bus, "org.freedesktop.systemd1", path, interface, name, NULL, &value);
        if (r < 0)
                return service_property_error(r);

        *ret = *value ? TAKE_PTR(value) : NULL;
        return 0;
}

static int service_get_list(sd_bus *bus, const char *path, const char *interface, const char *name, char ***ret) {
        int r;

        r = sd_bus_get_property_strv(bus, "org.freedesktop.systemd1", path, interface, name, NULL, ret);
        if (r < 0)
                return service_property_error(r);

        if (*ret && !**ret)
                *ret = strv_free(*ret);
        return 0;
}

static int service_read_properties(sd_bus *bus, const char *path, Service *s) {
        int reload = 0, r;

        r = service_get_text(bus, path, SERVICE_MANAGER_UNIT, "LoadState", &s->load_state);
        if (r < 0)
                return r;
        r = service_get_text(bus, path, SERVICE_MANAGER_UNIT, "ActiveState", &s->active_state);
        if (r < 0)
                return r;
        r = service_get_text(bus, path, SERVICE_MANAGER_UNIT, "FragmentPath", &s->fragment);
        if (r < 0)
                return r;
        r = service_get_list(bus, path, SERVICE_MANAGER_UNIT, "DropInPaths", &s->drop_ins);
        if (r < 0)
                return r;
        r = service_get_list(bus, path, SERVICE_MANAGER_SERVICE, "Environment", &s->environment);
        if (r < 0)
                return r;

        (void) sd_bus_get_property_trivial(bus, "org.freedesktop.systemd1", path, SERVICE_MANAGER_UNIT,
                                           "NeedDaemonReload", NULL, 'b', &reload);
        (void) sd_bus_get_property_trivial(bus, "org.freedesktop.systemd1", path, SERVICE_MANAGER_SERVICE, "MainPID",
                                           NULL, 'u', &s->main.pid);
        (void) sd_bus_get_property_trivial(bus, "org.freedesktop.systemd1", path, SERVICE_MANAGER_SERVICE,
                                           "ExecMainStartTimestamp", NULL, 't', &s->started);
        s->need_reload = reload != 0;
        return 0;
}

static int service_fill_process(ServiceProcess *p, uint32_t pid, const char *cgroup, const char *command_line) {
        int r;

        p->pid = pid;
        p->cgroup = strdup(cgroup);
        if (!p->cgroup)
                return -ENOMEM;

        r = command_line_split(command_line, &p->arguments);
        return r == -ENOMEM ? r : 0;
}

/* A user's process cannot open the device of a service, and can have any name, so it is no stray. */
static bool service_cgroup_is_users(const char *cgroup) {
        const char *user = startswith(cgroup, "/user.slice/user-");

        return user && !startswith(user, "0.slice");
}

static bool service_runs_program(const char *command_line, const char *program) {
        _cleanup_(strv_freep) char **words = NULL;
        const char *slash;

        if (command_line_split(command_line, &words) < 0 || !words)
                return false;

        slash = strrchr(*words, '/');
        return streq(slash ? slash + 1 : *words, program);
}

/* Take the main process of the service or, if it has none, a process that runs its program. Others are ignored. */
static int service_take_process(Service *s, const char *program, uint32_t pid, const char *cgroup,
                                const char *command_line) {
        if (s->main.pid > 0) {
                if (s->main.pid != pid || s->main.cgroup)
                        return 0;
                return service_fill_process(&s->main, pid, cgroup, command_line);
        }
        if (s->n_strays >= SERVICE_STRAYS_MAX || service_cgroup_is_users(cgroup) ||
            strlen(command_line) > SERVICE_COMMAND_LINE_MAX || !service_runs_program(command_line, program))
                return 0;
        if (grow(&s->strays, s->n_strays, sizeof(ServiceProcess)) < 0)
                return -ENOMEM;

        return service_fill_process(s->strays + s->n_strays++, pid, cgroup, command_line);
}

static int service_read_processes(sd_bus *bus, const char *program, Service *s) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *cgroup, *command_line;
        uint32_t pid;
        int r;

        r = sd_bus_call_method(bus, SERVICE_MANAGER, "GetUnitProcesses", NULL, &reply, "s",
                               s->main.pid > 0 ? s->unit : SERVICE_ROOT_SLICE);
        if (r < 0)
                return service_property_error(r);
        r = sd_bus_message_enter_container(reply, 'a', "(sus)");
        if (r < 0)
                return service_property_error(r);

        while ((r = sd_bus_message_read(reply, "(sus)", &cgroup, &pid, &command_line)) > 0) {
                r = service_take_process(s, program, pid, cgroup, command_line);
                if (r < 0)
                        return r;
        }

        return r < 0 ? service_property_error(r) : 0;
}

static int service_read(sd_bus *bus, const ServiceInterest *interest, Services *services) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        _cleanup_(service_done) Service s = {};
        const char *path;
        int r;

        s.unit = strdup(interest->unit);
        if (!s.unit)
                return -ENOMEM;

        r = sd_bus_call_method(bus, SERVICE_MANAGER, "LoadUnit", NULL, &reply, "s", interest->unit);
        if (r < 0)
                return r;
        r = sd_bus_message_read(reply, "o", &path);
        if (r < 0)
                return r;
        r = service_read_properties(bus, path, &s);
        if (r < 0)
                return r;
        if (!s.load_state || streq(s.load_state, SERVICE_NOT_FOUND))
                return 0;

        r = service_read_processes(bus, interest->program, &s);
        if (r < 0)
                return r;
        if (grow(&services->list, services->n, sizeof(Service)) < 0)
                return -ENOMEM;

        services->list[services->n++] = s;
        s = (Service) {};
        return 0;
}

static bool services_have_program(const Services *services, const ServiceInterest *interests, size_t n_interests,
                                  const char *program) {
        for (size_t i = 0; i < n_interests; i++)
                for (size_t k = 0; k < services->n; k++)
                        if (streq(interests[i].program, program) && streq(services->list[k].unit, interests[i].unit))
                                return true;

        return false;
}

/* Look for processes of a program though none of its units is loaded: another unit may have started them. */
static int service_read_strays(sd_bus *bus, const ServiceInterest *interest, Services *services) {
        _cleanup_(service_done) Service s = {};
        int r;

        s.unit = strdup(interest->unit);
        s.load_state = strdup(SERVICE_NOT_FOUND);
        if (!s.unit || !s.load_state)
                return -ENOMEM;

        r = service_read_processes(bus, interest->program, &s);
        if (r < 0 || s.n_strays == 0)
                return r;
        if (grow(&services->list, services->n, sizeof(Service)) < 0)
                return -ENOMEM;

        services->list[services->n++] = s;
        s = (Service) {};
        return 0;
}

static int services_ask(const ServiceInterest *interests, size_t n_interests, Services *services) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        int r;

        r = service_manager_open(&bus);
        if (r < 0)
                return r;
        r = sd_bus_set_method_call_timeout(bus, SERVICE_MANAGER_WAIT_USEC);
        if (r < 0)
                return r;

        for (size_t i = 0; i < n_interests; i++) {
                r = service_read(bus, interests + i, services);
                if (r < 0)
                        return r;
        }

        for (size_t i = 0; i < n_interests; i++) {
                if (!*interests[i].program ||
                    services_have_program(services, interests, n_interests, interests[i].program))
                        continue;
                r = service_read_strays(bus, interests + i, services);
                if (r < 0)
                        return r;
        }

        return 0;
}

int services_read(const ServiceInterest *interests, size_t n_interests, Services *ret) {
        int r;

        assert(ret);

        *ret = (Services) {};
        if (n_interests == 0)
                return 0;

        r = services_ask(interests, n_interests, ret);
        if (r == -ENOMEM)
                return r;
        if (r >= 0) {
                ret->known = true;
                return 0;
        }

        ret->error = xasprintf("the service manager cannot be asked: %s", error_text(-r));
        if (!ret->error)
                return -ENOMEM;

        return 0;
}
