/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Which lines of a policy file are handed to inih.
 */

#include "core/util.h"

/**
 * policy_line_refusal() - say why inih must not see a line
 * @line: the line without its newline
 * @size: its length in bytes
 *
 * inih cuts a long line in two, joins an indented line to the one before it, cuts the name of a section at 49 bytes,
 * ignores what follows a section's name and what follows a blank and a semicolon, all without an error.
 *
 * Return: a sentence that says what is wrong and what to do, a constant; NULL if inih reads the line as it is meant.
 */
const char *policy_line_refusal(const char *line, size_t size);
