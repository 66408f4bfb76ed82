/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "agent/daemon/local-socket.h"
#include "agent/daemon/apply-client.h"
#include "core/json.h"

#define WAIT_USEC (5U * 1000000U)     /* for the answer */
#define REPEAT_USEC (1U * 1000000U)   /* how long a refusal is good for */
#define ANSWER_MAX 4096U

struct Requester {
        sd_event *event;
        const Root *root;
        RequesterDone done;
        void *userdata;

        int fd;
        sd_event_source *io, *timer, *defer;
        Buffer answer;

        bool allowed;      /* the last answer … */
        char *desc;
        uint64_t repeat;   /* … is given again until then */
};

static uint64_t requester_now(const Requester *q) {
        uint64_t now = 0;

        (void) sd_event_now(q->event, CLOCK_MONOTONIC, &now);
        return now;
}

static void requester_stop(Requester *q) {
        q->io = sd_event_source_disable_unref(q->io);
        q->timer = sd_event_source_disable_unref(q->timer);
        q->defer = sd_event_source_disable_unref(q->defer);
        closep(&q->fd);
        q->fd = -EBADF;
        buffer_done(&q->answer);
}

static void requester_finish(Requester *q, bool allowed, const char *desc) {
        requester_stop(q);
        q->allowed = allowed;
        if (free_and_strdup(&q->desc, desc) < 0)
                desc = "out of memory";
        q->repeat = desc ? requester_now(q) + REPEAT_USEC : 0;
        q->done(q->userdata, allowed, desc);
}

/* What runs as root is believed, but not that it is there: no answer, or none of the known form, is a failure. */
static void requester_understand(Requester *q) {
        _cleanup_json_ json_object *answer = NULL;
        _cleanup_free_ char *copy = NULL;
        const char *result = NULL, *code, *reason;

        if (q->answer.size > 0 && json_parse(q->answer.data, q->answer.size, &answer) >= 0)
                result = json_get_text(answer, "result");

        if (result && streq(result, "started")) {
                requester_finish(q, true, NULL);
                return;
        }

        code = json_get_text(answer, "code");
        reason = json_get_text(answer, "reason");
        copy = strdup(reason ? reason : "gtuned-request gave no answer");
        requester_finish(q, !code || !streq(code, "not-allowed"), copy ? copy : "out of memory");
}

static int on_answer(_unused_ sd_event_source *source, int fd, _unused_ uint32_t events, void *userdata) {
        Requester *q = userdata;
        char part[512];
        ssize_t n;

        n = recv(fd, part, sizeof(part), MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;

        if (n > 0 && q->answer.size + (size_t) n <= ANSWER_MAX && buffer_append(&q->answer, part, (size_t) n) >= 0 &&
            !memchr(part, '\n', (size_t) n))
                return 0;

        requester_understand(q);
        return 0;
}

static int on_timeout(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        requester_finish(userdata, true, "gtuned-request did not answer within 5 s");
        return 0;
}

static int on_repeat(_unused_ sd_event_source *source, void *userdata) {
        Requester *q = userdata;

        q->defer = sd_event_source_disable_unref(q->defer);
        q->done(q->userdata, q->allowed, q->desc);
        return 0;
}

static int requester_begin(Requester *q) {
        int r;

        r = local_socket_connect(q->root, REQUEST_DIRECTORY, REQUEST_SOCKET, &q->fd);
        if (r < 0)
                return r;
        r = sd_event_add_io(q->event, &q->io, q->fd, EPOLLIN, on_answer, q);
        if (r < 0)
                return r;

        return sd_event_add_time_relative(q->event, &q->timer, CLOCK_MONOTONIC, WAIT_USEC, 0, on_timeout, q);
}

void requester_start(Requester *q) {
        _cleanup_free_ char *desc = NULL;
        int r;

        assert(q && q->fd < 0 && !q->defer);

        /* The answer must not come before the question is noted, so also what is known comes from the event loop. */
        if (requester_now(q) >= q->repeat) {
                r = requester_begin(q);
                if (r >= 0)
                        return;

                requester_stop(q);
                desc = xasprintf("gtuned-request cannot be asked: %s", strerror(-r));
                q->allowed = true;
                (void) free_and_strdup(&q->desc, desc ? desc : "out of memory");
                q->repeat = requester_now(q) + REPEAT_USEC;
        }

        (void) sd_event_add_defer(q->event, &q->defer, on_repeat, q);
}

int requester_new(Requester **ret, sd_event *event, const Root *root, RequesterDone done, void *userdata) {
        Requester *q;

        assert(ret && event && root && done);

        q = calloc(1, sizeof(Requester));
        if (!q)
                return -ENOMEM;

        q->event = sd_event_ref(event);
        q->root = root;
        q->done = done;
        q->userdata = userdata;
        q->fd = -EBADF;
        *ret = q;
        return 0;
}

Requester *requester_free(Requester *q) {
        if (!q)
                return NULL;

        requester_stop(q);
        free(q->desc);
        sd_event_unref(q->event);
        free(q);
        return NULL;
}
