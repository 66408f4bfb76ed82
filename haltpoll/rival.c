/* SPDX-License-Identifier: Apache-2.0 */

/*
 * TuneD beside gtuned: its profile sap-hana-kvm-guest loads the driver and writes two tunables at each start of TuneD
 * (TuneD: profiles/sap-hana-kvm-guest/tuned.conf). Who writes last has his way, until the next start of the other.
 *
 * Tested by the golden machines (tests/roots), tuned-*.
 */

#include "haltpoll/haltpoll.h"

static const TunedOption *rival_tunable(const Haltpoll *h, Tunable t, char **path) {
        free(*path);
        *path = tunable_path(t);
        return *path ? tuned_option(h->tuned, "sysfs", *path) : NULL;
}

/* The module is named with "-" or "_". */
static const TunedOption *rival_module(const Haltpoll *h) {
        for (size_t i = h->tuned ? h->tuned->n : 0; i > 0; i--) {
                const TunedOption *o = h->tuned->options + i - 1;

                if (streq(o->section, "modules") && parameter_name_equal(o->name, HALTPOLL_MODULE_NAME))
                        return o;
        }

        return NULL;
}

static int rival_add_option(const Haltpoll *h, const TunedOption *o, Finding *f) {
        _cleanup_free_ char *where = location_format(o->path, o->line);
        _cleanup_free_ char *text = NULL;

        if (where)
                text = xasprintf("profile %s, %s: %s = %s", h->tuned->profile, where, o->name, o->value);
        return text ? finding_evidence(f, "TuneD", text) : -ENOMEM;
}

int rival_add_evidence(const Haltpoll *h, Finding *finding) {
        _cleanup_free_ char *path = NULL;
        const TunedOption *o = rival_module(h);
        int r;

        r = o ? rival_add_option(h, o, finding) : 0;
        for (Tunable t = 0; r >= 0 && h->tuned && t < _TUNABLE_MAX; t++) {
                o = rival_tunable(h, t, &path);
                if (!path)
                        return -ENOMEM;
                if (o)
                        r = rival_add_option(h, o, finding);
        }

        return r;
}

int rival_judge(const Haltpoll *h, Finding *finding) {
        _cleanup_free_ char *path = NULL;

        for (Tunable t = 0; h->tuned && t < _TUNABLE_MAX; t++) {
                const TunedOption *o = rival_tunable(h, t, &path);
                int r;

                if (!path)
                        return -ENOMEM;
                /* What a variable of TuneD holds is not known. */
                if (!o || !h->tunables[t].setting || strstr(o->value, "${") || tunable_is_equal(h, t, o->value))
                        continue;

                r = finding_verdict(finding, STATE_CONFLICT, "tuned",
                                    "set the same value here, or take the line out of a copy of the profile in "
                                    "/etc/tuned, or disable tuned",
                                    "TuneD's profile %s sets %s to %s at each start (%s:%u), and the policy wants %s",
                                    h->tuned->profile, haltpoll_keys[t].name, o->value, o->path, o->line,
                                    h->tunables[t].setting->value);
                return r < 0 ? r : 1;
        }

        return 0;
}

int rival_warn(const Haltpoll *h, Finding *finding) {
        const TunedOption *o = rival_module(h);

        if (!o)
                return 0;

        return finding_coded_warning(finding, "tuned", "choose another profile, or disable tuned",
                                     "TuneD's profile %s loads the driver at each start (%s:%u)", h->tuned->profile,
                                     o->path, o->line);
}
