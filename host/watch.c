/* SPDX-License-Identifier: Apache-2.0 */

/*
 * gtune-host watch: show the report of each guest, and then each change when its event comes. The test is
 * tests/host/lying-guests.py.
 */

#include "host/verb.h"

static int watch_show(const Output *o, Target *t, json_object *report) {
        if (o->json)
                return print_answer(o, t, "report", report);

        return print_report(o, t, report);
}

static int watch_show_change(const Output *o, Target *t, json_object *data) {
        _cleanup_json_ json_object *object = NULL;
        json_object *practices = json_get_array(data, "practices");
        int r;

        if (!o->json)
                return print_practices(o, t, practices, true);

        object = print_object(o, t, false);
        if (!object)
                return -ENOMEM;

        r = json_set(object, "practices", json_object_get(practices));
        if (r < 0)
                return r;

        return print_json(&t->text, object);
}

const HostVerb host_verb_watch = {
        .name = "watch",
        .synopsis = "TARGET...",
        .help = "Show the practices, then each change",
        .execute = "gtune-watch",
        .event = "GTUNE_CHANGED",
        .stream = true,
        .check = report_check,
        .check_change = report_check_change,
        .head = print_head,
        .show = watch_show,
        .show_change = watch_show_change,
};
