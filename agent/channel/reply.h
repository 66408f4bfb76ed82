/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The lines that answer the host.
 */

#include "core/buffer.h"

#define REPLY_SIZE_MAX (256U * 1024U)  /* bytes of one reply, with its newline */

/**
 * reply_return() - append the line that answers a request
 * @b: takes the line
 * @body: JSON text on one line, of pure ASCII, as json_format() makes it
 * @id: as in the request, or none
 *
 * What would be longer than REPLY_SIZE_MAX becomes an error. Return: 0 or -ENOMEM.
 */
int reply_return(Buffer *b, Span body, Span id);

/**
 * reply_error() - append the line that refuses a request
 * @b: takes the line
 * @class: "GenericError" or "CommandNotFound"
 * @desc: text of unknown encoding
 * @id: as in the request, or none
 *
 * Return: 0 or -ENOMEM.
 */
int reply_error(Buffer *b, const char *class, const char *desc, Span id);

/** reply_space() - how many bytes of body fit into one reply with this id */
size_t reply_space(Span id);
