/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "agent/tpm/events.h"
#include "tpm/eventlog.h"

/* There are two logs. */
#define TPM_EVENTS_MAX (2U * EVENT_LOG_EVENTS_MAX)

/* Moves the events of a page. Return: 0, -EBADMSG or -ENOMEM. */
static int tpm_events_take_page(json_object *page, json_object *events) {
        json_object *array = json_get_array(page, "events");
        EventView v;

        if (!array)
                return -EBADMSG;

        for (size_t i = 0; i < json_object_array_length(array); i++) {
                json_object *event = json_object_array_get_idx(array, i);

                if (event_view(event, &v) < 0 || v.number >= TPM_EVENTS_MAX ||
                    v.number != json_object_array_length(events))
                        return -EBADMSG;
                if (json_add(events, json_object_get(event)) < 0)
                        return -ENOMEM;
        }

        return 0;
}

/* Return: 1 if a page follows, 0 if not, -EBADMSG. */
static int tpm_events_page_follows(json_object *page, json_object *events) {
        size_t n = json_object_array_length(events);
        json_object *next;

        if (!json_object_object_get_ex(page, "next", &next))
                return -EBADMSG;
        if (!next)
                return 0;

        /* An empty page that announces another page would make an endless loop. */
        if (!json_object_is_type(next, json_type_int) || json_object_get_int64(next) != (int64_t) n ||
            json_object_array_length(json_get_array(page, "events")) == 0)
                return -EBADMSG;

        return 1;
}

static int tpm_events_walk(const Context *c, json_object *events, json_object **ret_logs, char **ret_error) {
        int r = 1;

        while (r == 1) {
                const size_t offset = json_object_array_length(events);
                _cleanup_json_ json_object *page = NULL, *arguments = json_object_new_object();
                json_object *logs;

                if (!arguments || json_set(arguments, "offset", json_object_new_int64((int64_t) offset)) < 0)
                        return -ENOMEM;
                r = tpm_ask(c, "eventlog", TAKE_PTR(arguments), &page, ret_error);
                if (r != 0)
                        return r;

                r = json_object_object_get_ex(page, "logs", &logs) ? tpm_events_take_page(page, events) : -EBADMSG;
                if (r >= 0)
                        r = tpm_events_page_follows(page, events);
                if (r == -EBADMSG) {
                        *ret_error = strdup("gtune-tpm gave events that cannot be understood: gtuned and gtuned-tpm "
                                            "must be of the same version");
                        return *ret_error ? TPM_NO_ANSWER : -ENOMEM;
                }
                if (r < 0)
                        return r;
                if (r == 0)
                        *ret_logs = json_object_get(logs);
        }

        return 0;
}

int tpm_events(const Context *c, json_object **ret, char **ret_error) {
        _cleanup_json_ json_object *o = json_object_new_object(), *events = json_object_new_array(), *logs = NULL;
        int r;

        assert(c && ret && ret_error);

        if (!o || !events)
                return -ENOMEM;

        r = tpm_events_walk(c, events, &logs, ret_error);
        if (r != 0)
                return r;

        if (json_set(o, "total", json_object_new_int64((int64_t) json_object_array_length(events))) < 0 ||
            json_set(o, "logs", TAKE_PTR(logs)) < 0 || json_set(o, "events", TAKE_PTR(events)) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}
