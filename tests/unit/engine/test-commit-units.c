/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What is said of a service that cannot be restarted with its new files, and what is put back. The service manager is the
 * functions below, in the place of engine/unit-jobs.c.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/commit-internal.h"
#include "engine/unit-jobs.h"
#include "tests/unit/tree.h"

#define UNIT "agent.service"
#define FILE_PATH "/etc/agent.conf"
#define LEDGER_PATH "/var/lib/ledger.json"
#define BACK "its old configuration is back"

/* What the service manager answers, in the order of the questions; 0 for more of them. */
static struct {
        int reloads[2], act, restart;
        size_t n_reloads, n_acts;
} manager;

int units_reload(void) {
        return manager.n_reloads < ELEMENTSOF(manager.reloads) ? manager.reloads[manager.n_reloads++] : 0;
}

int unit_act(_unused_ const char *unit, _unused_ const char *method) {
        manager.n_acts++;
        return manager.act;
}

int service_restart(_unused_ const char *unit, _unused_ const char *expect, bool *ret_was_up, char **ret_why) {
        *ret_was_up = true;
        if (manager.restart < 0) {
                *ret_why = strdup("it has no process");
                assert_non_null(*ret_why);
        }

        return manager.restart;
}

static const struct {
        int reloads[2], act, restart;
        bool back;           /* the old file must be there */
        size_t n_acts;       /* so often the service is started with its old file */
        const char *expected;
} cases[] = {
        {{0, 0}, 0, 1, false, 0, NULL},
        {{0, 0}, 0, -EIO, true, 1, UNIT " did not come up: it has no process; " BACK},
        {{0, 0}, -EIO, -EIO, true, 1,
         UNIT " did not come up: it has no process; " BACK ", and it does not run with that either"},
        {{0, 0}, -ETIMEDOUT, -EIO, true, 1,
         UNIT " did not come up: it has no process; " BACK ", and its restart is under way: see systemctl status " UNIT},
        {{0, -ETIMEDOUT}, 0, -EIO, true, 0,
         UNIT " did not come up: it has no process; " BACK ", and the service manager has not read it yet: Connection timed "
         "out; run systemctl daemon-reload and systemctl restart " UNIT},
        {{-ETIMEDOUT, 0}, 0, 1, true, 1,
         UNIT " was not restarted: the service manager did not read its files again: Connection timed out; " BACK},
        {{-ETIMEDOUT, -ETIMEDOUT}, 0, 1, true, 0,
         UNIT " was not restarted: the service manager did not read its files again: Connection timed out; " BACK ", and "
         "the service manager has not read it yet: Connection timed out; run systemctl daemon-reload and systemctl restart "
         UNIT},
};

/* A commit that has written the file of a service, and is about to restart it. */
typedef struct Scene {
        Machine machine;
        Survey survey;
        FileChange file;
        UnitChange unit;
        Transaction t;
        Commit commit;
        char *error;
} Scene;

static void scene_make(Scene *s, const Tree *tree) {
        *s = (Scene) {
                .machine.kind = MACHINE_LIVE,
                .survey.machine = &s->machine,
                .file = {.path = strdup(FILE_PATH), .unit = strdup(UNIT), .existed = true},
                .unit = {.practice = "agent", .unit = strdup(UNIT), .service = true},
                .t = {.files = &s->file, .n_files = 1, .units = &s->unit, .n_units = 1},
                .commit = {.survey = &s->survey, .root = tree->root, .t = &s->t, .error = &s->error},
        };
        assert_true(s->file.path && s->file.unit && s->unit.unit);
        assert_int_equal(buffer_puts(&s->file.old, "old\n"), 0);
        assert_int_equal(buffer_puts(&s->file.new, "new\n"), 0);
        assert_int_equal(ledger_new(&s->survey.ledger, LEDGER_PATH), 0);
        assert_int_equal(ledger_new(&s->t.ledger, LEDGER_PATH), 0);
}

static void scene_done(Scene *s) {
        buffer_done(&s->file.old);
        buffer_done(&s->file.new);
        free(s->file.path);
        free(s->file.unit);
        free(s->unit.unit);
        free(s->error);
        ledger_free(s->t.ledger);
        ledger_free(s->survey.ledger);
}

static void test_outcomes(void **state) {
        const Tree *tree = *state;

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                Scene scene;

                scene_make(&scene, tree);
                tree_file(tree, FILE_PATH, "new\n");
                memset(&manager, 0, sizeof(manager));
                memcpy(manager.reloads, cases[i].reloads, sizeof(manager.reloads));
                manager.act = cases[i].act;
                manager.restart = cases[i].restart;

                assert_int_equal(commit_act_on_units(&scene.commit) == 0, cases[i].expected == NULL);
                if (!streq_ptr(scene.error, cases[i].expected))
                        fail_msg("case %zu: %s", i, scene.error ? scene.error : "(none)");
                assert_tree_file(tree, FILE_PATH, cases[i].back ? "old\n" : "new\n");
                assert_int_equal(manager.n_acts, cases[i].n_acts);
                scene_done(&scene);
        }
}

/* Another process has removed the file: it is not put back, and that is said. */
static void test_not_back(void **state) {
        Scene scene;

        scene_make(&scene, *state);
        memset(&manager, 0, sizeof(manager));
        manager.restart = -EIO;

        assert_int_equal(commit_act_on_units(&scene.commit), EIO);
        assert_non_null(strstr(scene.error, "; and its old configuration cannot be put back: "));
        assert_int_equal(manager.n_acts, 0);
        scene_done(&scene);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_outcomes, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_not_back, tree_setup, tree_teardown),
        };

        return cmocka_run_group_tests_name("commit-units", tests, NULL, NULL);
}
