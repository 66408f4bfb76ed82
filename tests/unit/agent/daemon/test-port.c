/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The port with a client of its socket: requests that wait until the report is made. All else of the port is tested by
 * tests/channel/hostile-host.py.
 */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/socket.h>

#include "agent/daemon/local-socket.h"
#include "agent/daemon/port.h"
#include "tests/unit/tree.h"

#define STATUS "{\"execute\":\"gtune-status\",\"id\":1}"
#define WATCH "{\"execute\":\"gtune-watch\",\"id\":2}"
#define PLAN "{\"execute\":\"gtune-plan\",\"id\":3}"
#define PCRS "{\"execute\":\"gtune-pcrs\",\"id\":4}"
#define QUOTE "{\"execute\":\"gtune-quote\",\"arguments\":{\"nonce\":\"00\",\"bank\":\"sha256\",\"selection\":\"0\"},\"id\":5}"
#define PING "{\"execute\":\"guest-ping\"}"
#define STATUS_REPLY "{\"return\": {\"changes\": []}, \"id\": 1}\n"
#define WATCH_REPLY "{\"return\": {\"changes\": []}, \"id\": 2}\n"
#define PLAN_REPLY \
        "{\"return\": {\"refusal\": null, \"changes\": [], \"offset\": 0, \"total\": 0, \"next\": null}, \"id\": 3}\n"
#define PONG "{\"return\": {}}\n"

/* A port, the daemon behind it, and a host before it. */
typedef struct Scene {
        Tree *tree;
        sd_event *event;
        CommandAgent agent;
        Port *port;
        int host;
        bool making; /* the report */
        bool watching;
        unsigned asked; /* for the report or the plan */
        Buffer heard;   /* by the host, since scene_hear() was last called */
} Scene;

static int scene_report(void *userdata, Span *ret) {
        static const char text[] = "{\"changes\": []}";
        Scene *s = userdata;

        s->asked++;
        *ret = (Span) {.data = text, .size = strlen(text)};
        return s->making ? -EAGAIN : 0;
}

static bool scene_allows_apply(_unused_ void *userdata) {
        return false;
}

static void scene_apply(_unused_ void *userdata) {
}

static void scene_watch(void *userdata, bool on) {
        ((Scene *) userdata)->watching = on;
}

static int scene_tpm(void *userdata, _unused_ const char *verb, _unused_ Buffer *arguments, bool signs_report) {
        return signs_report && ((Scene *) userdata)->making ? -EAGAIN : 0;
}

static void scene_connect(Scene *s) {
        assert_return_code(local_socket_connect(s->tree->root, "/run", "port.sock", &s->host), 0);
}

static int scene_begin(void **state) {
        Scene *s = calloc(1, sizeof(Scene));
        _cleanup_free_ char *path = NULL;
        void *tree;

        assert_non_null(s);
        tree_setup(&tree);
        s->tree = tree;
        path = tree_path(s->tree, "/run/port.sock");
        s->agent = (CommandAgent) {scene_report, scene_report, scene_allows_apply, scene_apply, scene_watch, scene_tpm, s};
        assert_return_code(sd_event_new(&s->event), 0);
        assert_return_code(port_new(&s->port, s->event, &s->agent), 0);
        assert_return_code(port_listen(s->port, path), 0);
        scene_connect(s);
        *state = s;
        return 0;
}

static int scene_end(void **state) {
        Scene *s = *state;
        void *tree = s->tree;

        closep(&s->host);
        port_free(s->port);
        sd_event_unref(s->event);
        buffer_done(&s->heard);
        free(s);
        return tree_teardown(&tree);
}

/* Run the loop until nothing happens any more. Return: what the host has heard meanwhile. */
static const char *scene_hear(Scene *s) {
        char part[4096];
        ssize_t n;

        buffer_done(&s->heard);
        assert_return_code(buffer_puts(&s->heard, ""), 0);
        while (sd_event_run(s->event, 20000) > 0)
                ;
        while ((n = recv(s->host, part, sizeof(part), MSG_DONTWAIT)) > 0)
                assert_return_code(buffer_append(&s->heard, part, (size_t) n), 0);

        return strempty(s->heard.data);
}

