/* SPDX-License-Identifier: Apache-2.0 */

/* Tested by tests/unit/core/test-root.c. */

#include <search.h>

#include "core/root-memory.h"

/* Of a large file a second copy costs more than a second read, and nothing reads one twice. */
#define ROOT_MEMORY_FILE_MAX (64U * 1024U)

struct RootMemory {
        void *tree; /* tsearch(3) */
};

static int remembered_compare(const void *a, const void *b) {
        const Remembered *x = a, *y = b;

        if (x->max != y->max)
                return x->max < y->max ? -1 : 1;

        return strcmp(x->path, y->path);
}

static void remembered_free(void *node) {
        Remembered *r = node;

        buffer_done(&r->content);
        free(r);
}

static Remembered *remembered_new(const char *path, size_t max) {
        const size_t size = strlen(path) + 1;
        Remembered *r = calloc(1, sizeof(Remembered) + size);

        if (!r)
                return NULL;

        r->max = max;
        memcpy(r->path, path, size);
        return r;
}

RootMemory *root_memory_new(void) {
        return calloc(1, sizeof(RootMemory));
}

RootMemory *root_memory_free(RootMemory *memory) {
        if (memory)
                tdestroy(memory->tree, remembered_free);
        free(memory);
        return NULL;
}

const Remembered *root_memory_find(const RootMemory *memory, const char *path, size_t max) {
        Remembered *key = remembered_new(path, max), **node;

        if (!key)
                return NULL;

        node = tfind(key, &memory->tree, remembered_compare);
        free(key);
        return node ? *node : NULL;
}

void root_memory_add(RootMemory *memory, const char *path, size_t max, int outcome, const Buffer *content) {
        Remembered *r;

        if (outcome >= 0 && content->size > ROOT_MEMORY_FILE_MAX)
                return;

        r = remembered_new(path, max);
        if (!r)
                return;

        r->outcome = outcome;
        if ((outcome >= 0 && buffer_append(&r->content, content->data, content->size) < 0) ||
            !tsearch(r, &memory->tree, remembered_compare))
                remembered_free(r);
}
