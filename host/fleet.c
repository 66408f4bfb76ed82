/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <signal.h>
#include <sys/resource.h>

#include "core/text.h"
#include "host/fleet.h"
#include "host/message.h"

/* Descriptors that no target may take: standard input and output, epoll, timers, signals, one for connect_path(). */
#define FLEET_FILES_RESERVED 16U

/* After starting so many connections, let the event loop serve the existing ones first. */
#define FLEET_STARTS_PER_TURN 64U

/* The bound on memory for received lines and for text that waits to be printed: a base, and a share for each guest. An
 * ordinary report takes less than the share. */
#define FLEET_MEMORY_BASE (64U * 1024U * 1024U)
#define FLEET_MEMORY_SHARE (16U * 1024U)

struct Fleet {
        TargetOwner owner; /* must be the first member: see fleet_of() */
        const HostVerb *verb;
        const Output *output;
        sd_event_source *starter;
        Target *targets;
        size_t n_targets;
        size_t n_started;
        size_t n_printed;  /* targets are printed in order if the verb does not stream */
        size_t n_done;
        size_t n_streaming; /* targets that have answered and stay connected */
        size_t active_max;
        size_t weight;     /* bytes of memory that all targets hold */
        size_t weight_max;
};

/* The fleet of a target: its owner is the first member of the fleet. */
static Fleet *fleet_of(Target *t) {
        return (Fleet *) t->owner;
}

static int fleet_write(Buffer *text) {
        int r;

        errno = 0;
        r = text_write(stdout, text);
        if (r < 0)
                return r;
        if (text->size > 0 && fflush(stdout) != 0)
                return negative_errno();

        buffer_done(text);
        return 0;
}

static int fleet_print(Fleet *fleet) {
        int r;

        while (fleet->n_printed < fleet->n_targets && fleet->targets[fleet->n_printed].state == TARGET_DONE) {
                Target *t = &fleet->targets[fleet->n_printed++];

                r = fleet_write(&t->text);
                if (r < 0)
                        return r;
                fleet->weight -= t->weight;
                t->weight = 0;
        }

        return 0;
}

/* The text of a target that streams is printed at once; otherwise fleet_print() keeps the order of the targets. */
static int fleet_show(Target *t) {
        return fleet_of(t)->verb->stream ? fleet_write(&t->text) : 0;
}

/*
 * If all descriptors are taken by guests that stay connected, the others would wait for ever: name them. Those that are
 * still being asked may leave a descriptor, so that nothing is said before.
 */
