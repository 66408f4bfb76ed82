/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "agent/daemon/keeper.h"
#include "agent/daemon/log.h"
#include "agent/daemon/report-cache.h"
#include "agent/daemon/sources.h"
#include "agent/daemon/system-watch.h"
#include "agent/daemon/trim.h"
#include "agent/daemon/unit-watch.h"
#include "agent/daemon/worker.h"

struct Keeper {
        KeeperOwner owner;
        KeeperPace pace;
        const Side *side;
        Root *root; /* a copy: the worker traces it */
        SideInterest interest;

        PathWatch *path_watch;
        SystemWatch *system_watch;
        UnitWatch *unit_watch; /* NULL if the root is not the running system */
        const char *units[SIDE_SERVICES_MAX + 1]; /* the services that unit_watch listens to */
        int log_fd; /* the kernel log, after the lines that were read; negative: it cannot be opened */

        Survey *survey;
        Sources *sources;
        ReportCache cache;
        SurveyParts dirty, moved;  /* parts whose sources have changed, and those whose names came or went */
        uint64_t compared;         /* when the sources that are not announced were last compared */
        uint64_t made;             /* when the report was last made */
        sd_event_source *rebuild;  /* timer; runs only while a part is dirty */
        sd_event_source *prepare;  /* keeper_prepare_report(): compares one source each time */
        SurveyParts prepared;      /* the parts whose sources it found to have changed */
        uint64_t preparing_since;

        Worker *worker;
        SurveyParts job, job_moved; /* the parts that the worker reads; none: it makes the plan */
        SurveyParts overtaken;      /* the parts that it has to read again */
        uint64_t job_compared;      /* when all other parts were known to be as their sources; 0: they were not */
        int job_result;
        uint64_t planned;           /* when the plan was last made */
        bool fresh;                 /* the worker is just done, and its result counts whatever has changed meanwhile */
        bool settled;               /* all was just compared, and that counts however long it took */
        const char *limit;          /* what was said of path_watch_limit() */
        bool broken;                /* the survey could not be taken, and may only be taken as a whole */
};

/* Read parts of the survey again, with a record of what they rest on. */
static int keeper_read(Keeper *k, SurveyParts parts, SurveyParts moved, SurveyParts *ret_overtaken) {
        int r;

        sources_begin(k->sources, k->survey, parts, moved);
        r = survey_refresh(k->survey, parts);
        *ret_overtaken = sources_end(k->sources);
        return r;
}

static void keeper_note_limit(Keeper *k) {
        const char *limit = path_watch_limit(k->path_watch);

        if (limit && !streq_ptr(limit, k->limit))
                log_line(LOG_WARNING, "inotify may watch no more, so that some changes are found only when the host asks: "
                                      "raise %s", limit);
        k->limit = limit;
}

static void keeper_arm(Keeper *k) {
        const uint64_t now = monotonic_usec(), next = k->made + k->pace.burst;

        if (k->dirty == 0 || worker_is_busy(k->worker))
                return;

        if (sd_event_source_set_time(k->rebuild, next > now ? next : now) < 0 ||
            sd_event_source_set_enabled(k->rebuild, SD_EVENT_ONESHOT) < 0)
                log_line(LOG_WARNING, "A change will not be reported before the host's next request");
}

static void keeper_mark(Keeper *k, SurveyParts parts, SurveyParts moved) {
        k->dirty |= parts;
        k->moved |= moved;
        keeper_arm(k);
}

/*
 * The parts were read: bring the texts up to date. After a failure the report stays as it was, if there is memory for
 * it, and all is in doubt; the next change or request tries again.
 */
static void keeper_publish(Keeper *k, int r) {
        if (r >= 0)
                r = report_cache_update(&k->cache, k->survey, k->survey->refreshed);

        keeper_note_limit(k);
        k->made = monotonic_usec();
        k->broken = r < 0;
        if (k->broken) {
                (void) log_error_errno(r, "The report cannot be made");
                k->dirty = k->moved = SURVEY_ALL;
        } else
                keeper_arm(k);

        k->owner.updated(k->owner.userdata);
}