static void scene_say(const Scene *s, const char *text) {
        assert_int_equal(send(s->host, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static const struct {
        const char *request, *reply;
        bool watches;
} rows[] = {
        {STATUS, STATUS_REPLY, false},
        {PLAN, PLAN_REPLY, false},
        {WATCH, WATCH_REPLY, true},
};

/* The request waits, and so do those behind it, which come at once or later; what came before is answered. */
static void test_resume(void **state) {
        Scene *s = *state;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *text = xasprintf(PING "%s" PING, rows[i].request);
                _cleanup_free_ char *reply = xasprintf("%s" PONG PONG, rows[i].reply);

                s->making = true;
                scene_say(s, text);
                assert_string_equal(scene_hear(s), PONG);
                scene_say(s, PING);
                assert_string_equal(scene_hear(s), "");
                assert_false(s->watching);

                s->making = false;
                port_resume(s->port);
                assert_string_equal(scene_hear(s), reply);
                assert_int_equal(s->watching, rows[i].watches);
        }
}

/* The report is out of date again when it was made: the request waits on. */
static void test_resume_too_early(void **state) {
        Scene *s = *state;

        s->making = true;
        scene_say(s, STATUS PING);
        assert_string_equal(scene_hear(s), "");
        assert_int_equal(s->asked, 1);
        port_resume(s->port);
        assert_string_equal(scene_hear(s), "");
        assert_int_equal(s->asked, 2);

        s->making = false;
        port_resume(s->port);
        assert_string_equal(scene_hear(s), STATUS_REPLY PONG);
        assert_int_equal(s->asked, 3);
}

/* Two that wait in turn: the second asks anew. */
static void test_second_waits(void **state) {
        Scene *s = *state;

        s->making = true;
        scene_say(s, STATUS PLAN PING);
        assert_string_equal(scene_hear(s), "");
        s->making = false;
        port_resume(s->port);
        s->making = true;
        assert_string_equal(scene_hear(s), STATUS_REPLY);
        s->making = false;
        port_resume(s->port);
        assert_string_equal(scene_hear(s), PLAN_REPLY PONG);
}

/* Nobody waits: before any request, after an answer, and after a second call. */
static void test_resume_nothing(void **state) {
        Scene *s = *state;

        port_resume(s->port);
        assert_string_equal(scene_hear(s), "");
        scene_say(s, STATUS);
        assert_string_equal(scene_hear(s), STATUS_REPLY);
        port_resume(s->port);
        assert_string_equal(scene_hear(s), "");

        s->making = true;
        scene_say(s, STATUS);
        assert_string_equal(scene_hear(s), "");
        s->making = false;
        port_resume(s->port);
        port_resume(s->port);
        assert_string_equal(scene_hear(s), STATUS_REPLY);
}

/* A long request, in pieces, is still whole when it is answered. */
static void test_text_is_kept(void **state) {
        Scene *s = *state;
        char blanks[3000];

        memset(blanks, ' ', sizeof(blanks) - 1);
        blanks[sizeof(blanks) - 1] = 0;
        s->making = true;
        scene_say(s, "{\"execute\":");
        for (unsigned i = 0; i < 4; i++) {
                scene_say(s, blanks);
                assert_string_equal(scene_hear(s), "");
        }
        scene_say(s, "\"gtune-status\",\"id\":1}" PING);
        assert_string_equal(scene_hear(s), "");
        s->making = false;
        port_resume(s->port);
        assert_string_equal(scene_hear(s), STATUS_REPLY PONG);
}

/* A request that is answered in the background goes on while another one waits. */
static void test_background(void **state) {
        Scene *s = *state;

        s->making = true;
        scene_say(s, PCRS STATUS);
        assert_string_equal(scene_hear(s), "");
        port_answer_background(s->port, NULL, "{\"pcrs\": 1}");
        assert_string_equal(scene_hear(s), "{\"return\": {\"pcrs\": 1}, \"id\": 4}\n");
        s->making = false;
        port_resume(s->port);
        assert_string_equal(scene_hear(s), STATUS_REPLY);
}

/* What has waited for the report goes on in the background, and no longer keeps others waiting. */
static void test_resume_to_background(void **state) {
        Scene *s = *state;

        s->making = true;
        scene_say(s, QUOTE PING);
        assert_string_equal(scene_hear(s), "");
        s->making = false;
        port_resume(s->port);
        assert_string_equal(scene_hear(s), PONG);
        port_answer_background(s->port, NULL, "{\"attest\": 1}");
        assert_string_equal(scene_hear(s), "{\"return\": {\"attest\": 1}, \"id\": 5}\n");
}

/* That the host has left is noticed while its request waits: the next one does not wait for it. */
static void test_host_is_gone(void **state) {
        Scene *s = *state;

        s->making = true;
        scene_say(s, PCRS STATUS);
        assert_string_equal(scene_hear(s), "");
        closep(&s->host);
        scene_connect(s);
        scene_say(s, PING);
        port_answer_background(s->port, NULL, "{}");
        assert_string_equal(scene_hear(s), PONG);
        port_resume(s->port);
        assert_string_equal(scene_hear(s), "");
        assert_int_equal(s->asked, 1);
}

/* The host leaves while its request waits. The next one gets no answer that is not its own. */
static void test_host_leaves(void **state) {
        Scene *s = *state;

        s->making = true;
        scene_say(s, WATCH PING);
        assert_string_equal(scene_hear(s), "");
        closep(&s->host);
        scene_connect(s);
        scene_say(s, STATUS);
        assert_string_equal(scene_hear(s), "");

        /* The answer is for the host that has left, which only now is noticed. */
        s->making = false;
        port_resume(s->port);
        assert_string_equal(scene_hear(s), STATUS_REPLY);
        assert_false(s->watching);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scene_begin, scene_end)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_resume),
                TEST(test_resume_too_early),
                TEST(test_second_waits),
                TEST(test_resume_nothing),
                TEST(test_text_is_kept),
                TEST(test_background),
                TEST(test_resume_to_background),
                TEST(test_host_leaves),
                TEST(test_host_is_gone),
        };

        (void) signal(SIGPIPE, SIG_IGN); /* as the daemon does */
        return cmocka_run_group_tests_name("port", tests, NULL, NULL);
}
