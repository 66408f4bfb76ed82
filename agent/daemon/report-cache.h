/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The report as it is handed out: JSON text, made from one survey. The survey itself is not kept, because the text
 * is all that an idle daemon needs.
 */

#include "core/json.h"
#include "engine/side.h"

typedef struct ReportCache {
        Buffer report;      /* what gtune-status returns */
        Buffer changes;     /* what gtune-plan returns, a JSON object */
        char *summary;      /* one line for the service manager */
        bool apply_allowed;
} ReportCache;

#define REPORT_CACHE_NULL ((ReportCache) {})

/**
 * report_cache_take() - look at everything and make the texts
 * @side: the side
 * @root: the root
 * @ret: replaced where it succeeds
 *
 * Return: 0 or -errno.
 */
int report_cache_take(const Side *side, Root *root, ReportCache *ret);

/** report_cache_done() - release the texts */
void report_cache_done(ReportCache *cache);

/**
 * report_cache_news() - the practices that differ between two lists
 * @report: the report, JSON text
 * @known: the practices that the host was told of last; replaced by those of the report
 * @ret: takes the array of those that differ, which may be empty; the caller puts it
 *
 * Evidence is not compared: counters in it change all the time, and what matters in it is in state and reason too.
 * Return: 0, -EBADMSG or -ENOMEM.
 */
int report_cache_news(Span report, json_object **known, json_object **ret);
