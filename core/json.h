/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Additions to json-c: text of unknown encoding becomes valid JSON, output is pure ASCII, and input is bounded.
 */

#include <json-c/json.h>

#include "core/buffer.h"

static inline void json_object_putp(json_object **o) {
        if (*o)
                json_object_put(*o);
}
#define _cleanup_json_ _cleanup_(json_object_putp)

/* The deepest nesting that is accepted from a peer or a file. */
#define JSON_DEPTH_MAX 32

/**
 * json_text() - make a JSON string of bytes of unknown encoding
 * @s: the bytes; NULL makes JSON null
 *
 * Each byte that is no part of valid UTF-8 becomes U+FFFD. Return: a new object, which the caller puts, or NULL if s is
 * NULL or memory is exhausted.
 */
json_object *json_text(const char *s);

/** json_text_n() - json_text() of a given number of bytes, NUL bytes included */
json_object *json_text_n(const char *s, size_t size);

/**
 * json_set() - put a member into an object
 * @o: the object, or NULL if there was no memory for it
 * @key: the name; must be a constant string
 * @value: ownership moves, also on failure
 *
 * Return: 0 or -ENOMEM.
 */
int json_set(json_object *o, const char *key, json_object *value);

/** json_set_text() - put a string (or null) of unknown encoding; as json_set() */
int json_set_text(json_object *o, const char *key, const char *s);

/** json_add() - append to an array; ownership of value moves, also on failure. Return: 0 or -ENOMEM. */
int json_add(json_object *array, json_object *value);

/** json_get_text() - a string member of an object, which owns it; NULL if it is absent, null or no string */
const char *json_get_text(json_object *o, const char *key);

/** json_get_array() - an array member of an object, which owns it; NULL if it is absent or no array */
json_object *json_get_array(json_object *o, const char *key);

/**
 * json_parse() - parse a whole text strictly
 * @text: the text; exactly one JSON value with white space around it
 * @size: its length in bytes
 * @ret: takes the value, which may be NULL for JSON null; the caller puts it
 *
 * An integer of more than 64 bits is a number of the type "double", never another integer: what only passes on writes
 * it with the exponent e0 behind it, and who wants an integer finds none.
 *
 * Return: 0; -EBADMSG if the text is no JSON, no UTF-8, or nested deeper than JSON_DEPTH_MAX; -ENOMEM.
 */
int json_parse(const char *text, size_t size, json_object **ret);

/**
 * json_format() - write a value as one line of pure ASCII
 * @o: the value
 * @b: takes the text, appended, without a newline
 *
 * Characters outside ASCII are written as \uXXXX, those beyond the basic plane as a surrogate pair.
 * Return: 0 or -ENOMEM.
 */
int json_format(json_object *o, Buffer *b);

/** json_format_line() - as json_format(), with a newline at the end */
int json_format_line(json_object *o, Buffer *b);

/** json_format_pretty() - as json_format(), indented for people, with a newline at the end */
int json_format_pretty(json_object *o, Buffer *b);

/**
 * ascii_append() - append JSON text as pure ASCII
 * @b: takes the text
 * @text: JSON text in UTF-8; a byte that is no valid UTF-8 becomes \ufffd
 * @size: its length in bytes
 *
 * Return: 0 or -ENOMEM.
 */
int ascii_append(Buffer *b, const char *text, size_t size);

/**
 * json_quote() - append JSON text as a JSON string
 * @b: takes the string
 * @text: JSON text on one line in ASCII, as json_format() makes it
 * @size: its length in bytes
 *
 * It is the string that json_text_n() and json_format() would make, in a fraction of the time. Return: 0 or -ENOMEM.
 */
int json_quote(Buffer *b, const char *text, size_t size);

/**
 * utf8_decode() - decode the character at the beginning of a text
 * @s: the text
 * @size: its length in bytes, at least 1
 * @ret: takes the code point
 *
 * Return: the number of its bytes, or 0 if they are no valid UTF-8 (overlong, surrogate, truncated).
 */
size_t utf8_decode(const char *s, size_t size, uint32_t *ret);
