/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The keeper's pace, on a small guest: when a report is made again, and what it then says. That it says the same as one
 * that is made anew is what tests/shadow tests.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/daemon/keeper.h"
#include "agent/daemon/sources.h"
#include "agent/side.h"
#include "core/file-system.h"
#include "tests/unit/tree.h"

#define GROW "/sys/module/haltpoll/parameters/guest_halt_poll_grow"
#define NS "/sys/module/haltpoll/parameters/guest_halt_poll_ns"
#define BURST 100000U
#define STALE 300000U

typedef struct Scene {
        const Tree *tree;
        sd_event *event;
        Keeper *keeper;
        unsigned updates;       /* how often a report was made */
        uint64_t first, last;   /* when */
        int (*question)(Keeper *keeper, Span *ret);
        char *answer;
        int result;
} Scene;

static void on_updated(void *userdata) {
        Scene *s = userdata;

        s->last = monotonic_usec();
        s->first = s->updates++ == 0 ? s->last : s->first;
}

static void put(Scene *s) {
        Span text = SPAN_NULL;

        s->result = s->question(s->keeper, &text);
        if (s->result < 0)
                return;

        free(s->answer);
        s->answer = strndup(text.data, text.size);
        assert_non_null(s->answer);
}

static void on_ready(void *userdata) {
        Scene *s = userdata;

        if (s->question && s->result == -EAGAIN)
                put(s);
}

static const char *ask(Scene *s, int (*question)(Keeper *keeper, Span *ret)) {
        const uint64_t deadline = monotonic_usec() + 10U * 1000000U;

        s->question = question;
        put(s);
        while (s->result == -EAGAIN) {
                assert_true(monotonic_usec() < deadline);
                assert_return_code(sd_event_run(s->event, 100000), 0);
        }
        s->question = NULL;
        return s->result < 0 ? NULL : s->answer;
}

static void run_for(Scene *s, uint64_t usec) {
        const uint64_t end = monotonic_usec() + usec;

        for (uint64_t now = monotonic_usec(); now < end; now = monotonic_usec())
                assert_return_code(sd_event_run(s->event, end - now), 0);
}

static void run_until_updated(Scene *s, unsigned updates) {
        const uint64_t deadline = monotonic_usec() + 60U * 1000000U;

        while (s->updates < updates) {
                assert_true(monotonic_usec() < deadline);
                assert_return_code(sd_event_run(s->event, 100000), 0);
        }
}

static void plant(const Tree *t) {
        tree_file(t, "/gtuned-machine.json",
                  "{\"schema\": 1, \"arch\": \"x86_64\", \"kernel\": \"5.10.0-1\", \"hypervisor\": \"KVMKVMKVM\", "
                  "\"dedicated_hint\": true}");
        tree_file(t, "/boot/config-5.10.0-1", "CONFIG_HALTPOLL_CPUIDLE=y\nCONFIG_CPU_IDLE_GOV_HALTPOLL=y\n");
        tree_file(t, "/sys/devices/system/cpu/cpuidle/current_driver", "haltpoll\n");
        tree_file(t, "/sys/devices/system/cpu/cpuidle/current_governor", "haltpoll\n");
        tree_file(t, "/etc/gtuned/gtuned.conf", "[haltpoll]\nenable = yes\nguest_halt_poll_ns = 400000\n");
        tree_file(t, NS, "200000\n");
}

static void start(Scene *s, const Tree *t, KeeperPace pace) {
        const KeeperOwner owner = {.updated = on_updated, .ready = on_ready, .userdata = s};

        *s = (Scene) {.tree = t};
        assert_return_code(sd_event_new(&s->event), 0);
        assert_return_code(keeper_new(&s->keeper, s->event, &guest_side, t->root, pace, &owner), 0);
}

static void begin(Scene *s, const Tree *t, KeeperPace pace) {
        plant(t);
        start(s, t, pace);
}

static void end(Scene *s) {
        keeper_free(s->keeper);
        sd_event_unref(s->event);
        free(s->answer);
}

/* Without removing it first, as a process writes to an attribute. */
static void write_file(const Tree *t, const char *path, const char *text) {
        _cleanup_free_ char *full = tree_path(t, path);
        _cleanup_close_ int fd = open(full, O_WRONLY | O_CLOEXEC);

        assert_true(fd >= 0);
        assert_int_equal(pwrite(fd, text, strlen(text), 0), strlen(text));
}

