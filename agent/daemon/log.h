/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Messages for the administrator: lines on standard error, with the "<N>" prefix where that is the journal. The
 * journal must not be waited for: on a frozen file system it would not read, and what cannot be said is lost.
 */

#include <syslog.h>

#include "core/util.h"

/**
 * log_line() - say something
 * @priority: LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO or LOG_DEBUG; the last only with GTUNED_DEBUG set
 * @format: one line without its newline
 */
void log_line(int priority, const char *format, ...) _printf_(2, 3);

/**
 * log_error_errno() - say that something failed, and why
 * @error: a negative errno
 * @format: one line; ": " and the description of the error follow
 *
 * Return: the error, so that it can be returned in the same statement.
 */
int log_error_errno(int error, const char *format, ...) _printf_(2, 3);
