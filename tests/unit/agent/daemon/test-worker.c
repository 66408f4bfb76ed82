/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The worker: what runs in which thread, in which order, and on what stack.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "agent/daemon/worker.h"

#define FRAME_SIZE 4096U
#define FRAMES_DEEP 1024U /* 4 MiB */
#define ROUNDS_MAX 1000U

typedef struct Scene Scene;

struct Scene {
        sd_event *event;
        Worker *worker;
        void (*errand)(Scene *s); /* what run() does beside */
        unsigned started, ended, done;
        unsigned again;           /* how often done() starts the worker once more */
        pid_t thread, loop;       /* of run() and done() */
        char *stack;              /* an address in the stack of run() */
        unsigned depth;
        bool guarded;
        sem_t gate;
};

static pid_t thread_id(void) {
        return (pid_t) syscall(SYS_gettid);
}

static void scene_run(void *userdata) {
        Scene *s = userdata;

        s->started++;
        s->thread = thread_id();
        s->stack = __builtin_frame_address(0);
        if (s->errand)
                s->errand(s);
        s->ended++;
}

static void scene_done(void *userdata) {
        Scene *s = userdata;

        s->loop = thread_id();
        s->done++;
        assert_int_equal(s->ended, s->done);
        assert_false(worker_is_busy(s->worker));
        if (s->again > 0) {
                s->again--;
                worker_start(s->worker);
        }
}

static int scene_begin(void **state) {
        Scene *s = calloc(1, sizeof(Scene));
        const WorkerJob job = {.run = scene_run, .done = scene_done, .userdata = s};

        assert_non_null(s);
        assert_return_code(sem_init(&s->gate, 0, 0), errno);
        assert_return_code(sd_event_new(&s->event), 0);
        assert_return_code(worker_new(&s->worker, s->event, &job), 0);
        assert_false(worker_is_busy(s->worker));
        *state = s;
        return 0;
}

static int scene_end(void **state) {
        Scene *s = *state;

        worker_free(s->worker);
        sd_event_unref(s->event);
        (void) sem_destroy(&s->gate);
        free(s);
        return 0;
}

static void run_until_idle(Scene *s) {
        for (unsigned i = 0; worker_is_busy(s->worker) && i < ROUNDS_MAX; i++)
                assert_return_code(sd_event_run(s->event, 10000), 0);
        assert_false(worker_is_busy(s->worker));
}

static void sleep_a_while(_unused_ Scene *s) {
        (void) usleep(100 * 1000);
}

static void wait_at_gate(Scene *s) {
        while (sem_wait(&s->gate) < 0)
                assert_int_equal(errno, EINTR);
}

static void test_threads(void **state) {
        Scene *s = *state;

        s->errand = wait_at_gate;
        worker_start(s->worker);
        assert_true(worker_is_busy(s->worker));
        assert_int_equal(s->done, 0);
        assert_int_equal(sd_event_run(s->event, 0), 0); /* the loop does not wait */
        assert_return_code(sem_post(&s->gate), errno);

        run_until_idle(s);
        assert_int_equal(s->started, 1);
        assert_int_equal(s->done, 1);
        assert_int_equal(s->loop, thread_id());
        assert_int_not_equal(s->thread, thread_id());
        assert_int_equal(sd_event_run(s->event, 0), 0);
        assert_int_equal(s->done, 1);
}

/* It is done, but nobody says so before the loop is run. */
static void test_busy_until_told(void **state) {
        Scene *s = *state;

        worker_start(s->worker);
        (void) usleep(100 * 1000);
        assert_true(worker_is_busy(s->worker));
        assert_int_equal(s->done, 0);
        run_until_idle(s);
        assert_int_equal(s->done, 1);
}

static void test_run_and_wait(void **state) {
        Scene *s = *state;

        s->errand = sleep_a_while;
        worker_run(s->worker);
        assert_int_equal(s->ended, 1);
        assert_int_not_equal(s->thread, thread_id());
        assert_false(worker_is_busy(s->worker));
        assert_int_equal(sd_event_run(s->event, 0), 0);
        assert_int_equal(s->done, 0);

        s->ended = 0;
        worker_start(s->worker);
        run_until_idle(s);
        assert_int_equal(s->done, 1);
}

