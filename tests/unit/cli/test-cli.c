/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The verbs of the loop, for a side that is no guest.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <getopt.h>

#include "tests/unit/tree.h"

#include "cli/verb.h"
#include "tests/unit/made-up-side.h"

#define OPTIONS(...) ((const char *const[]) {__VA_ARGS__, NULL})

static const Verb verbs[] = {
        {"status", "[PRACTICE]", "", 0, 1, OPTIONS("root", "json"), verb_status},
        {"plan", NULL, "", 0, 0, OPTIONS("root", "json"), verb_plan},
        {"apply", NULL, "", 0, 0, OPTIONS("root", "unattended"), verb_apply},
        {"revert", "[PRACTICE...]", "", 0, 9, OPTIONS("root"), verb_revert},
        {"explain", "[TOPIC]", "", 0, 1, OPTIONS("root", "json"), verb_explain},
};

static const Option options[] = {
        {"root", 'R', "DIR", "", option_set_root},
        {"json", 'j', NULL, "", option_set_json},
        {"unattended", 0, NULL, "", option_set_unattended},
        {"help", 'h', NULL, "", option_set_help},
};

static const Program program = {
        .name = "made-up", .purpose = "Nothing.", .verbs = verbs, .n_verbs = ELEMENTSOF(verbs),
        .options = options, .n_options = ELEMENTSOF(options),
};

/* What a command wrote to a stream, and where the stream led before. */
typedef struct Capture {
        FILE *stream;
        int saved, fd;
} Capture;

static Capture capture_begin(FILE *stream) {
        Capture c = {.stream = stream, .saved = dup(fileno(stream)), .fd = open("/tmp", O_TMPFILE | O_RDWR, 0600)};

        assert_int_equal(fflush(stream), 0);
        assert_true(c.saved >= 0 && c.fd >= 0);
        assert_true(dup2(c.fd, fileno(stream)) >= 0);
        return c;
}

static Buffer capture_end(Capture *c) {
        Buffer b = BUFFER_NULL;
        char chunk[4096];
        ssize_t n;

        assert_int_equal(fflush(c->stream), 0);
        assert_true(dup2(c->saved, fileno(c->stream)) >= 0);
        assert_int_equal(lseek(c->fd, 0, SEEK_SET), 0);
        while ((n = read(c->fd, chunk, sizeof(chunk))) > 0)
                assert_int_equal(buffer_append(&b, chunk, (size_t) n), 0);
        assert_int_equal(buffer_puts(&b, ""), 0);
        (void) close(c->fd);
        (void) close(c->saved);
        return b;
}

/* Run a command on the tree, and compare what it exits with, and parts of what it says. */
static void expect(const Tree *t, int status, const char *out, const char *err, char *const *words) {
        char *argv[8] = {(char *) "made-up", (char *) "--root", (char *) t->top};
        Context c = {.program = &program, .side = &made_up_side, .root_path = "/"};
        Capture captured_out = capture_begin(stdout), captured_err = capture_begin(stderr);
        _cleanup_buffer_ Buffer got_out = BUFFER_NULL, got_err = BUFFER_NULL;
        int argc = 3, got;

        for (; *words; words++)
                argv[argc++] = *words;
        optind = 0;
        got = cli_main(&c, argc, argv);
        got_out = capture_end(&captured_out);
        got_err = capture_end(&captured_err);

        if (got != status || !strstr(got_out.data, out) || !strstr(got_err.data, err))
                fail_msg("%s: exit status %d\n--- stdout\n%s\n--- stderr\n%s", argv[3], got, got_out.data, got_err.data);
}

#define EXPECT(t, status, out, err, ...) expect(t, status, out, err, (char *const[]) {__VA_ARGS__, NULL})

#define POLICY "[knob]\nvalue = 7\n[thing *]\nlabel = blue\n"

