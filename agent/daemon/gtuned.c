/* SPDX-License-Identifier: Apache-2.0 */

/*
 * gtuned: answers the requests of the host over virtio-serial. It changes nothing in the guest.
 */

#include <malloc.h>
#include <signal.h>
#include <systemd/sd-daemon.h>

#include "config.h"
#include "agent/daemon/daemon.h"
#include "agent/daemon/log.h"
#include "core/options.h"

#define GTUNED_STATUS_USAGE 2

typedef struct GtunedArguments {
        const char *root;
        Endpoint endpoint;
        bool finished; /* --help or --version was given */
} GtunedArguments;

static int gtuned_set_root(void *userdata, const char *argument) {
        ((GtunedArguments *) userdata)->root = argument;
        return 0;
}

static int gtuned_set_port(void *userdata, const char *argument) {
        ((GtunedArguments *) userdata)->endpoint.port = argument;
        return 0;
}

static int gtuned_set_listen(void *userdata, const char *argument) {
        ((GtunedArguments *) userdata)->endpoint.socket = argument;
        return 0;
}

static int gtuned_print_version(void *userdata, _unused_ const char *argument) {
        puts("gtuned " PACKAGE_VERSION);
        ((GtunedArguments *) userdata)->finished = true;
        return 0;
}

static int gtuned_print_help(void *userdata, const char *argument);

static const Option options[] = {
        {"root", 'R', "DIR", "report on the tree below DIR", gtuned_set_root},
        {"port", 'p', "PATH", "serve the virtio-serial port PATH", gtuned_set_port},
        {"listen", 'l', "PATH", "serve the UNIX socket PATH instead", gtuned_set_listen},
        {"help", 'h', NULL, "show this help", gtuned_print_help},
        {"version", 0, NULL, "show the version", gtuned_print_version},
};

static int gtuned_print_help(void *userdata, _unused_ const char *argument) {
        puts("Usage: gtuned [--root DIR] --port PATH | --listen PATH\n\n"
             "Answer the host's questions about the tuning of this guest.");
        options_help(options, ELEMENTSOF(options));
        ((GtunedArguments *) userdata)->finished = true;
        return 0;
}

static int gtuned_parse_arguments(int argc, char **argv, GtunedArguments *a) {
        int first;

        first = options_parse(options, ELEMENTSOF(options), argc, argv, a, NULL);
        if (first < 0 || a->finished)
                return first;

        if (first < argc || !a->endpoint.port == !a->endpoint.socket) {
                fputs("gtuned: give either --port PATH or --listen PATH; see gtuned --help\n", stderr);
                return -EINVAL;
        }

        return 0;
}

/* SIGPIPE is ignored: a host may leave during a write. The other signals are received by the event loop. */
static int gtuned_prepare_signals(void) {
        sigset_t set;

        (void) signal(SIGPIPE, SIG_IGN);
        (void) sigemptyset(&set);
        (void) sigaddset(&set, SIGTERM);
        (void) sigaddset(&set, SIGINT);
        (void) sigaddset(&set, SIGHUP);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return negative_errno();

        return 0;
}

static int gtuned_run(const GtunedArguments *a) {
        _cleanup_(root_freep) Root *root = NULL;
        _cleanup_(sd_event_unrefp) sd_event *event = NULL;
        _cleanup_(daemon_freep) Daemon *daemon = NULL;
        int r;

        r = gtuned_prepare_signals();
        if (r < 0)
                return log_error_errno(r, "Signals cannot be blocked");
        r = root_new(&root, a->root);
        if (r < 0)
                return log_error_errno(r, "%s cannot be opened", a->root);
        r = sd_event_default(&event);
        if (r < 0)
                return log_error_errno(r, "The event loop cannot be made");
        r = daemon_new(&daemon, event, root, &a->endpoint);
        if (r < 0)
                return r;

        (void) sd_notify(false, "READY=1");
        r = sd_event_loop(event);
        (void) sd_notify(false, "STOPPING=1");
        return r;
}

int main(int argc, char **argv) {
        GtunedArguments a = {.root = "/"};

        /* A heap of its own for the worker would keep what one survey has used. */
        (void) mallopt(M_ARENA_MAX, 1);

        if (fill_standard_files() < 0)
                return EXIT_FAILURE;
        if (gtuned_parse_arguments(argc, argv, &a) < 0)
                return GTUNED_STATUS_USAGE;
        if (a.finished)
                return EXIT_SUCCESS;

        return gtuned_run(&a) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