/* A machine that is busy may be late now and then, but not each time. */
static void test_first_change_is_told_at_once(void **state) {
        uint64_t delay = UINT64_MAX;
        Scene s;

        begin(&s, *state, (KeeperPace) {.burst = BURST, .stale = STALE});
        run_for(&s, 2 * BURST);
        assert_int_equal(s.updates, 0);

        for (unsigned i = 0; delay >= BURST / 2 && i < 20; i++) {
                _cleanup_free_ char *text = xasprintf("%u\n", 300000 + i);
                uint64_t before = monotonic_usec();

                write_file(*state, NS, text);
                run_until_updated(&s, s.updates + 1);
                delay = s.last - before;
                run_for(&s, 2 * BURST);
        }
        assert_true(delay <= BURST / 2);
        end(&s);
}

static void test_later_ones_are_joined(void **state) {
        uint64_t before;
        Scene s;

        begin(&s, *state, (KeeperPace) {.burst = BURST, .stale = 10 * STALE});
        run_for(&s, 2 * BURST);
        before = monotonic_usec();
        for (unsigned i = 0; i < 10; i++) {
                _cleanup_free_ char *text = xasprintf("%u\n", 300000 + i);

                write_file(*state, NS, text);
                run_for(&s, BURST / 5);
        }
        run_until_updated(&s, 2);
        run_for(&s, 2 * BURST);

        /* One at once, and one for each burst in which something came. */
        assert_true(s.updates >= 2 && s.updates <= 2 + (s.last - before) / BURST);
        assert_true(s.last - s.first >= BURST);
        while (!strstr(ask(&s, keeper_report), "\"300009\""))
                run_until_updated(&s, s.updates + 1);
        end(&s);
}

/* Of a file with two names inotify tells nothing: it is compared when the report is asked for, and old enough. */
static void test_silent_sources_are_compared(void **state) {
        _cleanup_free_ char *path = tree_path(*state, NS), *other = tree_path(*state, "/other");
        unsigned updates;
        uint64_t started;
        Scene s;

        plant(*state);
        assert_int_equal(link(path, other), 0);
        started = monotonic_usec();
        start(&s, *state, (KeeperPace) {.burst = BURST, .stale = STALE});

        write_file(*state, "/other", "123456\n");
        assert_true(!strstr(ask(&s, keeper_report), "\"123456\"") || monotonic_usec() - started > STALE);

        updates = s.updates;
        run_for(&s, STALE + BURST);
        assert_int_equal(s.updates, updates);
        assert_non_null(strstr(ask(&s, keeper_report), "\"123456\""));
        end(&s);
}

/* A policy module that is loaded lets a file be read without a word of inotify; here another user does. */
static void test_errors_are_compared(void **state) {
        const Tree *t = *state;
        unsigned updates;
        uint64_t started;
        Scene s;

        if (geteuid() != 0)
                skip();
        plant(t);
        tree_bytes(t, NS, "123456\n", strlen("123456\n"), 0600);
        assert_return_code(chmod(t->top, 0755), errno);
        started = monotonic_usec();
        assert_return_code(seteuid(65534), errno);
        start(&s, t, (KeeperPace) {.burst = BURST, .stale = STALE});
        assert_return_code(seteuid(0), errno);
        assert_true(!strstr(ask(&s, keeper_report), "\"123456\"") || monotonic_usec() - started > STALE);

        updates = s.updates;
        run_for(&s, STALE + BURST);
        assert_int_equal(s.updates, updates);
        assert_non_null(strstr(ask(&s, keeper_report), "\"123456\""));
        end(&s);
}

/* A report that is prepared has the silent changes, too, and between two steps another event source is served. */
static void test_prepared(void **state) {
        _cleanup_free_ char *path = tree_path(*state, NS), *other = tree_path(*state, "/other");
        unsigned steps = 0;
        Span report = SPAN_NULL;
        Scene s;

        plant(*state);
        assert_int_equal(link(path, other), 0);
        start(&s, *state, (KeeperPace) {.burst = BURST, .stale = STALE});
        write_file(*state, "/other", "123456\n");
        run_for(&s, STALE + BURST);

        s.question = keeper_prepare_report;
        put(&s);
        assert_int_equal(s.result, -EAGAIN);
        for (; s.result == -EAGAIN && steps < 10000; steps++)
                assert_return_code(sd_event_run(s.event, 100000), 0);
        assert_int_equal(s.result, 0);
        assert_true(steps >= 3 && steps <= 9999);
        assert_non_null(strstr(s.answer, "\"123456\""));
        s.question = NULL;

        /* It is as it was: nothing is prepared again, and the old report counts. */
        assert_int_equal(keeper_prepare_report(s.keeper, &report), 0);
        end(&s);
}

