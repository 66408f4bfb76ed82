/* SPDX-License-Identifier: Apache-2.0 */

/*
 * gtune-host query: any command, its answer as one line of JSON a target.
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