static int fleet_give_up_rest(Fleet *fleet) {
        const size_t active = fleet->n_started - fleet->n_done;
        _cleanup_free_ char *why = NULL;
        int r;

        if (!fleet->verb->stream || active < fleet->active_max || fleet->n_streaming < active)
                return 0;

        why = xasprintf("not watched: the limit of open files (RLIMIT_NOFILE) leaves room for %zu guests",
                        fleet->active_max);
        if (!why)
                return -ENOMEM;

        while (fleet->n_started < fleet->n_targets) {
                r = target_finish(fleet->targets + fleet->n_started++, CAUSE_LOCAL_ERROR, why);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int fleet_show_failure(Fleet *fleet, Target *t) {
        t->status = outcome_status(cause_outcome(t->cause));
        memset(t->states, 0, sizeof(t->states));
        buffer_done(&t->text);
        return print_failure(fleet->output, t);
}

static void fleet_weigh(Target *t) {
        Fleet *fleet = fleet_of(t);
        size_t weight = t->reader.line.allocated + t->text.allocated;

        fleet->weight += weight - t->weight;
        t->weight = weight;
}

static int fleet_on_weigh(Target *t) {
        Fleet *fleet = fleet_of(t);
        int r;

        fleet_weigh(t);

        while (fleet->weight > fleet->weight_max) {
                Target *heaviest = t;

                for (size_t i = 0; i < fleet->n_targets; i++)
                        if (fleet->targets[i].weight > heaviest->weight)
                                heaviest = &fleet->targets[i];

                /* A target that is done may still wait to be printed. Its answer is dropped as well. */
                if (heaviest->state == TARGET_DONE) {
                        heaviest->cause = CAUSE_MEMORY;
                        r = fleet_show_failure(fleet, heaviest);
                } else
                        r = target_finish(heaviest, CAUSE_MEMORY, NULL);
                if (r < 0)
                        return r;
                fleet_weigh(heaviest);
        }

        return 0;
}

static int fleet_on_ask(Target *t) {
        const HostVerb *verb = fleet_of(t)->verb;
        _cleanup_json_ json_object *arguments = NULL;
        int r;

        if (!verb->ask)
                return 0;

        r = verb->ask(t, &arguments);
        if (r < 0)
                return r;

        return message_request(verb->execute, arguments, &t->request, &t->request_id);
}

static int fleet_on_answered(Target *t, json_object *value) {
        Fleet *fleet = fleet_of(t);
        int r;

        if (fleet->verb->check) {
                r = fleet->verb->check(value, &t->detail);
                if (r != 0)
                        return r;
        }

        r = fleet->verb->show(fleet->output, t, value);
        if (r != 0)
                return r;

        r = fleet_show(t);
        if (r < 0 || !fleet->verb->stream)
                return r;

        t->streams = true;
        fleet->n_streaming++;
        return fleet_give_up_rest(fleet);
}

static int fleet_on_changed(Target *t, const char *event, json_object *data) {
        const HostVerb *verb = fleet_of(t)->verb;
        int r;

        if (!streq_ptr(verb->event, event))
                return 0;

        r = verb->check_change(data, &t->detail);
        if (r != 0)
                return r;

        r = verb->show_change(fleet_of(t)->output, t, data);
        if (r < 0)
                return r;

        return fleet_show(t);
}

static int fleet_on_finished(Target *t) {
        Fleet *fleet = fleet_of(t);
        int r;

        if (t->streams)
                fleet->n_streaming--;
        if (t->cause != CAUSE_NONE) {
                r = fleet_show_failure(fleet, t);
                if (r < 0)
                        return r;
        }

        r = fleet_show(t);
        if (r < 0)
                return r;

        r = fleet_print(fleet);
        if (r < 0)
                return r;

        r = fleet_on_weigh(t);
        if (r < 0)
                return r;

        if (++fleet->n_done == fleet->n_targets)
                return sd_event_exit(fleet->owner.event, 0);

        return sd_event_source_set_enabled(fleet->starter, SD_EVENT_ON);
}

static bool fleet_may_start(const Fleet *fleet) {
        return fleet->n_started < fleet->n_targets && fleet->n_started - fleet->n_done < fleet->active_max;
}

/* If no descriptor is left for a target, the target waits until another target is done. */
static int fleet_start_next(Fleet *fleet) {
        size_t active = fleet->n_started - fleet->n_done;
        Target *t = &fleet->targets[fleet->n_started++];
        int r;

        r = target_start(t);
        if ((r != -EMFILE && r != -ENFILE) || t->state != TARGET_QUEUED)
                return r;
        if (active == 0)
                return target_finish(t, CAUSE_LOCAL_ERROR, error_text(-r));

        fleet->n_started--;
        fleet->active_max = active;
        return fleet_give_up_rest(fleet);
}

static int fleet_on_start(sd_event_source *source, void *userdata) {
        Fleet *fleet = userdata;
        int r;

        for (unsigned i = 0; i < FLEET_STARTS_PER_TURN && fleet_may_start(fleet); i++) {
                r = fleet_start_next(fleet);
                if (r < 0)
                        return r;
        }

        return fleet_may_start(fleet) ? 0 : sd_event_source_set_enabled(source, SD_EVENT_OFF);
}

static size_t fleet_raise_files(void) {
        struct rlimit limit;
        rlim_t files;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return 64;

        files = limit.rlim_cur;
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) >= 0)
                files = limit.rlim_max;

        return files > FLEET_FILES_RESERVED ? (size_t) files - FLEET_FILES_RESERVED : 1;
}