static void test_in_turn(void **state) {
        Scene *s = *state;

        for (unsigned i = 1; i <= 20; i++) {
                worker_start(s->worker);
                run_until_idle(s);
                assert_int_equal(s->started, i);
                assert_int_equal(s->done, i);
        }
}

static void test_started_by_done(void **state) {
        Scene *s = *state;

        s->again = 3;
        worker_start(s->worker);
        run_until_idle(s);
        assert_int_equal(s->started, 4);
        assert_int_equal(s->done, 4);
}

static void test_free_waits(void **state) {
        Scene *s = *state;

        s->errand = sleep_a_while;
        worker_start(s->worker);
        s->worker = worker_free(s->worker);
        assert_int_equal(s->ended, 1);
        assert_int_equal(s->done, 0);
        assert_int_equal(sd_event_run(s->event, 0), 0);
        assert_int_equal(s->done, 0);
}

/* Freed after the end of the thread, and before the loop knows. */
static void test_free_at_the_end(void **state) {
        Scene *s = *state;

        worker_start(s->worker);
        (void) usleep(50 * 1000);
        s->worker = worker_free(s->worker);
        assert_int_equal(s->ended, 1);
        assert_int_equal(s->done, 0);
}

/* The frame is written before and read after the call, so that no compiler makes a loop of it. */
static unsigned descend(unsigned depth) { /* NOLINT(misc-no-recursion) */
        volatile char frame[FRAME_SIZE];

        frame[0] = frame[FRAME_SIZE - 1] = (char) (depth & 1);
        return depth == 0 ? 0 : descend(depth - 1) + 1 + (unsigned) (frame[0] - frame[FRAME_SIZE - 1]);
}

static void go_deep(Scene *s) {
        s->depth = descend(FRAMES_DEEP);
}

static void test_deep(void **state) {
        Scene *s = *state;
        unsigned char resident;
        char *page;

        s->errand = go_deep;
        worker_start(s->worker);
        run_until_idle(s);
        assert_int_equal(s->depth, FRAMES_DEEP);

        /* The memory that was used is given back. */
        page = s->stack - (uintptr_t) s->stack % (uintptr_t) sysconf(_SC_PAGESIZE);
        assert_int_equal(mincore(page, 1, &resident), -1);
        assert_int_equal(errno, ENOMEM);
}

/* Whether a page that may not be touched is right below the mapping of an address (proc(5), maps). */
static void find_guard(Scene *s) {
        _cleanup_fclose_ FILE *f = fopen("/proc/self/maps", "re");
        uintptr_t below_end = 0;
        char below_mode = 0, line[512];

        while (f && fgets(line, sizeof(line), f)) {
                uintptr_t start, end;
                char mode;

                if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %c", &start, &end, &mode) != 3)
                        continue;
                if (start <= (uintptr_t) s->stack && (uintptr_t) s->stack < end)
                        s->guarded = below_end == start && below_mode == '-';
                below_end = end;
                below_mode = mode;
        }
}

static void test_guard(void **state) {
        Scene *s = *state;

        s->errand = find_guard;
        worker_start(s->worker);
        run_until_idle(s);
        assert_true(s->guarded);
}

/* Without memory for a stack it is done at once, and the loop is told as ever. */
static void test_no_thread(void **state) {
        struct rlimit before, none;
        Scene *s = *state;

        assert_return_code(getrlimit(RLIMIT_AS, &before), errno);
        none = before;
        none.rlim_cur = 4096;
        assert_return_code(setrlimit(RLIMIT_AS, &none), errno);
        worker_start(s->worker);
        assert_return_code(setrlimit(RLIMIT_AS, &before), errno);

        assert_int_equal(s->ended, 1);
        assert_int_equal(s->thread, thread_id());
        assert_true(worker_is_busy(s->worker));
        assert_int_equal(s->done, 0);
        run_until_idle(s);
        assert_int_equal(s->done, 1);

        worker_start(s->worker);
        run_until_idle(s);
        assert_int_equal(s->done, 2);
        assert_int_not_equal(s->thread, thread_id());
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scene_begin, scene_end)

int main(void) {
        const struct CMUnitTest tests[] = {
                TEST(test_threads),
                TEST(test_busy_until_told),
                TEST(test_run_and_wait),
                TEST(test_in_turn),
                TEST(test_started_by_done),
                TEST(test_free_waits),
                TEST(test_free_at_the_end),
                TEST(test_deep),
                TEST(test_guard),
                TEST(test_no_thread),
        };

        return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
