/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A survey: everything that is known of the guest at one moment, read once and consistent in itself. The
 * report, the plan and apply are all made from a survey, so that they cannot disagree.
 */

#include "agent/practices.h"
#include "core/practice.h"
#include "core/json.h"
#include "grub/bootstore.h"

typedef struct Survey {
        Root *root;           /* not owned */
        View view;          /* machine, policy, ledger: what practices look at */
        BootStores *stores;
        Finding *findings[N_PRACTICES];
        Plan *plan;           /* what the practices ask for */
        char observed_at[32]; /* UTC */
} Survey;

/**
 * survey_take() - look at everything
 * @root: the root; must outlive the survey
 * @arch: architecture that an image is for, or NULL to take the machine's own
 * @ret: takes the survey; the caller frees it
 *
 * Nothing is written or logged, and a missing source is no failure. Return: 0, or -errno where no report is
 * possible at all.
 */
int survey_take(Root *root, const char *arch, Survey **ret);

/** survey_free() - release a survey; NULL is ignored */
Survey *survey_free(Survey *survey);
DEFINE_CLEANUP(Survey *, survey_free);

/**
 * survey_report() - the report document (doc/report.schema.json)
 * @survey: the survey
 * @ret: takes the document; the caller puts it
 *
 * Return: 0 or -ENOMEM.
 */
int survey_report(const Survey *survey, json_object **ret);

/** survey_unwanted() - the practices that the policy does not want, one bit each */
unsigned survey_unwanted(const Survey *survey);

/** survey_exit_status() - the exit status of `gtune status` (see README, "Exit status") for the practices in mask */
int survey_exit_status(const Survey *survey, unsigned mask);

/** survey_reboot_needed() - whether something waits for the next boot */
bool survey_reboot_needed(const Survey *survey);
