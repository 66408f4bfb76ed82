/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The report document as a guest sent it: whether it is one, and what it means for the exit status.
 */

#include "core/finding.h"
#include "core/json.h"
#include "host/outcome.h"

/* More practices than this are no report. Counts of states fit a byte. */
#define REPORT_PRACTICES_MAX 64U

/**
 * report_check() - whether a value is a report
 * @value: what gtune-status or gtune-watch returned; may be NULL
 * @ret_where: takes a text that names the member at fault, made of our own words only; the caller frees it
 *
 * Every member that this program knows has its type, texts hold no NUL byte, names and codes are short. Members that
 * it does not know are not looked at.
 *
 * Return: 0; CAUSE_BAD_REPORT; -ENOMEM.
 */
int report_check(json_object *value, char **ret_where);

/** report_check_change() - report_check() for the data of an event GTUNE_CHANGED. Return: CAUSE_BAD_EVENT likewise. */
int report_check_change(json_object *value, char **ret_where);

/** practice_state() - the state of a practice object that was checked */
State practice_state(json_object *practice);

/** report_policy_errors() - the errors of the policy in a checked report, or NULL where there are none */
json_object *report_policy_errors(json_object *report);

/** report_status() - the exit status that a checked report asks for */
int report_status(json_object *report);
