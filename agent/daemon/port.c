/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <fcntl.h>
#include <malloc.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "agent/channel/frame.h"
#include "agent/channel/reply.h"
#include "agent/daemon/local-socket.h"
#include "agent/daemon/log.h"
#include "agent/daemon/outbox.h"
#include "agent/daemon/port.h"

#define PORT_READ_SIZE 4096U             /* bytes that a virtio port delivers at once */
#define PORT_READS_MAX 16U               /* rounds before other event sources have their turn */
#define PORT_RETRY_USEC (250U * 1000U)   /* between two attempts to write */
#define PORT_AWAY_USEC (1U * 1000000U)   /* after a read of 0 bytes, wait this long before treating the host as gone */
#define PORT_TRIM_BYTES (16U * 1024U)    /* trim the heap only if so much was in use at once */
#define PORT_SOCKET_BUFFER (32 * 1024)   /* bytes that a virtio port takes at once */

/* A request whose answer comes later. */
typedef struct PortRequest {
        bool open;
        Buffer id; /* as the host wrote it; empty if it gave none */
} PortRequest;

struct Port {
        sd_event *event;
        const CommandAgent *agent;
        sd_event_source *io, *timer, *again, *listener;
        char *path; /* of the listening socket */
        int fd, listen_fd;
        bool is_socket;

        FrameReader reader;
        Outbox outbox;
        char input[PORT_READ_SIZE];
        size_t input_start, input_end;
        PortRequest pending;    /* while it is open, no other request is looked at */
        PortRequest background; /* others are answered meanwhile */
        bool later; /* the request in the reader waits for port_resume(), and those after it */

        bool heard;    /* bytes were read since the host was last known to be connected or gone */
        uint64_t away; /* when the host counts as gone unless it is heard of; UINT64_MAX: there is no doubt */
        size_t peak;   /* the most bytes in use at once since the heap was trimmed */
};

static uint64_t port_now(const Port *port) {
        uint64_t now = 0;

        (void) sd_event_now(port->event, CLOCK_MONOTONIC, &now);
        return now;
}

static void port_forget_client(Port *port) {
        frame_reader_reset(&port->reader);
        port->later = false;
        port->agent->watch(port->agent->userdata, false);
        port->heard = false;
        port->away = UINT64_MAX;
}

static int port_request_keep(PortRequest *request, Span id) {
        request->open = true;
        return buffer_append(&request->id, id.data, id.size);
}

static void port_request_done(PortRequest *request) {
        request->open = false;
        buffer_done(&request->id);
}

static int port_request(Port *port, Buffer *reply) {
        Span id;
        int r;

        r = command_answer(frame_reader_text(&port->reader), port->agent, reply, &id);
        if (r == COMMAND_PENDING)
                return port_request_keep(&port->pending, id);
        if (r == COMMAND_BACKGROUND)
                return port_request_keep(&port->background, id);

        port->later = r == COMMAND_LATER;
        return r < 0 ? r : 0;
}

static int port_event(Port *port, FrameEvent event) {
        _cleanup_buffer_ Buffer reply = BUFFER_NULL;
        int r = 0;

        if (event == FRAME_REQUEST)
                r = port_request(port, &reply);
        else if (event == FRAME_GARBAGE)
                r = reply_error(&reply, "GenericError", frame_reader_error(&port->reader), SPAN_NULL);
        else if (event == FRAME_FLUSH)
                port->agent->watch(port->agent->userdata, false);
        if (r < 0 || reply.size == 0)
                return r;

        return outbox_push(&port->outbox, &reply, port_now(port));
}

static bool port_may_answer(const Port *port) {
        return !port->pending.open && !port->later && !outbox_full(&port->outbox);
}

/* Answers the requests in the input, as long as the outbox has room. */
static int port_digest(Port *port) {
        while (port->input_start < port->input_end && port_may_answer(port)) {
                size_t used, memory;
                int r;

                r = frame_reader_feed(&port->reader, port->input + port->input_start,
                                      port->input_end - port->input_start, port_now(port), &used);
                port->input_start += used;
                if (r > 0)
                        r = port_event(port, (FrameEvent) r);
                memory = port->outbox.memory + port->reader.text.allocated;
                port->peak = memory > port->peak ? memory : port->peak;
                if (r < 0)
                        return r;
        }

        return 0;
}

static void port_hang_up(Port *port) {
        port_forget_client(port);
        outbox_clear(&port->outbox);
        port_request_done(&port->pending);
        port_request_done(&port->background);
        port->input_start = port->input_end = 0;
        port->io = sd_event_source_disable_unref(port->io);
        closep(&port->fd);
        port->fd = -EBADF;
        (void) sd_event_source_set_enabled(port->listener, SD_EVENT_ON);
}

