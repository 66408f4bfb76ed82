/* SPDX-License-Identifier: Apache-2.0 */

/*
 * gtune-tpm is the only program that opens the TPM and the event log. It reads one request from standard input, writes
 * one line to standard output, and ends (doc/gtune-tpm.schema.json). gtuned-tpm.socket starts it for the daemon, and
 * gtune runs it. Tests: tests/tpm/asks.py.
 */

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "config.h"
#include "core/json.h"
#include "core/options.h"
#include "core/text.h"
#include "tpm/deadline.h"
#include "tpm/service.h"

#define GTUNE_TPM_REQUEST_MSEC (5 * 1000)
#define GTUNE_TPM_ANSWER_MSEC (15 * 1000)

typedef struct GtuneTpmArguments {
        const char *root;
        TpmSources sources;
        bool finished; /* help or version was shown */
} GtuneTpmArguments;

static int gtune_tpm_set_root(void *userdata, const char *argument) {
        ((GtuneTpmArguments *) userdata)->root = argument;
        return 0;
}

static int gtune_tpm_set_device(void *userdata, const char *argument) {
        ((GtuneTpmArguments *) userdata)->sources.device = argument;
        return 0;
}

static int gtune_tpm_set_baseline(void *userdata, const char *argument) {
        if (argument[0] != '/') {
                text_say(stderr, "gtune-tpm: --baseline needs an absolute path, not %s\n", argument);
                return -EINVAL;
        }

        ((GtuneTpmArguments *) userdata)->sources.baseline = argument;
        return 0;
}

static int gtune_tpm_print_version(void *userdata, _unused_ const char *argument) {
        puts("gtune-tpm " PACKAGE_VERSION);
        ((GtuneTpmArguments *) userdata)->finished = true;
        return 0;
}

static int gtune_tpm_print_help(void *userdata, const char *argument);

static const Option gtune_tpm_options[] = {
        {"root", 'R', "DIR", "read sysfs and the event logs below DIR, and open no TPM", gtune_tpm_set_root},
        {"device", 'd', "PATH", "ask this TPM and not sysfs; unix:PATH is a socket", gtune_tpm_set_device},
        {"baseline", 'b', "FILE", "compare the verdict with this baseline", gtune_tpm_set_baseline},
        {"help", 'h', NULL, "show this help", gtune_tpm_print_help},
        {"version", 0, NULL, "show the version", gtune_tpm_print_version},
};

static int gtune_tpm_print_help(void *userdata, _unused_ const char *argument) {
        puts("Usage: gtune-tpm [OPTION...] < REQUEST\n\n"
             "Answer one request about the TPM, as {\"execute\": \"pcrs\"}. The commands are pcrs, eventlog,\n"
             "verdict and quote.");
        options_help(gtune_tpm_options, ELEMENTSOF(gtune_tpm_options));
        ((GtuneTpmArguments *) userdata)->finished = true;
        return 0;
}

static int gtune_tpm_parse_arguments(int argc, char **argv, GtuneTpmArguments *a) {
        int first;

        first = options_parse(gtune_tpm_options, ELEMENTSOF(gtune_tpm_options), argc, argv, a, NULL);
        if (first < 0 || a->finished)
                return first;

        if (first < argc) {
                fputs("gtune-tpm: the request comes on standard input; see gtune-tpm --help\n", stderr);
                return -EINVAL;
        }

        return 0;
}

