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

/**
 * text_print() - as text_escape(), but newlines, tabs, backslashes and valid UTF-8 stay as they are
 *
 * No character stays that a terminal does not show as itself: controls, marks for the direction of text, and others without
 * a width. Return: 0 or -ENOMEM.
 */
int text_print(Buffer *b, const char *s, size_t size);

/**
 * text_printf() - append text for a terminal to a buffer
 * @b: takes the text
 * @format: as printf()
 *
 * The format's own newlines stay. All else is escaped as text_print() does, newlines and tabs of the arguments too: no name
 * can begin a line of its own. Return: 0 or -ENOMEM.
 */
int text_printf(Buffer *b, const char *format, ...) _printf_(2, 3);

/** text_say() - text_printf() to a stream */
void text_say(FILE *f, const char *format, ...) _printf_(2, 3);

/**
 * text_write() - write what was made by the functions above, or a document that is pure ASCII, to a stream
 * @f: the stream
 * @b: the text
 *
 * These two are the only functions that write to a stream: tests/check-output. Return: 0, or -errno.
 */
int text_write(FILE *f, const Buffer *b);

/** text_escaped_length() - the number of characters that text_escape() would append without a limit */
size_t text_escaped_length(const char *s, size_t size) _pure_;

/**
 * text_add_state() - append a state or outcome in its colour
 * @b: takes the text
 * @name: "active", "drifted", "no-answer", …; any other word has no colour
 * @width: blanks follow up to this width, in the same colour
 * @colour: false: without a colour
 *
 * Return: 0 or -ENOMEM.
 */
int text_add_state(Buffer *b, const char *name, size_t width, bool colour);

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
