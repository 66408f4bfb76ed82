/* SPDX-License-Identifier: Apache-2.0 */

/*
 * gtuned-request: starts the apply unit for the daemon, which has no right to do so. gtuned-request.socket starts this
 * program as root for each connection. It reads nothing from the connection: the connection itself is the request. It
 * checks itself whether the peer is the daemon, whether the policy allows the request, and when the last one was.
 */

#include <fcntl.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>
#include <time.h>

#include "agent/daemon/log.h"
#include "agent/side.h"
#include "core/journal.h"
#include "core/json.h"
#include "core/text.h"

#define REQUEST_CLIENT_USER "gtuned"
#define REQUEST_STAMP_PATH "/run/gtuned-request/last"
#define REQUEST_INTERVAL_SEC 10
#define REQUEST_BUS_TIMEOUT_USEC (4U * 1000000U) /* shorter than APPLY_CLIENT_WAIT_USEC of the daemon */

/* Why the request is refused. The code is for programs and never changes; the reason is for people. */
typedef struct Refusal {
        const char *code; /* NULL: it is not refused */
        char *reason;
} Refusal;

static void refusal_done(Refusal *refusal) {
        free(refusal->reason);
}

static int refusal_set(Refusal *refusal, const char *code, const char *reason) {
        refusal->code = code;
        return free_and_strdup(&refusal->reason, reason);
}

/* Reads the file instead of asking name services, which would load their modules into this program. */
static bool request_is_client_user(uid_t uid) {
        _cleanup_fclose_ FILE *f = fopen("/etc/passwd", "re");
        const struct passwd *p;

        while (f && (p = fgetpwent(f)))
                if (streq(p->pw_name, REQUEST_CLIENT_USER))
                        return p->pw_uid == uid;

        return false;
}

