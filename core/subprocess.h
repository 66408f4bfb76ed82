/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Running another program for what it prints.
 */

#include "core/buffer.h"

/**
 * subprocess_run() - run a program to its end
 * @arguments: path of the program and its arguments, NULL-terminated
 * @environment: its whole environment, NULL-terminated; NULL for the caller's
 * @input: what it reads from stdin; NULL for nothing
 * @timeout_ms: when it is killed, in milliseconds
 * @max: the most that it may print, in bytes; more kills it
 * @ret_output: takes what it printed to stdout; the caller calls buffer_done()
 * @ret_error: takes what it printed to stderr likewise (cut at @max); NULL where nobody wants it
 *
 * Return: its exit status (0 to 255); -ETIMEDOUT, -EFBIG, -EPROTO where a signal ended it, or another -errno.
 */
int subprocess_run(const char *const *arguments, const char *const *environment, const Buffer *input,
                   unsigned timeout_ms, size_t max, Buffer *ret_output, Buffer *ret_error);
