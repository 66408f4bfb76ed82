/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a daemon costs that does nothing: an event loop, and the libraries of gtuned. One function of each of them is
 * called, so that the linker keeps it.
 */

#include <ini.h>
#include <json-c/json.h>
#include <libudev.h>
#include <signal.h>
#include <stdlib.h>
#include <systemd/sd-event.h>

#include "config.h"
#ifdef HAVE_ZLIB
#include <zlib.h>
#endif

static int on_value(void *user, const char *section, const char *name, const char *value) {
        return !user && section && name && value;
}

static int touch_libraries(void) {
        struct udev *udev = udev_new();
        json_object *object = json_object_new_object();
        int r = udev && object && ini_parse_string("[a]\nb = c\n", on_value, NULL) == 0 ? 0 : -1;

#ifdef HAVE_ZLIB
        if (!zlibVersion())
                r = -1;
#endif
        json_object_put(object);
        udev_unref(udev);
        return r;
}

int main(void) {
        sd_event *event = NULL;
        sigset_t set;
        int r;

        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGTERM);
        (void) sigprocmask(SIG_BLOCK, &set, NULL);

        r = touch_libraries();
        if (r >= 0)
                r = sd_event_default(&event);
        if (r >= 0)
                r = sd_event_add_signal(event, NULL, SIGTERM, NULL, NULL);
        if (r >= 0)
                r = sd_event_loop(event);

        sd_event_unref(event);
        return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
