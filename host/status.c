/* SPDX-License-Identifier: Apache-2.0 */

/*
 * gtune-host status: show the report of each guest. The test is tests/host/lying-guests.py.
 */

#include "host/verb.h"
#include "core/text.h"

void host_status_judge(Target *t, json_object *report) {
        json_object *practices = json_get_array(report, "practices");

        t->status = report_status(report);
        for (size_t i = 0; i < json_object_array_length(practices); i++)
                t->states[practice_state(json_object_array_get_idx(practices, i))]++;
}

static int status_show(const Output *o, Target *t, json_object *report) {
        host_status_judge(t, report);
        if (o->json)
                return print_answer(o, t, "report", report);

        return print_report(o, t, report);
}

static int status_print_count(Buffer *b, unsigned count, const char *name, const char **separator) {
        int r;

        if (count == 0)
                return 0;

        r = text_printf(b, "%s%u %s", *separator, count, name);
        *separator = ", ";
        return r;
}

/* For example "5 guests: 4 ok, 1 no-answer; practices: 4 active, 3 unsupported". */
int host_status_foot(const Output *o, const Target *targets, size_t n, Buffer *b) {
        unsigned outcomes[_OUTCOME_MAX] = {}, states[_STATE_MAX] = {};
        const char *separator = "";
        int r;

        if (o->json || !o->terminal || n < 2)
                return 0;

        for (size_t i = 0; i < n; i++) {
                outcomes[cause_outcome(targets[i].cause)]++;
                for (int s = 0; s < _STATE_MAX; s++)
                        states[s] += targets[i].states[s];
        }

        r = text_printf(b, "%zu guests: ", n);
        if (r < 0)
                return r;

        for (Outcome i = 0; i < _OUTCOME_MAX; i++) {
                r = status_print_count(b, outcomes[i], outcome_name(i), &separator);
                if (r < 0)
                        return r;
        }

        separator = "; practices: ";
        for (int s = 0; s < _STATE_MAX; s++) {
                r = status_print_count(b, states[s], state_to_string((State) s), &separator);
                if (r < 0)
                        return r;
        }

        return buffer_puts(b, "\n");
}

const HostVerb host_verb_status = {
        .name = "status",
        .synopsis = "TARGET...",
        .help = "Show each guest's practices",
        .execute = "gtune-status",
        .check = report_check,
        .head = print_head,
        .foot = host_status_foot,
        .show = status_show,
};
