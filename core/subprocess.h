/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Running another program and reading its output.
 */

#include "core/buffer.h"

/**
 * subprocess_run() - run a program to its end
 * @arguments: path of the program and its arguments, NULL-terminated
 * @environment: its whole environment, NULL-terminated; NULL for the caller's
 * @input: its stdin; NULL: empty
 * @timeout_ms: the time after which it is killed, in milliseconds
 * @max: the most bytes that it may write to stdout; if it writes more, it is killed
 * @ret_output: takes its stdout; the caller calls buffer_done()
 * @ret_error: takes at most @max bytes of its stderr; the caller calls buffer_done(); NULL: stderr is not kept
 *
 * Return: its exit status (0 to 255); -ETIMEDOUT; -EFBIG if it wrote too much; -EPROTO if a signal ended it; another
 * -errno.
 */
int subprocess_run(const char *const *arguments, const char *const *environment, const Buffer *input,
                   unsigned timeout_ms, size_t max, Buffer *ret_output, Buffer *ret_error);
