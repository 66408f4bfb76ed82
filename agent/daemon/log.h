/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Messages for the administrator: lines on standard error, with the "<N>" prefix (sd-daemon(3)) if that is the journal.
 * The daemon never waits for the journal, which does not read while its file system is frozen. A message that cannot be
 * written at once is lost.
 */

#include <syslog.h>

#include "core/util.h"

/**
 * log_line() - write a message
 * @priority: LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO or LOG_DEBUG; LOG_DEBUG is written only if GTUNED_DEBUG is set
 * @format: one line without its newline, as printf()
 */
void log_line(int priority, const char *format, ...) _printf_(2, 3);

/**
 * log_error_errno() - write a message of priority LOG_ERR that ends in ": " and the description of an error
 * @error: a negative errno
 * @format: the line up to there, as printf()
 *
 * Return: the error, so that the caller can return it in the same statement.
 */
int log_error_errno(int error, const char *format, ...) _printf_(2, 3);