/* A report that is asked for while it is prepared waits for nothing, and what was prepared is not lost. */
static void test_asked_while_prepared(void **state) {
        _cleanup_free_ char *path = tree_path(*state, NS), *other = tree_path(*state, "/other");
        Span report = SPAN_NULL;
        Scene s;

        plant(*state);
        assert_int_equal(link(path, other), 0);
        start(&s, *state, (KeeperPace) {.burst = BURST, .stale = STALE});
        run_for(&s, STALE + BURST);

        assert_int_equal(keeper_prepare_report(s.keeper, &report), -EAGAIN);
        assert_return_code(sd_event_run(s.event, 100000), 0);
        write_file(*state, "/other", "123456\n");
        assert_non_null(strstr(ask(&s, keeper_report), "\"123456\""));
        assert_non_null(strstr(ask(&s, keeper_prepare_report), "\"123456\""));
        end(&s);
}

static void test_time_of_the_report(void **state) {
        char first[64], later[64];
        Scene s;

        begin(&s, *state, (KeeperPace) {.burst = BURST, .stale = STALE});
        (void) snprintf(first, sizeof(first), "%.40s", strstr(ask(&s, keeper_report), "\"observed_at\""));
        run_for(&s, 1100000);
        (void) snprintf(later, sizeof(later), "%.40s", strstr(ask(&s, keeper_report), "\"observed_at\""));
        assert_string_not_equal(first, later);
        assert_int_equal(s.updates, 0);
        end(&s);
}

/* A change that is announced brings another time and another plan, too, however young the comparison is. */
static void test_partial_update(void **state) {
        char first[64], later[64];
        Scene s;

        begin(&s, *state, (KeeperPace) {.burst = BURST, .stale = 1000 * STALE});
        assert_non_null(strstr(ask(&s, keeper_changes), NS));
        (void) snprintf(first, sizeof(first), "%.40s", strstr(ask(&s, keeper_report), "\"observed_at\""));
        run_for(&s, 1100000);
        write_file(*state, NS, "400000\n");
        run_until_updated(&s, 1);
        (void) snprintf(later, sizeof(later), "%.40s", strstr(ask(&s, keeper_report), "\"observed_at\""));
        assert_string_not_equal(first, later);
        assert_null(strstr(ask(&s, keeper_changes), NS));
        end(&s);
}

/* A survey that cannot be taken leaves the report as it was, and is not tried again and again. */
static void test_broken_machine(void **state) {
        _cleanup_(strv_freep) char **told = NULL;
        json_object *news = NULL;
        Scene s;

        begin(&s, *state, (KeeperPace) {.burst = BURST, .stale = STALE});
        write_file(*state, "/gtuned-machine.json", "no JSON");
        run_until_updated(&s, 1);
        run_for(&s, 8 * BURST);
        assert_true(s.updates == 1 || s.updates == 2);
        assert_non_null(strstr(ask(&s, keeper_report), "5.10.0-1"));
        assert_null(ask(&s, keeper_changes));
        assert_int_equal(s.result, -EIO);
        assert_int_equal(keeper_news(s.keeper, &told, &news), -EAGAIN);

        tree_file(*state, "/gtuned-machine.json", "{\"schema\": 1, \"arch\": \"x86_64\", \"kernel\": \"6.6.0\"}");
        run_for(&s, 3 * BURST);
        assert_non_null(strstr(ask(&s, keeper_report), "6.6.0"));
        assert_non_null(strstr(ask(&s, keeper_changes), "\"changes\":"));
        end(&s);
}

