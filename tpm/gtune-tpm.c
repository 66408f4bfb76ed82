/* SPDX-License-Identifier: Apache-2.0 */

/*
 * gtune-tpm: the only program that opens the TPM and the event log. One request comes on stdin, one line goes to
 * stdout, and it ends (doc/gtune-tpm.schema.json). gtuned-tpm.socket starts it for the daemon, and gtune runs it.
 */

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "config.h"
#include "core/json.h"
#include "core/options.h"
#include "tpm/deadline.h"
#include "tpm/service.h"

#define REQUEST_MSEC (5 * 1000)
#define ANSWER_MSEC (15 * 1000)

typedef struct Arguments {
        const char *root;
        TpmSources sources;
        bool finished; /* help or version was shown */
} Arguments;

/* Options --------------------------------------------------------------------------------------------------- */

static int set_root(void *userdata, const char *argument) {
        ((Arguments *) userdata)->root = argument;
        return 0;
}

static int set_device(void *userdata, const char *argument) {
        ((Arguments *) userdata)->sources.device = argument;
        return 0;
}

static int set_baseline(void *userdata, const char *argument) {
        if (argument[0] != '/') {
                fprintf(stderr, "gtune-tpm: --baseline needs an absolute path, not %s\n", argument);
                return -EINVAL;
        }

        ((Arguments *) userdata)->sources.baseline = argument;
        return 0;
}

static int print_version(void *userdata, _unused_ const char *argument) {
        puts("gtune-tpm " PACKAGE_VERSION);
        ((Arguments *) userdata)->finished = true;
        return 0;
}

static int print_help(void *userdata, const char *argument);

static const Option options[] = {
        {"root", 'R', "DIR", "read sysfs and the event logs below DIR, and open no TPM", set_root},
        {"device", 'd', "PATH", "ask this TPM and not sysfs; unix:PATH is a socket", set_device},
        {"baseline", 'b', "FILE", "compare the verdict with this baseline", set_baseline},
        {"help", 'h', NULL, "show this help", print_help},
        {"version", 0, NULL, "show the version", print_version},
};

static int print_help(void *userdata, _unused_ const char *argument) {
        puts("Usage: gtune-tpm [OPTION...] < REQUEST\n\n"
             "Answer one request about the TPM, as {\"execute\": \"pcrs\"}. The commands are pcrs, eventlog,\n"
             "verdict and quote.");
        options_help(options, ELEMENTSOF(options));
        ((Arguments *) userdata)->finished = true;
        return 0;
}

static int parse_arguments(int argc, char **argv, Arguments *a) {
        int first;

        first = options_parse(options, ELEMENTSOF(options), argc, argv, a, NULL);
        if (first < 0 || a->finished)
                return first;

        if (first < argc) {
                fputs("gtune-tpm: the request comes on standard input; see gtune-tpm --help\n", stderr);
                return -EINVAL;
        }

        return 0;
}

/* The request ----------------------------------------------------------------------------------------------- */

/* An object that is whole, or a line, needs nothing behind it. */
static bool is_complete(Buffer *b) {
        _cleanup_json_ json_object *o = NULL;
        char *newline = memchr(b->data, '\n', b->size);

        if (newline) {
                b->size = (size_t) (newline - b->data);
                *newline = 0;
                return true;
        }

        return b->size > 0 && b->data[b->size - 1] == '}' && json_parse(b->data, b->size, &o) >= 0 &&
               json_object_is_type(o, json_type_object);
}

static int read_request(Buffer *b, Fault *fault) {
        const int64_t deadline = deadline_in(REQUEST_MSEC);
        char chunk[1024];

        for (;;) {
                ssize_t n;
                int r;

                r = wait_until(STDIN_FILENO, POLLIN, deadline);
                if (r == -ETIMEDOUT)
                        return fault_set(fault, FAULT_BAD_REQUEST, "no whole request came within 5 s");
                if (r < 0)
                        return r;

                n = read(STDIN_FILENO, chunk, sizeof(chunk));
                if (n < 0 && (errno == EINTR || errno == EAGAIN))
                        continue;
                if (n < 0)
                        return negative_errno();
                if (buffer_append(b, chunk, (size_t) n) < 0)
                        return -ENOMEM;
                if (n == 0 || is_complete(b) || b->size > TPM_REQUEST_SIZE_MAX)
                        return 0;
        }
}

/* The answer ------------------------------------------------------------------------------------------------ */

static int format_value(const char *key, json_object *value, Buffer *line) {
        _cleanup_json_ json_object *o = json_object_new_object();
        int r;

        if (!o) {
                json_object_put(value);
                return -ENOMEM;
        }

        r = json_set(o, key, value);
        if (r >= 0)
                r = json_format(o, line);

        return r < 0 ? r : buffer_puts(line, "\n");
}