static void port_host_is_away(Port *port) {
        if (!port->heard) {
                port_forget_client(port);
                outbox_clear(&port->outbox);
        } else if (port->away == UINT64_MAX)
                port->away = port_now(port) + PORT_AWAY_USEC;
}

static void port_fail(Port *port, int error) {
        if (port->is_socket) {
                port_hang_up(port);
                return;
        }

        if (error == -ENODEV) {
                log_line(LOG_INFO, "The port is unplugged");
                (void) sd_event_exit(port->event, 0);
                return;
        }

        (void) sd_event_exit(port->event, log_error_errno(error, "The port failed"));
}

/* Returns 1 if bytes were read, 0 if there are none for now, or -errno. */
static int port_read(Port *port) {
        ssize_t n;

        do
                n = read(port->fd, port->input, sizeof(port->input));
        while (n < 0 && errno == EINTR);

        if (n < 0 && errno != EAGAIN)
                return negative_errno();
        if (n == 0 && port->is_socket)
                return -ECONNRESET;

        if (n == 0)
                port_host_is_away(port);
        else if (n > 0)
                port->heard = true;
        else { /* EAGAIN: the host is connected */
                port->heard = false;
                port->away = UINT64_MAX;
        }

        port->input_start = 0;
        port->input_end = n > 0 ? (size_t) n : 0;
        return n > 0;
}

/* Answers the input, writes the outbox, and reads more. Returns 1 if another round is due, 0 if not, or -errno. */
static int port_round(Port *port) {
        int r;

        r = port_digest(port);
        if (r < 0)
                return r;

        if (port->outbox.n_lines > 0) {
                r = outbox_write(&port->outbox, port->fd, port_now(port));
                if (r < 0)
                        return r;
        }

        if (!port_may_answer(port))
                return 0;

        return port->input_start < port->input_end ? 1 : port_read(port);
}

static void port_trim(Port *port) {
        if (port->peak < PORT_TRIM_BYTES || port->outbox.n_lines > 0 || frame_reader_half(&port->reader))
                return;

        (void) malloc_trim(0);
        port->peak = 0;
}

/* EPOLLOUT is watched only while a reply waits; otherwise each reply that the host takes would wake the daemon. */
static int port_arm_io(Port *port) {
        uint32_t now = 0, wanted = EPOLLIN | EPOLLET | (port->outbox.n_lines > 0 ? (uint32_t) EPOLLOUT : 0);
        int r;

        if (!port->io)
                return 0;

        r = sd_event_source_get_io_events(port->io, &now);
        if (r < 0 || now == wanted)
                return r;

        return sd_event_source_set_io_events(port->io, wanted);
}

static int port_arm_timer(Port *port) {
        uint64_t when = port->reader.deadline;
        int r;

        if (port->outbox.n_lines > 0 && port_now(port) + PORT_RETRY_USEC < when)
                when = port_now(port) + PORT_RETRY_USEC;
        if (port->away < when)
                when = port->away;
        if (when == UINT64_MAX)
                return sd_event_source_set_enabled(port->timer, SD_EVENT_OFF);

        r = sd_event_source_set_time(port->timer, when);
        if (r < 0)
                return r;

        return sd_event_source_set_enabled(port->timer, SD_EVENT_ONESHOT);
}

static void port_work(Port *port) {
        int r = 1;

        for (unsigned i = 0; r > 0 && port->fd >= 0 && i < PORT_READS_MAX; i++)
                r = port_round(port);

        if (r < 0)
                port_fail(port, r);
        else if (r > 0 && port->fd >= 0)
                (void) sd_event_source_set_enabled(port->again, SD_EVENT_ONESHOT);

        port_trim(port);
        r = port_arm_io(port);
        if (r >= 0)
                r = port_arm_timer(port);
        if (r < 0)
                (void) sd_event_exit(port->event, r);
}

static int port_on_io(_unused_ sd_event_source *source, _unused_ int fd, _unused_ uint32_t events, void *userdata) {
        port_work(userdata);
        return 0;
}

static int port_on_again(_unused_ sd_event_source *source, void *userdata) {
        port_work(userdata);
        return 0;
}

static int port_on_timer(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        Port *port = userdata;
        uint64_t now = port_now(port);

        frame_reader_expire(&port->reader, now);
        outbox_expire(&port->outbox, now);
        if (now >= port->away)
                port_forget_client(port);

        port_work(port);
        return 0;
}

