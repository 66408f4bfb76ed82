/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/root.h"
#include "core/service.h"

static const struct {
        const char *text;
        const char *words[5];
} lines[] = {
        {"", {NULL}},
        {"   ", {NULL}},
        {"/usr/bin/qemu-ga", {"/usr/bin/qemu-ga"}},
        {"qemu-ga  -b guest-exec ", {"qemu-ga", "-b", "guest-exec"}},
        {"qemu-ga -b \"guest-exec, guest-file-open\"", {"qemu-ga", "-b", "guest-exec, guest-file-open"}},
        {"qemu-ga \"\" x", {"qemu-ga", "", "x"}},
        {"qemu-ga \"a\\\"b\\\\c\\$d\\ne\"", {"qemu-ga", "a\"b\\c$d\ne"}},
        {"qemu-ga --path=\"/dev/a b\"", {"qemu-ga", "--path=/dev/a b"}},
};

static void test_split(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(lines); i++) {
                _cleanup_(strv_freep) char **words = NULL;
                size_t n = 0;

                assert_int_equal(command_line_split(lines[i].text, &words), 0);
                for (; lines[i].words[n]; n++)
                        assert_string_equal(words[n], lines[i].words[n]);
                assert_true(n == 0 ? !words : !words[n]);
        }
}

static void test_split_refuses(_unused_ void **state) {
        _cleanup_(strv_freep) char **words = NULL;

        assert_int_equal(command_line_split("qemu-ga \"-b", &words), -EINVAL);
        assert_null(words);
}

static const char document[] =
        "[{\"unit\": \"qemu-guest-agent.service\", \"load_state\": \"loaded\", \"active_state\": \"active\","
        " \"need_reload\": true, \"fragment\": \"/lib/systemd/system/qemu-guest-agent.service\","
        " \"drop_ins\": [\"/etc/systemd/system/qemu-guest-agent.service.d/90-gtuned.conf\"],"
        " \"environment\": [\"QGA_CONF=/etc/x\"],"
        " \"main\": {\"pid\": 42, \"cgroup\": \"/system.slice/qemu-guest-agent.service\","
        " \"arguments\": [\"/usr/sbin/qemu-ga\", \"-b\", \"guest-exec\"]}, \"strays\": []},"
        " {\"unit\": \"qemu-ga.service\", \"load_state\": \"masked\", \"main\": null,"
        " \"strays\": [{\"pid\": 7, \"cgroup\": \"/user.slice\", \"arguments\": [\"qemu-ga\"]}]},"
        " {\"unit\": \"absent.service\", \"load_state\": \"not-found\", \"main\": null,"
        " \"strays\": [{\"pid\": 8, \"cgroup\": \"/system.slice/x.service\", \"arguments\": [\"qemu-ga\"]}]}]";

static void read_document(const char *text, int expected, Services *ret) {
        _cleanup_json_ json_object *o = NULL;

        assert_int_equal(json_parse(text, strlen(text), &o), 0);
        assert_int_equal(services_from_json(o, ret), expected);
}

static void test_document(_unused_ void **state) {
        _cleanup_(services_done) Services services = {}, again = {};
        _cleanup_json_ json_object *o = NULL;
        const Service *s;

        read_document(document, 0, &services);
        assert_int_equal(services_to_json(&services, &o), 0);
        assert_int_equal(services_from_json(o, &again), 0);
        assert_true(again.known);

        s = services_find(&again, "qemu-guest-agent.service");
        assert_non_null(s);
        assert_int_equal(s->main.pid, 42);
        assert_string_equal(s->main.arguments[2], "guest-exec");
        assert_null(s->main.arguments[3]);
        assert_true(s->need_reload);
        assert_string_equal(s->environment[0], "QGA_CONF=/etc/x");

        s = services_find(&again, "qemu-ga.service");
        assert_int_equal(s->main.pid, 0);
        assert_int_equal(s->n_strays, 1);
        assert_string_equal(s->strays[0].cgroup, "/user.slice");
        assert_null(services_find(&again, "other.service"));
        assert_null(services_find_process(&again, "qemu-ga.service"));

        assert_null(services_find(&again, "absent.service"));
        assert_int_equal(services_find_process(&again, "absent.service")->pid, 8);
}

static void test_bad_documents(_unused_ void **state) {
        static const char *const texts[] = {
                "{}", "[1]", "[{}]", "[{\"unit\": \"a\"}]",
                "[{\"unit\": \"a\", \"load_state\": \"loaded\", \"main\": {\"pid\": 0}}]",
                "[{\"unit\": \"a\", \"load_state\": \"loaded\", \"main\": {\"pid\": 4294967296}}]",
                "[{\"unit\": \"a\", \"load_state\": \"loaded\", \"main\": {\"pid\": \"1\"}}]",
                "[{\"unit\": \"a\", \"load_state\": \"loaded\", \"drop_ins\": [1]}]",
                "[{\"unit\": \"a\", \"load_state\": \"loaded\", \"strays\": [{\"cgroup\": \"/\"}]}]",
        };

        for (size_t i = 0; i < ELEMENTSOF(texts); i++) {
                Services services = {};

                read_document(texts[i], -EBADMSG, &services);
                assert_int_equal(services.n, 0);
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_split),
                cmocka_unit_test(test_split_refuses),
                cmocka_unit_test(test_document),
                cmocka_unit_test(test_bad_documents),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
