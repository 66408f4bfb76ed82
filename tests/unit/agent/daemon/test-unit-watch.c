/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The watch on services with a bus that hangs up, and without one. What a real service manager announces is tested by
 * tests/e2e.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/socket.h>

#include "agent/daemon/local-socket.h"
#include "agent/daemon/unit-watch.h"
#include "tests/unit/tree.h"

typedef struct Scene {
        sd_event *event;
        UnitWatch *watch;
        int bus;
        unsigned changes;
} Scene;

static const char *const units[] = {"qemu-guest-agent.service", NULL};

static void on_changed(void *userdata) {
        ((Scene *) userdata)->changes++;
}

static void scene_begin(Scene *s, const Tree *t, bool listens) {
        _cleanup_free_ char *path = tree_path(t, "/bus"), *address = xasprintf("unix:path=%s", path);

        *s = (Scene) {.bus = -EBADF};
        assert_return_code(setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1), errno);
        if (listens)
                assert_return_code(local_socket_listen(path, &s->bus), 0);
        assert_return_code(sd_event_new(&s->event), 0);
        assert_return_code(unit_watch_new(&s->watch, s->event, units, on_changed, s), 0);
}

static void scene_end(Scene *s) {
        unit_watch_free(s->watch);
        sd_event_unref(s->event);
        closep(&s->bus);
}

static void run_until_quiet(const Scene *s) {
        while (sd_event_run(s->event, 100000) > 0)
                ;
}

/* The keeper would read, connect and be hung up on again and again if that counted as a change. */
static void test_hung_up_on(void **state) {
        Scene s;

        scene_begin(&s, *state, true);
        for (unsigned i = 0; i < 3; i++) {
                int client = accept4(s.bus, NULL, NULL, SOCK_CLOEXEC);

                assert_return_code(client, errno);
                assert_false(unit_watch_hears(s.watch));
                closep(&client);
                run_until_quiet(&s);
                assert_false(unit_watch_hears(s.watch));
                assert_int_equal(s.changes, 0);
                unit_watch_revive(s.watch);
        }
        scene_end(&s);
}

static void test_no_bus(void **state) {
        Scene s;

        scene_begin(&s, *state, false);
        assert_false(unit_watch_hears(s.watch));
        unit_watch_revive(s.watch);
        run_until_quiet(&s);
        assert_false(unit_watch_hears(s.watch));
        assert_int_equal(s.changes, 0);
        scene_end(&s);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_hung_up_on, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_no_bus, tree_setup, tree_teardown),
        };

        return cmocka_run_group_tests_name("unit-watch", tests, NULL, NULL);
}
