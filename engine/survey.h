/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A survey: everything that is known of a machine at one moment, read once and consistent in itself. The report, the plan
 * and apply are all made from a survey, so that they cannot disagree.
 */

#include "engine/side.h"
#include "grub/bootstore.h"

/*
 * The parts of a survey, a bit each: the facts of a practice by its row in the side's table, and what all practices
 * share. A part is read as a whole.
 */
typedef uint64_t SurveyParts;

#define SURVEY_PRACTICES ((UINT64_C(1) << PRACTICES_MAX) - 1)
#define SURVEY_POLICY (UINT64_C(1) << 56)
#define SURVEY_MACHINE (UINT64_C(1) << 57)
#define SURVEY_LOG (UINT64_C(1) << 58)        /* the kernel log */
#define SURVEY_SERVICES (UINT64_C(1) << 59)
#define SURVEY_LEDGER (UINT64_C(1) << 60)
#define SURVEY_ENTRIES (UINT64_C(1) << 61)    /* boot stores and their entries */
#define SURVEY_LAST_APPLY (UINT64_C(1) << 62)
#define SURVEY_ALL UINT64_MAX

_Static_assert(PRACTICES_MAX <= 56, "the bits above are those of the shared parts");

/* The part that is the facts of the practice in a row of the side's table. */
static inline SurveyParts survey_practice(size_t row) {
        return UINT64_C(1) << row;
}

/* What a practice found out about one subject. */
typedef struct Observation {
        const Practice *practice;
        size_t row;       /* of the practice in the side's table */
        char *subject;    /* NULL: this machine */
        void *facts;      /* as the practice read them */
        Finding *finding;
} Observation;

typedef struct Survey {
        const Side *side;
        Root *root; /* not owned */
        Machine *machine;
        Policy *policy;
        Ledger *ledger;
        BootStores *stores;
        json_object *last_apply; /* NULL: there was none in this boot */
        View view;  /* the same, as practices look at it, without a subject */
        Observation *observations; /* in the order of the side's table, and of each practice's subjects */
        size_t n_observations;
        Plan *plan; /* what the practices ask for; NULL: survey_plan() was not called */
        const char *arch;    /* that an image is for; NULL: unknown; not owned */
        bool patient;        /* somebody waits for just this survey: practices may take a moment to measure */
        SurveyParts reading; /* the part that is being read */
        SurveyParts refreshed; /* all that the last survey_refresh() has read and judged again */
        char observed_at[32]; /* UTC */
} Survey;

/**
 * survey_take() - look at everything, and make the plan
 * @side: the side
 * @root: the root; must outlive the survey
 * @arch: architecture that an image is for, or NULL to take the machine's own
 * @ret: takes the survey; the caller frees it
 *
 * Nothing is written or logged, and a missing source is no failure. Return: 0, or -errno if no report is possible at all.
 */
int survey_take(const Side *side, Root *root, const char *arch, Survey **ret);

/** survey_new() - make a survey of which nothing is read yet; as survey_take(), but the plan is NULL */
int survey_new(const Side *side, Root *root, const char *arch, Survey **ret);

/**
 * survey_refresh() - read some parts again, and judge the practices that rest on them
 * @survey: the survey; at first all parts have to be read
 * @parts: the parts whose sources may have changed
 *
 * If no other source has changed, the survey is then as a new one would be. The plan is dropped. survey->reading is
 * meanwhile the part for which a path is looked at. After a failure the survey may only be freed or read as a whole.
 *
 * Return: 0 or -errno as survey_take().
 */
int survey_refresh(Survey *survey, SurveyParts parts);

/** survey_dependents() - all parts that have to be read or judged again if these have changed, themselves included */
SurveyParts survey_dependents(const Survey *survey, SurveyParts parts);

/** survey_plan() - make the plan, if there is none. It looks at paths, too. Return: 0 or -ENOMEM. */
int survey_plan(Survey *survey);

/** survey_free() - release a survey; NULL is ignored */
Survey *survey_free(Survey *survey);
DEFINE_CLEANUP(Survey *, survey_free);

/** survey_view() - the survey as the practice of an observation looks at it */
View survey_view(const Survey *survey, const Observation *o);

/** survey_find() - the observation of a practice and a subject (NULL: this machine), or NULL */
const Observation *survey_find(const Survey *survey, const char *practice, const char *subject) _pure_;

/*
 * Some observations of a survey are an array of bool, one for each in their order.
 */

/** survey_select() - choose all observations of some practices. Return: a new array, or NULL when memory is exhausted. */
bool *survey_select(const Survey *survey, PracticeSet set);

/** survey_unwanted() - choose what the policy does not want. Return: a new array, or NULL when memory is exhausted. */
bool *survey_unwanted(const Survey *survey);

/**
 * survey_exit_status() - what `gtune status` exits with (see README, "Exit status")
 * @survey: the survey
 * @set: the practices that count
 */
int survey_exit_status(const Survey *survey, PracticeSet set);

/** survey_reboot_needed() - whether something waits for the next boot */
bool survey_reboot_needed(const Survey *survey);
