/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <systemd/sd-bus.h>
#include <time.h>

#include "engine/unit-jobs.h"
#include "core/service.h"
#include "core/util.h"

#define MANAGER "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"

typedef struct UnitJob {
        char *path;
        char *result; /* set when it was removed */
} UnitJob;

static void unit_job_done(UnitJob *job) {
        free(job->path);
        free(job->result);
}

/* Jobs of others are announced too. The signal can come before StartUnit's own reply has been looked at. */
static int unit_job_on_removed(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        const char *path, *unit, *result;
        UnitJob *job = userdata;
        uint32_t id;
        int r;

        r = sd_bus_message_read(m, "uoss", &id, &path, &unit, &result);
        if (r < 0 || !streq_ptr(job->path, path))
                return 0;

        return free_and_strdup(&job->result, result) < 0 ? -ENOMEM : 0;
}

static int unit_start_job(sd_bus *bus, const char *unit, const char *method, UnitJob *job) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *path;
        int r;

        r = sd_bus_call_method(bus, MANAGER, method, NULL, &reply, "ss", unit, "replace");
        if (r < 0)
                return r;
        r = sd_bus_message_read(reply, "o", &path);
        if (r < 0)
                return r;

        return free_and_strdup(&job->path, path);
}

static int unit_wait_for_job(sd_bus *bus, const UnitJob *job) {
        uint64_t end = monotonic_usec() + UNIT_JOB_WAIT_USEC;

        while (!job->result) {
                uint64_t now = monotonic_usec();
                int r = sd_bus_process(bus, NULL);

                if (r == 0 && now >= end)
                        return -ETIMEDOUT;
                if (r == 0)
                        r = sd_bus_wait(bus, end - now);
                if (r < 0)
                        return r;
        }

        return streq(job->result, "done") ? 0 : -EIO;
}

int unit_act(const char *unit, const char *method) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(unit_job_done) UnitJob job = {};
        int r;

        r = service_manager_open(&bus);
        if (r < 0)
                return r;
        r = sd_bus_match_signal(bus, NULL, MANAGER, "JobRemoved", unit_job_on_removed, &job);
        if (r < 0)
                return r;
        r = sd_bus_call_method(bus, MANAGER, "Subscribe", NULL, NULL, NULL);
        if (r < 0)
                return r;

        /* A unit that failed too often is not started again, not even by hand, before its failures are forgotten. */
        (void) sd_bus_call_method(bus, MANAGER, "ResetFailedUnit", NULL, NULL, "s", unit);
        r = unit_start_job(bus, unit, method, &job);
        if (r < 0)
                return r;

        return unit_wait_for_job(bus, &job);
}

int units_reload(void) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        int r;

        r = service_manager_open(&bus);
        if (r < 0)
                return r;
        r = sd_bus_set_method_call_timeout(bus, UNITS_RELOAD_WAIT_USEC);
        if (r < 0)
                return r;
        r = sd_bus_call_method(bus, MANAGER, "Reload", NULL, NULL, NULL);

        return r < 0 ? r : 0;
}

/*
 * While the manager reads its files for another process it does not answer. *ret_service points into *ret, and is NULL if
 * the service manager does not know the unit.
 */
static int service_read(const char *unit, Services *ret, const Service **ret_service) {
        const struct timespec pause = {.tv_nsec = 200 * 1000 * 1000};
        const uint64_t end = monotonic_usec() + UNITS_RELOAD_WAIT_USEC;
        const ServiceInterest interest = {unit, ""};
        int r;

        r = services_read(&interest, 1, ret);
        while (r >= 0 && !ret->known && monotonic_usec() < end) {
                (void) nanosleep(&pause, NULL);
                services_done(ret);
                r = services_read(&interest, 1, ret);
        }
        if (r < 0)
                return r;
        if (!ret->known)
                return -EIO;

        *ret_service = services_find(ret, unit);
        return 0;
}

/* One that never ran (its device is missing) or was stopped has no process to restart. */
static int service_is_running(const char *unit, bool *ret, bool *ret_was_up) {
        _cleanup_(services_done) Services services = {};
        const Service *s;
        int r;

        r = service_read(unit, &services, &s);
        if (r < 0)
                return r;

        *ret = s && s->active_state && !streq(s->active_state, "inactive");
        *ret_was_up = *ret && !streq(s->active_state, "failed");
        return 0;
}

static int service_look(const char *unit, const char *expect, uint32_t *ret_pid, char **ret_why) {
        _cleanup_(services_done) Services services = {};
        const Service *s;
        int r;

        r = service_read(unit, &services, &s);
        if (r < 0)
                return r;

        *ret_pid = s ? s->main.pid : 0;
        if (*ret_pid == 0)
                *ret_why = xasprintf("it has no process (%s)", s ? strempty(s->active_state) : "not found");
        else if (expect && !strv_has(s->main.arguments, expect))
                *ret_why = xasprintf("its process %u does not have the argument %s", *ret_pid, expect);
        else
                return 0;

        return *ret_why ? -EIO : -ENOMEM;
}

static int service_watch_life(const char *unit, const char *expect, char **ret_why) {
        const struct timespec life = {.tv_sec = SERVICE_LIFE_SEC};
        uint32_t first = 0, last = 0;
        int r;

        /* Of a simple service the process is there before it has become its program. */
        r = service_look(unit, NULL, &first, ret_why);
        if (r < 0)
                return r;

        (void) nanosleep(&life, NULL);

        r = service_look(unit, expect, &last, ret_why);
        if (r < 0)
                return r;
        if (first == last)
                return 1;

        *ret_why = xasprintf("process %u did not live for %d s", first, SERVICE_LIFE_SEC);
        return *ret_why ? -EIO : -ENOMEM;
}

int service_restart(const char *unit, const char *expect, bool *ret_was_up, char **ret_why) {
        bool running;
        int r;

        r = service_is_running(unit, &running, ret_was_up);
        if (r < 0 || !running)
                return r;

        r = unit_act(unit, "RestartUnit");
        if (r < 0) {
                *ret_why = xasprintf("its restart failed: %s", r == -EIO ? "see systemctl status" : error_text(-r));
                return *ret_why ? r : -ENOMEM;
        }

        return service_watch_life(unit, expect, ret_why);
}
