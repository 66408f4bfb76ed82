/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The five tunables of the governor (Linux: drivers/cpuidle/governors/haltpoll.c,
 * Documentation/virt/guest-halt-polling.rst). A write takes effect at once and is lost at a reboot.
 *
 * Tested by the golden machines (tests/roots), and by fuzz-policy.
 */

#include "haltpoll/haltpoll.h"

static const char *const enable_choices[] = {"auto", "yes", "no", NULL};

/* The first _TUNABLE_MAX rows are the tunables in the order of the enum. */
const PolicyKey haltpoll_keys[] = {
        {"haltpoll", "guest_halt_poll_ns", KEY_KERNEL_UINT, NULL, "longest time to poll before halting, ns"},
        {"haltpoll", "guest_halt_poll_shrink", KEY_KERNEL_UINT, NULL, "divisor of the limit; 0 resets it"},
        {"haltpoll", "guest_halt_poll_grow", KEY_KERNEL_UINT, NULL, "factor of the limit after a short idle"},
        {"haltpoll", "guest_halt_poll_grow_start", KEY_KERNEL_UINT, NULL, "smallest limit when growing, ns"},
        {"haltpoll", "guest_halt_poll_allow_shrink", KEY_KERNEL_BOOL, NULL, "whether the limit may shrink"},
        {"haltpoll", "enable", KEY_CHOICE, enable_choices, "whether haltpoll is wanted: auto, yes or no"},
};

_Static_assert(ELEMENTSOF(haltpoll_keys) == HALTPOLL_N_KEYS, "the count in haltpoll.h is wrong");

/* The kernel's defaults, for tunables that cannot be read and that the policy does not set. */
static const uint32_t tunable_defaults[_TUNABLE_MAX] = {
        [TUNABLE_NS] = 200000, [TUNABLE_SHRINK] = 2, [TUNABLE_GROW] = 2, [TUNABLE_GROW_START] = 50000,
        [TUNABLE_ALLOW_SHRINK] = 1,
};

void tunables_done(TunableValue values[static _TUNABLE_MAX]) {
        for (Tunable t = 0; t < _TUNABLE_MAX; t++)
                free(values[t].text);
}

static int tunable_parse(Tunable t, const char *text, uint32_t *ret) {
        bool flag;
        int r;

        if (t != TUNABLE_ALLOW_SHRINK)
                return parse_kernel_uint(text, ret);

        r = parse_kernel_bool(text, &flag);
        if (r >= 0)
                *ret = flag;
        return r;
}

static char *tunable_path(Tunable t) {
        return xasprintf(HALTPOLL_PARAMETERS "/%s", haltpoll_keys[t].name);
}

static char *tunable_format(Tunable t, uint32_t value) {
        return t == TUNABLE_ALLOW_SHRINK ? strdup(value ? "Y" : "N") : xasprintf("%u", value);
}

int tunables_read(const View *view, TunableValue values[static _TUNABLE_MAX]) {
        for (Tunable t = 0; t < _TUNABLE_MAX; t++) {
                _cleanup_free_ char *path = tunable_path(t);
                TunableValue *v = values + t;

                if (!path)
                        return -ENOMEM;

                v->setting = policy_get(view->policy, "haltpoll", haltpoll_keys[t].name);
                if (v->setting && tunable_parse(t, v->setting->value, &v->wanted) < 0)
                        v->setting = NULL; /* reading the policy has reported the error */

                if (root_read_line(view->root, path, &v->text) == -ENOMEM)
                        return -ENOMEM;
                if (v->text && tunable_parse(t, v->text, &v->actual) < 0)
                        free(TAKE_PTR(v->text));
        }

        return 0;
}

/* The value that a tunable will have after an apply. */
static uint32_t tunable_expected(const TunableValue *values, Tunable t) {
        return values[t].setting ? values[t].wanted : values[t].text ? values[t].actual : tunable_defaults[t];
}

static int tunables_check_grow_start(Policy *policy, const TunableValue *values) {
        const PolicySetting *s = values[TUNABLE_GROW_START].setting;
        uint32_t start = tunable_expected(values, TUNABLE_GROW_START), ns = tunable_expected(values, TUNABLE_NS);

        if (!s)
                s = values[TUNABLE_NS].setting;

        /* ns = 0 switches polling off, and grow_start does not matter any more. */
        if (!s || ns == 0)
                return 0;
        if (start > ns)
                return policy_error(policy, s->file, s->line,
                                    "%s = %s: guest_halt_poll_grow_start (%u) must not be greater than "
                                    "guest_halt_poll_ns (%u), or the limit has no ramp",
                                    s->key->name, s->value, start, ns);
        if (start == 0)
                return policy_error(policy, s->file, s->line,
                                    "%s = %s: guest_halt_poll_grow_start must be at least 1: from 0 the limit never "
                                    "grows and polling stays off; to switch it off set guest_halt_poll_ns = 0",
                                    s->key->name, s->value);

        return 0;
}

/* adjust_poll_limit() computes the new limit in 32 bits. */
static int tunables_check_product(Policy *policy, const TunableValue *values) {
        uint64_t product = (uint64_t) tunable_expected(values, TUNABLE_NS) * tunable_expected(values, TUNABLE_GROW);
        const PolicySetting *s = values[TUNABLE_NS].setting;

        if (!s)
                s = values[TUNABLE_GROW].setting;
        if (!s || product <= UINT32_MAX)
                return 0;

        return policy_error(policy, s->file, s->line,
                            "%s = %s: guest_halt_poll_ns * guest_halt_poll_grow (%u * %u) must be less than "
                            "4294967296, or the kernel's limit wraps",
                            s->key->name, s->value, tunable_expected(values, TUNABLE_NS),
                            tunable_expected(values, TUNABLE_GROW));
}

