/* SPDX-License-Identifier: Apache-2.0 */

/*
 * gtune-host query: send any command, and print the answer of each target as one line of JSON. The test is
 * tests/host/lying-guests.py.
 */

#include "host/verb.h"

static int query_show(const Output *o, Target *t, json_object *value) {
        return print_answer(o, t, "return", value);
}

const HostVerb host_verb_query = {
        .name = "query",
        .synopsis = "COMMAND [JSON] TARGET...",
        .help = "Send a command, print each answer as JSON",
        .json = true,
        .show = query_show,
};