static void test_plan_and_news(void **state) {
        _cleanup_json_ json_object *all = NULL, *none = NULL, *one = NULL;
        _cleanup_(strv_freep) char **told = NULL;
        json_object *was, *two = NULL;
        _cleanup_free_ char *path = NULL;
        Scene s;

        tree_file(*state, GROW, "2\n");
        begin(&s, *state, (KeeperPace) {.burst = BURST, .stale = STALE});
        assert_non_null(strstr(ask(&s, keeper_changes), NS));
        assert_int_equal(keeper_news(s.keeper, &told, &all), 0);
        assert_int_equal(json_object_array_length(all), 4);
        assert_int_equal(keeper_news(s.keeper, &told, &none), 0);
        assert_int_equal(json_object_array_length(none), 0);

        run_for(&s, 2 * BURST);
        write_file(*state, NS, "400000\n");
        run_until_updated(&s, s.updates + 1);
        assert_int_equal(keeper_news(s.keeper, &told, &one), 0);
        assert_int_equal(json_object_array_length(one), 1);
        assert_string_equal(json_get_text(json_object_array_get_idx(one, 0), "name"), "haltpoll");

        /* What has changed is named, with what it was. */
        was = json_get_array(json_object_array_get_idx(one, 0), "was");
        assert_non_null(was);
        assert_int_equal(json_object_array_length(was), 1);
        assert_string_equal(json_get_text(json_object_array_get_idx(was, 0), "name"), "guest_halt_poll_ns");
        assert_string_equal(json_get_text(json_object_array_get_idx(was, 0), "actual"), "200000");
        assert_null(json_get_array(json_object_array_get_idx(all, 0), "was"));

        /* The policy does not set it, so nothing else of the practice has changed. */
        run_for(&s, 2 * BURST);
        write_file(*state, GROW, "4\n");
        run_until_updated(&s, s.updates + 1);
        assert_int_equal(keeper_news(s.keeper, &told, &two), 0);
        assert_int_equal(json_object_array_length(two), 1);
        was = json_get_array(json_object_array_get_idx(two, 0), "was");
        assert_int_equal(json_object_array_length(was), 1);
        assert_string_equal(json_get_text(json_object_array_get_idx(was, 0), "name"), "guest_halt_poll_grow");
        assert_null(json_get_text(json_object_array_get_idx(was, 0), "wanted"));
        assert_string_equal(json_get_text(json_object_array_get_idx(was, 0), "actual"), "2");
        json_object_put(two);

        /* A setting that is no longer there is named, too. */
        run_for(&s, 2 * BURST);
        path = tree_path(*state, GROW);
        assert_int_equal(unlink(path), 0);
        run_until_updated(&s, s.updates + 1);
        assert_int_equal(keeper_news(s.keeper, &told, &two), 0);
        assert_int_equal(json_object_array_length(two), 1);
        was = json_get_array(json_object_array_get_idx(two, 0), "was");
        assert_non_null(was);
        assert_int_equal(json_object_array_length(was), 1);
        assert_string_equal(json_get_text(json_object_array_get_idx(was, 0), "name"), "guest_halt_poll_grow");
        assert_string_equal(json_get_text(json_object_array_get_idx(was, 0), "actual"), "4");
        json_object_put(two);
        assert_null(strstr(ask(&s, keeper_changes), NS));
        end(&s);
}

/* Whether a CPU has the attribute "disable" is looked at for the plan alone, and by it each time. */
static void test_plan_looks_again(void **state) {
        static const char disable[] = "/sys/devices/system/cpu/cpu0/cpuidle/state0/disable";
        Scene s;

        plant(*state);
        tree_file(*state, NS, "800000\n");
        tree_file(*state, "/sys/module/haltpoll/parameters/guest_halt_poll_allow_shrink", "N\n");
        tree_file(*state, "/sys/devices/system/cpu/possible", "0\n");
        tree_file(*state, "/sys/devices/system/cpu/cpu0/cpuidle/state0/name", "POLL\n");
        start(&s, *state, (KeeperPace) {.burst = BURST, .stale = STALE});
        assert_null(strstr(ask(&s, keeper_changes), disable));

        tree_file(*state, disable, "0\n");
        run_for(&s, STALE + BURST);
        assert_int_equal(s.updates, 0);
        assert_non_null(strstr(ask(&s, keeper_changes), disable));
        assert_int_equal(s.updates, 0);
        end(&s);
}

/* A plan counts for the request that it was made for, even if a silent source has changed before it was ready. */
static void test_plan_is_given_once_made(void **state) {
        _cleanup_free_ char *path = tree_path(*state, NS), *other = tree_path(*state, "/other");
        Span text = SPAN_NULL;
        Scene s;

        plant(*state);
        assert_int_equal(link(path, other), 0);
        start(&s, *state, (KeeperPace) {.burst = BURST, .stale = 0});

        assert_int_equal(keeper_changes(s.keeper, &text), -EAGAIN);
        write_file(*state, "/other", "123456\n");
        s.question = keeper_changes;
        s.result = -EAGAIN;
        while (s.result == -EAGAIN)
                assert_return_code(sd_event_run(s.event, 1000000), 0);
        assert_return_code(s.result, -s.result);
        assert_non_null(strstr(strempty(s.answer), "\"changes\":"));

        /* The next request finds the change. */
        assert_non_null(strstr(ask(&s, keeper_changes), "123456"));
        end(&s);
}

