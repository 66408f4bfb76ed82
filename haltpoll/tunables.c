/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The five tunables of the governor, as drivers/cpuidle/governors/haltpoll.c uses them
 * (Documentation/virt/guest-halt-polling.rst). They take effect at once and are lost at a reboot.
 */

#include "haltpoll/haltpoll.h"

typedef enum Tunable {
        TUNABLE_NS,
        TUNABLE_SHRINK,
        TUNABLE_GROW,
        TUNABLE_GROW_START,
        TUNABLE_ALLOW_SHRINK,
        _TUNABLE_MAX,
} Tunable;

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

/* The kernel's own defaults, for what cannot be read and is not set. */
static const uint32_t defaults[_TUNABLE_MAX] = {
        [TUNABLE_NS] = 200000, [TUNABLE_SHRINK] = 2, [TUNABLE_GROW] = 2, [TUNABLE_GROW_START] = 50000,
        [TUNABLE_ALLOW_SHRINK] = 1,
};

typedef struct Value {
        const PolicySetting *setting; /* NULL: left alone */
        uint32_t wanted;              /* where there is a setting */
        char *text;                   /* what the kernel says; NULL: cannot be read */
        uint32_t actual;              /* where there is a text */
} Value;

static void values_done(Value (*values)[_TUNABLE_MAX]) {
        for (Tunable t = 0; t < _TUNABLE_MAX; t++)
                free((*values)[t].text);
}

