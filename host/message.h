/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The messages that are sent to a guest. Their ids are random, so that gtune-host accepts neither an answer to another
 * program nor an answer that a guest made up before it was asked. The test is tests/host/lying-guests.py.
 */

#include "core/buffer.h"
#include "core/json.h"

/**
 * message_sync() - make the message that resets the agent's parser (guest-sync-delimited)
 * @b: the message is appended to it
 * @ret_id: takes the random number that the agent sends back after a byte 0xFF
 *
 * Return: 0 or -errno.
 */
int message_sync(Buffer *b, int64_t *ret_id);

/**
 * message_request() - make the message that asks for a command
 * @execute: the name of the command
 * @arguments: its arguments, an object, or NULL; remains the caller's
 * @b: the message is appended to it
 * @ret_id: takes the id that the reply will have
 *
 * Return: 0 or -errno.
 */
int message_request(const char *execute, json_object *arguments, Buffer *b, int64_t *ret_id);