static void test_reload(void **state) {
        Scene s;

        begin(&s, *state, (KeeperPace) {.burst = 100 * BURST, .stale = 100 * STALE});
        keeper_reload(s.keeper);
        for (unsigned i = 0; s.updates == 0 && i < 100; i++)
                assert_return_code(sd_event_run(s.event, 100000), 0);
        assert_int_equal(s.updates, 1);
        end(&s);
}

static void on_path(_unused_ uint64_t readers, _unused_ bool moved, _unused_ void *userdata) {
}

/* Parts look at /f in turn; "!" is a change of it. Return: what sources_end() returns. */
static SurveyParts look(const Tree *t, Sources *s, SurveyParts parts, const char *what) {
        Survey survey = {};

        sources_begin(s, &survey, parts, 0);
        for (; *what; what++) {
                _cleanup_buffer_ Buffer b = BUFFER_NULL;

                if (*what == '!') {
                        write_file(t, "/f", "2\n");
                        continue;
                }
                survey.reading = UINT64_C(1) << (*what - '0');
                assert_return_code(root_read(t->root, "/f", 4096, &b), 0);
        }

        return sources_end(s);
}

static bool tree_announces(const Tree *t) {
        _cleanup_close_ int fd = open(t->top, O_PATH | O_CLOEXEC);

        assert_return_code(fd, errno);
        return file_system_announces(fd);
}

/* A source changes while some have looked at it and others have not: all but the last have to look again. */
static void test_overtaken(void **state) {
        static const struct {
                SurveyParts parts;
                const char *looks;
                SurveyParts again;
        } rows[] = {
                {1 | 2, "01", 0},
                {1 | 2, "0!1", 1},
                {1 | 2, "0!0", 1},
                {2, "!1", 1},
                {2, "1!1", 1 | 2},
        };
        const Tree *t = *state;
        _cleanup_free_ char *path = tree_path(t, "/f"), *other = tree_path(t, "/other");

        for (size_t i = 0; i < 2 * ELEMENTSOF(rows); i++) {
                const bool announced = i < ELEMENTSOF(rows) && tree_announces(t);
                const SurveyParts again = rows[i % ELEMENTSOF(rows)].again;
                _cleanup_(sd_event_unrefp) sd_event *event = NULL;
                _cleanup_(path_watch_freep) PathWatch *watch = NULL;
                _cleanup_(sources_freep) Sources *s = NULL;

                tree_file(t, "/f", "1\n");
                if (!announced) {
                        (void) unlink(other);
                        assert_return_code(link(path, other), errno);
                }
                assert_return_code(sd_event_new(&event), 0);
                assert_return_code(path_watch_new(&watch, event, t->root, on_path, NULL), 0);
                assert_return_code(sources_new(&s, t->root, watch), 0);
                assert_true(look(t, s, 1 | 2, "01") == 0);

                /* What is not announced may be a counter, so that it waits for a request. */
                assert_true(look(t, s, rows[i % ELEMENTSOF(rows)].parts, rows[i % ELEMENTSOF(rows)].looks) ==
                            (announced ? again : 0));
                if (!announced)
                        assert_int_equal((sources_compare(s) & again) == again, true);
                assert_true(look(t, s, 1 | 2, "01") == 0);
                assert_true(sources_compare(s) == 0);
        }
}

/* What is being read already was begun before the second wish, which the next report fulfils. */
static void test_reload_while_reading(void **state) {
        Scene s;

        begin(&s, *state, (KeeperPace) {.burst = BURST, .stale = 100 * STALE});
        keeper_reload(s.keeper);
        assert_true(keeper_is_in_doubt(s.keeper));
        while (keeper_is_in_doubt(s.keeper))
                assert_return_code(sd_event_run(s.event, 1000000), 0);
        assert_int_equal(s.updates, 0);

        keeper_reload(s.keeper);
        run_until_updated(&s, 1);
        assert_true(keeper_is_in_doubt(s.keeper));
        run_until_updated(&s, 2);
        assert_false(keeper_is_in_doubt(s.keeper));
        end(&s);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_first_change_is_told_at_once, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_later_ones_are_joined, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_silent_sources_are_compared, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_overtaken, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_errors_are_compared, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_prepared, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_asked_while_prepared, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_time_of_the_report, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_partial_update, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_broken_machine, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_plan_and_news, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_plan_looks_again, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_plan_is_given_once_made, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_reload, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_reload_while_reading, tree_setup, tree_teardown),
        };

        return cmocka_run_group_tests_name("keeper", tests, NULL, NULL);
}
