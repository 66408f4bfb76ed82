/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The report and the plan as the daemon sends them: JSON texts made from one survey. The survey itself is not kept,
 * because an idle daemon needs only the texts.
 */

#include "core/json.h"
#include "engine/side.h"

typedef struct ReportCache {
        Buffer report;      /* the result of gtune-status, a JSON object */
        Buffer changes;     /* the plan, from which gtune-plan takes pages; a JSON object */
        char *summary;      /* one line for `systemctl status` */
        bool apply_allowed;
} ReportCache;

#define REPORT_CACHE_NULL ((ReportCache) {})

/**
 * report_cache_take() - take a survey and make the texts
 * @side: the side to survey
 * @root: the root
 * @ret: replaced on success, else unchanged
 *
 * Return: 0 or -errno.
 */
int report_cache_take(const Side *side, Root *root, ReportCache *ret);

/** report_cache_done() - release the texts */
void report_cache_done(ReportCache *cache);

/**
 * report_cache_news() - find the practices that have changed since the host was last told
 * @report: the report, JSON text
 * @known: the practices as the host was last told, or NULL; replaced by those of the report
 * @ret: takes an array of the changed practices, which may be empty; the caller puts it
 *
 * Evidence is not compared: its counters change all the time, and a change that matters shows in state or reason too.
 * Return: 0; -EBADMSG if the report has no practices; -ENOMEM.
 */
int report_cache_news(Span report, json_object **known, json_object **ret);