int port_new(Port **ret, sd_event *event, const CommandAgent *agent) {
        _cleanup_(port_freep) Port *port = NULL;
        int r;

        assert(ret && event && agent);

        port = calloc(1, sizeof(Port));
        if (!port)
                return -ENOMEM;

        port->event = sd_event_ref(event);
        port->agent = agent;
        port->fd = port->listen_fd = -EBADF;
        port->reader = FRAME_READER_NULL;
        port->away = UINT64_MAX;

        r = sd_event_add_time(event, &port->timer, CLOCK_MONOTONIC, 0, 10000, port_on_timer, port);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(port->timer, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = sd_event_add_defer(event, &port->again, port_on_again, port);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(port->again, SD_EVENT_OFF);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(port);
        return 0;
}

Port *port_free(Port *port) {
        if (!port)
                return NULL;

        sd_event_source_disable_unref(port->io);
        sd_event_source_disable_unref(port->timer);
        sd_event_source_disable_unref(port->again);
        sd_event_source_disable_unref(port->listener);
        closep(&port->fd);
        closep(&port->listen_fd);
        if (port->path)
                (void) unlink(port->path);
        free(port->path);
        frame_reader_done(&port->reader);
        outbox_clear(&port->outbox);
        port_request_done(&port->pending);
        port_request_done(&port->background);
        sd_event_unref(port->event);
        free(port);
        return NULL;
}

/* Takes the descriptor, also on failure. Schedules a first round: bytes that wait already cause no edge. */
static int port_attach(Port *port, int fd) {
        int r;

        port->fd = fd;
        r = sd_event_add_io(port->event, &port->io, fd, EPOLLIN | EPOLLET, port_on_io, port);
        if (r < 0)
                return r;

        return sd_event_source_set_enabled(port->again, SD_EVENT_ONESHOT);
}

int port_open(Port *port, const char *path) {
        _cleanup_close_ int fd = -EBADF;

        fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return errno == EMFILE ? -EBUSY : negative_errno(); /* very old kernels say EMFILE */

        return port_attach(port, TAKE_FD(fd));
}

static int port_on_connection(_unused_ sd_event_source *source, int listen_fd, _unused_ uint32_t events,
                              void *userdata) {
        _cleanup_close_ int fd = -EBADF;
        const int size = PORT_SOCKET_BUFFER;
        Port *port = userdata;
        int r;

        r = local_socket_accept(listen_fd, &fd);
        if (r == -EACCES)
                log_line(LOG_NOTICE, "A connection of another user is refused");
        if (r < 0)
                return 0; /* the client has left again */

        (void) setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        r = port_attach(port, TAKE_FD(fd));
        if (r < 0)
                return r;

        /* The next client waits in the kernel's queue until this one leaves. */
        return sd_event_source_set_enabled(port->listener, SD_EVENT_OFF);
}

int port_listen(Port *port, const char *path) {
        int r;

        port->is_socket = true;
        r = local_socket_listen(path, &port->listen_fd);
        if (r < 0)
                return r;

        port->path = strdup(path);
        if (!port->path)
                return -ENOMEM;

        return sd_event_add_io(port->event, &port->listener, port->listen_fd, EPOLLIN, port_on_connection, port);
}

void port_resume(Port *port) {
        int r;

        if (!port->later)
                return;

        port->later = false;
        r = port_event(port, FRAME_REQUEST);
        if (r >= 0)
                r = sd_event_source_set_enabled(port->again, SD_EVENT_ONESHOT);
        if (r < 0)
                port_fail(port, r);
}

int port_send(Port *port, Buffer *line) {
        int r;

        if (port->fd < 0)
                return -ENOTCONN;
        if (outbox_full(&port->outbox))
                return -ENOBUFS;

        r = outbox_push(&port->outbox, line, port_now(port));
        if (r < 0)
                return r;

        return sd_event_source_set_enabled(port->again, SD_EVENT_ONESHOT);
}

static void port_answer(Port *port, PortRequest *request, const char *class, const char *desc) {
        _cleanup_buffer_ Buffer reply = BUFFER_NULL;
        int r;

        if (!request->open)
                return; /* the host that asked has left */

        r = command_finish(SPAN_BUFFER(request->id), class, desc, &reply);
        port_request_done(request);
        if (r >= 0)
                r = outbox_push(&port->outbox, &reply, port_now(port));
        if (r >= 0)
                r = sd_event_source_set_enabled(port->again, SD_EVENT_ONESHOT);
        if (r < 0)
                (void) sd_event_exit(port->event, r);
}

void port_answer_pending(Port *port, const char *class, const char *desc) {
        port_answer(port, &port->pending, class, desc);
}

void port_answer_background(Port *port, const char *class, const char *desc) {
        port_answer(port, &port->background, class, desc);
}

void port_forget_background(Port *port) {
        port_request_done(&port->background);
}
