/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is sent to a guest. Ids are random, so that no answer to somebody else's question, and no guess, can be taken
 * for an answer to ours.
 */

#include "core/buffer.h"
#include "core/json.h"

/**
 * message_sync() - the message that makes an agent forget what it was sent before
 * @b: takes the message, appended
 * @ret_id: takes the number that the agent sends back after an 0xFF
 *
 * Return: 0 or -errno.
 */
int message_sync(Buffer *b, int64_t *ret_id);

/**
 * message_request() - a command
 * @execute: its name
 * @arguments: an object, or NULL
 * @b: takes the message, appended
 * @ret_id: takes the id that the reply will have
 *
 * Return: 0 or -errno.
 */
int message_request(const char *execute, json_object *arguments, Buffer *b, int64_t *ret_id);
