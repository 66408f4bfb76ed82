/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "agent/daemon/worker.h"

/* As large as that of the first thread: a boot file may be nested deeply. Only what is used takes memory. */
#define WORKER_STACK_SIZE (8U * 1024U * 1024U)

/* Below the stack, and never to be touched: too deep a call ends the daemon instead of writing elsewhere. */
#define WORKER_GUARD_SIZE (64U * 1024U)

struct Worker {
        WorkerJob job;
        sd_event *event;
        sd_event_source *wake;
        int fd;
        bool busy; /* the event loop is to be told of the end */
        bool has_thread;
        pthread_t thread;
        char *memory; /* guard and stack */
};

static void worker_join(Worker *w) {
        if (!w->has_thread)
                return;

        (void) pthread_join(w->thread, NULL);
        (void) munmap(w->memory, WORKER_GUARD_SIZE + WORKER_STACK_SIZE);
        w->has_thread = false;
}

static int worker_on_wake(_unused_ sd_event_source *source, int fd, _unused_ uint32_t events, void *userdata) {
        Worker *w = userdata;
        uint64_t count;

        if (read(fd, &count, sizeof(count)) != sizeof(count))
                return 0;

        worker_join(w);
        w->busy = false;
        w->job.done(w->job.userdata);
        return 0;
}

static void *worker_main(void *userdata) {
        Worker *w = userdata;

        w->job.run(w->job.userdata);
        if (w->busy)
                (void) eventfd_write(w->fd, 1);
        return NULL;
}

/* The C library keeps the stack of a thread that has ended, and with it the memory that was used. This one goes. */
static int worker_start_thread(Worker *w) {
        pthread_attr_t attributes;
        int r;

        w->memory = mmap(NULL, WORKER_GUARD_SIZE + WORKER_STACK_SIZE, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
        if (w->memory == MAP_FAILED)
                return negative_errno();

        r = mprotect(w->memory, WORKER_GUARD_SIZE, PROT_NONE) < 0 ? negative_errno() : -pthread_attr_init(&attributes);
        if (r == 0) {
                (void) pthread_attr_setstack(&attributes, w->memory + WORKER_GUARD_SIZE, WORKER_STACK_SIZE);
                r = -pthread_create(&w->thread, &attributes, worker_main, w);
                (void) pthread_attr_destroy(&attributes);
        }
        if (r < 0)
                (void) munmap(w->memory, WORKER_GUARD_SIZE + WORKER_STACK_SIZE);

        w->has_thread = r == 0;
        return r;
}

void worker_start(Worker *w) {
        assert(w && !w->busy);

        w->busy = true;
        if (worker_start_thread(w) < 0)
                (void) worker_main(w);
}

void worker_run(Worker *w) {
        assert(w && !w->busy);

        if (worker_start_thread(w) < 0)
                (void) worker_main(w);
        worker_join(w);
}

bool worker_is_busy(const Worker *w) {
        return w->busy;
}

int worker_new(Worker **ret, sd_event *event, const WorkerJob *job) {
        _cleanup_(worker_freep) Worker *w = calloc(1, sizeof(Worker));
        int r;

        assert(ret && event && job);

        if (!w)
                return -ENOMEM;

        w->job = *job;
        w->event = sd_event_ref(event);
        w->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (w->fd < 0)
                return negative_errno();
        r = sd_event_add_io(event, &w->wake, w->fd, EPOLLIN, worker_on_wake, w);
        if (r >= 0)
                r = sd_event_source_set_priority(w->wake, SD_EVENT_PRIORITY_IMPORTANT);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(w);
        return 0;
}

Worker *worker_free(Worker *w) {
        if (!w)
                return NULL;

        worker_join(w);
        sd_event_source_disable_unref(w->wake);
        closep(&w->fd);
        sd_event_unref(w->event);
        free(w);
        return NULL;
}
