/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * An array of bytes that grows. It may hold any byte. A NUL, which is not counted, follows the last byte, so that
 * string functions can read the data.
 */

#include "core/util.h"

typedef struct Buffer {
        char *data;       /* NULL if nothing was appended yet */
        size_t size;      /* bytes held */
        size_t allocated;
} Buffer;

#define BUFFER_NULL ((Buffer) {})

/* A part of a text that another object owns. */
typedef struct Span {
        const char *data; /* NULL: there is no text */
        size_t size;
} Span;

#define SPAN_NULL ((Span) {})
#define SPAN_BUFFER(b) ((Span) {.data = (b).data, .size = (b).size})

/**
 * buffer_append() - add bytes at the end
 * @b: the buffer
 * @data: the bytes; may be NULL when size is 0
 * @size: how many bytes
 *
 * Return: 0, or -ENOMEM and the buffer is unchanged.
 */
int buffer_append(Buffer *b, const void *data, size_t size);

/** buffer_puts() - append a string without its NUL; as buffer_append() */
int buffer_puts(Buffer *b, const char *s);

/** buffer_printf() - append formatted text; as buffer_append() */
int buffer_printf(Buffer *b, const char *format, ...) _printf_(2, 3);

/** buffer_done() - release the memory; the buffer is empty and can be used again */
void buffer_done(Buffer *b);

/** buffer_equal() - whether two buffers hold the same bytes */
bool buffer_equal(const Buffer *a, const Buffer *b) _pure_;

#define _cleanup_buffer_ _cleanup_(buffer_done)