static int format_fault(const Fault *fault, Buffer *line) {
        json_object *o = json_object_new_object();

        if (!o)
                return -ENOMEM;
        if (json_set_text(o, "class", fault_class_to_string(fault->class)) < 0 ||
            json_set_text(o, "desc", fault->desc) < 0) {
                json_object_put(o);
                return -ENOMEM;
        }

        return format_value("error", o, line);
}

/* Nothing but what failed for want of memory is left without a line. */
static int format_outcome(int r, json_object *value, Fault *fault, Buffer *line) {
        if (r == 0)
                return format_value("return", value, line);
        if (r < 0)
                r = fault_set(fault, FAULT_FAILED, "gtune-tpm failed: %s", strerror(-r));

        return r < 0 ? r : format_fault(fault, line);
}

/* The worker: the kernel waits for a TPM for minutes, and a process in such a wait cannot even be interrupted. --- */

static int work(const Arguments *a, const Buffer *text, int fd) {
        _cleanup_buffer_ Buffer line = BUFFER_NULL;
        _cleanup_fault_ Fault fault = {};
        json_object *value = NULL;
        TpmRequest request;
        int r;

        r = tpm_request_parse(text->data, text->size, &request, &fault);
        if (r == 0)
                r = tpm_answer(&a->sources, &request, &value, &fault);

        r = format_outcome(r, value, &fault, &line);
        return r < 0 ? r : write_all(fd, line.data, line.size);
}

/* Whoever waits for our output to end must not wait for the worker. */
static int be_worker(const Arguments *a, const Buffer *text, int fd) {
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0)
                return negative_errno();

        return work(a, text, STDOUT_FILENO);
}

static int start_worker(const Arguments *a, const Buffer *text, pid_t *ret_pid, int *ret_fd) {
        _cleanup_close_ int read_end = -EBADF, write_end = -EBADF;
        int ends[2];

        if (pipe2(ends, O_CLOEXEC) < 0)
                return negative_errno();
        read_end = ends[0];
        write_end = ends[1];

        *ret_pid = fork();
        if (*ret_pid < 0)
                return negative_errno();
        if (*ret_pid == 0)
                _exit(be_worker(a, text, write_end) < 0 ? EXIT_FAILURE : EXIT_SUCCESS);

        *ret_fd = TAKE_FD(read_end);
        return 0;
}

static int take_line(int fd, int64_t deadline, Buffer *line) {
        char chunk[16384];

        for (;;) {
                ssize_t n;
                int r;

                r = wait_until(fd, POLLIN, deadline);
                if (r < 0)
                        return r;

                n = read(fd, chunk, sizeof(chunk));
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return negative_errno();
                if (n == 0)
                        return line->size > 0 && line->data[line->size - 1] == '\n' ? 0 : -EPIPE;
                if (buffer_append(line, chunk, (size_t) n) < 0)
                        return -ENOMEM;
        }
}

static int answer_in_time(const Arguments *a, const Buffer *text, Buffer *line, Fault *fault) {
        _cleanup_close_ int fd = -EBADF;
        pid_t worker = 0;
        int r;

        r = start_worker(a, text, &worker, &fd);
        if (r < 0)
                return r;

        r = take_line(fd, deadline_in(ANSWER_MSEC), line);
        if (r == -ETIMEDOUT) {
                if (worker > 0)
                        (void) kill(worker, SIGKILL);
                return fault_set(fault, FAULT_NO_ANSWER, "the TPM did not answer within %d s", ANSWER_MSEC / 1000);
        }
        if (r == -EPIPE)
                return fault_set(fault, FAULT_FAILED, "gtune-tpm ended before it could answer; see the journal");

        return r;
}

static int run(Arguments *a) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL, line = BUFFER_NULL;
        _cleanup_(root_freep) Root *root = NULL;
        _cleanup_fault_ Fault fault = {};
        int r;

        (void) signal(SIGPIPE, SIG_IGN);
        r = root_new(&root, a->root);
        if (r < 0) {
                fprintf(stderr, "gtune-tpm: %s cannot be opened: %s\n", a->root, strerror(-r));
                return r;
        }
        a->sources.root = root;

        r = read_request(&text, &fault);
        if (r == 0)
                r = answer_in_time(a, &text, &line, &fault);
        if (r != 0) {
                line.size = 0;
                r = format_outcome(r, NULL, &fault, &line);
        }

        return r < 0 ? r : write_all(STDOUT_FILENO, line.data, line.size);
}

int main(int argc, char **argv) {
        Arguments a = {.root = "/"};

        if (parse_arguments(argc, argv, &a) < 0)
                return STATUS_USAGE;
        if (a.finished)
                return EXIT_SUCCESS;

        return run(&a) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