static void test_loop(void **state) {
        const Tree *t = *state;

        made_up_tree(t, POLICY);
        EXPECT(t, STATUS_CHANGES, "label [one]   on      differs         not-right\n", "", (char *) "status");
        EXPECT(t, STATUS_CHANGES, "--- /dev/null\n+++ one\n@@ -0,0 +1,1 @@\n+blue\n--- two\n+++ two\n", "", (char *) "plan");
        EXPECT(t, STATUS_CHANGES, "\"kind\": \"label\"", "", (char *) "--json", (char *) "plan");
        EXPECT(t, STATUS_OK, "label one: created\nlabel two: changed\n", "", (char *) "apply");
        EXPECT(t, STATUS_OK, "label [two]   on      active\n", "", (char *) "status", (char *) "label");
        EXPECT(t, STATUS_OK, "label one: removed\nlabel two: changed\n", "", (char *) "revert", (char *) "label");
        EXPECT(t, STATUS_OK, "label [one]   held    off", "", (char *) "status");
        EXPECT(t, STATUS_OK, "label [one] is held since it was reverted: `made-up apply`", "", (char *) "plan");
        EXPECT(t, STATUS_OK, "Nothing to do.\n", "", (char *) "apply", (char *) "--unattended");
        EXPECT(t, STATUS_OK, "label one: created\n", "", (char *) "apply");
}

/* What is said of the policy is said of the side's own. */
static void test_no_policy(void **state) {
        _cleanup_free_ char *path = NULL;
        const Tree *t = *state;

        made_up_tree(t, "");
        path = tree_path(t, "/etc/made-up/policy.conf");
        assert_int_equal(unlink(path), 0);
        EXPECT(t, STATUS_OK, "There is no policy, so nothing is wanted: see /etc/made-up/policy.conf.\n", "",
               (char *) "status");
}

static void test_usage(void **state) {
        const Tree *t = *state;

        made_up_tree(t, POLICY);
        EXPECT(t, STATUS_USAGE, "", "made-up: status takes no option --unattended; try made-up status --help\n", (char *) "status",
               (char *) "--unattended");
        EXPECT(t, STATUS_USAGE, "", "made-up: apply takes no option --json", (char *) "apply", (char *) "-j");
        EXPECT(t, STATUS_USAGE, "", "made-up: there is no verb do", (char *) "do");
        EXPECT(t, STATUS_USAGE, "", "made-up: there is no practice haltpoll; see made-up --help\n", (char *) "status",
               (char *) "haltpoll");
        EXPECT(t, STATUS_OK, "Practices:\n  knob note label\n", "", (char *) "--help");
        EXPECT(t, STATUS_USAGE, "", "wrong number of arguments; usage: made-up plan\n", (char *) "plan", (char *) "all");
        EXPECT(t, STATUS_USAGE, "", "made-up: there is no verb do", (char *) "do", (char *) "--help");
        EXPECT(t, STATUS_OK, "Usage: made-up status [OPTION...]", "", (char *) "--help", (char *) "status");
}

/* An image that is not mounted is not in order. */
static void test_empty_root(void **state) {
        const Tree *t = *state;

        EXPECT(t, STATUS_ERROR, "", "no system is there: it has neither etc, usr nor boot\n", (char *) "status");
        EXPECT(t, STATUS_ERROR, "", "no system is there", (char *) "apply");
        assert_int_equal(tree_count(t, "/"), 0);
        tree_file(t, "/lost+found/a", "");
        EXPECT(t, STATUS_ERROR, "", "no system is there", (char *) "plan");
        tree_file(t, "/etc/hostname", "a\n");
        EXPECT(t, STATUS_OK, "", "", (char *) "status");
}

static void test_explain(void **state) {
        const Tree *t = *state;

        made_up_tree(t, POLICY);
        EXPECT(t, STATUS_OK, "knob: a title\n", "", (char *) "explain", (char *) "knob");
        EXPECT(t, STATUS_OK, "knob            a title\n", "", (char *) "explain");
        EXPECT(t, STATUS_OK, "secrets\n", "", (char *) "explain", (char *) "secrets");
        EXPECT(t, STATUS_OK, "not-right\n    It is not as it should be.\n    A reason of knob, note, label.\n", "",
               (char *) "explain", (char *) "not-right");
        EXPECT(t, STATUS_OK, "\"practices\": [\n", "", (char *) "--json", (char *) "explain");
        EXPECT(t, STATUS_USAGE, "", "made-up: there is no practice and no reason nothing; `made-up explain` lists the practices\n",
               (char *) "explain", (char *) "nothing");

        /* None of the made-up practices has to do with boot entries. */
        EXPECT(t, STATUS_USAGE, "", "there is no practice and no reason boot-store-none", (char *) "explain",
               (char *) "boot-store-none");
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_loop, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_empty_root, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_explain, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_no_policy, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_usage, tree_setup, tree_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
