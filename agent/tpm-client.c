/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "agent/local-socket.h"
#include "agent/tpm-client.h"
#include "core/json.h"

#define WAIT_USEC (25U * 1000000U) /* for the answer; gtune-tpm gives up by itself after 20 s */
#define ANSWER_MAX (256U * 1024U)

struct TpmClient {
        sd_event *event;
        const Root *root;
        TpmClientDone done;
        void *userdata;

        int fd;
        sd_event_source *io, *timer, *defer;
        Buffer question, answer, report;
        size_t sent;
        bool busy;
        int failure;
};

bool tpm_client_busy(const TpmClient *c) {
        return c->busy;
}

void tpm_client_stop(TpmClient *c) {
        c->io = sd_event_source_disable_unref(c->io);
        c->timer = sd_event_source_disable_unref(c->timer);
        c->defer = sd_event_source_disable_unref(c->defer);
        c->fd = safe_close(c->fd);
        buffer_done(&c->question);
        buffer_done(&c->answer);
        buffer_done(&c->report);
        c->sent = 0;
        c->busy = false;
}

static void client_finish(TpmClient *c, const char *answer, const char *error) {
        _cleanup_free_ char *copy = error ? strdup(error) : NULL;

        tpm_client_stop(c);
        c->done(c->userdata, answer, answer ? NULL : copy ? copy : "out of memory");
}

/* What was asked about goes along with what is signed. */
static int format_result(TpmClient *c, json_object *result, Buffer *ret) {
        int r = 0;

        if (c->report.size > 0)
                r = json_set(result, "report", json_text_n(c->report.data, c->report.size));

        return r < 0 ? r : json_format(result, ret);
}

/* It reads hostile files, so that its answer is read as strictly as any other. */
static void client_understand(TpmClient *c) {
        _cleanup_json_ json_object *answer = NULL;
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        json_object *part = NULL;

        if (c->answer.size == 0 || json_parse(c->answer.data, c->answer.size, &answer) < 0 ||
            !json_object_is_type(answer, json_type_object))
                client_finish(c, NULL, "gtune-tpm gave no answer; is the package gtuned-tpm installed?");
        else if (json_object_object_get_ex(answer, "return", &part) && json_object_is_type(part, json_type_object))
                client_finish(c, format_result(c, part, &text) >= 0 ? text.data : NULL, "out of memory");
        else if (json_object_object_get_ex(answer, "error", &part) && json_get_text(part, "desc"))
                client_finish(c, NULL, json_get_text(part, "desc"));
        else
                client_finish(c, NULL, "gtune-tpm gave an answer that cannot be understood");
}

static int client_send(TpmClient *c) {
        ssize_t n;

        n = send(c->fd, c->question.data + c->sent, c->question.size - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : negative_errno();

        c->sent += (size_t) n;
        return c->sent < c->question.size ? 0 : sd_event_source_set_io_events(c->io, EPOLLIN);
}

/* Return: 1 where the answer is complete, 0 where not, or -errno. */
static int client_receive(TpmClient *c) {
        char part[4096];
        ssize_t n;

        n = recv(c->fd, part, sizeof(part), MSG_DONTWAIT);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : negative_errno();
        if (n == 0)
                return 1;
        if (c->answer.size + (size_t) n > ANSWER_MAX)
                return -EMSGSIZE;
        if (buffer_append(&c->answer, part, (size_t) n) < 0)
                return -ENOMEM;

        return memchr(part, '\n', (size_t) n) ? 1 : 0;
}

static int on_io(_unused_ sd_event_source *source, _unused_ int fd, uint32_t events, void *userdata) {
        TpmClient *c = userdata;
        int r = 0;

        if (events & EPOLLOUT)
                r = client_send(c);
        if (r >= 0 && (events & (EPOLLIN | EPOLLHUP)))
                r = client_receive(c);

        if (r > 0)
                client_understand(c);
        else if (r < 0)
                client_finish(c, NULL, strerror(-r));
        return 0;
}

static int on_timeout(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        client_finish(userdata, NULL, "gtune-tpm did not answer within 25 s");
        return 0;
}

static int on_failure(_unused_ sd_event_source *source, void *userdata) {
        TpmClient *c = userdata;
        _cleanup_free_ char *error = NULL;

        error = c->failure == -ENOENT ? strdup("gtuned-tpm.socket is not there: the package gtuned-tpm is not "
                                               "installed, or its socket not started")
                                      : xasprintf("gtune-tpm cannot be asked: %s", strerror(-c->failure));
        client_finish(c, NULL, error ? error : "out of memory");
        return 0;
}

static int client_begin(TpmClient *c) {
        int r;

        r = local_socket_connect(c->root, TPM_DIRECTORY, TPM_SOCKET, &c->fd);
        if (r >= 0)
                r = sd_event_add_io(c->event, &c->io, c->fd, EPOLLIN | EPOLLOUT, on_io, c);
        if (r >= 0)
                r = sd_event_add_time_relative(c->event, &c->timer, CLOCK_MONOTONIC, WAIT_USEC, 0, on_timeout, c);

        return r;
}

void tpm_client_ask(TpmClient *c, Buffer *question, const char *report, size_t size) {
        int r;

        assert(c && !c->busy);

        c->busy = true;
        c->question = *question;
        *question = BUFFER_NULL;

        r = report ? buffer_append(&c->report, report, size) : 0;
        if (r >= 0)
                r = client_begin(c);
        if (r >= 0)
                return;

        /* The answer must not come before the question is noted. */
        tpm_client_stop(c);
        c->failure = r;
        c->busy = sd_event_add_defer(c->event, &c->defer, on_failure, c) >= 0;
}

int tpm_client_new(TpmClient **ret, sd_event *event, const Root *root, TpmClientDone done, void *userdata) {
        TpmClient *c;

        assert(ret && event && root && done);

        c = calloc(1, sizeof(TpmClient));
        if (!c)
                return -ENOMEM;

        c->event = sd_event_ref(event);
        c->root = root;
        c->done = done;
        c->userdata = userdata;
        c->fd = -EBADF;
        *ret = c;
        return 0;
}

TpmClient *tpm_client_free(TpmClient *c) {
        if (!c)
                return NULL;

        tpm_client_stop(c);
        sd_event_unref(c->event);
        free(c);
        return NULL;
}
