/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/tuned.h"
#include "tests/unit/tree.h"

#define ENABLED "/etc/systemd/system/multi-user.target.wants/tuned.service"
#define ACTIVE "/etc/tuned/active_profile"
#define UNIT "/usr/lib/systemd/system/tuned.service"
#define PROFILE "/usr/lib/tuned/profiles/a/tuned.conf"

static void enable(const Tree *t) {
        tree_file(t, UNIT, "[Service]\nExecStart=/usr/sbin/tuned\n");
        tree_link(t, ENABLED, UNIT);
}

static Tuned *read_tuned(const Tree *t) {
        Tuned *tuned;

        assert_int_equal(tuned_read(t->root, &tuned), 0);
        return tuned;
}

/* Each profile: what the option "x" of [sysfs] is then; NULL: there is none. */
static const struct {
        const char *profile, *value;
} cases[] = {
        {"[sysfs]\nx=1\n", "1"},
        {"[sysfs]\n x = 1 \n", "1"},
        {"[sysfs]\nx=1 # one\n", "1"},
        {"[sysfs]\nx=1#one\n", "1#one"},
        {"[sysfs]\nx=1 ; one\n", "1 ; one"},
        {"[sysfs]\nx=a:b=c\n", "a:b=c"},
        {"[sysfs]\nx=1\nx=2\n", "2"},
        {"[sysfs]\n#x=1\n", NULL},
        {"[sysfs]\nx\n=1\n[\nx:1\n", NULL},
        {"[sysctl]\nx=1\n", NULL},
        {"x=1\n", NULL},
        {"", NULL},
        {"[sysfs]\nx=", ""},
        {"[main]\ninclude=b\n[sysfs]\ny=1\n", "b"},
        {"[main]\ninclude=missing, -b\n", "b"},
        {"[main]\ninclude=b\n[sysfs]\nx=1\n", "1"},
        {"[main]\ninclude=../b\n[sysfs]\ny=1\n", NULL},
        {"[main]\ninclude=a\n[sysfs]\nx=1\n", "1"}, /* itself: it ends */
        {"[main]\ninclude=missing;b\n", "b"},
        {"[sysfs]\nx=1\n[main]\ninclude=b\n", "1"},
        {"[main]\ninclude=a a a a a a a a a a a a a a a a a\n[sysfs]\nx=1\n", "1"},
};

static void test_profiles(void **state) {
        const Tree *t = *state;

        enable(t);
        tree_file(t, ACTIVE, "a\n");
        tree_file(t, "/usr/lib/tuned/profiles/b/tuned.conf", "[sysfs]\nx=b\n");
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_(tuned_freep) Tuned *tuned = NULL;
                const TunedOption *o;

                tree_file(t, PROFILE, cases[i].profile);
                tuned = read_tuned(t);
                assert_non_null(tuned);
                o = tuned_option(tuned, "sysfs", "x");
                assert_string_equal(o ? o->value : "(none)", cases[i].value ? cases[i].value : "(none)");
        }
}

/* The administrator's profile of a name replaces the other, and two active profiles are read in their order. */
static void test_places(void **state) {
        _cleanup_(tuned_freep) Tuned *tuned = NULL;
        const Tree *t = *state;

        enable(t);
        tree_file(t, ACTIVE, "a b\n");
        tree_file(t, PROFILE, "[sysfs]\nx=vendor\n");
        tree_file(t, "/etc/tuned/a/tuned.conf", "[sysfs]\nx=site\ny=site\n");
        tree_file(t, "/usr/lib/tuned/b/tuned.conf", "\n[sysfs]\ny=b\n");

        tuned = read_tuned(t);
        assert_string_equal(tuned->profile, "a b");
        assert_string_equal(tuned_option(tuned, "sysfs", "x")->value, "site");
        assert_string_equal(tuned_option(tuned, "sysfs", "y")->value, "b");
        assert_string_equal(tuned_option(tuned, "sysfs", "y")->path, "/usr/lib/tuned/b/tuned.conf");
        assert_int_equal(tuned_option(tuned, "sysfs", "y")->line, 3);
}

/* A profile of the administrator's that includes its own name adds to the other one. */
static void test_own_name(void **state) {
        _cleanup_(tuned_freep) Tuned *tuned = NULL;
        const Tree *t = *state;

        enable(t);
        tree_file(t, ACTIVE, "a\n");
        tree_file(t, PROFILE, "[sysfs]\nx=vendor\ny=vendor\n");
        tree_file(t, "/etc/tuned/profiles/a/tuned.conf", "[main]\ninclude=a\n[sysfs]\ny=site\n");

        tuned = read_tuned(t);
        assert_string_equal(tuned_option(tuned, "sysfs", "x")->value, "vendor");
        assert_string_equal(tuned_option(tuned, "sysfs", "y")->value, "site");
}

static void test_not_active(void **state) {
        const Tree *t = *state;

        assert_null(read_tuned(t));
        tree_file(t, PROFILE, "[sysfs]\nx=1\n");
        tree_file(t, ACTIVE, "a\n");
        assert_null(read_tuned(t)); /* installed, and off */
        enable(t);
        tree_file(t, ACTIVE, "\n");
        assert_null(read_tuned(t));
        tree_file(t, ACTIVE, "a\n");
        tree_link(t, "/etc/systemd/system/tuned.service", "/dev/null"); /* masked */
        assert_null(read_tuned(t));
        assert_null(tuned_option(NULL, "sysfs", "x"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_profiles, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_places, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_own_name, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_not_active, tree_setup, tree_teardown),
        };

        return cmocka_run_group_tests_name("tuned", tests, NULL, NULL);
}