/* Whether parts are read so fast that a ping may wait for it. */
static bool keeper_is_quick(const Keeper *k, SurveyParts parts) {
        SurveyParts quick = SURVEY_LAST_APPLY;

        for (size_t row = 0; row < k->side->n_practices; row++)
                if (!k->side->practices[row]->slow)
                        quick |= survey_practice(row);

        return (parts & ~quick) == 0;
}

/* Have the worker read parts, or make the plan if there are none. */
static void keeper_start_job(Keeper *k, SurveyParts parts, SurveyParts moved, bool compared) {
        k->job = parts;
        k->job_moved = moved;
        k->job_compared = compared ? k->compared : parts == SURVEY_ALL ? monotonic_usec() : 0;
        k->overtaken = 0;

        if (k->unit_watch)
                unit_watch_revive(k->unit_watch);
        if (k->log_fd >= 0 && (parts & SURVEY_LOG))
                (void) lseek(k->log_fd, 0, SEEK_END);
        path_watch_pause(k->path_watch, true);
        worker_start(k->worker);
}

/* A slow job or comparison would never be enough if its end were not in time by definition. */
static void keeper_be_ready(Keeper *k, bool settled) {
        k->settled = settled;
        k->owner.ready(k->owner.userdata);
        k->settled = false;
}

static void keeper_run_job(void *userdata) {
        Keeper *k = userdata;

        k->job_result = k->job != 0 ? keeper_read(k, k->job, k->job_moved, &k->overtaken)
                                    : report_cache_plan(&k->cache, k->survey);
}

static void keeper_on_job_done(void *userdata) {
        Keeper *k = userdata;

        path_watch_pause(k->path_watch, false);
        k->dirty |= k->overtaken;
        if (k->job == 0) {
                k->planned = monotonic_usec();
                keeper_arm(k);
        } else {
                keeper_publish(k, k->job_result);
                k->compared = k->job_compared ? k->job_compared : k->compared;
        }
        trim_memory();

        k->fresh = true;
        keeper_be_ready(k, k->job_compared > 0);
        k->fresh = false;
}

/* Read what is dirty: at once, or by the worker. @compared: the sources that are not announced were just compared. */
static void keeper_rebuild(Keeper *k, bool compared) {
        const SurveyParts parts = survey_dependents(k->survey, k->dirty), moved = k->moved;
        SurveyParts overtaken;
        int r;

        k->dirty = k->moved = 0;
        if (!keeper_is_quick(k, parts)) {
                keeper_start_job(k, parts, moved, compared);
                return;
        }

        r = keeper_read(k, parts, moved, &overtaken);
        k->dirty |= overtaken;
        keeper_publish(k, r);
}

static int keeper_on_rebuild(_unused_ sd_event_source *source, _unused_ uint64_t usec, void *userdata) {
        Keeper *k = userdata;

        if (k->dirty != 0 && !worker_is_busy(k->worker))
                keeper_rebuild(k, /* compared= */ false);
        return 0;
}

/* Whether the processes of a service can change and the service manager does not announce it. */
static bool keeper_services_are_silent(const Keeper *k) {
        const Services *services = &k->survey->machine->probe->services;

        if (!k->unit_watch || !*k->units)
                return false;
        if (!unit_watch_hears(k->unit_watch) || !services->known)
                return true;

        for (size_t i = 0; i < services->n; i++)
                if (services->list[i].main.pid == 0)
                        return true;

        /* Without a unit that is known, another one may start its program. */
        return services->n == 0;
}

/* Whether there may be lines that were not read. Without the ring buffer they are in the journal alone. */
static bool keeper_log_has_news(const Keeper *k) {
        if (!root_is_live(k->root))
                return false;

        return k->log_fd < 0 || kernel_log_has_news(k->log_fd, k->interest.log_patterns);
}

/* The sources that are not announced were compared; @since: when that began. */
static void keeper_note_compared(Keeper *k, SurveyParts changed, uint64_t since) {
        if (keeper_log_has_news(k))
                changed |= SURVEY_LOG;
        if (keeper_services_are_silent(k))
                changed |= SURVEY_SERVICES;

        k->compared = since > k->compared ? since : k->compared;
        k->dirty |= changed;
        if (changed == 0) {
                timestamp_utc(k->survey->observed_at);
                report_cache_touch(&k->cache, k->survey->observed_at);
        }
}

