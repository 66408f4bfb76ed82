/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The report and the plan as the daemon sends them: JSON texts made from a survey. If only some practices were judged
 * again, only their objects in the report are replaced.
 */

#include "engine/survey.h"

/* The place of an observation's object in the text of a report. */
typedef struct ReportPiece {
        size_t start, size;
} ReportPiece;

typedef struct ReportCache {
        Buffer report;       /* the result of gtune-status, a JSON object */
        ReportPiece *pieces; /* one for each observation of the survey */
        size_t n_pieces;
        Buffer changes;      /* the plan, from which gtune-plan takes pages; a JSON object; empty: not made yet */
        char *summary;       /* one line for `systemctl status` */
        bool apply_allowed;
} ReportCache;

#define REPORT_CACHE_NULL ((ReportCache) {})

/**
 * report_cache_update() - bring the report up to date with a survey
 * @cache: the cache; changes are forgotten
 * @survey: the survey
 * @parts: survey->refreshed; SURVEY_ALL at first
 *
 * Return: 0, or -ENOMEM: there is no report then, and the next call has to be for SURVEY_ALL.
 */
int report_cache_update(ReportCache *cache, const Survey *survey, SurveyParts parts);

/**
 * report_cache_touch() - say in the report that it holds at another time
 * @cache: the cache
 * @time: UTC, as Survey.observed_at
 */
void report_cache_touch(ReportCache *cache, const char *time);

/**
 * report_cache_plan() - make changes, and for that the plan of the survey anew; it looks at paths
 * @cache: the cache
 * @survey: the survey
 *
 * Return: 0 or -ENOMEM.
 */
int report_cache_plan(ReportCache *cache, Survey *survey);

/** report_cache_done() - release the texts */
void report_cache_done(ReportCache *cache);

/**
 * report_news() - find the practices that have changed since the host was last told
 * @survey: the survey
 * @told: what the host knows, NULL-terminated: a text for each observation; NULL: nothing; replaced
 * @ret: takes an array of the changed practices, which may be empty; the caller puts it. The member "was" of a practice
 *       that was told before has the settings that have changed, as they were
 *
 * Evidence is not compared: its counters change all the time, and a change that matters shows in state or reason too.
 * Return: 0 or -ENOMEM.
 */
int report_news(const Survey *survey, char ***told, json_object **ret);
