/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Limits above the maximum, which another value or a PM QoS request has left behind: the kernel looks at the limit of a
 * CPU only after a halt. It does not show the limit, but it counts what comes of it.
 *
 * Tested by tests/unit/haltpoll/test-polls.c, and by tests/haltpoll in a real guest.
 */

#include <time.h>

#include "haltpoll/haltpoll.h"

/* So often, so long, and with so many polls at least a CPU has to be seen before its limit is said to be too high. */
#define POLLS_WINDOWS 4U
#define POLLS_WINDOW_USEC 5000U
#define POLLS_LEAST_POLLS 5U

/* /proc/stat begins with the sum of all CPUs. */
#define POLLS_STAT_SIZE 1024U

bool poll_count_is_above(const PollCount *before, const PollCount *after, uint32_t ns) {
        const uint64_t polls = after->polls - before->polls, usec = after->usec - before->usec;

        if (after->polls < before->polls || after->usec < before->usec || polls < POLLS_LEAST_POLLS)
                return false;

        /* A poll ends at the first look at the clock after its limit. With 0 there is no poll at all. */
        return ns == 0 || usec / polls * 1000 > (uint64_t) ns + ns / 10 + 20000;
}

/* The survey remembers what it has read, and here the point is to see what has changed. */
static int polls_read_anew(const View *view, const char *path, char *buffer, size_t size) {
        _cleanup_close_ int fd = -EBADF;
        ssize_t n;
        int r;

        r = root_open(view->root, path, &fd);
        if (r != ROOT_OK)
                return r < 0 ? r : -ENOENT;

        n = read(fd, buffer, size - 1);
        if (n < 0)
                return negative_errno();

        buffer[n] = 0;
        return 0;
}

static int polls_read_counter(const View *view, unsigned cpu, const char *name, uint64_t *ret) {
        _cleanup_free_ char *path = xasprintf("/sys/devices/system/cpu/cpu%u/cpuidle/state0/%s", cpu, name);
        char text[32];
        int r;

        if (!path)
                return -ENOMEM;

        r = polls_read_anew(view, path, text, sizeof(text));
        if (r >= 0)
                *ret = strtoull(text, NULL, 10);
        return r;
}

/* What cannot be read has counted nothing. Return: 0 or -ENOMEM. */
static int polls_count(const View *view, const Haltpoll *h, PollCount *counts) {
        for (size_t i = 0; i < h->n_cpus; i++)
                if (polls_read_counter(view, h->cpus[i], "usage", &counts[i].polls) == -ENOMEM ||
                    polls_read_counter(view, h->cpus[i], "time", &counts[i].usec) == -ENOMEM)
                        return -ENOMEM;

        return 0;
}

/* The time that the host took from all vCPUs: a vCPU that does not run has no poll that ends in time. */
static uint64_t polls_stolen(const View *view) {
        char text[POLLS_STAT_SIZE];
        unsigned long long stolen = 0;

        if (polls_read_anew(view, "/proc/stat", text, sizeof(text)) < 0 ||
            sscanf(text, "cpu %*u %*u %*u %*u %*u %*u %*u %llu", &stolen) != 1)
                return 0;

        return stolen;
}

/* Return: whether it took about as long as it should; if not, this vCPU itself did not run. */
static bool polls_wait(void) {
        const struct timespec pause = {.tv_nsec = POLLS_WINDOW_USEC * 1000L};
        const uint64_t before = monotonic_usec();

        (void) clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
        return monotonic_usec() - before < POLLS_WINDOW_USEC * 6 / 5;
}

/* A CPU that polls for longer than the maximum does so in each of the windows. One without such a CPU is the last. */
static int polls_measure(const View *view, Haltpoll *h, PollCount *before, PollCount *after) {
        const uint64_t stolen = polls_stolen(view);
        bool any = h->n_cpus > 0, clean = true;

        memset(h->stuck, true, h->n_cpus);
        if (polls_count(view, h, before) < 0)
                return -ENOMEM;

        for (unsigned window = 0; window < POLLS_WINDOWS && any && clean; window++) {
                clean = polls_wait();
                if (polls_count(view, h, after) < 0)
                        return -ENOMEM;

                any = false;
                for (size_t i = 0; i < h->n_cpus; i++) {
                        h->stuck[i] = h->stuck[i] && poll_count_is_above(before + i, after + i,
                                                                         h->tunables[TUNABLE_NS].actual);
                        any = any || h->stuck[i];
                }
                memcpy(before, after, h->n_cpus * sizeof(PollCount));
        }

        if (!clean || (any && polls_stolen(view) != stolen))
                memset(h->stuck, false, h->n_cpus);
        return 0;
}

int polls_find_stuck(const View *view, Haltpoll *h) {
        _cleanup_free_ PollCount *counts = NULL;

        if (!h->effect || !view->patient || !root_is_live(view->root) || !h->tunables[TUNABLE_NS].text ||
            h->latency_zero || h->n_latency_cpus > 0)
                return 0;

        counts = calloc(2 * h->n_cpus + 1, sizeof(PollCount));
        h->stuck = calloc(h->n_cpus + 1, sizeof(bool));
        if (!counts || !h->stuck)
                return -ENOMEM;

        return polls_measure(view, h, counts, counts + h->n_cpus);
}

int polls_judge(const Haltpoll *h, Finding *finding) {
        static const char reason[] = "CPU %u polls for longer than guest_halt_poll_ns (%u) allows: its limit was left "
                                     "behind (such CPUs: %u)";
        const uint32_t ns = h->tunables[TUNABLE_NS].actual;
        _cleanup_free_ char *path = NULL, *remedy = NULL;
        unsigned count = 0, first = 0;

        for (size_t i = h->n_cpus; h->stuck && i-- > 0;)
                if (h->stuck[i]) {
                        first = h->cpus[i];
                        count++;
                }
        if (count == 0 || (practice_is_on(finding) && finding->state != STATE_ACTIVE))
                return 0;

        if (practice_is_on(finding))
                return finding_verdict(finding, STATE_DIFFERS, "limit-stuck", "run `gtune apply`", reason, first, ns,
                                       count);

        path = haltpoll_disable_path(first);
        if (!path)
                return -ENOMEM;
        remedy = xasprintf("write to %s, and to that of each other CPU, what it says: that resets the limit", path);
        return remedy ? finding_coded_warning(finding, "limit-stuck", remedy, reason, first, ns, count) : -ENOMEM;
}

int polls_plan(const Haltpoll *h, const Finding *finding, Plan *plan) {
        for (size_t i = 0; h->stuck && i < h->n_cpus; i++) {
                _cleanup_free_ char *path = h->stuck[i] ? haltpoll_disable_path(h->cpus[i]) : NULL;

                if (h->stuck[i] && (!path || plan_rewrite(plan, finding, path) < 0))
                        return -ENOMEM;
        }

        return 0;
}
