/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A worker: a thread that does one thing at a time beside the event loop, so that requests are answered meanwhile. What
 * the function touches belongs to the thread until it is done.
 */

#include <systemd/sd-event.h>

#include "core/util.h"

typedef struct Worker Worker;

/* What a worker is for. */
typedef struct WorkerJob {
        void (*run)(void *userdata);  /* in the thread */
        void (*done)(void *userdata); /* then, in the event loop */
        void *userdata;
} WorkerJob;

/**
 * worker_new() - make a worker, which is idle
 * @ret: takes the worker; the caller frees it
 * @event: the event loop
 * @job: the functions; copied
 *
 * Return: 0 or -errno.
 */
int worker_new(Worker **ret, sd_event *event, const WorkerJob *job);

/** worker_free() - wait for the thread, without calling done, and release the worker; NULL is ignored */
Worker *worker_free(Worker *worker);
DEFINE_CLEANUP(Worker *, worker_free);

/** worker_start() - run the job; the worker must be idle. If there is no thread to be had, run it at once. */
void worker_start(Worker *worker);

/**
 * worker_run() - run the job and wait for it; the worker must be idle
 *
 * Like worker_start(), but done is not called, and the event loop waits. The stack and the cache of small blocks that
 * the C library keeps for a thread go with the thread, so that a large job leaves no memory to the first one.
 */
void worker_run(Worker *worker);

/** worker_is_busy() - whether the job runs, or is done and the event loop does not know yet */
bool worker_is_busy(const Worker *worker) _pure_;
