/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#include "core/subprocess.h"

/* One end of each of the three streams of the program; -EBADF: closed. */
typedef struct SubprocessStreams {
        int in, out, err;
        size_t written; /* bytes of the input */
} SubprocessStreams;

static void subprocess_close(SubprocessStreams *s) {
        safe_close(s->in);
        safe_close(s->out);
        safe_close(s->err);
}

static int64_t subprocess_now_ms(void) {
        return (int64_t) (monotonic_usec() / 1000U);
}

/* Make a stream. It is a socket and no pipe, because MSG_NOSIGNAL keeps SIGPIPE away from a socket. */
static int subprocess_make_stream(int *ret_ours, int *ret_theirs) {
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return negative_errno();

        *ret_ours = pair[0];
        *ret_theirs = pair[1];
        return fcntl(pair[0], F_SETFL, O_NONBLOCK) < 0 ? negative_errno() : 0;
}

static _noreturn_ void subprocess_exec(const char *const *arguments, const char *const *environment,
                                       const SubprocessStreams *theirs) {
        sigset_t none;

        sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
        (void) signal(SIGPIPE, SIG_DFL);

        if (dup2(theirs->in, STDIN_FILENO) >= 0 && dup2(theirs->out, STDOUT_FILENO) >= 0 &&
            dup2(theirs->err, STDERR_FILENO) >= 0)
                (void) execve(arguments[0], (char *const *) arguments,
                              environment ? (char *const *) environment : environ);
        _exit(127);
}

static int subprocess_start(const char *const *arguments, const char *const *environment, SubprocessStreams *ours,
                            pid_t *ret_pid) {
        _cleanup_(subprocess_close) SubprocessStreams theirs = {-EBADF, -EBADF, -EBADF, 0};
        pid_t pid = -1;
        int r;

        r = subprocess_make_stream(&ours->in, &theirs.in);
        if (r < 0)
                return r;
        r = subprocess_make_stream(&ours->out, &theirs.out);
        if (r < 0)
                return r;
        r = subprocess_make_stream(&ours->err, &theirs.err);
        if (r < 0)
                return r;
        if (access(arguments[0], X_OK) < 0)
                return negative_errno();

        pid = fork();
        if (pid < 0)
                return negative_errno();
        if (pid == 0)
                subprocess_exec(arguments, environment, &theirs);

        *ret_pid = pid;
        return 0;
}

/* Read from a stream. Bytes beyond max are dropped. Return: 1 if more may come, 0 at its end, or -errno. */
static int subprocess_take_output(int *fd, size_t max, Buffer *to, bool *overflow) {
        char block[4096];
        ssize_t n = recv(*fd, block, sizeof(block), 0);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 1;
        if (n <= 0) {
                *fd = safe_close(*fd);
                return 0;
        }
        if (!to)
                return 1;
        if (to->size + (size_t) n > max) {
                *overflow = true;
                return 1;
        }

        return buffer_append(to, block, (size_t) n) < 0 ? -ENOMEM : 1;
}

static void subprocess_give_input(SubprocessStreams *s, const Buffer *input) {
        size_t left = input ? input->size - s->written : 0;
        ssize_t n = left > 0 ? send(s->in, input->data + s->written, left, MSG_NOSIGNAL) : 0;

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;

        s->written += n > 0 ? (size_t) n : 0;
        if (n < 0 || left == (size_t) n)
                s->in = safe_close(s->in);
}

/* Talk with the program until it has closed its output. */
static int subprocess_talk(SubprocessStreams *s, const Buffer *input, int64_t deadline, size_t max, Buffer *output,
                           Buffer *error) {
        bool too_much = false, cut = false;
        int r;

        while (s->out >= 0 || s->err >= 0) {
                struct pollfd fds[] = {{s->in, POLLOUT, 0}, {s->out, POLLIN, 0}, {s->err, POLLIN, 0}};
                int64_t left = deadline - subprocess_now_ms();

                if (left <= 0)
                        return -ETIMEDOUT;
                if (poll(fds, ELEMENTSOF(fds), (int) left) < 0 && errno != EINTR)
                        return negative_errno();

                if (fds[0].revents)
                        subprocess_give_input(s, input);
                if (fds[1].revents) {
                        r = subprocess_take_output(&s->out, max, output, &too_much);
                        if (r < 0)
                                return r;
                }
                if (fds[2].revents) {
                        r = subprocess_take_output(&s->err, max, error, &cut);
                        if (r < 0)
                                return r;
                }
                if (too_much)
                        return -EFBIG;
        }

        return 0;
}

/* Wait for the end of a program that has closed its output. It may keep running, so the deadline counts here too. */
static int subprocess_reap(pid_t pid, int64_t deadline, int *ret_status) {
        const struct timespec pause = {.tv_nsec = 1000000};

        for (;;) {
                pid_t n = waitpid(pid, ret_status, WNOHANG);

                if (n == pid)
                        return 0;
                if (n < 0 && errno != EINTR)
                        return negative_errno();
                if (subprocess_now_ms() >= deadline)
                        return -ETIMEDOUT;
                (void) nanosleep(&pause, NULL);
        }
}

int subprocess_run(const char *const *arguments, const char *const *environment, const Buffer *input,
                   unsigned timeout_ms, size_t max, Buffer *ret_output, Buffer *ret_error) {
        _cleanup_(subprocess_close) SubprocessStreams ours = {-EBADF, -EBADF, -EBADF, 0};
        _cleanup_buffer_ Buffer output = BUFFER_NULL, error = BUFFER_NULL;
        int64_t deadline = subprocess_now_ms() + timeout_ms;
        int status = 0, r;
        pid_t pid = -1;

        assert(arguments && arguments[0]);
        assert(ret_output);

        r = subprocess_start(arguments, environment, &ours, &pid);
        if (r < 0)
                return r;

        r = subprocess_talk(&ours, input, deadline, max, &output, &error);
        if (r >= 0)
                r = subprocess_reap(pid, deadline, &status);
        if (r < 0) {
                (void) kill(pid, SIGKILL);
                (void) waitpid(pid, NULL, 0);
                return r;
        }

        if (buffer_append(&output, NULL, 0) < 0 || buffer_append(&error, NULL, 0) < 0)
                return -ENOMEM;

        *ret_output = TAKE_GENERIC(output, BUFFER_NULL);
        if (ret_error)
                *ret_error = TAKE_GENERIC(error, BUFFER_NULL);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -EPROTO;
}
