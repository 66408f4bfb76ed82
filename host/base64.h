/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A strict reader of base64 (RFC 4648, section 4): for a given run of bytes it accepts exactly one text. The test is in
 * tests/unit/host/test-known-keys.c.
 */

#include "core/util.h"

/* The length of the text for so many bytes. */
#define BASE64_LENGTH(size) (((size) + 2) / 3 * 4)

/**
 * base64_decode() - decode base64
 * @text: the text, with padding, and without white space or other characters in between
 * @max: how many bytes @ret has room for
 * @ret: takes the bytes
 * @ret_size: takes the number of bytes
 *
 * Return: 0; -EBADMSG if the text is not base64, or if unused bits of its last character are not zero; -EMSGSIZE if it
 * gives more than @max bytes.
 */
int base64_decode(const char *text, size_t max, uint8_t *ret, size_t *ret_size);
