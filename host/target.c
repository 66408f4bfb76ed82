/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "host/connect.h"
#include "host/target.h"

/* Guests are asked before answers are read: an answer may wait in its socket, and takes long to parse. */
#define TARGET_PRIORITY_ASK SD_EVENT_PRIORITY_IMPORTANT
#define TARGET_PRIORITY_READ SD_EVENT_PRIORITY_NORMAL

/* Edge-triggered: otherwise each turn of the event loop returns to every socket that is still ready, and the time is
 * quadratic in the number of guests. */
#define TARGET_IO_EVENTS ((uint32_t) (EPOLLIN | EPOLLOUT | EPOLLET))

/* After reading so many bytes from a guest, let the event loop serve the others. */
#define TARGET_CHUNK_SIZE (64U * 1024U)
#define TARGET_RESYNC_USEC USEC_PER_SEC
#define TARGET_RECONNECT_USEC (100 * USEC_PER_MSEC)
#define TARGET_ACCURACY_USEC (20 * USEC_PER_MSEC)

/* The bounds before the answer. A guest may send 4 MiB that are dropped, and one line. Parsing takes more time than
 * dropping, so at most 1000 lines are parsed in search of the sync, and then 64 KiB of lines that do not answer the
 * command. */
#define TARGET_RECEIVED_MAX (4U * 1024U * 1024U + REPLY_LINE_MAX)
#define TARGET_SYNC_LINES_MAX 1000U
#define TARGET_IGNORED_MAX (64U * 1024U)

/* The bounds after the answer, for each second. An agent sends at most 5 events in a second. */
#define TARGET_WINDOW_USEC USEC_PER_SEC
#define TARGET_WINDOW_RECEIVED_MAX (512U * 1024U)
#define TARGET_WINDOW_LINES_MAX 100U

/* The bytes that are kept of a guest's error class and description. */
#define TARGET_ERROR_TEXT_MAX 256U

static void target_disconnect(Target *t) {
        t->io = sd_event_source_disable_unref(t->io);
        t->timer = sd_event_source_disable_unref(t->timer);
        t->fd = safe_close(t->fd);
        t->out_size = 0;
        t->queued = NULL;
        line_reader_done(&t->reader);
        buffer_done(&t->request);
}

int target_finish(Target *t, Cause cause, const char *detail) {
        int r;

        if (t->state == TARGET_DONE)
                return 0;

        t->state = TARGET_DONE;
        t->cause = cause;
        target_disconnect(t);

        if (detail) {
                r = free_and_strdup(&t->detail, detail);
                if (r < 0)
                        return r;
        }

        return t->owner->finished(t);
}

static int target_settle(Target *t, int r) {
        return r > 0 ? target_finish(t, (Cause) r, NULL) : r;
}

static void target_flush(Target *t) {
        for (;;) {
                ssize_t n;

                if (t->out_size == 0 && t->queued) {
                        t->out = t->queued->data;
                        t->out_size = t->queued->size;
                        t->queued = NULL;
                }
                if (t->out_size == 0)
                        return;

                n = send(t->fd, t->out, t->out_size, MSG_NOSIGNAL | MSG_DONTWAIT);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0 && errno == EAGAIN)
                        return;
                if (n < 0) {
                        /* The guest has closed the connection. Answers that it sent before are still to be read; then
                         * recv() reports the end, and target_receive() finishes the target. */
                        t->out_size = 0;
                        t->queued = NULL;
                        return;
                }

                t->out += n;
                t->out_size -= (size_t) n;
        }
}

/* If the previous message is only sent in part, the rest of it is sent first. */
static void target_send(Target *t, const Buffer *message) {
        t->queued = message;
        target_flush(t);
}

/* The sync and the command have the whole time each: a guest that is asked late, among many, is not the guest's fault. */
static int target_begin_time(Target *t) {
        uint64_t now;
        int r;

        r = sd_event_now(t->owner->event, CLOCK_MONOTONIC, &now);
        if (r < 0)
                return r;

        t->deadline = now + t->owner->timeout;
        return 0;
}

static bool target_answers_sync(const Target *t, const Reply *reply) {
        return reply->kind == REPLY_RETURN && json_object_is_type(reply->value, json_type_int) &&
               json_object_get_int64(reply->value) == t->owner->sync_id;
}

static int target_on_sync(Target *t, const Reply *reply) {
        int r;

        if (!target_answers_sync(t, reply))
                return 0;

        r = t->owner->ask(t);
        if (r < 0)
                return r;

        t->state = TARGET_ASKING;
        t->reader.synced = true;
        r = sd_event_source_set_priority(t->io, TARGET_PRIORITY_READ);
        if (r < 0)
                return r;
        r = target_begin_time(t);
        if (r < 0)
                return r;

        target_send(t, t->request.size > 0 ? &t->request : &t->owner->request);
        return 0;
}

