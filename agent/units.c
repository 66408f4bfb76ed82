/* SPDX-License-Identifier: Apache-2.0 */

#include <errno.h>
#include <systemd/sd-bus.h>
#include <time.h>

#include "agent/units.h"
#include "core/util.h"

#define MANAGER "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"

typedef struct Job {
        char *path;
        char *result; /* set when it was removed */
} Job;

static void job_done(Job *job) {
        free(job->path);
        free(job->result);
}

/* Jobs of others are announced too. The signal can come before StartUnit's own reply has been looked at. */
static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
        const char *path, *unit, *result;
        Job *job = userdata;
        uint32_t id;
        int r;

        (void) error;

        r = sd_bus_message_read(m, "uoss", &id, &path, &unit, &result);
        if (r < 0 || !streq_ptr(job->path, path))
                return 0;

        return free_and_strdup(&job->result, result) < 0 ? -ENOMEM : 0;
}

static int start_job(sd_bus *bus, const char *unit, const char *verb, Job *job) {
        _cleanup_(sd_bus_message_unrefp) sd_bus_message *reply = NULL;
        const char *method = streq(verb, "reload") ? "ReloadUnit" : "RestartUnit", *path;
        int r;

        r = sd_bus_call_method(bus, MANAGER, method, NULL, &reply, "ss", unit, "replace");
        if (r >= 0)
                r = sd_bus_message_read(reply, "o", &path);

        return r < 0 ? r : free_and_strdup(&job->path, path);
}

static uint64_t now_usec(void) {
        struct timespec ts;

        (void) clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t) ts.tv_sec * 1000000U + (uint64_t) ts.tv_nsec / 1000U;
}

static int wait_for_job(sd_bus *bus, const Job *job) {
        uint64_t end = now_usec() + UNIT_JOB_WAIT_USEC;

        while (!job->result) {
                uint64_t now = now_usec();
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

int unit_act(const char *unit, const char *verb) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(job_done) Job job = {};
        int r;

        r = sd_bus_open_system(&bus);
        if (r >= 0)
                r = sd_bus_match_signal(bus, NULL, MANAGER, "JobRemoved", on_job_removed, &job);
        if (r >= 0)
                r = sd_bus_call_method(bus, MANAGER, "Subscribe", NULL, NULL, NULL);
        if (r >= 0)
                r = start_job(bus, unit, verb, &job);

        return r < 0 ? r : wait_for_job(bus, &job);
}
