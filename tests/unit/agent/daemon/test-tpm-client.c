/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "agent/daemon/tpm-client.h"
#include "tests/unit/tree.h"

#define REPORT "{\"schema\": 1}"
#define ROUNDS_MAX 1000U
#define PCRS "{\"execute\": \"pcrs\", \"arguments\": {}}\n"
#define UNCLEAR "gtune-tpm gave an answer that cannot be understood"
#define NONE "gtune-tpm gave no answer; is the package gtuned-tpm installed?"

/* gtune-tpm as the client sees it: a socket that answers one line. */
typedef struct Scene {
        sd_event *event;
        TpmClient *client;
        int listen_fd;
        const char *reply;
        char *order;     /* what happened, a letter each: d the question was done, o the other request was answered */
        char question[512];
        char *answer, *error;
        unsigned done;
} Scene;

static void note(Scene *s, char letter) {
        s->order[strlen(s->order)] = letter;
}

static void scene_done(void *userdata, const char *answer, const char *error) {
        Scene *s = userdata;

        assert_true(!answer != !error);
        note(s, 'd');
        s->answer = answer ? strdup(answer) : NULL;
        s->error = error ? strdup(error) : NULL;
        s->done++;
}

static int listen_below(const Tree *t) {
        _cleanup_free_ char *path = tree_path(t, TPM_CLIENT_DIRECTORY "/" TPM_CLIENT_SOCKET);
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        assert_true(fd >= 0 && strlen(path) < sizeof(address.sun_path));
        strcpy(address.sun_path, path);
        assert_int_equal(bind(fd, (const struct sockaddr *) &address, sizeof(address)), 0);
        assert_int_equal(listen(fd, 1), 0);
        return fd;
}

static void scene_begin(Scene *s, const Tree *t, bool listening) {
        const TpmClientOwner owner = {.done = scene_done, .userdata = s};

        *s = (Scene) {.listen_fd = listening ? listen_below(t) : -EBADF, .order = calloc(8, 1)};
        assert_non_null(s->order);
        assert_return_code(sd_event_new(&s->event), 0);
        assert_return_code(tpm_client_new(&s->client, s->event, t->root, &owner), 0);
}

static void scene_end(Scene *s) {
        tpm_client_free(s->client);
        sd_event_unref(s->event);
        closep(&s->listen_fd);
        free(s->order);
        free(s->answer);
        free(s->error);
}

/* Takes the question and answers it, once there is one. */
static void serve(Scene *s) {
        _cleanup_close_ int fd = s->listen_fd >= 0 ? accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC) : -EBADF;
        size_t n = 0;

        if (fd < 0)
                return;

        while (!memchr(s->question, '\n', n)) {
                ssize_t m;

                assert_return_code(sd_event_run(s->event, 0), 0);
                m = recv(fd, s->question + n, sizeof(s->question) - 1 - n, MSG_DONTWAIT);
                n += m > 0 ? (size_t) m : 0;
        }
        assert_int_equal(write(fd, s->reply, strlen(s->reply)), strlen(s->reply));
}

static void ask(Scene *s, const char *verb, const char *text, bool signs_report) {
        _cleanup_buffer_ Buffer arguments = BUFFER_NULL, report = BUFFER_NULL;

        assert_return_code(buffer_puts(&report, REPORT), 0);
        assert_return_code(buffer_puts(&arguments, text), 0);
        assert_return_code(tpm_client_ask(s->client, verb, &arguments, signs_report ? SPAN_BUFFER(report) : SPAN_NULL), 0);
        assert_null(arguments.data);

        /* The report is the client's own now: the one of the daemon may change before it is sent. */
        if (signs_report)
                memset(report.data, 'x', report.size);
}

static void run_until_done(Scene *s) {
        for (unsigned i = 0; s->done == 0 && i < ROUNDS_MAX; i++) {
                assert_return_code(sd_event_run(s->event, 10000), 0);
                serve(s);
        }
        assert_int_equal(s->done, 1);
        assert_false(tpm_client_busy(s->client));
}

