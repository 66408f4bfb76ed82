/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Text for a terminal.
 */

#include "core/buffer.h"

/**
 * text_escape() - append bytes that may be hostile
 * @b: takes the text
 * @s: the bytes
 * @size: how many
 * @max: the most characters to append; text that is cut ends in "..."
 *
 * Everything but printable ASCII becomes \xNN, and so does a backslash, so that the text is unambiguous.
 * Return: 0 or -ENOMEM.
 */
int text_escape(Buffer *b, const char *s, size_t size, size_t max);

/** text_print() - as text_escape(), but newlines, tabs and valid UTF-8 stay as they are. Return: 0 or -ENOMEM. */
int text_print(Buffer *b, const char *s, size_t size);

/** text_escaped_length() - the number of characters that text_escape() would append without a limit */
size_t text_escaped_length(const char *s, size_t size) _pure_;

/**
 * text_colour() - look up the colour of a state or outcome
 * @name: "active", "drifted", "no-answer", …
 *
 * Return: an escape sequence, or NULL if the word has no colour.
 */
const char *text_colour(const char *name) _pure_;

#define TEXT_COLOUR_OFF "\x1b[0m"

/** text_wants_colour() - whether a stream is a terminal that can show colours, and NO_COLOR is not set */
bool text_wants_colour(FILE *f);

/**
 * text_wrap() - append words broken into lines
 * @b: takes the text, with a newline at the end
 * @s: the words
 * @indent: blanks before each line but the first
 * @column: where the first line begins
 * @width: of the terminal
 *
 * Return: 0 or -ENOMEM.
 */
int text_wrap(Buffer *b, const char *s, size_t indent, size_t column, size_t width);
