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
        {"haltpoll", "guest_halt_poll_ns", KEY_KERNEL_UINT, NULL, "up to which a limit grows, ns; 0: no polling"},
        {"haltpoll", "guest_halt_poll_shrink", KEY_KERNEL_UINT, NULL, "divisor after a long halt; 0 resets it"},
        {"haltpoll", "guest_halt_poll_grow", KEY_KERNEL_UINT, NULL, "factor after a short halt"},
        {"haltpoll", "guest_halt_poll_grow_start", KEY_KERNEL_UINT, NULL, "the first limit when growing, ns"},
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

bool tunable_is_equal(const Haltpoll *h, Tunable t, const char *text) {
        uint32_t value;

        return tunable_parse(t, text, &value) >= 0 && value == h->tunables[t].wanted;
}

char *tunable_path(Tunable t) {
        return xasprintf(HALTPOLL_PARAMETERS "/%s", haltpoll_keys[t].name);
}

char *haltpoll_disable_path(unsigned cpu) {
        return xasprintf("/sys/devices/system/cpu/cpu%u/cpuidle/state0/disable", cpu);
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

/*
 * adjust_poll_limit() multiplies a limit below the maximum by the factor, in 32 bits. All other values that the kernel
 * takes it can work with: it clamps a grow_start above the maximum, and a value that leaves polling off is an order.
 */
int tunables_check(_unused_ const View *view, const void *facts, Policy *policy) {
        const TunableValue *values = ((const Haltpoll *) facts)->tunables;
        const uint32_t ns = tunable_expected(values, TUNABLE_NS), grow = tunable_expected(values, TUNABLE_GROW);
        const PolicySetting *s = values[TUNABLE_NS].setting;

        if (!s)
                s = values[TUNABLE_GROW].setting;
        if (!s || ns == 0 || (uint64_t) (ns - 1) * grow <= UINT32_MAX)
                return 0;

        return policy_error(policy, s->file, s->line,
                            "%s = %s: (guest_halt_poll_ns - 1) * guest_halt_poll_grow ((%u - 1) * %u) must be less "
                            "than 4294967296, or the kernel's limit wraps",
                            s->key->name, s->value, ns, grow);
}

/* What a policy asks for and perhaps does not mean. */
int tunables_advise(const Haltpoll *h, Finding *finding) {
        const TunableValue *values = h->tunables;
        const uint32_t ns = tunable_expected(values, TUNABLE_NS), start = tunable_expected(values, TUNABLE_GROW_START);

        if (!practice_is_on(finding) || ns == 0 ||
            (!values[TUNABLE_NS].setting && !values[TUNABLE_GROW_START].setting))
                return 0;

        if (start == 0)
                return finding_coded_warning(finding, "grow-start-zero", "set guest_halt_poll_grow_start to 1 or more",
                                             "guest_halt_poll_grow_start is 0: a limit of 0 never grows from there, "
                                             "so that no CPU begins to poll");
        if (start > ns)
                return finding_coded_warning(finding, "grow-start-clamped", NULL,
                                             "guest_halt_poll_grow_start (%u) counts as guest_halt_poll_ns (%u): the "
                                             "limit of a CPU is 0 or %u, without a ramp", start, ns, ns);

        return 0;
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

int tunables_observe(const View *view, const Haltpoll *h, Finding *finding, TunableOutcome *ret) {
        *ret = (TunableOutcome) {};

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
                if (!wanted || finding->held)
                        continue;
                if (!v->text && !ret->unreadable)
                        ret->unreadable = haltpoll_keys[t].name;
                if (!v->text || v->wanted == v->actual)
                        continue;

                ret->differs = true;
                r = tunable_note_drift(view, finding, v, t, &ret->drifted);
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
 * The kernel looks at the limit of a CPU only after a halt (adjust_poll_limit()). If all idles of a CPU end while it
 * polls, it keeps a limit above a new maximum, also 0, and one that a smaller grow_start would not have given. Any write
 * to the attribute "disable" of an idle state sets the limit of that CPU to 0 (drivers/cpuidle/sysfs.c,
 * cpuidle_state_store()).
 */
int tunables_list_rewrites(const View *view, const char *path, const char *from, const char *to, char ***ret) {
        const char *name = startswith(path, HALTPOLL_PARAMETERS "/");
        _cleanup_free_ unsigned *cpus = NULL;
        size_t n = 0, n_cpus = 0;
        uint32_t before, after;

        if (!name || parse_kernel_uint(from, &before) < 0 || parse_kernel_uint(to, &after) < 0)
                return 0;
        if (!(streq(name, haltpoll_keys[TUNABLE_NS].name) && after < before) &&
            !(streq(name, haltpoll_keys[TUNABLE_GROW_START].name) && after != before))
                return 0;

        if (haltpoll_list_cpus(view, &cpus, &n_cpus) < 0)
                return -ENOMEM;
        for (size_t i = 0; i < n_cpus; i++) {
                _cleanup_free_ char *disable = haltpoll_disable_path(cpus[i]);

                if (!disable)
                        return -ENOMEM;
                if (root_exists(view->root, disable) && strv_take(ret, &n, TAKE_PTR(disable)) < 0)
                        return -ENOMEM;
        }

        return 0;
}

/* The order does not matter: the kernel clamps each new limit to the maximum, and the limits are reset at the end. */
int tunables_plan(const View *view, const Haltpoll *h, const Finding *finding, Plan *plan) {
        for (Tunable t = 0; t < _TUNABLE_MAX; t++)
                if (h->tunables[t].setting && tunable_plan(view, finding, h->tunables + t, t, plan) < 0)
                        return -ENOMEM;

        return 0;
}
