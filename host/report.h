/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Checks a report that a guest sent, and gets the exit status for it. The test is tests/unit/host/test-reply.c.
 */

#include "core/finding.h"
#include "core/json.h"
#include "host/outcome.h"

/* A report with more practices is not valid. The number of practices in a state must fit in a byte (Target.states). */
#define REPORT_PRACTICES_MAX 64U

/**
 * report_check() - check that a value is a report
 * @value: the answer to gtune-status or gtune-watch; may be NULL
 * @ret_where: takes a text that names the bad member and holds no byte of the guest; the caller frees it
 *
 * In a valid report every known member has the right type, no text holds a NUL byte, and names and codes are short.
 * Unknown members are ignored, because fields may be added (doc/host.md).
 *
 * Return: 0; CAUSE_BAD_REPORT with *ret_where set; -ENOMEM.
 */
int report_check(json_object *value, char **ret_where);

/** report_check_change() - as report_check(), for the data of an event GTUNE_CHANGED, with CAUSE_BAD_EVENT */
int report_check_change(json_object *value, char **ret_where);

/** practice_state() - get the state of a practice of a report that report_check() accepted */
State practice_state(json_object *practice);

/** report_policy_errors() - get the errors of the policy from a checked report. Return: a part of it; NULL if none. */
json_object *report_policy_errors(json_object *report);

/** report_status() - get the exit status for a checked report (gtune-host(1), "EXIT STATUS") */
int report_status(json_object *report);
