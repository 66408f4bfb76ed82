/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A survey: everything that is known of a machine at one moment, read once and consistent in itself. The report, the plan
 * and apply are all made from a survey, so that they cannot disagree.
 */

#include "engine/side.h"
#include "grub/bootstore.h"

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
        View view;  /* the same, as practices look at it, without a subject */
        Observation *observations; /* in the order of the side's table, and of each practice's subjects */
        size_t n_observations;
        Plan *plan; /* what the practices ask for */
        char observed_at[32]; /* UTC */
} Survey;

/**
 * survey_take() - look at everything
 * @side: the side
 * @root: the root; must outlive the survey
 * @arch: architecture that an image is for, or NULL to take the machine's own
 * @ret: takes the survey; the caller frees it
 *
 * Nothing is written or logged, and a missing source is no failure. Return: 0, or -errno if no report is possible at all.
 */
int survey_take(const Side *side, Root *root, const char *arch, Survey **ret);

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
