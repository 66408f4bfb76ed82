/* SPDX-License-Identifier: Apache-2.0 */

/* Tested by tests/unit/agent/daemon/test-keeper.c. */

#include <assert.h>

#include "agent/daemon/sources.h"
#include "core/sight.h"

typedef struct Source {
        SightKind kind;
        bool announced;
        bool seen_once;      /* digest is set */
        size_t max;
        uint64_t digest;
        SurveyParts readers; /* the parts that rest on it */
        SurveyParts noted;   /* the parts for which it is watched */
        SurveyParts seen;    /* the parts that have looked at it since sources_begin() */
        bool torn;           /* two of them have seen different things, and no event will say so */
        char path[];
} Source;

struct Sources {
        Root *root;
        PathWatch *watch;
        const Survey *survey;  /* NULL: nothing is recorded */
        Source **list;         /* in the order of source_compare() */
        size_t n;
        size_t next;           /* of the list, for sources_compare_next() */
        SurveyParts overtaken; /* a source on which they rest has changed while others were read */
};

/* What the running kernel cannot change until the next boot. */
static const char *const constant_paths[] = {
        "/proc/cmdline", "/proc/config.gz", "/proc/device-tree", "/proc/sys/kernel/random/boot_id",
        "/sys/class/dmi", "/sys/devices/system/cpu/possible",
};

static bool source_is_constant(const Root *root, const Source *s) {
        for (size_t i = 0; root_is_live(root) && i < ELEMENTSOF(constant_paths); i++)
                if (path_is_within(s->path, constant_paths[i]))
                        return true;

        return false;
}

int sources_new(Sources **ret, Root *root, PathWatch *watch) {
        Sources *s = calloc(1, sizeof(Sources));

        assert(ret && root && watch);

        if (!s)
                return -ENOMEM;

        s->root = root;
        s->watch = watch;
        *ret = s;
        return 0;
}

static int source_compare(const void *a, const void *b) {
        const Sight *x = a;
        const Source *y = *(Source *const *) b;

        if (x->kind != y->kind)
                return x->kind < y->kind ? -1 : 1;
        if (x->max != y->max)
                return x->max < y->max ? -1 : 1;

        return strcmp(x->path, y->path);
}

Sources *sources_free(Sources *s) {
        if (!s)
                return NULL;

        for (size_t i = 0; i < s->n; i++)
                free(s->list[i]);
        free(s->list);
        free(s);
        return NULL;
}

/* Return: the source, which is made if it is new, or NULL when memory is exhausted. */
static Source *sources_get(Sources *s, const Sight *sight) {
        const size_t at = lower_bound(sight, s->list, s->n, sizeof(Source *), source_compare);
        const size_t size = strlen(sight->path) + 1;
        Source *source;

        if (at < s->n && source_compare(sight, s->list + at) == 0)
                return s->list[at];
        if (grow(&s->list, s->n, sizeof(Source *)) < 0)
                return NULL;
        source = calloc(1, sizeof(Source) + size);
        if (!source)
                return NULL;

        source->kind = sight->kind;
        source->max = sight->max;
        memcpy(source->path, sight->path, size);
        memmove(s->list + at + 1, s->list + at, (s->n - at) * sizeof(Source *));
        s->list[at] = source;
        s->n++;
        return source;
}

static void sources_before(const Sight *sight, void *userdata) {
        Sources *s = userdata;
        const SurveyParts reading = s->survey->reading;
        Source *source = sources_get(s, sight);

        if (!source) {
                s->overtaken |= reading;
                return;
        }

        source->readers |= reading;
        if (source->noted & reading)
                return;

        source->noted |= reading;

        /* A constant is not compared later: no change of it, or of the directories on its way, needs to be heard of. */
        if (source_is_constant(s->root, source))
                return;

        source->announced = path_watch_note(s->watch, sight->kind, sight->path, reading) > 0 &&
                            sight->kind != SIGHT_DEVICE;
}

/*
 * Whether the end of an error is announced, as what replaces a missing file is. Others can end without a change of the
 * file: EIO, ENFILE, and EACCES by the policy of a security module.
 */
static bool source_error_is_announced(int error) {
        static const int announced[] = {-ENOENT, -ENOTDIR, -EISDIR, -ELOOP, -EFBIG, -EOPNOTSUPP};

        for (size_t i = 0; i < ELEMENTSOF(announced); i++)
                if (error == announced[i])
                        return true;

        return false;
}

static void sources_after(const Sight *sight, void *userdata) {
        Sources *s = userdata;
        const SurveyParts reading = s->survey->reading;
        Source *source = sources_get(s, sight);
        SurveyParts overtaken;

        if (!source)
                return;
        if (sight->outcome < 0 && !source_error_is_announced(sight->outcome))
                source->announced = false;

        /* What has seen something else has to look again. A counter may change at each look: that waits for a request. */
        overtaken = source->digest != sight->digest ? (source->readers & ~reading) | (source->seen & reading) : 0;
        if (source->announced)
                s->overtaken |= overtaken;
        else
                source->torn = source->torn || overtaken != 0;

        source->seen |= reading;
        source->seen_once = true;
        source->digest = sight->digest;
}

void sources_begin(Sources *s, const Survey *survey, SurveyParts parts, SurveyParts moved) {
        const RootTrace trace = {.before = sources_before, .after = sources_after, .userdata = s};

        assert(s && survey);

        for (size_t i = 0; i < s->n; i++) {
                s->list[i]->readers &= ~parts;
                s->list[i]->noted &= ~moved;
                s->list[i]->seen = 0;
                s->list[i]->torn = s->list[i]->torn && s->list[i]->readers != 0;
        }
        path_watch_forget(s->watch, moved);

        /* Where nothing is known for sure, a directory could be watched that another one has replaced. */
        if (moved == SURVEY_ALL)
                path_watch_sweep(s->watch);

        sources_compare_begin(s);
        s->survey = survey;
        root_trace(s->root, &trace);
}

SurveyParts sources_end(Sources *s) {
        SurveyParts overtaken = s->overtaken;
        size_t n = 0;

        root_trace(s->root, NULL);
        s->survey = NULL;
        s->overtaken = 0;
        for (size_t i = 0; i < s->n; i++)
                if (s->list[i]->readers != 0)
                        s->list[n++] = s->list[i];
                else
                        free(s->list[i]);
        s->n = n;
        path_watch_sweep(s->watch);
        return overtaken;
}

void sources_compare_begin(Sources *s) {
        assert(s);

        s->next = 0;
}

bool sources_compare_next(Sources *s, SurveyParts *changed) {
        assert(s && !s->survey && changed);

        for (; s->next < s->n; s->next++) {
                const Source *source = s->list[s->next];
                Sight sight = {
                        .kind = source->kind,
                        .path = source->path,
                        .max = source->max,
                        .digest = source->digest,
                };

                if (source->announced || !source->seen_once || source_is_constant(s->root, source))
                        continue;
                if (source->torn || sight_again(s->root, &sight) < 0 || sight.digest != source->digest)
                        *changed |= source->readers;
                s->next++;
                return true;
        }

        return false;
}

SurveyParts sources_compare(Sources *s) {
        SurveyParts changed = 0;

        sources_compare_begin(s);
        while (sources_compare_next(s, &changed))
                ;

        return changed;
}
