/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <systemd/sd-bus.h>

#include "agent/daemon/unit-watch.h"

#define UNIT_WATCH_MANAGER "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"
#define UNIT_WATCH_PREFIX "/org/freedesktop/systemd1/unit"

struct UnitWatch {
        sd_event *event;
        sd_bus *bus; /* NULL: not connected */
        bool subscribed; /* the service manager announces on it */
        const char *const *units;
        void (*changed)(void *userdata);
        void *userdata;
};

static int unit_watch_on_signal(_unused_ sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        UnitWatch *w = userdata;

        w->changed(w->userdata);
        return 0;
}

/*
 * The manager sends signals only to subscribers (org.freedesktop.systemd1(5)), so an earlier change may have been
 * missed. An error, which also the end of the connection brings, is no change: who hears nothing compares at the host's
 * next request.
 */
static int unit_watch_on_subscribed(sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        UnitWatch *w = userdata;

        w->subscribed = !sd_bus_message_is_method_error(m, NULL);
        if (w->subscribed)
                w->changed(w->userdata);
        return 0;
}

static int unit_watch_match_unit(UnitWatch *w, sd_bus *bus, const char *unit) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = sd_bus_path_encode(UNIT_WATCH_PREFIX, unit, &path);
        if (r < 0)
                return r;

        return sd_bus_match_signal_async(bus, NULL, "org.freedesktop.systemd1", path, "org.freedesktop.DBus.Properties",
                                         "PropertiesChanged", unit_watch_on_signal, NULL, w);
}

static int unit_watch_match_all(UnitWatch *w, sd_bus *bus) {
        int r;

        r = sd_bus_match_signal_async(bus, NULL, UNIT_WATCH_MANAGER, "Reloading", unit_watch_on_signal, NULL, w);
        if (r < 0)
                return r;

        for (const char *const *unit = w->units; *unit; unit++) {
                r = unit_watch_match_unit(w, bus, *unit);
                if (r < 0)
                        return r;
        }

        return sd_bus_call_method_async(bus, NULL, UNIT_WATCH_MANAGER, "Subscribe", unit_watch_on_subscribed, w, NULL);
}

static int unit_watch_connect(UnitWatch *w) {
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        int r;

        r = sd_bus_open_system(&bus);
        if (r < 0)
                return r;
        r = unit_watch_match_all(w, bus);
        if (r < 0)
                return r;
        r = sd_bus_attach_event(bus, w->event, SD_EVENT_PRIORITY_IMPORTANT);
        if (r < 0)
                return r;

        w->bus = TAKE_PTR(bus);
        return 0;
}

static bool unit_watch_is_open(const UnitWatch *w) {
        return w->bus && sd_bus_is_open(w->bus) > 0;
}

bool unit_watch_hears(const UnitWatch *w) {
        return w->subscribed && unit_watch_is_open(w);
}

void unit_watch_revive(UnitWatch *w) {
        if (unit_watch_is_open(w))
                return;

        w->bus = sd_bus_close_unref(w->bus);
        w->subscribed = false;
        (void) unit_watch_connect(w);
}

int unit_watch_new(UnitWatch **ret, sd_event *event, const char *const *units,
                   void (*changed)(void *userdata), void *userdata) {
        UnitWatch *w;

        assert(ret && event && units && changed);

        w = calloc(1, sizeof(UnitWatch));
        if (!w)
                return -ENOMEM;

        w->event = sd_event_ref(event);
        w->units = units;
        w->changed = changed;
        w->userdata = userdata;
        if (*units)
                (void) unit_watch_connect(w);

        *ret = w;
        return 0;
}

UnitWatch *unit_watch_free(UnitWatch *w) {
        if (!w)
                return NULL;

        sd_bus_close_unref(w->bus);
        sd_event_unref(w->event);
        free(w);
        return NULL;
}
