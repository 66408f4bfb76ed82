/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/stage.h"

static const Reason reasons[] = {{"no-way", "Nothing helps.", .hopeless = true}, {"later", "It may help."}};
static const Practice practice = {
        .name = STAGE_PRACTICE,
        .keys = {stage_keys, ELEMENTSOF(stage_keys)},
        .reasons = reasons,
        .n_reasons = ELEMENTSOF(reasons),
};

static const struct {
        const char *vcpu, *enable;
        bool automatic, errors;
        const char *hold; /* the policy at the time of a revert */
        Wanted wanted;
        bool held;
} wanted_cases[] = {
        {NULL, NULL, true, false, NULL, WANTED_NOTHING, false},
        {NULL, NULL, true, false, "vcpu=auto", WANTED_NOTHING, false},
        {"auto", NULL, true, false, NULL, WANTED_ON, false},
        {"auto", NULL, false, false, NULL, WANTED_OFF, false},
        {"auto", "auto", true, false, NULL, WANTED_ON, false},
        {"auto", "yes", false, false, NULL, WANTED_ON, false},
        {"auto", "no", true, false, NULL, WANTED_OFF, false},
        {"auto", "yes", true, true, NULL, WANTED_NOTHING, false},
        {"auto", "yes", true, true, "vcpu=auto enable=yes", WANTED_NOTHING, false},
        {"auto", "yes", true, false, "vcpu=auto enable=yes", WANTED_ON, true},
        {NULL, "yes", true, false, "vcpu=auto enable=yes", WANTED_ON, true},
        {"shared", "yes", true, false, "vcpu=auto enable=yes", WANTED_ON, false},
        {"auto", "auto", true, false, "vcpu=auto enable=yes", WANTED_ON, false},
        {"auto", NULL, true, false, "vcpu=auto enable=yes", WANTED_ON, false},
};

static void test_wanted(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(wanted_cases); i++) {
                _cleanup_(stage_done) Stage s;
                LedgerHold hold = {.practice = (char *) STAGE_PRACTICE, .policy = (char *) wanted_cases[i].hold};

                stage_init(&s);
                stage_set_policy(&s, &vcpu_key, wanted_cases[i].vcpu);
                stage_set_policy(&s, stage_keys, wanted_cases[i].enable);
                s.policy.n_errors = wanted_cases[i].errors;
                s.ledger.holds = &hold;
                s.ledger.n_holds = hold.policy ? 1 : 0;

                assert_int_equal(practice_wanted(&s.view, &practice, s.finding, wanted_cases[i].automatic), 0);
                if (s.finding->wanted != wanted_cases[i].wanted || s.finding->held != wanted_cases[i].held)
                        fail_msg("case %zu: wanted %d, held %d", i, s.finding->wanted, s.finding->held);
                assert_int_equal(practice_is_on(s.finding),
                                 wanted_cases[i].wanted == WANTED_ON && !wanted_cases[i].held);
        }
}

static const struct {
        const char *virtualization, *container;
        bool allow_bare_metal;
        const char *code; /* NULL: the machine may be tuned */
} refusal_cases[] = {
        {"kvm", NULL, false, NULL},
        {NULL, NULL, false, NULL},
        {"none", NULL, false, "bare-metal"},
        {"none", NULL, true, NULL},
        {"vmware", NULL, true, "other-hypervisor"},
        {"vm-other", NULL, true, "hypervisor-unknown"},
        {"qemu", NULL, false, "other-hypervisor"},
        {"kvm", "podman", true, "container"},
        {"none", "docker", true, "container"},
};

static void test_refusal(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(refusal_cases); i++) {
                _cleanup_(stage_done) Stage s;

                stage_init(&s);
                s.machine.virtualization = (char *) refusal_cases[i].virtualization;
                s.machine.container = (char *) refusal_cases[i].container;
                stage_set_policy(&s, &bare_metal_key, refusal_cases[i].allow_bare_metal ? "yes" : NULL);

                assert_int_equal(practice_guest_refusal(&s.view, s.finding), refusal_cases[i].code != NULL);
                assert_true(streq_ptr(s.finding->reason_code, refusal_cases[i].code));
                if (refusal_cases[i].code)
                        assert_int_equal(s.finding->state, STATE_UNSUPPORTED);
        }
}

/* A practice is wanted if a key is set in a section that counts for the subject. */
static void test_wanted_by_keys(_unused_ void **state) {
        static const PolicyKey keys[] = {{"thing", "size", KEY_KERNEL_UINT, NULL, ""}};
        const Practice sized = {.name = "sized", .keys = {keys, ELEMENTSOF(keys), .by_subject = true}};
        const struct {
                const char *pattern, *subject;
                Wanted wanted;
        } rows[] = {
                {NULL, "one", WANTED_NOTHING},
                {"one", "one", WANTED_ON},
                {"o*", "one", WANTED_ON},
                {"o*", "two", WANTED_OFF},
                {"o*", NULL, WANTED_OFF},
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(stage_done) Stage s;

                stage_init(&s);
                if (rows[i].pattern)
                        s.settings[s.policy.n_settings++] = (PolicySetting) {
                                .key = keys,
                                .pattern = (char *) rows[i].pattern,
                                .value = (char *) "1",
                        };
                s.view.subject = rows[i].subject;

                assert_int_equal(practice_wanted_by_keys(&s.view, &sized, s.finding), 0);
                if (s.finding->wanted != rows[i].wanted)
                        fail_msg("row %zu: wanted %d", i, s.finding->wanted);
        }
}

static void test_hopeless(_unused_ void **state) {
        static const struct {
                const char *code;
                bool hopeless;
        } rows[] = {
                {NULL, false},
                {"no-way", true},
                {"later", false},
                {"bare-metal", true},
                {"held", false},
                {"unheard-of", false},
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_(stage_done) Stage s;

                stage_init(&s);
                s.finding->reason_code = rows[i].code;
                assert_int_equal(practice_is_hopeless(&practice, s.finding), rows[i].hopeless);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_wanted),
                cmocka_unit_test(test_wanted_by_keys),
                cmocka_unit_test(test_refusal),
                cmocka_unit_test(test_hopeless),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
