/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The sources of a report: every path that was looked at for it, how, what was seen, and which parts of the survey rest
 * on it. Announced sources are those whose changes inotify reports (agent/daemon/path-watch.h). The others, such as
 * attributes of sysfs and files that cannot be read, are looked at again by sources_compare().
 */

#include "agent/daemon/path-watch.h"
#include "engine/survey.h"

typedef struct Sources Sources;

/**
 * sources_new() - begin to keep sources
 * @ret: takes the sources, none at first; the caller frees them
 * @root: the root that the report is made of; must outlive the sources
 * @watch: where announced sources are noted; must outlive the sources
 *
 * Return: 0 or -ENOMEM.
 */
int sources_new(Sources **ret, Root *root, PathWatch *watch);

/** sources_free() - release the sources; NULL is ignored */
Sources *sources_free(Sources *sources);
DEFINE_CLEANUP(Sources *, sources_free);

/**
 * sources_begin() - record what is looked at from now on
 * @sources: the sources
 * @survey: survey->reading says for which part
 * @parts: the parts that will be read again
 * @moved: parts whose names may have come or gone: their paths are watched anew
 */
void sources_begin(Sources *sources, const Survey *survey, SurveyParts parts, SurveyParts moved);

/**
 * sources_end() - end recording, and forget what no part looks at any more
 *
 * Return: the parts that have to be read again, because a source on which they rest has changed meanwhile.
 */
SurveyParts sources_end(Sources *sources);

/**
 * sources_compare() - look at the sources that are not announced once more
 * @sources: the sources
 *
 * Return: the parts that rest on what has changed.
 */
SurveyParts sources_compare(Sources *sources);

/** sources_compare_begin() - begin to look at these sources one by one; sources_begin() does it, too */
void sources_compare_begin(Sources *sources);

/**
 * sources_compare_next() - look at the next one of these sources
 * @changed: the parts that rest on it are added if it has changed
 *
 * Return: whether there was one.
 */
bool sources_compare_next(Sources *sources, SurveyParts *changed);
