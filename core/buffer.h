/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A growing run of bytes. It may hold any byte; a NUL that is not counted always follows the last one, so
 * that text can be handed to string functions.
 */

#include "core/util.h"

typedef struct Buffer {
        char *data;       /* NULL only while nothing was ever appended */
        size_t size;      /* bytes held */
        size_t allocated;
} Buffer;

#define BUFFER_NULL ((Buffer) {})

/* Some bytes of a text that is kept somewhere else. */
typedef struct Span {
        const char *data; /* NULL: there are none */
        size_t size;
} Span;

#define SPAN_NULL ((Span) {})
#define SPAN_BUFFER(b) ((Span) {.data = (b).data, .size = (b).size})

/**
 * buffer_append() - add bytes at the end
 * @b: the buffer
 * @data: the bytes; may be NULL when size is 0
 * @size: how many
 *
 * Return: 0, or -ENOMEM and the buffer is unchanged.
 */
int buffer_append(Buffer *b, const void *data, size_t size);

/** buffer_puts() - append a string without its NUL; as buffer_append() */
int buffer_puts(Buffer *b, const char *s);

/** buffer_printf() - append formatted text; as buffer_append() */
int buffer_printf(Buffer *b, const char *format, ...) _printf_(2, 3);

/**
 * buffer_drop() - remove bytes at the beginning
 * @b: the buffer
 * @size: how many; at most what it holds
 */
void buffer_drop(Buffer *b, size_t size);

/** buffer_done() - release the memory; the buffer is empty and reusable afterwards */
void buffer_done(Buffer *b);

/** buffer_equal() - whether two buffers hold the same bytes */
bool buffer_equal(const Buffer *a, const Buffer *b) _pure_;

#define _cleanup_buffer_ _cleanup_(buffer_done)
