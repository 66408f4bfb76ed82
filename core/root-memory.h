/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What was read below a root while it remembers (root_remember()): the content of small files by path, or the error.
 */

#include "core/buffer.h"

typedef struct RootMemory RootMemory;

/* One file. */
typedef struct Remembered {
        int outcome;    /* of the read */
        Buffer content; /* if that is 0 */
        size_t max;     /* the largest size that was accepted */
        char path[];
} Remembered;

/** root_memory_new() - make an empty memory; the caller frees it. Return: it, or NULL when memory is exhausted. */
RootMemory *root_memory_new(void);

/** root_memory_free() - release a memory; NULL is ignored */
RootMemory *root_memory_free(RootMemory *memory);

/** root_memory_find() - what was read of a path with the same limit, or NULL */
const Remembered *root_memory_find(const RootMemory *memory, const char *path, size_t max);

/**
 * root_memory_add() - remember what was read, unless it is large
 * @memory: the memory
 * @path: the path
 * @max: the largest size that was accepted
 * @outcome: 0 or -errno
 * @content: the bytes, copied
 *
 * Without memory for it nothing is remembered: the file is then read again.
 */
void root_memory_add(RootMemory *memory, const char *path, size_t max, int outcome, const Buffer *content);