static const struct {
        const char *verb, *arguments;
        bool signs_report;
        const char *reply, *question, *answer, *error;
} rows[] = {
        {"pcrs", "", false, "{\"return\": {\"a\": 1}}\n", "{\"execute\": \"pcrs\", \"arguments\": {}}\n",
         "{\"a\": 1}", NULL},
        {"eventlog", "\"offset\": 7", false, "{\"return\": {}}\n",
         "{\"execute\": \"eventlog\", \"arguments\": {\"offset\": 7}}\n", "{}", NULL},
        {"quote", "\"nonce\": \"00\"", true, "{\"return\": {\"attest\": \"x\"}}\n",
         "{\"execute\": \"quote\", \"arguments\": {\"nonce\": \"00\", \"report\": \"{\\\"schema\\\": 1}\"}}\n",
         "{\"attest\": \"x\",\"report\":\"{\\\"schema\\\": 1}\"}", NULL},
        {"quote", "", true, "{\"return\":{}}\n",
         "{\"execute\": \"quote\", \"arguments\": {\"report\": \"{\\\"schema\\\": 1}\"}}\n",
         "{\"report\":\"{\\\"schema\\\": 1}\"}", NULL},
        {"pcrs", "", false, "{\"return\":{\"a\":{\"b\":[{}]},\"c\":\"}\\\"}\"}}\n", PCRS, "{\"a\":{\"b\":[{}]},\"c\":\"}\\\"}\"}", NULL},
        {"quote", "", true, "{\"error\": {\"class\": \"GenericError\", \"desc\": \"no TPM\"}}\n",
         "{\"execute\": \"quote\", \"arguments\": {\"report\": \"{\\\"schema\\\": 1}\"}}\n", NULL, "no TPM"},
        {"pcrs", "", false, "", "{\"execute\": \"pcrs\", \"arguments\": {}}\n", NULL,
         "gtune-tpm gave no answer; is the package gtuned-tpm installed?"},
        {"pcrs", "", false, "{\"return\": 5}\n", PCRS, NULL, UNCLEAR},

        /* An answer that would break the host's line, or say more than one thing. */
        {"pcrs", "", false, "{\"return\":{},\"return\":{}}\n", PCRS, NULL, UNCLEAR},
        {"pcrs", "", false, "{\"return\":{\"a\":\n1}}\n", PCRS, NULL, UNCLEAR},
        {"pcrs", "", false, "{\"return\":{\"a\":\"\303\251\"}}\n", PCRS, NULL, UNCLEAR},
        {"pcrs", "", false, "{\"return\":[{}]}\n", PCRS, NULL, UNCLEAR},
        {"pcrs", "", false, "{\"return\":{}} {}\n", PCRS, NULL, NONE},
        {"pcrs", "", false, "{\"return\":{\"a\":}}\n", PCRS, NULL, NONE},
        {"pcrs", "", false, "{\"return\":{\n", PCRS, NULL, NONE},
        {"quote", "", true, "{\"return\":{\"report\":\"forged\"}}\n",
         "{\"execute\": \"quote\", \"arguments\": {\"report\": \"{\\\"schema\\\": 1}\"}}\n", NULL, UNCLEAR},
        {"quote", "", true, "{\"return\":{\"report\" :\"forged\"}}\n",
         "{\"execute\": \"quote\", \"arguments\": {\"report\": \"{\\\"schema\\\": 1}\"}}\n", NULL, UNCLEAR},
};

static void test_answers(void **state) {
        const Tree *t = *state;

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_free_ char *path = tree_path(t, TPM_CLIENT_DIRECTORY "/" TPM_CLIENT_SOCKET);
                Scene s;

                (void) unlink(path);
                scene_begin(&s, t, true);
                s.reply = rows[i].reply;
                ask(&s, rows[i].verb, rows[i].arguments, rows[i].signs_report);
                assert_true(tpm_client_busy(s.client));
                run_until_done(&s);
                assert_string_equal(s.question, rows[i].question);
                assert_string_equal(strempty(s.answer), strempty(rows[i].answer));
                assert_string_equal(strempty(s.error), strempty(rows[i].error));
                scene_end(&s);
        }
}

/* Without the package there is no socket. */
static void test_failures(void **state) {
        const Tree *t = *state;
        Scene s;

        scene_begin(&s, t, false);
        ask(&s, "pcrs", "", false);
        run_until_done(&s);
        assert_non_null(strstr(s.error, "the package gtuned-tpm is not installed"));
        scene_end(&s);
}

static int on_other(_unused_ sd_event_source *source, void *userdata) {
        note(userdata, 'o');
        return 0;
}

/* A request that is there already is answered before. */
static void test_others_first(void **state) {
        sd_event_source *other = NULL;
        Scene s;

        scene_begin(&s, *state, false);
        ask(&s, "quote", "", true);
        assert_return_code(sd_event_add_defer(s.event, &other, on_other, &s), 0);
        run_until_done(&s);
        assert_string_equal(s.order, "od");
        sd_event_source_disable_unref(other);
        scene_end(&s);
}

static void test_stop(void **state) {
        Scene s;

        scene_begin(&s, *state, false);
        ask(&s, "pcrs", "", false);
        tpm_client_stop(s.client);
        assert_false(tpm_client_busy(s.client));
        assert_return_code(sd_event_run(s.event, 0), 0);
        assert_int_equal(s.done, 0);
        scene_end(&s);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_answers, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_failures, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_others_first, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_stop, tree_setup, tree_teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