static int fleet_prepare_targets(Fleet *fleet, const FleetQuestion *question) {
        fleet->targets = calloc(question->n_paths, sizeof(Target));
        if (!fleet->targets)
                return -ENOMEM;

        fleet->n_targets = question->n_paths;
        fleet->weight_max = FLEET_MEMORY_BASE + fleet->n_targets * FLEET_MEMORY_SHARE;
        fleet->active_max = fleet_raise_files();
        for (size_t i = 0; i < fleet->n_targets; i++) {
                target_init(&fleet->targets[i], &fleet->owner, question->paths[i]);
                if (question->tpm.n_names > 0)
                        fleet->targets[i].name = question->tpm.names[i];
        }

        return 0;
}

static int fleet_prepare_loop(Fleet *fleet) {
        int r;

        r = sd_event_new(&fleet->owner.event);
        if (r < 0)
                return r;

        r = sd_event_add_defer(fleet->owner.event, &fleet->starter, fleet_on_start, fleet);
        if (r < 0)
                return r;

        r = sd_event_source_set_enabled(fleet->starter, SD_EVENT_ON);
        if (r < 0)
                return r;

        return sd_event_source_set_exit_on_failure(fleet->starter, true);
}

int fleet_new(const FleetQuestion *question, const Output *output, Fleet **ret) {
        _cleanup_(fleet_freep) Fleet *fleet = NULL;
        int r;

        assert(question);
        assert(question->n_paths > 0);
        assert(ret);

        fleet = calloc(1, sizeof(Fleet));
        if (!fleet)
                return -ENOMEM;

        fleet->verb = question->verb;
        fleet->output = output;
        fleet->owner = (TargetOwner) {
                .timeout = question->timeout,
                .stream = question->verb->stream,
                .tpm = &question->tpm,
                .ask = fleet_on_ask,
                .answered = fleet_on_answered,
                .changed = fleet_on_changed,
                .weigh = fleet_on_weigh,
                .finished = fleet_on_finished,
        };

        r = message_sync(&fleet->owner.sync, &fleet->owner.sync_id);
        if (r < 0)
                return r;

        r = message_request(question->execute, question->arguments, &fleet->owner.request, &fleet->owner.request_id);
        if (r < 0)
                return r;

        r = fleet_prepare_targets(fleet, question);
        if (r < 0)
                return r;

        r = fleet_prepare_loop(fleet);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(fleet);
        return 0;
}

static int fleet_handle_signals(Fleet *fleet) {
        static const int signals[] = {SIGINT, SIGTERM};
        sigset_t mask;
        int r;

        (void) sigemptyset(&mask);
        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                (void) sigaddset(&mask, signals[i]);
        if (sigprocmask(SIG_BLOCK, &mask, NULL) < 0)
                return negative_errno();

        for (size_t i = 0; i < ELEMENTSOF(signals); i++) {
                r = sd_event_add_signal(fleet->owner.event, NULL, signals[i], NULL, NULL);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int fleet_print_around(Fleet *fleet, bool after) {
        const HostVerb *verb = fleet->verb;
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        int r = 0;

        if (!after && verb->head)
                r = verb->head(fleet->output, &text);
        if (after && verb->foot)
                r = verb->foot(fleet->output, fleet->targets, fleet->n_targets, &text);
        if (r < 0)
                return r;

        return fleet_write(&text);
}

int fleet_run(Fleet *fleet) {
        int r, status = STATUS_OK;

        assert(fleet);

        if (fleet->verb->stream) {
                r = fleet_handle_signals(fleet);
                if (r < 0)
                        return r;
        }

        r = fleet_print_around(fleet, false);
        if (r < 0)
                return r;

        r = sd_event_loop(fleet->owner.event);
        if (r < 0)
                return r;

        r = fleet_print_around(fleet, true);
        if (r < 0)
                return r;

        for (size_t i = 0; i < fleet->n_targets; i++)
                status = status_worse(status, fleet->targets[i].status);

        return status;
}

Fleet *fleet_free(Fleet *fleet) {
        if (!fleet)
                return NULL;

        for (size_t i = 0; i < fleet->n_targets; i++)
                target_release(&fleet->targets[i]);
        free(fleet->targets);

        sd_event_source_disable_unref(fleet->starter);
        buffer_done(&fleet->owner.sync);
        buffer_done(&fleet->owner.request);
        sd_event_unref(fleet->owner.event);
        free(fleet);
        return NULL;
}
