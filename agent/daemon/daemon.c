/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/time.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "agent/daemon/apply-client.h"
#include "agent/daemon/daemon.h"
#include "agent/daemon/log.h"
#include "agent/daemon/path-watch.h"
#include "agent/daemon/port-holder.h"
#include "agent/daemon/port.h"
#include "agent/daemon/report-cache.h"
#include "agent/daemon/tpm-client.h"
#include "agent/daemon/trim.h"
#include "agent/daemon/unit-watch.h"
#include "agent/side.h"

#define DAEMON_BURST_USEC (200U * 1000U)  /* at most one new report, and so one event, in this time */
#define DAEMON_STALE_USEC (1U * 1000000U) /* a request is answered with a report of at most this age */

struct Daemon {
        sd_event *event;
        Root *root;
        CommandAgent agent;
        Port *port;
        PathWatch *path_watch;
        UnitWatch *unit_watch;        /* NULL if the root is not the running system */
        const char *units[SIDE_SERVICES_MAX + 1]; /* the services that unit_watch listens to */
        ApplyClient *apply_client;
        TpmClient *tpm;
        sd_event_source *rebuild;     /* timer; runs only while something has changed */
        sd_event_source *terminate, *interrupt, *reload;

        ReportCache cache;
        uint64_t taken;               /* when the report was made */
        bool changed;                 /* a watch has announced a change since */
        bool watching;                /* the host wants events */
        json_object *told;            /* the practices as the host was last told */
};

static int daemon_format_event(json_object *changed, Buffer *line) {
        struct timeval now = {};
        int r;

        (void) gettimeofday(&now, NULL);
        r = buffer_printf(line,
                          "{\"event\": \"GTUNE_CHANGED\", \"timestamp\": {\"seconds\": %" PRIi64
                          ", \"microseconds\": %" PRIi64 "}, \"data\": {\"practices\": ",
                          (int64_t) now.tv_sec, (int64_t) now.tv_usec);
        if (r < 0)
                return r;
        r = json_format(changed, line);
        if (r < 0)
                return r;

        return buffer_puts(line, "}}\n");
}

/* An event that cannot be sent is not repeated: later it would be outdated. */
static int daemon_send_event(Daemon *d) {
        _cleanup_json_ json_object *news = NULL;
        _cleanup_buffer_ Buffer line = BUFFER_NULL;
        int r;

        if (!d->watching)
                return 0;

        r = report_cache_news(SPAN_BUFFER(d->cache.report), &d->told, &news);
        if (r < 0 || json_object_array_length(news) == 0)
                return r;
        r = daemon_format_event(news, &line);
        if (r < 0)
                return r;

        return port_send(d->port, &line);
}

static int daemon_take(Daemon *d) {
        int r;

        if (d->unit_watch)
                unit_watch_revive(d->unit_watch);
        path_watch_begin(d->path_watch);
        r = report_cache_take(&guest_side, d->root, &d->cache);
        path_watch_end(d->path_watch);
        trim_memory();

        d->changed = false;
        d->taken = monotonic_usec();
        return r;
}

static int daemon_rebuild(Daemon *d) {
        _cleanup_free_ char *before = strdup(strempty(d->cache.summary));
        int r;

        r = daemon_take(d);
        if (r < 0)
                return log_error_errno(r, "The report cannot be made");

        if (!streq_ptr(before, d->cache.summary))
                (void) sd_notifyf(false, "STATUS=%s", d->cache.summary);

        r = daemon_send_event(d);
        if (r < 0)
                log_line(LOG_DEBUG, "An event was not sent: %s", strerror(-r));

        return 0;
}

static int daemon_on_rebuild(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        Daemon *d = userdata;

        if (d->changed)
                (void) daemon_rebuild(d);
        return 0;
}

static void daemon_on_changed(void *userdata) {
        Daemon *d = userdata;
        uint64_t now = monotonic_usec();

        if (d->changed)
                return;

        d->changed = true;
        if (sd_event_source_set_time(d->rebuild, now + DAEMON_BURST_USEC) < 0 ||
            sd_event_source_set_enabled(d->rebuild, SD_EVENT_ONESHOT) < 0)
                log_line(LOG_WARNING, "A change will not be reported before the host's next request");
}

/* Makes a new report if the last one may be outdated. Neither changes nor requests can cause that too often. */
static void daemon_refresh(Daemon *d) {
        uint64_t age = monotonic_usec() - d->taken;

        if (age > DAEMON_STALE_USEC || (d->changed && age > DAEMON_BURST_USEC))
                (void) daemon_rebuild(d);
}

static int daemon_get_report(void *userdata, Span *ret) {
        Daemon *d = userdata;

        daemon_refresh(d);
        *ret = SPAN_BUFFER(d->cache.report);
        return 0;
}

static int daemon_get_changes(void *userdata, Span *ret) {
        Daemon *d = userdata;

        daemon_refresh(d);
        *ret = SPAN_BUFFER(d->cache.changes);
        return 0;
}

static bool daemon_apply_allowed(void *userdata) {
        Daemon *d = userdata;

        return d->cache.apply_allowed;
}

static void daemon_apply(void *userdata) {
        Daemon *d = userdata;

        apply_client_start(d->apply_client);
}

static void daemon_watch(void *userdata, bool on) {
        Daemon *d = userdata;
        _cleanup_json_ json_object *news = NULL;

        d->watching = on;
        if (!on && d->port) {
                tpm_client_stop(d->tpm);
                port_forget_background(d->port);
        }
        json_object_put(d->told);
        d->told = NULL;
        if (on && report_cache_news(SPAN_BUFFER(d->cache.report), &d->told, &news) < 0)
                log_line(LOG_WARNING, "The next event will contain all practices");
}