/* The texts of the guest are kept up to the first NUL byte. They are escaped when they are printed. */
static int target_on_error(Target *t, json_object *error) {
        const char *class = strempty(json_get_text(error, "class")), *desc = strempty(json_get_text(error, "desc"));

        free(t->error_class);
        free(t->detail);
        t->error_class = strndup(class, TARGET_ERROR_TEXT_MAX);
        t->detail = strndup(desc, TARGET_ERROR_TEXT_MAX);

        if (!t->error_class || !t->detail)
                return -ENOMEM;

        return (int) CAUSE_GUEST_ERROR;
}

static int target_on_answer(Target *t, const Reply *reply) {
        int64_t id = t->request.size > 0 ? t->request_id : t->owner->request_id;
        int r;

        /* If the sync was sent more than once, further answers to it may come, and errors without an id from agents
         * that do not expect the 0xFF. Only other lines show that the guest answers another command. */
        if (!reply->has_id || reply->id != id) {
                t->ignored += t->reader.line.size;
                t->misled |= reply->has_id || (reply->kind == REPLY_RETURN && !target_answers_sync(t, reply));
                return t->ignored > TARGET_IGNORED_MAX ? (int) CAUSE_WRONG_ID : 0;
        }
        if (reply->kind == REPLY_ERROR)
                return target_on_error(t, reply->value);
        if (reply->kind != REPLY_RETURN)
                return (int) CAUSE_NOT_A_REPLY;

        r = t->owner->answered(t, reply->value);
        if (r != 0)
                return r;
        if (!t->owner->stream)
                return target_finish(t, CAUSE_NONE, NULL);

        t->state = TARGET_STREAMING;
        t->received = 0;
        t->lines = 0;
        t->timer = sd_event_source_disable_unref(t->timer);
        r = sd_event_now(t->owner->event, CLOCK_MONOTONIC, &t->window);
        if (r < 0)
                return r;

        return 0;
}

/* Return: 0; a Cause, which ends the target; -errno. */
static int target_on_line(Target *t) {
        _cleanup_reply_ Reply reply = {};
        int r;

        if (t->state == TARGET_SYNCING && ++t->lines > TARGET_SYNC_LINES_MAX)
                return (int) CAUSE_TOO_MUCH;

        r = reply_parse(t->reader.line.data, t->reader.line.size, &reply);
        if (r > 0 && t->state == TARGET_SYNCING)
                return 0;
        if (r != 0)
                return r;

        switch (t->state) {
        case TARGET_SYNCING:
                return target_on_sync(t, &reply);
        case TARGET_ASKING:
                return target_on_answer(t, &reply);
        case TARGET_STREAMING:
                if (++t->lines > TARGET_WINDOW_LINES_MAX)
                        return (int) CAUSE_FLOOD;
                return reply.kind == REPLY_EVENT ? t->owner->changed(t, reply.event, reply.value) : 0;
        default:
                return 0;
        }
}

/* Return: 0; a Cause, which ends the target; -errno. */
static int target_count(Target *t, size_t size) {
        uint64_t now;
        int r;

        t->received += size;
        if (t->state != TARGET_STREAMING)
                return t->received > TARGET_RECEIVED_MAX ? (int) CAUSE_TOO_MUCH : 0;

        r = sd_event_now(t->owner->event, CLOCK_MONOTONIC, &now);
        if (r < 0)
                return r;

        if (now - t->window >= TARGET_WINDOW_USEC) {
                t->window = now;
                t->received = size;
                t->lines = 0;
        }

        return t->received > TARGET_WINDOW_RECEIVED_MAX ? (int) CAUSE_FLOOD : 0;
}

static int target_feed(Target *t, const char *data, size_t size) {
        int r;

        r = target_count(t, size);
        if (r != 0)
                return target_settle(t, r);

        while (t->state != TARGET_DONE) {
                r = line_reader_next(&t->reader, &data, &size);
                if (r == 0)
                        return t->owner->weigh(t);
                if (r == -EMSGSIZE)
                        return target_finish(t, CAUSE_LINE_TOO_LONG, NULL);
                if (r < 0)
                        return r;

                r = target_settle(t, target_on_line(t));
                if (r < 0)
                        return r;
        }

        return 0;
}

/* Return: the number of bytes received; 0 if there are none for now, or the target is done; -errno. */
static int target_receive(Target *t) {
        char chunk[TARGET_CHUNK_SIZE];
        ssize_t n;
        int r;

        do
                n = recv(t->fd, chunk, sizeof(chunk), MSG_DONTWAIT);
        while (n < 0 && errno == EINTR);

        if (n < 0 && errno == EAGAIN)
                return 0;
        if (n <= 0)
                return target_finish(t, CAUSE_CLOSED, n < 0 ? error_text(errno) : NULL);

        r = target_feed(t, chunk, (size_t) n);
        if (r < 0)
                return r;

        return t->state == TARGET_DONE ? 0 : (int) n;
}