/* A request is complete at a newline, or as soon as it is a whole JSON object. */
static bool gtune_tpm_request_is_complete(Buffer *b) {
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

static int gtune_tpm_read_request(Buffer *b, Fault *fault) {
        const int64_t deadline = deadline_in(GTUNE_TPM_REQUEST_MSEC);
        char chunk[1024];

        for (;;) {
                ssize_t n;
                int r;

                r = wait_until(STDIN_FILENO, POLLIN, deadline);
                if (r == -ETIMEDOUT)
                        return fault_set(fault, FAULT_BAD_REQUEST, "no complete request came within 5 s");
                if (r < 0)
                        return r;

                n = read(STDIN_FILENO, chunk, sizeof(chunk));
                if (n < 0 && (errno == EINTR || errno == EAGAIN))
                        continue;
                if (n < 0)
                        return negative_errno();
                if (buffer_append(b, chunk, (size_t) n) < 0)
                        return -ENOMEM;
                if (n == 0 || gtune_tpm_request_is_complete(b) || b->size > TPM_REQUEST_SIZE_MAX)
                        return 0;
        }
}

static int gtune_tpm_format_value(const char *key, json_object *value, Buffer *line) {
        _cleanup_json_ json_object *o = json_object_new_object();
        int r;

        r = json_set(o, key, value);
        if (r < 0)
                return r;

        return json_format_line(o, line);
}

static int gtune_tpm_format_fault(const Fault *fault, Buffer *line) {
        _cleanup_json_ json_object *o = json_object_new_object();

        if (json_set_text(o, "class", fault_class_to_string(fault->class)) < 0 ||
            json_set_text(o, "desc", fault->desc) < 0)
                return -ENOMEM;

        return gtune_tpm_format_value("error", TAKE_PTR(o), line);
}

/* Every outcome makes a line, unless there is no memory for it. */
static int gtune_tpm_format_outcome(int r, json_object *value, Fault *fault, Buffer *line) {
        if (r == 0)
                return gtune_tpm_format_value("return", value, line);
        if (r < 0)
                r = fault_set(fault, FAULT_FAILED, "gtune-tpm failed: %s", error_text(-r));
        if (r < 0)
                return r;

        return gtune_tpm_format_fault(fault, line);
}

/*
 * A worker process asks the TPM: the kernel may wait for a TPM for minutes, and a process in such a wait cannot be
 * interrupted.
 */
static int gtune_tpm_worker_answer(const GtuneTpmArguments *a, const Buffer *text, int fd) {
        _cleanup_buffer_ Buffer line = BUFFER_NULL;
        _cleanup_fault_ Fault fault = {};
        json_object *value = NULL;
        TpmRequest request;
        int r;

        r = tpm_request_parse(text->data, text->size, &request, &fault);
        if (r == 0)
                r = tpm_answer(&a->sources, &request, &value, &fault);

        r = gtune_tpm_format_outcome(r, value, &fault, &line);
        if (r < 0)
                return r;

        return write_all(fd, line.data, line.size);
}

static int gtune_tpm_worker_start(const GtuneTpmArguments *a, const Buffer *text, pid_t *ret_pid, int *ret_fd) {
        _cleanup_close_ int read_end = -EBADF, write_end = -EBADF;
        int ends[2];

        if (pipe2(ends, O_CLOEXEC) < 0)
                return negative_errno();
        read_end = ends[0];
        write_end = ends[1];

        *ret_pid = fork();
        if (*ret_pid < 0)
                return negative_errno();
        if (*ret_pid == 0) {
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                /* A reader of our output waits for its end, and must not wait for the worker to close it. */
                if (dup2(write_end, STDIN_FILENO) < 0 || dup2(write_end, STDOUT_FILENO) < 0)
                        _exit(EXIT_FAILURE);
                _exit(gtune_tpm_worker_answer(a, text, STDOUT_FILENO) < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
        }

        *ret_fd = TAKE_FD(read_end);
        return 0;
}

static int gtune_tpm_take_line(int fd, int64_t deadline, Buffer *line) {
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

static int gtune_tpm_answer_in_time(const GtuneTpmArguments *a, const Buffer *text, Buffer *line, Fault *fault) {
        _cleanup_close_ int fd = -EBADF;
        pid_t worker = 0;
        int r;

        r = gtune_tpm_worker_start(a, text, &worker, &fd);
        if (r < 0)
                return r;

        r = gtune_tpm_take_line(fd, deadline_in(GTUNE_TPM_ANSWER_MSEC), line);
        if (r == -ETIMEDOUT) {
                if (worker > 0)
                        (void) kill(worker, SIGKILL);
                return fault_set(fault, FAULT_NO_ANSWER, "the TPM did not answer within %d s",
                                 GTUNE_TPM_ANSWER_MSEC / 1000);
        }
        if (r == -EPIPE)
                return fault_set(fault, FAULT_FAILED, "gtune-tpm ended before it could answer; see the journal");

        return r;
}

static int gtune_tpm_run(GtuneTpmArguments *a) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL, line = BUFFER_NULL;
        _cleanup_(root_freep) Root *root = NULL;
        _cleanup_fault_ Fault fault = {};
        int r;

        (void) signal(SIGPIPE, SIG_IGN);
        r = root_new(&root, a->root);
        if (r < 0) {
                text_say(stderr, "gtune-tpm: %s cannot be opened: %s\n", a->root, error_text(-r));
                return r;
        }
        a->sources.root = root;

        r = gtune_tpm_read_request(&text, &fault);
        if (r == 0)
                r = gtune_tpm_answer_in_time(a, &text, &line, &fault);
        if (r != 0) {
                line.size = 0;
                r = gtune_tpm_format_outcome(r, NULL, &fault, &line);
        }
        if (r < 0)
                return r;

        return write_all(STDOUT_FILENO, line.data, line.size);
}

int main(int argc, char **argv) {
        GtuneTpmArguments a = {.root = "/"};

        if (fill_standard_files() < 0)
                return EXIT_FAILURE;
        if (gtune_tpm_parse_arguments(argc, argv, &a) < 0)
                return STATUS_USAGE;
        if (a.finished)
                return EXIT_SUCCESS;

        return gtune_tpm_run(&a) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