static int daemon_ask_tpm(void *userdata, const char *verb, Buffer *arguments, bool signs_report) {
        Daemon *d = userdata;

        if (tpm_client_busy(d->tpm))
                return -EBUSY;

        tpm_client_ask(d->tpm, verb, arguments, signs_report);
        return 0;
}

static void daemon_on_tpm(void *userdata, const char *answer, const char *error) {
        Daemon *d = userdata;

        port_answer_background(d->port, answer ? NULL : "GenericError", answer ? answer : error);
        trim_memory();
}

static void daemon_on_apply(void *userdata, bool allowed, const char *desc) {
        _cleanup_free_ char *text = NULL;
        Daemon *d = userdata;

        if (!desc)
                port_answer_pending(d->port, NULL, "{\"started\": true}");
        else if (allowed)
                port_answer_pending(d->port, "GenericError", desc);
        else {
                text = xasprintf("Command gtune-apply has been disabled: %s", desc);
                port_answer_pending(d->port, "CommandNotFound", text ? text : desc);
        }
}

static int daemon_on_reload(_unused_ sd_event_source *source, _unused_ const struct signalfd_siginfo *si,
                            void *userdata) {
        Daemon *d = userdata;

        (void) sd_notifyf(false, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, monotonic_usec());
        (void) daemon_rebuild(d);
        (void) sd_notifyf(false, "READY=1\nSTATUS=%s", d->cache.summary);
        return 0;
}

static int daemon_open_signals(Daemon *d) {
        int r;

        r = sd_event_add_signal(d->event, &d->terminate, SIGTERM, NULL, NULL);
        if (r < 0)
                return r;
        r = sd_event_add_signal(d->event, &d->interrupt, SIGINT, NULL, NULL);
        if (r < 0)
                return r;

        return sd_event_add_signal(d->event, &d->reload, SIGHUP, daemon_on_reload, d);
}

static int daemon_open_watches(Daemon *d) {
        int r;

        r = sd_event_add_time(d->event, &d->rebuild, CLOCK_MONOTONIC, 0, 10000, daemon_on_rebuild, d);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(d->rebuild, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = path_watch_new(&d->path_watch, d->event, d->root, daemon_on_changed, d);
        if (r < 0 || !root_is_live(d->root))
                return r;

        side_services(&guest_side, d->units);
        return unit_watch_new(&d->unit_watch, d->event, d->units, daemon_on_changed, d);
}

static int daemon_make_port(Daemon *d) {
        const TpmClientOwner owner = {.report = daemon_get_report, .done = daemon_on_tpm, .userdata = d};
        int r;

        r = apply_client_new(&d->apply_client, d->event, d->root, daemon_on_apply, d);
        if (r < 0)
                return r;
        r = tpm_client_new(&d->tpm, d->event, d->root, &owner);
        if (r < 0)
                return r;

        return port_new(&d->port, d->event, &d->agent);
}

static int daemon_open_port(Daemon *d, const Endpoint *endpoint) {
        _cleanup_free_ char *holder = NULL;
        int r;

        if (!endpoint->port) {
                r = port_listen(d->port, endpoint->socket);
                if (r < 0)
                        return log_error_errno(r, "%s cannot be listened on", endpoint->socket);
                return 0;
        }

        r = port_open(d->port, endpoint->port);
        if (r == -EBUSY) {
                holder = port_holder(endpoint->port);
                log_line(LOG_ERR, "%s is in use by %s", endpoint->port, holder ? holder : "another process");
                return r;
        }
        if (r < 0)
                return log_error_errno(r, "%s cannot be opened", endpoint->port);

        return 0;
}

int daemon_new(Daemon **ret, sd_event *event, Root *root, const Endpoint *endpoint) {
        _cleanup_(daemon_freep) Daemon *d = NULL;
        int r;

        assert(ret && event && root && endpoint);

        d = calloc(1, sizeof(Daemon));
        if (!d)
                return log_error_errno(-ENOMEM, "The daemon cannot be made");

        d->event = sd_event_ref(event);
        d->root = root;
        d->agent = (CommandAgent) {
                .report = daemon_get_report,
                .changes = daemon_get_changes,
                .apply_allowed = daemon_apply_allowed,
                .apply = daemon_apply,
                .watch = daemon_watch,
                .tpm = daemon_ask_tpm,
                .userdata = d,
        };

        r = daemon_open_signals(d);
        if (r < 0)
                return log_error_errno(r, "Signals cannot be received");
        r = daemon_open_watches(d);
        if (r < 0)
                return log_error_errno(r, "Changes cannot be watched");
        r = daemon_rebuild(d);
        if (r < 0)
                return r;
        r = daemon_make_port(d);
        if (r < 0)
                return log_error_errno(r, "The port cannot be made");
        r = daemon_open_port(d, endpoint);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(d);
        return 0;
}

Daemon *daemon_free(Daemon *d) {
        if (!d)
                return NULL;

        port_free(d->port);
        apply_client_free(d->apply_client);
        tpm_client_free(d->tpm);
        unit_watch_free(d->unit_watch);
        path_watch_free(d->path_watch);
        sd_event_source_disable_unref(d->rebuild);
        sd_event_source_disable_unref(d->terminate);
        sd_event_source_disable_unref(d->interrupt);
        sd_event_source_disable_unref(d->reload);
        report_cache_done(&d->cache);
        json_object_put(d->told);
        sd_event_unref(d->event);
        free(d);
        return NULL;
}