static int target_on_io(sd_event_source *source, int fd _unused_, uint32_t revents, void *userdata) {
        Target *t = userdata;
        size_t size = 0;
        int r;

        if (revents & EPOLLOUT)
                target_flush(t);

        do {
                r = target_receive(t);
                if (r <= 0)
                        return r;
                size += (size_t) r;
        } while (size < TARGET_CHUNK_SIZE);

        /* More bytes may be waiting. Setting the events again makes epoll report them as a new edge, after the other
         * guests had their turn. */
        return sd_event_source_set_io_events(source, TARGET_IO_EVENTS);
}

/* The cause if the deadline passes without an answer. */
static Cause target_verdict(const Target *t) {
        if (t->state == TARGET_CONNECTING)
                return CAUSE_BUSY;
        if (t->reader.line.size > 0)
                return CAUSE_HALF_LINE;
        if (t->state == TARGET_ASKING)
                return t->misled ? CAUSE_WRONG_ID : CAUSE_NO_REPLY;

        return t->received > 0 ? CAUSE_NO_SYNC : CAUSE_SILENT;
}

static int target_connect(Target *t) {
        Cause cause;
        int r;

        r = connect_path(t->fd, t->path);
        if (r == -EAGAIN) {
                t->state = TARGET_CONNECTING;
                return 0;
        }
        if (r < 0) {
                cause = cause_of_errno(-r);
                return target_finish(t, cause, cause == CAUSE_LOCAL_ERROR ? error_text(-r) : NULL);
        }

        t->state = TARGET_SYNCING;
        r = sd_event_add_io(t->owner->event, &t->io, t->fd, TARGET_IO_EVENTS, target_on_io, t);
        if (r < 0)
                return r;
        r = sd_event_source_set_priority(t->io, TARGET_PRIORITY_ASK);
        if (r < 0)
                return r;
        r = sd_event_source_set_exit_on_failure(t->io, true);
        if (r < 0)
                return r;

        target_send(t, &t->owner->sync);
        return 0;
}

/*
 * gtune-host may be late itself: then an answer is already waiting in the socket, or the backlog has room again. The time
 * begins anew if the guest gets on by that.
 */
static int target_on_deadline(Target *t, uint64_t now) {
        int r;

        if (t->state == TARGET_CONNECTING) {
                r = target_connect(t);
                if (r >= 0 && t->state == TARGET_SYNCING)
                        r = target_begin_time(t);
        } else
                do
                        r = target_receive(t);
                while (r > 0);
        if (r < 0 || t->state == TARGET_DONE || t->state == TARGET_STREAMING || now < t->deadline)
                return r;

        return target_finish(t, target_verdict(t), NULL);
}

static int target_on_time(sd_event_source *source, uint64_t usec _unused_, void *userdata) {
        Target *t = userdata;
        uint64_t now, next;
        int r;

        r = sd_event_now(t->owner->event, CLOCK_MONOTONIC, &now);
        if (r < 0)
                return r;
        if (now >= t->deadline)
                r = target_on_deadline(t, now);
        else if (t->state == TARGET_CONNECTING)
                r = target_connect(t);
        else if (t->state == TARGET_SYNCING && t->out_size == 0)
                /* An agent that has just opened its port may have missed the first sync. */
                target_send(t, &t->owner->sync);
        if (r < 0 || t->state == TARGET_DONE || t->state == TARGET_STREAMING)
                return r;

        next = now + (t->state == TARGET_CONNECTING ? TARGET_RECONNECT_USEC : TARGET_RESYNC_USEC);
        r = sd_event_source_set_time(source, next < t->deadline ? next : t->deadline);
        if (r < 0)
                return r;

        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

static int target_arm(Target *t) {
        uint64_t now, next;
        int r;

        r = sd_event_now(t->owner->event, CLOCK_MONOTONIC, &now);
        if (r < 0)
                return r;

        r = target_begin_time(t);
        if (r < 0)
                return r;

        next = now + (t->state == TARGET_CONNECTING ? TARGET_RECONNECT_USEC : TARGET_RESYNC_USEC);

        r = sd_event_add_time(t->owner->event, &t->timer, CLOCK_MONOTONIC, next < t->deadline ? next : t->deadline,
                              TARGET_ACCURACY_USEC, target_on_time, t);
        if (r < 0)
                return r;

        return sd_event_source_set_exit_on_failure(t->timer, true);
}

int target_start(Target *t) {
        int r;

        assert(t->state == TARGET_QUEUED);

        t->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (t->fd < 0)
                return negative_errno();

        r = target_connect(t);
        if (r < 0 || t->state == TARGET_DONE)
                return r;

        return target_arm(t);
}

void target_init(Target *t, TargetOwner *owner, const char *path) {
        *t = (Target) {
                .owner = owner,
                .path = path,
                .fd = -EBADF,
        };
}

int target_refuse(Target *t, Cause cause, const char *code, const char *format, ...) {
        va_list ap;

        free(t->detail);
        t->code = code;
        va_start(ap, format);
        t->detail = xvasprintf(format, ap);
        va_end(ap);
        if (!t->detail)
                return -ENOMEM;

        return (int) cause;
}

void target_release(Target *t) {
        target_disconnect(t);
        buffer_done(&t->text);
        free(t->asked);
        free(t->detail);
        free(t->error_class);
}
