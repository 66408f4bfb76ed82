/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "agent/daemon/local-socket.h"
#include "agent/daemon/tpm-client.h"
#include "core/json-scan.h"
#include "core/json.h"

#define TPM_CLIENT_WAIT_USEC (25U * 1000000U) /* for the answer; gtune-tpm itself gives up after 20 s */
#define TPM_CLIENT_ANSWER_MAX (256U * 1024U)

struct TpmClient {
        sd_event *event;
        const Root *root;
        TpmClientOwner owner;
        sd_event_source *begin; /* runs once, when the event loop is idle */

        const char *verb; /* NULL: there is no question */
        int fd;
        sd_event_source *io, *timer;
        Buffer arguments, question, answer;
        Buffer report; /* as a JSON string; empty: none is signed */
        size_t sent;
};

bool tpm_client_busy(const TpmClient *c) {
        return c->verb;
}

void tpm_client_stop(TpmClient *c) {
        c->io = sd_event_source_disable_unref(c->io);
        c->timer = sd_event_source_disable_unref(c->timer);
        (void) sd_event_source_set_enabled(c->begin, SD_EVENT_OFF);
        c->fd = safe_close(c->fd);
        buffer_done(&c->arguments);
        buffer_done(&c->question);
        buffer_done(&c->answer);
        buffer_done(&c->report);
        c->sent = 0;
        c->verb = NULL;
}

static void tpm_client_finish(TpmClient *c, const char *answer, const char *error) {
        _cleanup_free_ char *copy = error ? strdup(error) : NULL;

        tpm_client_stop(c);
        c->owner.done(c->owner.userdata, answer, answer ? NULL : copy ? copy : "out of memory");
}

/*
 * Find the object that a successful answer returns. It is not made a tree of, because that takes long for an event log,
 * and a ping may wait. gtune-tpm reads hostile files, so that nothing of its answer is trusted.
 */
static bool tpm_client_find_result(const TpmClient *c, Span *ret) {
        static const char head[] = "{\"return\":", report[] = "\"report\"";
        const Buffer *answer = &c->answer;
        JsonScan scan = JSON_SCAN_INIT(JSON_DEPTH_MAX);
        size_t size = answer->size, start = strlen(head), end = 0;

        while (size > 0 && answer->data[size - 1] == '\n')
                size--;
        if (size <= start || !startswith(answer->data, head))
                return false;

        for (size_t i = 0; i < size; i++) {
                const char ch = answer->data[i];

                if (ch < ' ' || ch > '~' || json_scan(&scan, ch) != JSON_SCAN_OK)
                        return false;
                if (ch == '}' && scan.depth == 1 && !scan.in_string && end == 0)
                        end = i + 1;
        }

        start += strspn(answer->data + start, " ");
        *ret = (Span) {.data = answer->data + start, .size = end > start ? end - start : 0};
        return ret->data[0] == '{' && end + 1 == size && json_scan_end(&scan) &&
               (c->report.size == 0 || !memmem(ret->data, ret->size, report, strlen(report)));
}

/* The host can verify a signature only with the report that was signed, so the report is added to the result. */
static int tpm_client_format_result(const TpmClient *c, Span result, Buffer *ret) {
        int r;

        if (c->report.size == 0)
                return buffer_append(ret, result.data, result.size);

        r = buffer_append(ret, result.data, result.size - 1);
        if (r < 0)
                return r;
        r = buffer_printf(ret, "%s\"report\":", result.size > strlen("{}") ? "," : "");
        if (r < 0)
                return r;
        r = buffer_append(ret, c->report.data, c->report.size);
        if (r < 0)
                return r;

        return buffer_puts(ret, "}");
}

static void tpm_client_understand_failure(TpmClient *c) {
        _cleanup_json_ json_object *answer = NULL;
        json_object *part = NULL;

        if (c->answer.size == 0 || json_parse(c->answer.data, c->answer.size, &answer) < 0 ||
            !json_object_is_type(answer, json_type_object))
                tpm_client_finish(c, NULL, "gtune-tpm gave no answer; is the package gtuned-tpm installed?");
        else if (json_object_object_get_ex(answer, "error", &part) && json_get_text(part, "desc"))
                tpm_client_finish(c, NULL, json_get_text(part, "desc"));
        else
                tpm_client_finish(c, NULL, "gtune-tpm gave an answer that cannot be understood");
}

static void tpm_client_understand(TpmClient *c) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        Span result;

        if (!tpm_client_find_result(c, &result))
                tpm_client_understand_failure(c);
        else
                tpm_client_finish(c, tpm_client_format_result(c, result, &text) >= 0 ? text.data : NULL, "out of memory");
}

