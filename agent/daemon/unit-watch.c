/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <systemd/sd-bus.h>

#include "agent/daemon/unit-watch.h"

#define MANAGER "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"
#define UNIT_PREFIX "/org/freedesktop/systemd1/unit"

struct ServiceSource {
        sd_event *event;
        sd_bus *bus; /* NULL: there is none at the moment */
        const char *const *units;
        void (*changed)(void *userdata);
        void *userdata;
};

static int on_signal(_unused_ sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        ServiceSource *s = userdata;

        s->changed(s->userdata);
        return 0;
}

/*
 * The manager tells only those who have subscribed, so that what changed until now is looked at once more. That it
 * failed is not worth a word, a query looks again.
 */
static int on_subscribed(_unused_ sd_bus_message *m, void *userdata, _unused_ sd_bus_error *error) {
        ServiceSource *s = userdata;

        s->changed(s->userdata);
        return 0;
}

static int listen_to_unit(ServiceSource *s, sd_bus *bus, const char *unit) {
        _cleanup_free_ char *path = NULL;
        int r;

        r = sd_bus_path_encode(UNIT_PREFIX, unit, &path);
        return r < 0 ? r
                     : sd_bus_match_signal_async(bus, NULL, "org.freedesktop.systemd1", path,
                                                 "org.freedesktop.DBus.Properties", "PropertiesChanged", on_signal,
                                                 NULL, s);
}

static int listen_to_all(ServiceSource *s, sd_bus *bus) {
        int r;

        r = sd_bus_match_signal_async(bus, NULL, MANAGER, "Reloading", on_signal, NULL, s);
        for (const char *const *unit = s->units; r >= 0 && *unit; unit++)
                r = listen_to_unit(s, bus, *unit);
        if (r >= 0)
                r = sd_bus_call_method_async(bus, NULL, MANAGER, "Subscribe", on_subscribed, s, NULL);

        return r;
}

static int source_connect(ServiceSource *s) {
        _cleanup_(sd_bus_close_unrefp) sd_bus *bus = NULL;
        int r;

        r = sd_bus_open_system(&bus);
        if (r >= 0)
                r = listen_to_all(s, bus);
        if (r >= 0)
                r = sd_bus_attach_event(bus, s->event, SD_EVENT_PRIORITY_IMPORTANT);
        if (r >= 0)
                s->bus = TAKE_PTR(bus);

        return r;
}

void service_source_revive(ServiceSource *s) {
        if (s->bus && sd_bus_is_open(s->bus) > 0)
                return;

        s->bus = sd_bus_close_unref(s->bus);
        (void) source_connect(s);
}

int service_source_new(ServiceSource **ret, sd_event *event, const char *const *units,
                       void (*changed)(void *userdata), void *userdata) {
        ServiceSource *s;

        assert(ret && event && units && changed);

        s = calloc(1, sizeof(ServiceSource));
        if (!s)
                return -ENOMEM;

        s->event = sd_event_ref(event);
        s->units = units;
        s->changed = changed;
        s->userdata = userdata;
        if (*units)
                (void) source_connect(s);

        *ret = s;
        return 0;
}

ServiceSource *service_source_free(ServiceSource *s) {
        if (!s)
                return NULL;

        sd_bus_close_unref(s->bus);
        sd_event_unref(s->event);
        free(s);
        return NULL;
}
