/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The report: what `gtune status --json` prints and what a host is answered.
 */

#include "engine/survey.h"

/**
 * report_make_head() - the members of the document that come before "practices"
 * @survey: the survey
 * @ret: takes the object; the caller puts it
 *
 * Return: 0 or -ENOMEM.
 */
int report_make_head(const Survey *survey, json_object **ret);

/**
 * report_make() - the report document (doc/report.schema.json)
 * @survey: the survey
 * @ret: takes the document; the caller puts it
 *
 * Return: 0 or -ENOMEM.
 */
int report_make(const Survey *survey, json_object **ret);