static bool keeper_is_stale(const Keeper *k) {
        return !k->broken && !k->settled && monotonic_usec() - k->compared > k->pace.stale;
}

/* Bring the report up to date for a request. Neither changes nor requests cause that too often. */
static int keeper_refresh(Keeper *k) {
        const uint64_t now = monotonic_usec();
        const bool stale = keeper_is_stale(k);

        if (worker_is_busy(k->worker))
                return -EAGAIN;
        if (stale)
                keeper_note_compared(k, sources_compare(k->sources), now);
        if (k->dirty != 0 && (stale || (!k->fresh && now - k->made >= k->pace.burst)))
                keeper_rebuild(k, stale);

        return worker_is_busy(k->worker) ? -EAGAIN : 0;
}

int keeper_report(Keeper *k, Span *ret) {
        int r = keeper_refresh(k);

        if (r < 0)
                return r;
        if (k->cache.report.size == 0)
                return -ENOMEM;

        *ret = SPAN_BUFFER(k->cache.report);
        return 0;
}

int keeper_prepare_report(Keeper *k, Span *ret) {
        int r;

        if (worker_is_busy(k->worker))
                return -EAGAIN;
        if (!keeper_is_stale(k))
                return keeper_report(k, ret);

        r = sd_event_source_set_enabled(k->prepare, SD_EVENT_ON);
        if (r < 0)
                return r;

        k->preparing_since = monotonic_usec();
        k->prepared = 0;
        sources_compare_begin(k->sources);
        return -EAGAIN;
}

