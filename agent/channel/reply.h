/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The lines that answer the host. A reply echoes the id of its request as the host wrote it, but on one line and in
 * ASCII.
 */

#include "core/buffer.h"

#define REPLY_SIZE_MAX (256U * 1024U) /* bytes of one reply with its newline */

/**
 * reply_return() - append the line that answers a request
 * @b: takes the line
 * @body: the result: JSON text on one line in ASCII, as json_format() makes it
 * @id: the id of the request, or SPAN_NULL
 *
 * If the line would be longer than REPLY_SIZE_MAX, an error is appended instead. Return: 0 or -ENOMEM.
 */
int reply_return(Buffer *b, Span body, Span id);

/**
 * reply_error() - append the line that refuses a request
 * @b: takes the line
 * @class: "GenericError" or "CommandNotFound"
 * @desc: the description, text of unknown encoding
 * @id: the id of the request, or SPAN_NULL
 *
 * Return: 0 or -ENOMEM.
 */
int reply_error(Buffer *b, const char *class, const char *desc, Span id);

/** reply_space() - the number of bytes of body that surely fit into a reply with this id */
size_t reply_space(Span id);
