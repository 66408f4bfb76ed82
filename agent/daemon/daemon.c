/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/time.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "agent/daemon/apply-client.h"
#include "agent/daemon/daemon.h"
#include "agent/daemon/keeper.h"
#include "agent/daemon/log.h"
#include "agent/daemon/port-holder.h"
#include "agent/daemon/port.h"
#include "agent/daemon/tpm-client.h"
#include "agent/side.h"

/* What gtune-tpm is to be asked when the report is made that it shall sign. */
typedef struct Signing {
        const char *verb; /* NULL: nothing */
        Buffer arguments;
} Signing;

struct Daemon {
        sd_event *event;
        Root *root;
        CommandAgent agent;
        Port *port;
        Keeper *keeper;
        ApplyClient *apply_client;
        TpmClient *tpm;
        Signing signing;
        sd_event_source *terminate, *interrupt, *reload;

        char *summary;                /* as the service manager was last told */
        bool reloading;               /* the service manager waits for the end of a reload */
        bool watching;                /* the host wants events */
        char **told;                  /* the practices as the host was last told */
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

        r = keeper_news(d->keeper, &d->told, &news);
        if (r < 0 || json_object_array_length(news) == 0)
                return r;
        r = daemon_format_event(news, &line);
        if (r < 0)
                return r;

        return port_send(d->port, &line);
}

static void daemon_tell_manager(Daemon *d) {
        const char *summary = keeper_summary(d->keeper);
        const bool reloaded = d->reloading && !keeper_is_in_doubt(d->keeper);

        if (reloaded)
                (void) sd_notifyf(false, "READY=1\nSTATUS=%s", summary);
        else if (!streq_ptr(d->summary, summary))
                (void) sd_notifyf(false, "STATUS=%s", summary);

        d->reloading = d->reloading && !reloaded;
        (void) free_and_strdup(&d->summary, summary);
}

static void daemon_on_report(void *userdata) {
        Daemon *d = userdata;
        int r;

        daemon_tell_manager(d);
        r = d->watching ? daemon_send_event(d) : 0;
        if (r < 0)
                log_line(LOG_DEBUG, "An event was not sent: %s", error_text(-r));
}

static int daemon_get_report(void *userdata, Span *ret) {
        Daemon *d = userdata;

        return keeper_report(d->keeper, ret);
}

static int daemon_get_changes(void *userdata, Span *ret) {
        Daemon *d = userdata;

        return keeper_changes(d->keeper, ret);
}

static void signing_done(Signing *s) {
        buffer_done(&s->arguments);
        *s = (Signing) {};
}

static bool daemon_apply_allowed(void *userdata) {
        Daemon *d = userdata;

        return keeper_allows_apply(d->keeper);
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
                signing_done(&d->signing);
                tpm_client_stop(d->tpm);
                port_forget_background(d->port);
        }
        d->told = strv_free(d->told);
        if (on && keeper_news(d->keeper, &d->told, &news) < 0)
                log_line(LOG_WARNING, "The next event will contain all practices");
}

/*
 * Have the report signed. The comparison of the report must not keep pings waiting, so that it is made in steps. Return:
 * 0; -EAGAIN: daemon_on_ready() goes on with it; another -errno.
 */
static int daemon_sign(Daemon *d) {
        Span report = SPAN_NULL;
        int r;

        r = keeper_prepare_report(d->keeper, &report);
        if (r == -EAGAIN)
                return r;
        if (r >= 0)
                r = tpm_client_ask(d->tpm, d->signing.verb, &d->signing.arguments, report);
        signing_done(&d->signing);
        return r;
}

static void daemon_on_ready(void *userdata) {
        Daemon *d = userdata;
        int r;

        r = d->signing.verb ? daemon_sign(d) : 0;
        if (r < 0 && r != -EAGAIN)
                port_answer_background(d->port, "GenericError", error_text(-r));
        port_resume(d->port);
}

static int daemon_ask_tpm(void *userdata, const char *verb, Buffer *arguments, bool signs_report) {
        Daemon *d = userdata;
        int r;

        if (tpm_client_busy(d->tpm) || d->signing.verb)
                return -EBUSY;
        if (!signs_report)
                return tpm_client_ask(d->tpm, verb, arguments, SPAN_NULL);

        d->signing = (Signing) {.verb = verb, .arguments = TAKE_GENERIC(*arguments, BUFFER_NULL)};
        r = daemon_sign(d);
        return r == -EAGAIN ? 0 : r;
}

static void daemon_on_tpm(void *userdata, const char *answer, const char *error) {
        Daemon *d = userdata;

        port_answer_background(d->port, answer ? NULL : "GenericError", answer ? answer : error);
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
        d->reloading = true;
        keeper_reload(d->keeper);
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

static int daemon_make_report(Daemon *d) {
        const KeeperOwner owner = {.updated = daemon_on_report, .ready = daemon_on_ready, .userdata = d};
        int r;

        r = keeper_new(&d->keeper, d->event, &guest_side, d->root, KEEPER_PACE, &owner);
        if (r >= 0)
                daemon_tell_manager(d);

        return r;
}

static int daemon_make_port(Daemon *d) {
        const TpmClientOwner owner = {.done = daemon_on_tpm, .userdata = d};
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
        r = daemon_make_report(d);
        if (r < 0)
                return log_error_errno(r, "The report cannot be made");
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
        signing_done(&d->signing);
        keeper_free(d->keeper);
        sd_event_source_disable_unref(d->terminate);
        sd_event_source_disable_unref(d->interrupt);
        sd_event_source_disable_unref(d->reload);
        free(d->summary);
        strv_free(d->told);
        sd_event_unref(d->event);
        free(d);
        return NULL;
}