/* This check and those below return 0, and may have set the refusal, or -errno. */
static int request_check_peer(Refusal *refusal) {
        struct ucred peer;
        socklen_t size = sizeof(peer);

        if (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
                return negative_errno();
        if (peer.uid == 0 || request_is_client_user(peer.uid))
                return 0;

        return refusal_set(refusal, "wrong-user", "only root and the user gtuned may ask");
}

static int request_check_policy(Refusal *refusal) {
        _cleanup_(root_freep) Root *root = NULL;
        _cleanup_(policy_freep) Policy *policy = NULL;
        int r;

        r = root_new(&root, "/");
        if (r < 0)
                return r;
        r = guest_side.read_policy(&guest_side, root, &policy);
        if (r < 0)
                return r;

        if (policy->n_errors > 0)
                return refusal_set(refusal, "bad-policy", "the policy has errors; see gtune status");
        if (!policy_bool(policy, "channel", "allow_apply", false))
                return refusal_set(refusal, "not-allowed", "the policy does not allow it ([channel] allow_apply)");

        return 0;
}

/* This clock begins at boot. The stamp is of the same boot, because /run is empty at boot. */
static int64_t request_boot_seconds(void) {
        struct timespec now = {};

        (void) clock_gettime(CLOCK_BOOTTIME, &now);
        return (int64_t) now.tv_sec;
}

static int request_open_stamp(int *ret_fd) {
        _cleanup_close_ int fd = -EBADF;

        fd = open(REQUEST_STAMP_PATH, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return negative_errno();
        if (flock(fd, LOCK_EX) < 0)
                return negative_errno();

        *ret_fd = TAKE_FD(fd);
        return 0;
}

static int request_check_rate(int stamp_fd, Refusal *refusal) {
        int64_t last = 0, now = request_boot_seconds();
        ssize_t n;

        n = pread(stamp_fd, &last, sizeof(last), 0);
        if (n < 0)
                return negative_errno();
        if (n == sizeof(last) && last <= now && now - last < REQUEST_INTERVAL_SEC)
                return refusal_set(refusal, "rate-limited", "it ran less than 10 s ago");

        return 0;
}

static int request_note_run(int stamp_fd) {
        const int64_t now = request_boot_seconds();

        if (pwrite(stamp_fd, &now, sizeof(now), 0) != sizeof(now))
                return negative_errno();

        return 0;
}

/* Waits until the job is accepted, not until it is done: apply may take longer than the host waits. */
static int request_start_unit(Refusal *refusal) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        int r;

        r = sd_bus_open_system(&bus);
        if (r < 0)
                return refusal_set(refusal, "no-bus", "the system bus cannot be reached");

        (void) sd_bus_set_method_call_timeout(bus, REQUEST_BUS_TIMEOUT_USEC);
        r = sd_bus_call_method(bus, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                               "org.freedesktop.systemd1.Manager", "StartUnit", &error, NULL, "ss",
                               guest_side.apply_unit, "replace");
        if (r < 0)
                return refusal_set(refusal, "not-started", error.message ? error.message : error_text(-r));

        return 0;
}

/* An attempt that fails counts too; otherwise a host could fill the journal with failures. */
static int request_start_limited(Refusal *refusal) {
        _cleanup_close_ int stamp = -EBADF;
        int r;

        r = request_open_stamp(&stamp);
        if (r < 0)
                return r;
        r = request_check_rate(stamp, refusal);
        if (r < 0 || refusal->code)
                return r;
        r = request_note_run(stamp);
        if (r < 0)
                return r;

        return request_start_unit(refusal);
}

static int request_decide(Refusal *refusal) {
        int r;

        r = request_check_peer(refusal);
        if (r < 0 || refusal->code)
                return r;
        r = request_check_policy(refusal);
        if (r < 0 || refusal->code)
                return r;

        return request_start_limited(refusal);
}

static int request_format_answer(const Refusal *refusal, Buffer *line) {
        _cleanup_json_ json_object *o = json_object_new_object();
        int r;

        if (!o)
                return -ENOMEM;

        r = json_set_text(o, "result", refusal->code ? "refused" : "started");
        if (r < 0)
                return r;
        if (refusal->code) {
                r = json_set_text(o, "code", refusal->code);
                if (r < 0)
                        return r;
                r = json_set_text(o, "reason", refusal->reason);
                if (r < 0)
                        return r;
        }

        return json_format_line(o, line);
}

static int request_answer(const Refusal *refusal) {
        _cleanup_buffer_ Buffer line = BUFFER_NULL;
        int r;

        r = request_format_answer(refusal, &line);
        if (r < 0)
                return r;

        if (send(STDOUT_FILENO, line.data, line.size, MSG_NOSIGNAL) < 0)
                return negative_errno();

        return 0;
}

/* A host that asks too often gets an answer but no line in the journal, which it could fill otherwise. */
static void request_log_refusal(const Refusal *refusal) {
        _cleanup_journal_ JournalEntry entry = JOURNAL_ENTRY(JOURNAL_REFUSED);

        if (streq(refusal->code, "rate-limited"))
                log_line(LOG_DEBUG, "Not running %s for the host: %s", guest_side.apply_unit, refusal->reason);
        else if (journal_field(&entry, "GTUNED_REASON_CODE", refusal->code) < 0 ||
                 !journal_send(&entry, "Refused to run %s for the host: %s", guest_side.apply_unit, refusal->reason))
                log_line(LOG_NOTICE, "Refused to run %s for the host: %s", guest_side.apply_unit, refusal->reason);
}

static int request_run(void) {
        _cleanup_(refusal_done) Refusal refusal = {};
        int r;

        r = request_decide(&refusal);
        if (r < 0) {
                (void) log_error_errno(r, "The host's request to run %s cannot be checked", guest_side.apply_unit);
                r = refusal_set(&refusal, "failed", error_text(-r));
                if (r < 0)
                        return r;
        } else if (refusal.code)
                request_log_refusal(&refusal);
        else
                log_line(LOG_NOTICE, "Running %s for the host", guest_side.apply_unit);

        return request_answer(&refusal);
}

int main(int argc, char **argv) {
        if (fill_standard_files() < 0)
                return EXIT_FAILURE;

        if (argc != 1) {
                text_say(stderr, "Usage: %s, started by gtuned-request.socket\n", argv[0]);
                return 2;
        }

        return request_run() < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
