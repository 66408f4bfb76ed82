/* SPDX-License-Identifier: Apache-2.0 */

#include "engine/own-unit.h"

#define CGROUPS_SIZE_MAX 65536U

/* Whether a control group of this process (/proc/PID/cgroup has a line for each hierarchy) is that of a unit. */
static bool cgroups_have_unit(const char *cgroups, const char *unit) {
        size_t n = strlen(unit);

        for (const char *at = cgroups; (at = strstr(at, unit)); at += n)
                if (at > cgroups && at[-1] == '/' && strchr("/\n", at[n]))
                        return true;

        return false;
}

const char *own_unit(const Root *root, const Transaction *t) {
        _cleanup_buffer_ Buffer cgroups = BUFFER_NULL;

        if (t->n_units == 0 || root_read(root, "/proc/self/cgroup", CGROUPS_SIZE_MAX, &cgroups) < 0)
                return NULL;

        for (size_t i = 0; i < t->n_units; i++)
                if (cgroups_have_unit(cgroups.data, t->units[i].unit))
                        return t->units[i].unit;

        return NULL;
}
