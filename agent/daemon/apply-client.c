/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "agent/daemon/apply-client.h"
#include "agent/daemon/local-socket.h"
#include "core/json.h"

/* How long gtuned-request may take to be started, which is seconds on a slow machine, and to answer. */
#define APPLY_CLIENT_WAIT_USEC (15U * 1000000U)
#define APPLY_CLIENT_REPEAT_USEC (1U * 1000000U) /* how long a refusal is repeated */
#define APPLY_CLIENT_ANSWER_MAX 4096U

struct ApplyClient {
        sd_event *event;
        const Root *root;
        ApplyClientDone done;
        void *userdata;

        int fd;
        sd_event_source *io, *timer, *defer;
        Buffer answer;

        bool allowed;      /* the last answer, for done() */
        char *desc;
        uint64_t repeat;   /* until this time the last answer is repeated */
};

static uint64_t apply_client_now(const ApplyClient *c) {
        uint64_t now = 0;

        (void) sd_event_now(c->event, CLOCK_MONOTONIC, &now);
        return now;
}

static void apply_client_stop(ApplyClient *c) {
        c->io = sd_event_source_disable_unref(c->io);
        c->timer = sd_event_source_disable_unref(c->timer);
        c->defer = sd_event_source_disable_unref(c->defer);
        closep(&c->fd);
        c->fd = -EBADF;
        buffer_done(&c->answer);
}

static void apply_client_finish(ApplyClient *c, bool allowed, const char *desc) {
        apply_client_stop(c);
        c->allowed = allowed;
        if (free_and_strdup(&c->desc, desc) < 0)
                desc = "out of memory";
        c->repeat = desc ? apply_client_now(c) + APPLY_CLIENT_REPEAT_USEC : 0;
        c->done(c->userdata, allowed, desc);
}

/* gtuned-request is trusted, but it may be missing or fail: an absent or unknown answer counts as a failure. */
static void apply_client_understand(ApplyClient *c) {
        _cleanup_json_ json_object *answer = NULL;
        _cleanup_free_ char *copy = NULL;
        const char *result = NULL, *code, *reason;

        if (c->answer.size > 0 && json_parse(c->answer.data, c->answer.size, &answer) >= 0)
                result = json_get_text(answer, "result");

        if (result && streq(result, "started")) {
                apply_client_finish(c, true, NULL);
                return;
        }

        code = json_get_text(answer, "code");
        reason = json_get_text(answer, "reason");
        copy = strdup(reason ? reason : "gtuned-request gave no answer");
        apply_client_finish(c, !code || !streq(code, "not-allowed"), copy ? copy : "out of memory");
}

static int apply_client_on_answer(_unused_ sd_event_source *source, int fd, _unused_ uint32_t events, void *userdata) {
        ApplyClient *c = userdata;
        char part[512];
        ssize_t n;

        n = recv(fd, part, sizeof(part), MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;

        if (n > 0 && c->answer.size + (size_t) n <= APPLY_CLIENT_ANSWER_MAX &&
            buffer_append(&c->answer, part, (size_t) n) >= 0 && !memchr(part, '\n', (size_t) n))
                return 0;

        apply_client_understand(c);
        return 0;
}

static int apply_client_on_timeout(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        apply_client_finish(userdata, true, "gtuned-request did not answer within 15 s");
        return 0;
}

static int apply_client_on_repeat(_unused_ sd_event_source *source, void *userdata) {
        ApplyClient *c = userdata;

        c->defer = sd_event_source_disable_unref(c->defer);
        c->done(c->userdata, c->allowed, c->desc);
        return 0;
}

static int apply_client_begin(ApplyClient *c) {
        int r;

        r = local_socket_connect(c->root, APPLY_CLIENT_DIRECTORY, APPLY_CLIENT_SOCKET, &c->fd);
        if (r < 0)
                return r;
        r = sd_event_add_io(c->event, &c->io, c->fd, EPOLLIN, apply_client_on_answer, c);
        if (r < 0)
                return r;

        return sd_event_add_time_relative(c->event, &c->timer, CLOCK_MONOTONIC, APPLY_CLIENT_WAIT_USEC, 0,
                                          apply_client_on_timeout, c);
}

void apply_client_start(ApplyClient *c) {
        _cleanup_free_ char *desc = NULL;
        int r;

        assert(c && c->fd < 0 && !c->defer);

        /* The caller keeps the host's request after this call, so even a known answer is given by the event loop. */
        if (apply_client_now(c) >= c->repeat) {
                r = apply_client_begin(c);
                if (r >= 0)
                        return;

                apply_client_stop(c);
                desc = xasprintf("gtuned-request cannot be asked: %s", error_text(-r));
                c->allowed = true;
                (void) free_and_strdup(&c->desc, desc ? desc : "out of memory");
                c->repeat = apply_client_now(c) + APPLY_CLIENT_REPEAT_USEC;
        }

        (void) sd_event_add_defer(c->event, &c->defer, apply_client_on_repeat, c);
}

int apply_client_new(ApplyClient **ret, sd_event *event, const Root *root, ApplyClientDone done, void *userdata) {
        ApplyClient *c;

        assert(ret && event && root && done);

        c = calloc(1, sizeof(ApplyClient));
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

ApplyClient *apply_client_free(ApplyClient *c) {
        if (!c)
                return NULL;

        apply_client_stop(c);
        free(c->desc);
        sd_event_unref(c->event);
        free(c);
        return NULL;
}