static int parse_tunable(Tunable t, const char *text, uint32_t *ret) {
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

static char *format_tunable(Tunable t, uint32_t value) {
        return t == TUNABLE_ALLOW_SHRINK ? strdup(value ? "Y" : "N") : xasprintf("%u", value);
}

static int read_values(const View *view, Value (*values)[_TUNABLE_MAX]) {
        for (Tunable t = 0; t < _TUNABLE_MAX; t++) {
                _cleanup_free_ char *path = tunable_path(t);
                Value *v = *values + t;
                int r;

                if (!path)
                        return -ENOMEM;

                v->setting = policy_get(view->policy, "haltpoll", haltpoll_keys[t].name);
                if (v->setting && parse_tunable(t, v->setting->value, &v->wanted) < 0)
                        v->setting = NULL; /* reading the policy has complained already */

                r = root_read_line(view->root, path, &v->text);
                if (r == -ENOMEM)
                        return r;
                if (v->text && parse_tunable(t, v->text, &v->actual) < 0)
                        free(TAKE_PTR(v->text));
        }

        return 0;
}

/* What will hold after an apply. */
static uint32_t expected(const Value *values, Tunable t) {
        return values[t].setting ? values[t].wanted : values[t].text ? values[t].actual : defaults[t];
}

static int check_grow_start(const View *view, const Value *values) {
        const PolicySetting *s = values[TUNABLE_GROW_START].setting;
        uint32_t start = expected(values, TUNABLE_GROW_START), ns = expected(values, TUNABLE_NS);

        if (!s)
                s = values[TUNABLE_NS].setting;

        /* ns = 0 is how polling is switched off: no ramp is left that could be wrong. */
        if (!s || ns == 0)
                return 0;
        if (start > ns)
                return policy_error(view->policy, s->file, s->line,
                                    "%s = %s: guest_halt_poll_grow_start (%u) must not be greater than "
                                    "guest_halt_poll_ns (%u), or the limit has no ramp",
                                    s->key->name, s->value, start, ns);
        if (start == 0)
                return policy_error(view->policy, s->file, s->line,
                                    "%s = %s: guest_halt_poll_grow_start must be at least 1: from 0 the limit never "
                                    "grows and polling stays off; to switch it off set guest_halt_poll_ns = 0",
                                    s->key->name, s->value);

        return 0;
}

/* adjust_poll_limit() computes the new limit in 32 bits. */
static int check_product(const View *view, const Value *values) {
        uint64_t product = (uint64_t) expected(values, TUNABLE_NS) * expected(values, TUNABLE_GROW);
        const PolicySetting *s = values[TUNABLE_NS].setting;

        if (!s)
                s = values[TUNABLE_GROW].setting;
        if (!s || product <= UINT32_MAX)
                return 0;

        return policy_error(view->policy, s->file, s->line,
                            "%s = %s: guest_halt_poll_ns * guest_halt_poll_grow (%u * %u) must be less than "
                            "4294967296, or the kernel's limit wraps",
                            s->key->name, s->value, expected(values, TUNABLE_NS), expected(values, TUNABLE_GROW));
}

/* With ns = 0 only a shrink brings the limits that CPUs have reached down again. */
static int check_off(const View *view, const Value *values) {
        const PolicySetting *s = values[TUNABLE_NS].setting;

        if (!s || values[TUNABLE_NS].wanted != 0)
                return 0;
        if (expected(values, TUNABLE_ALLOW_SHRINK) && expected(values, TUNABLE_SHRINK) != 1)
                return 0;

        return policy_error(view->policy, s->file, s->line,
                            "guest_halt_poll_ns = 0 switches polling off only when the limit may shrink: set "
                            "guest_halt_poll_allow_shrink = Y and guest_halt_poll_shrink to 0 or 2 and above");
}

int tunables_check(const View *view) {
        _cleanup_(values_done) Value values[_TUNABLE_MAX] = {};
        int r;

        r = read_values(view, &values);
        if (r >= 0)
                r = check_grow_start(view, values);
        if (r >= 0)
                r = check_product(view, values);
        if (r >= 0)
                r = check_off(view, values);

        return r;
}

static int note_drift(const View *view, Finding *finding, const Value *v, Tunable t, const char **ret_drifted) {
        _cleanup_free_ char *path = tunable_path(t);
        const LedgerAttribute *record;

        if (!path)
                return -ENOMEM;

        /* Where our own value is still there, it is the policy that has changed. */
        record = ledger_attribute(view->ledger, path, view->machine->boot_id);
        if (!record || streq(record->new, v->text))
                return 0;

        *ret_drifted = haltpoll_keys[t].name;
        return finding_evidence(finding, path, v->text);
}

int tunables_observe(const View *view, Finding *finding, bool *ret_differs, const char **ret_drifted) {
        _cleanup_(values_done) Value values[_TUNABLE_MAX] = {};
        int r;

        *ret_differs = false;
        *ret_drifted = NULL;

        r = read_values(view, &values);
        for (Tunable t = 0; r >= 0 && t < _TUNABLE_MAX; t++) {
                const Value *v = values + t;
                bool wanted = v->setting && finding->wanted == WANTED_ON;
                _cleanup_free_ char *text = NULL;

                if (!wanted && !v->text)
                        continue;
                if (wanted) {
                        text = format_tunable(t, v->wanted);
                        if (!text)
                                return -ENOMEM;
                }

                r = finding_setting(finding, haltpoll_keys[t].name, text, v->text);
                if (r < 0 || !wanted || finding->held || !v->text || v->wanted == v->actual)
                        continue;

                *ret_differs = true;
                r = note_drift(view, finding, v, t, ret_drifted);
        }

        return r;
}

static int plan_value(const View *view, Plan *plan, const Value *v, Tunable t, uint32_t value) {
        _cleanup_free_ char *path = tunable_path(t), *text = format_tunable(t, value);

        if (!path || !text)
                return -ENOMEM;

        /* Of an image the attributes do not exist yet: they are what the boot unit will write. */
        if (v->text ? v->actual == value : view->machine->kind != MACHINE_IMAGE)
                return 0;

        return plan_attribute(plan, practice_haltpoll.name, path, text);
}

/*
 * Where the limit may not shrink, CPUs whose limit is above a new, lower maximum keep it. Any write to a state's
 * "disable" sets the limit of that CPU back to 0 (drivers/cpuidle/sysfs.c, cpuidle_state_store()).
 */
static int plan_reset(const View *view, const Value *values, Plan *plan) {
        const Value *ns = values + TUNABLE_NS;

        if (!ns->setting || !ns->text || ns->wanted >= ns->actual || expected(values, TUNABLE_ALLOW_SHRINK))
                return 0;

        for (unsigned cpu = 0; cpu < view->machine->possible_cpus; cpu++) {
                _cleanup_free_ char *path = xasprintf("/sys/devices/system/cpu/cpu%u/cpuidle/state0/disable", cpu);

                if (!path)
                        return -ENOMEM;
                if (root_exists(view->root, path) && plan_rewrite(plan, practice_haltpoll.name, path) < 0)
                        return -ENOMEM;
        }

        return 0;
}

/*
 * Shrinking brings limits down that are above a new, lower maximum, so "Y" goes first and "N" last. The ramp
 * stays below the maximum at every step: a rising maximum goes before its ramp, a falling one behind.
 */
int tunables_plan(const View *view, Plan *plan) {
        _cleanup_(values_done) Value values[_TUNABLE_MAX] = {};
        Tunable order[] = {
                TUNABLE_ALLOW_SHRINK, TUNABLE_NS, TUNABLE_GROW_START, TUNABLE_GROW, TUNABLE_SHRINK,
        };
        const Value *shrink = values + TUNABLE_ALLOW_SHRINK, *ns = values + TUNABLE_NS;
        int r;

        r = read_values(view, &values);
        if (r < 0)
                return r;

        if (shrink->setting && !shrink->wanted) {
                memmove(order, order + 1, sizeof(order) - sizeof(order[0]));
                order[ELEMENTSOF(order) - 1] = TUNABLE_ALLOW_SHRINK;
        }
        if (ns->setting && ns->text && ns->wanted < ns->actual) {
                size_t i = order[0] == TUNABLE_NS ? 0 : 1;

                order[i] = TUNABLE_GROW_START;
                order[i + 1] = TUNABLE_NS;
        }

        for (size_t i = 0; i < ELEMENTSOF(order); i++) {
                const Value *v = values + order[i];

                if (!v->setting)
                        continue;
                r = plan_value(view, plan, v, order[i], v->wanted);
                if (r < 0)
                        return r;
        }

        return plan_reset(view, values, plan);
}
