/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/report.h"
#include "host/tune/side.h"
#include "tests/unit/tree.h"

/* The host has a policy and a ledger of its own. Those of the guest are not read. */
static void test_own_files(void **state) {
        _cleanup_(survey_freep) Survey *survey = NULL;
        _cleanup_json_ json_object *report = NULL;
        const Tree *t = *state;

        tree_file(t, "/gtuned-machine.json", "{\"schema\": 1, \"arch\": \"x86_64\", \"kernel\": \"1\"}");
        tree_file(t, "/etc/gtuned/gtuned.conf", "[haltpoll]\nenable = yes\n");
        tree_file(t, "/etc/gtuned/host.conf", "[unheard-of]\nkey = value\n");
        tree_file(t, "/var/lib/gtuned/ledger.json", "{");

        assert_int_equal(survey_take(&host_side, t->root, NULL, &survey), 0);
        assert_int_equal(survey->n_observations, 0);
        assert_int_equal(survey->ledger->status, LEDGER_ABSENT);
        assert_string_equal(survey->ledger->path, "/var/lib/gtuned/host-ledger.json");
        assert_int_equal(survey->policy->n_errors, 1);
        assert_string_equal(survey->policy->errors->file, "/etc/gtuned/host.conf");
        assert_string_equal(survey->policy->errors->reason, "unknown section [unheard-of]");
        assert_int_equal(report_make(survey, &report), 0);
        assert_int_equal(json_object_array_length(json_get_array(report, "practices")), 0);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_own_files, tree_setup, tree_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