/* With ns = 0 only shrinking brings down the limits that the CPUs have reached. */
static int tunables_check_off(Policy *policy, const TunableValue *values) {
        const PolicySetting *s = values[TUNABLE_NS].setting;

        if (!s || values[TUNABLE_NS].wanted != 0)
                return 0;
        if (tunable_expected(values, TUNABLE_ALLOW_SHRINK) && tunable_expected(values, TUNABLE_SHRINK) != 1)
                return 0;

        return policy_error(policy, s->file, s->line,
                            "guest_halt_poll_ns = 0 switches polling off only when the limit may shrink: set "
                            "guest_halt_poll_allow_shrink = Y and guest_halt_poll_shrink to 0 or 2 and above");
}

int tunables_check(_unused_ const View *view, const void *facts, Policy *policy) {
        const Haltpoll *h = facts;
        int r;

        r = tunables_check_grow_start(policy, h->tunables);
        if (r < 0)
                return r;
        r = tunables_check_product(policy, h->tunables);
        if (r < 0)
                return r;

        return tunables_check_off(policy, h->tunables);
}

static int tunable_note_drift(const View *view, Finding *finding, const TunableValue *v, Tunable t,
                              const char **ret_drifted) {
        _cleanup_free_ char *path = tunable_path(t);
        const LedgerAttribute *record;

        if (!path)
                return -ENOMEM;

        /* If the value is still the one that gtuned wrote, the policy has changed, and not the kernel's value. */
        record = ledger_attribute(view->ledger, path, view->machine->boot_id);
        if (!record || streq(record->new, v->text))
                return 0;

        *ret_drifted = haltpoll_keys[t].name;
        return finding_evidence(finding, path, v->text);
}

int tunables_observe(const View *view, const Haltpoll *h, Finding *finding, bool *ret_differs,
                     const char **ret_drifted) {
        *ret_differs = false;
        *ret_drifted = NULL;

        for (Tunable t = 0; t < _TUNABLE_MAX; t++) {
                const TunableValue *v = h->tunables + t;
                bool wanted = v->setting && finding->wanted == WANTED_ON;
                _cleanup_free_ char *text = NULL;
                int r;

                if (!wanted && !v->text)
                        continue;
                if (wanted) {
                        text = tunable_format(t, v->wanted);
                        if (!text)
                                return -ENOMEM;
                }

                r = finding_setting(finding, haltpoll_keys[t].name, text, v->text);
                if (r < 0)
                        return r;
                if (!wanted || finding->held || !v->text || v->wanted == v->actual)
                        continue;

                *ret_differs = true;
                r = tunable_note_drift(view, finding, v, t, ret_drifted);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int tunable_plan(const View *view, const Finding *finding, const TunableValue *v, Tunable t, Plan *plan) {
        _cleanup_free_ char *path = tunable_path(t), *text = tunable_format(t, v->wanted);

        if (!path || !text)
                return -ENOMEM;

        /* In an image the attributes do not exist yet; the unit that runs at boot will write them. */
        if (v->text ? v->actual == v->wanted : view->machine->kind != MACHINE_IMAGE)
                return 0;

        return plan_attribute(plan, finding, path, text);
}

/*
 * If the limit may not shrink, a CPU whose limit is above a new, lower maximum keeps its limit. Any write to the
 * attribute "disable" of an idle state resets the limit of that CPU to 0 (drivers/cpuidle/sysfs.c,
 * cpuidle_state_store()).
 */
static int tunables_plan_reset(const View *view, const Finding *finding, const TunableValue *values, Plan *plan) {
        const TunableValue *ns = values + TUNABLE_NS;

        if (!ns->setting || !ns->text || ns->wanted >= ns->actual || tunable_expected(values, TUNABLE_ALLOW_SHRINK))
                return 0;

        for (unsigned cpu = 0; cpu < view->machine->possible_cpus; cpu++) {
                _cleanup_free_ char *path = xasprintf("/sys/devices/system/cpu/cpu%u/cpuidle/state0/disable", cpu);

                if (!path)
                        return -ENOMEM;
                if (root_exists(view->root, path) && plan_rewrite(plan, finding, path) < 0)
                        return -ENOMEM;
        }

        return 0;
}

/*
 * Shrinking brings down limits that are above a new, lower maximum, so allow_shrink = Y is written first and N last.
 * grow_start must not exceed the maximum at any step: a higher maximum is written before it, a lower one after it.
 */
int tunables_plan(const View *view, const Haltpoll *h, const Finding *finding, Plan *plan) {
        const TunableValue *shrink = h->tunables + TUNABLE_ALLOW_SHRINK, *ns = h->tunables + TUNABLE_NS;
        Tunable order[] = {
                TUNABLE_ALLOW_SHRINK, TUNABLE_NS, TUNABLE_GROW_START, TUNABLE_GROW, TUNABLE_SHRINK,
        };

        if (shrink->setting && !shrink->wanted) {
                memmove(order, order + 1, sizeof(order) - sizeof(order[0]));
                order[ELEMENTSOF(order) - 1] = TUNABLE_ALLOW_SHRINK;
        }
        if (ns->setting && ns->text && ns->wanted < ns->actual) {
                size_t i = order[0] == TUNABLE_NS ? 0 : 1;

                order[i] = TUNABLE_GROW_START;
                order[i + 1] = TUNABLE_NS;
        }

        for (size_t i = 0; i < ELEMENTSOF(order); i++)
                if (h->tunables[order[i]].setting &&
                    tunable_plan(view, finding, h->tunables + order[i], order[i], plan) < 0)
                        return -ENOMEM;

        return tunables_plan_reset(view, finding, h->tunables, plan);
}
