/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * How things are printed: a guest's bytes escaped, rows of a table, lines of JSON. Everything goes into a buffer.
 */

#include "host/target.h"

/* How the output looks. */
typedef struct Output {
        bool json;
        bool terminal; /* a person is looking */
        bool colour;
        bool clock;          /* each row begins with the time of day */
        size_t target_width; /* of the first column */
} Output;

/** print_target_width() - how wide the first column should be for these paths */
size_t print_target_width(char *const *paths, size_t n);

/** print_head() - append the names of the columns; nothing with --json */
int print_head(const Output *o, Buffer *b);

/**
 * print_row() - append a row up to its last column, which the caller adds
 * @o: how
 * @b: takes the row
 * @path: of the target
 * @practice: the second column; escaped
 * @state: the third one; must be one of our own words
 * @first: the first row of this target, which names it where its path is too long for a column
 *
 * Return: 0 or -ENOMEM.
 */
int print_row(const Output *o, Buffer *b, const char *path, const char *practice, const char *state, bool first);

/** print_target() - append the first column of a row; as print_row() */
int print_target(const Output *o, Buffer *b, const char *path, bool first);

/** print_note() - append a sentence of our own below the rows of a target, broken into lines. Return: 0 or -ENOMEM. */
int print_note(Buffer *b, const char *text);

/** print_report() - append to the target's text the rows of a checked report: errors of the policy, and practices */
int print_report(const Output *o, Target *t, json_object *report);

/** print_practices() - append to the target's text one row for each practice of a checked array */
int print_practices(const Output *o, Target *t, json_object *practices, bool first);

/** print_failure() - append to the text of a target that did not answer what became of it, as a row or as JSON */
int print_failure(const Output *o, Target *t);

/**
 * print_json() - append an object as one line of ASCII JSON
 * @b: takes the line
 * @o: the object
 *
 * No control byte is in it, DEL included. Return: 0 or -ENOMEM.
 */
int print_json(Buffer *b, json_object *o);

/**
 * print_object() - begin the JSON object that is printed for a target
 * @o: how; with a clock, the time is in it
 * @t: the target
 * @with_outcome: also put outcome and reason, and what belongs to them
 *
 * Return: the object, which the caller puts, or NULL when memory is exhausted.
 */
json_object *print_object(const Output *o, const Target *t, bool with_outcome);

/**
 * print_answer() - append to the target's text its object with one more member
 * @o: how
 * @t: the target
 * @key: name of the member
 * @value: the member; may be NULL
 *
 * Return: 0 or -ENOMEM.
 */
int print_answer(const Output *o, Target *t, const char *key, json_object *value);
