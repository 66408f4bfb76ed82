/* SPDX-License-Identifier: Apache-2.0 */

/* Tested by all tests that read or write a text, and with sanitizers by tests/fuzz. */

#include <assert.h>

#include "core/buffer.h"

static int buffer_reserve(Buffer *b, size_t more) {
        size_t need, size;
        char *p;

        if (more > SIZE_MAX / 4 || b->size > SIZE_MAX / 4)
                return -ENOMEM;

        need = b->size + more + 1;
        if (need <= b->allocated)
                return 0;

        size = b->allocated < 64 ? 64 : b->allocated;
        while (size < need)
                size *= 2;

        p = realloc(b->data, size);
        if (!p)
                return -ENOMEM;

        b->data = p;
        b->allocated = size;
        return 0;
}

int buffer_append(Buffer *b, const void *data, size_t size) {
        int r;

        assert(b);

        r = buffer_reserve(b, size);
        if (r < 0)
                return r;

        if (size > 0)
                memcpy(b->data + b->size, data, size);
        b->size += size;
        b->data[b->size] = 0;
        return 0;
}

int buffer_puts(Buffer *b, const char *s) {
        return buffer_append(b, s, strlen(s));
}

int buffer_printf(Buffer *b, const char *format, ...) {
        _cleanup_free_ char *s = NULL;
        va_list ap;

        va_start(ap, format);
        s = xvasprintf(format, ap);
        va_end(ap);

        return s ? buffer_puts(b, s) : -ENOMEM;
}

void buffer_done(Buffer *b) {
        free(b->data);
        *b = BUFFER_NULL;
}

bool buffer_equal(const Buffer *a, const Buffer *b) {
        return a->size == b->size && (a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
}