static int keeper_on_prepare(sd_event_source *source, void *userdata) {
        Keeper *k = userdata;

        if (!worker_is_busy(k->worker)) {
                if (sources_compare_next(k->sources, &k->prepared))
                        return 0;

                keeper_note_compared(k, k->prepared, k->preparing_since);
                if (k->dirty != 0)
                        keeper_rebuild(k, /* compared= */ true);
        }

        /* The worker calls ready() when it is done. */
        (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
        if (!worker_is_busy(k->worker))
                keeper_be_ready(k, /* settled= */ true);
        return 0;
}

static int keeper_refresh_plan(Keeper *k) {
        int r;

        /* The plan was just made. To compare again could drop it again, and a slow plan would never be given. */
        if (k->fresh && k->job == 0)
                return k->job_result;

        r = keeper_refresh(k);
        if (r < 0)
                return r;
        if (k->broken)
                return -EIO;
        if (k->cache.changes.size > 0 && monotonic_usec() - k->planned <= k->pace.stale)
                return 0;

        keeper_start_job(k, 0, 0, false);
        return -EAGAIN;
}

int keeper_changes(Keeper *k, Span *ret) {
        int r = keeper_refresh_plan(k);

        if (r >= 0)
                *ret = SPAN_BUFFER(k->cache.changes);
        return r;
}

const char *keeper_summary(const Keeper *k) {
        return strempty(k->cache.summary);
}

bool keeper_allows_apply(const Keeper *k) {
        return k->cache.apply_allowed;
}

int keeper_news(Keeper *k, char ***told, json_object **ret) {
        return k->broken || worker_is_busy(k->worker) ? -EAGAIN : report_news(k->survey, told, ret);
}

bool keeper_is_in_doubt(const Keeper *k) {
        return k->dirty == SURVEY_ALL && !k->broken;
}

void keeper_reload(Keeper *k) {
        k->made = 0; /* now, and not after a while */
        keeper_mark(k, SURVEY_ALL, SURVEY_ALL);
}

static void keeper_on_path(uint64_t readers, bool moved, void *userdata) {
        keeper_mark(userdata, readers, moved ? readers : 0);
}

static void keeper_on_unit(void *userdata) {
        keeper_mark(userdata, SURVEY_SERVICES, 0);
}

static void keeper_on_mounts(void *userdata) {
        keeper_mark(userdata, SURVEY_ALL, SURVEY_ALL);
}

/* A module brings attributes or takes them away, which inotify does not announce. */
static void keeper_on_modules(void *userdata) {
        Keeper *k = userdata;

        if (!worker_is_busy(k->worker))
                keeper_mark(k, sources_compare(k->sources), 0);
        else
                keeper_mark(k, SURVEY_ALL, 0);
}

static int keeper_open_system(Keeper *k, sd_event *event) {
        const bool live = root_is_live(k->root);
        const SystemWatchOwner owner = {
                .mounts_changed = keeper_on_mounts,
                .modules_changed = live ? keeper_on_modules : NULL,
                .userdata = k,
        };
        int r;

        r = system_watch_new(&k->system_watch, event, &owner);
        if (r < 0 || !live)
                return r;

        k->log_fd = kernel_log_follow();
        side_services(k->side, k->units);
        return unit_watch_new(&k->unit_watch, event, k->units, keeper_on_unit, k);
}

static int keeper_open(Keeper *k, sd_event *event) {
        const WorkerJob job = {.run = keeper_run_job, .done = keeper_on_job_done, .userdata = k};
        int r;

        r = sd_event_add_time(event, &k->rebuild, CLOCK_MONOTONIC, 0, 1, keeper_on_rebuild, k);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(k->rebuild, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = sd_event_add_defer(event, &k->prepare, keeper_on_prepare, k);
        if (r < 0)
                return r;
        r = sd_event_source_set_enabled(k->prepare, SD_EVENT_OFF);
        if (r < 0)
                return r;
        r = sd_event_source_set_priority(k->prepare, SD_EVENT_PRIORITY_IDLE);
        if (r < 0)
                return r;
        r = worker_new(&k->worker, event, &job);
        if (r < 0)
                return r;
        r = path_watch_new(&k->path_watch, event, k->root, keeper_on_path, k);
        if (r < 0)
                return r;
        r = sources_new(&k->sources, k->root, k->path_watch);
        if (r < 0)
                return r;

        return keeper_open_system(k, event);
}

static int keeper_make_first(Keeper *k) {
        const uint64_t began = monotonic_usec();
        int r;

        r = survey_new(k->side, k->root, NULL, &k->survey);
        if (r < 0)
                return r;

        k->job = k->job_moved = SURVEY_ALL;
        worker_run(k->worker);
        r = k->job_result;
        if (r >= 0)
                r = report_cache_update(&k->cache, k->survey, SURVEY_ALL);
        if (r < 0)
                return r;

        keeper_note_limit(k);
        trim_memory();
        k->compared = began;
        k->made = monotonic_usec();
        keeper_mark(k, k->overtaken, 0);
        return 0;
}

int keeper_new(Keeper **ret, sd_event *event, const Side *side, const Root *root, KeeperPace pace,
               const KeeperOwner *owner) {
        _cleanup_(keeper_freep) Keeper *k = calloc(1, sizeof(Keeper));
        int r;

        assert(ret && event && side && root && owner);

        if (!k)
                return -ENOMEM;

        k->owner = *owner;
        k->pace = pace;
        k->side = side;
        k->log_fd = -EBADF;
        r = root_copy(&k->root, root);
        if (r < 0)
                return r;
        r = side_interest(side, &k->interest);
        if (r < 0)
                return r;
        r = keeper_open(k, event);
        if (r < 0)
                return r;
        r = keeper_make_first(k);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(k);
        return 0;
}

Keeper *keeper_free(Keeper *k) {
        if (!k)
                return NULL;

        worker_free(k->worker);
        unit_watch_free(k->unit_watch);
        system_watch_free(k->system_watch);
        sources_free(k->sources);
        path_watch_free(k->path_watch);
        sd_event_source_disable_unref(k->rebuild);
        sd_event_source_disable_unref(k->prepare);
        closep(&k->log_fd);
        survey_free(k->survey);
        report_cache_done(&k->cache);
        side_interest_done(&k->interest);
        root_free(k->root);
        free(k);
        return NULL;
}
