/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Makes the output: rows of a table, in which a guest's bytes are escaped, or lines of JSON. Everything is appended to
 * a buffer. The fuzz target is tests/fuzz/fuzz-reply.c, the test tests/host/lying-guests.py.
 */

#include "host/target.h"

/* How to print. */
typedef struct Output {
        bool json;           /* lines of JSON, not a table */
        bool terminal;       /* standard output is a terminal */
        bool colour;         /* states are coloured */
        bool clock;          /* each row begins with the time of day, each JSON object has the time */
        size_t target_width; /* of the column TARGET, in characters */
} Output;

/** print_target_width() - get the width of the column TARGET for n paths, in characters */
size_t print_target_width(char *const *paths, size_t n);

/** print_head() - append the names of the columns, unless the output is JSON. Return: 0 or -ENOMEM. */
int print_head(const Output *o, Buffer *b);

/**
 * print_row() - append a row without its last column and newline, which the caller appends
 * @o: how to print
 * @b: takes the row
 * @path: the path of the target
 * @practice: the text of the column PRACTICE; may hold any byte, is escaped
 * @state: the text of the column STATE; is not escaped, so it must not come from a guest
 * @first: whether this is the first row of the target: a path that is too long for the column is printed on a line of
 *         its own, and only before the first row
 *
 * Return: 0 or -ENOMEM.
 */
int print_row(const Output *o, Buffer *b, const char *path, const char *practice, const char *state, bool first);

/** print_target() - append the column TARGET of a row. Parameters and return: as print_row(). */
int print_target(const Output *o, Buffer *b, const char *path, bool first);

/** print_note() - append a text below the rows of a target, indented and broken into lines. Return: 0 or -ENOMEM. */
int print_note(Buffer *b, const char *text);

/**
 * print_report() - append the rows of a report to the target's text: errors of the policy, and practices
 * @o: how to print
 * @t: the target
 * @report: a report that report_check() accepted
 *
 * Return: 0 or -ENOMEM.
 */
int print_report(const Output *o, Target *t, json_object *report);

/**
 * print_practices() - append one row for each practice to the target's text
 * @o: how to print
 * @t: the target
 * @practices: the array of a report that report_check() accepted, or of an event that report_check_change() accepted
 * @first: whether these are the first rows of the target; see print_row()
 *
 * Return: 0 or -ENOMEM.
 */
int print_practices(const Output *o, Target *t, json_object *practices, bool first);

/** print_failure() - append the outcome of a target without a valid answer, as row or JSON. Return: 0 or -ENOMEM. */
int print_failure(const Output *o, Target *t);

/**
 * print_json() - append an object as one line of ASCII JSON
 * @b: takes the line
 * @o: the object
 *
 * The line holds no control byte, not even DEL, because it may go to a terminal. Return: 0 or -ENOMEM.
 */
int print_json(Buffer *b, json_object *o);

/**
 * print_object() - make the JSON object of a target, to which the caller adds members
 * @o: how to print
 * @t: the target
 * @with_outcome: whether the object gets the members outcome, reason, and error or detail
 *
 * Return: the object, which the caller releases with json_object_put(), or NULL if memory is exhausted.
 */
json_object *print_object(const Output *o, const Target *t, bool with_outcome);

/**
 * print_answer() - append the JSON object of a target, with one more member, to the target's text
 * @o: how to print
 * @t: the target
 * @key: the name of the member; a constant string
 * @value: the value of the member; may be NULL; remains the caller's
 *
 * Return: 0 or -ENOMEM.
 */
int print_answer(const Output *o, Target *t, const char *key, json_object *value);