static int tpm_client_send(TpmClient *c) {
        ssize_t n;

        n = send(c->fd, c->question.data + c->sent, c->question.size - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (n < 0)
                return negative_errno();

        c->sent += (size_t) n;
        if (c->sent < c->question.size)
                return 0;

        return sd_event_source_set_io_events(c->io, EPOLLIN);
}

/* Returns 1 if the answer is complete, 0 if it is not, or -errno. */
static int tpm_client_receive(TpmClient *c) {
        char part[4096];
        ssize_t n;

        n = recv(c->fd, part, sizeof(part), MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (n < 0)
                return negative_errno();
        if (n == 0)
                return 1;
        if (c->answer.size + (size_t) n > TPM_CLIENT_ANSWER_MAX)
                return -EMSGSIZE;
        if (buffer_append(&c->answer, part, (size_t) n) < 0)
                return -ENOMEM;

        return memchr(part, '\n', (size_t) n) ? 1 : 0;
}

static int tpm_client_on_io(_unused_ sd_event_source *source, _unused_ int fd, uint32_t events, void *userdata) {
        TpmClient *c = userdata;
        int r = 0;

        if (events & EPOLLOUT)
                r = tpm_client_send(c);
        if (r >= 0 && (events & (EPOLLIN | EPOLLHUP)))
                r = tpm_client_receive(c);

        if (r > 0)
                tpm_client_understand(c);
        else if (r < 0)
                tpm_client_finish(c, NULL, error_text(-r));
        return 0;
}

static int tpm_client_on_timeout(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        tpm_client_finish(userdata, NULL, "gtune-tpm did not answer within 25 s");
        return 0;
}

static int tpm_client_format_question(TpmClient *c) {
        int r;

        r = buffer_printf(&c->question, "{\"execute\": \"%s\", \"arguments\": {%s", c->verb,
                          c->arguments.size > 0 ? c->arguments.data : "");
        if (r < 0)
                return r;
        /* The report is sent as a whole, because the daemon has no hash function. */
        if (c->report.size > 0) {
                r = buffer_printf(&c->question, "%s\"report\": %s", c->arguments.size > 0 ? ", " : "", c->report.data);
                if (r < 0)
                        return r;
        }

        return buffer_puts(&c->question, "}}\n");
}

static void tpm_client_fail(TpmClient *c, const char *what, int error) {
        _cleanup_free_ char *text = xasprintf("%s: %s", what, error_text(-error));

        tpm_client_finish(c, NULL, text);
}

static int tpm_client_on_begin(_unused_ sd_event_source *source, void *userdata) {
        TpmClient *c = userdata;
        int r;

        r = tpm_client_format_question(c);
        if (r < 0) {
                tpm_client_fail(c, "What gtune-tpm is to be asked cannot be made", r);
                return 0;
        }

        r = local_socket_connect(c->root, TPM_CLIENT_DIRECTORY, TPM_CLIENT_SOCKET, &c->fd);
        if (r == -ENOENT) {
                tpm_client_finish(c, NULL, "gtuned-tpm.socket is not there: the package gtuned-tpm is not installed, "
                                           "or its socket not started");
                return 0;
        }
        if (r >= 0)
                r = sd_event_add_io(c->event, &c->io, c->fd, EPOLLIN | EPOLLOUT, tpm_client_on_io, c);
        if (r < 0)
                tpm_client_fail(c, "gtune-tpm cannot be asked", r);
        return 0;
}

int tpm_client_ask(TpmClient *c, const char *verb, Buffer *arguments, Span report) {
        assert(c && !c->verb);

        if (report.size > 0 && json_quote(&c->report, report.data, report.size) < 0) {
                buffer_done(&c->report);
                return -ENOMEM;
        }

        c->verb = verb;
        c->arguments = *arguments;
        *arguments = BUFFER_NULL;
        (void) sd_event_source_set_enabled(c->begin, SD_EVENT_ONESHOT);
        (void) sd_event_add_time_relative(c->event, &c->timer, CLOCK_MONOTONIC, TPM_CLIENT_WAIT_USEC, 0,
                                          tpm_client_on_timeout, c);
        return 0;
}

int tpm_client_new(TpmClient **ret, sd_event *event, const Root *root, const TpmClientOwner *owner) {
        _cleanup_(tpm_client_freep) TpmClient *c = NULL;
        int r;

        assert(ret && event && root && owner);

        c = calloc(1, sizeof(TpmClient));
        if (!c)
                return -ENOMEM;

        c->event = sd_event_ref(event);
        c->root = root;
        c->owner = *owner;
        c->fd = -EBADF;

        r = sd_event_add_defer(event, &c->begin, tpm_client_on_begin, c);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(c->begin, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = sd_event_source_set_priority(c->begin, SD_EVENT_PRIORITY_IDLE);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(c);
        return 0;
}

TpmClient *tpm_client_free(TpmClient *c) {
        if (!c)
                return NULL;

        tpm_client_stop(c);
        sd_event_source_disable_unref(c->begin);
        sd_event_unref(c->event);
        free(c);
        return NULL;
}
