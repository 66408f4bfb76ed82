/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The few helpers that every folder uses: cleanup attributes, ownership transfer, string tests.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _printf_(a, b) __attribute__((format(printf, a, b)))
#define _pure_ __attribute__((pure))
#define _const_ __attribute__((const))
#define _unused_ __attribute__((unused))
#define _noreturn_ __attribute__((noreturn))

#define ELEMENTSOF(x) (sizeof(x) / sizeof((x)[0]))

#define TAKE_GENERIC(var, nullvalue)                    \
        ({                                              \
                typeof(var) *_pvar_ = &(var);           \
                typeof(var) _var_ = *_pvar_;            \
                *_pvar_ = (nullvalue);                  \
                _var_;                                  \
        })
#define TAKE_PTR(ptr) TAKE_GENERIC(ptr, NULL)
#define TAKE_FD(fd) TAKE_GENERIC(fd, -EBADF)

/* Defines NAMEp(), the cleanup function of a pointer type whose destructor is func(pointer). */
#define DEFINE_CLEANUP(type, func)                      \
        static inline void func##p(type *p) {           \
                if (*p)                                 \
                        func(*p);                       \
        }                                               \
        struct _needs_a_semicolon_

static inline void freep(void *p) {
        free(*(void **) p);
}

static inline void closep(int *fd) {
        if (*fd >= 0) {
                int saved = errno;

                (void) close(*fd);
                errno = saved;
        }
}

#define _cleanup_free_ _cleanup_(freep)
#define _cleanup_close_ _cleanup_(closep)

DEFINE_CLEANUP(FILE *, fclose);
#define _cleanup_fclose_ _cleanup_(fclosep)

static inline bool streq(const char *a, const char *b) {
        return strcmp(a, b) == 0;
}

/* Like streq(), but NULL is a value of its own. */
static inline bool streq_ptr(const char *a, const char *b) {
        return a && b ? streq(a, b) : a == b;
}

static inline bool isempty(const char *s) {
        return !s || !*s;
}

static inline const char *strempty(const char *s) {
        return s ? s : "";
}

/* The text after the prefix, or NULL if s does not begin with it. */
static inline const char *startswith(const char *s, const char *prefix) {
        size_t n = strlen(prefix);

        return strncmp(s, prefix, n) == 0 ? s + n : NULL;
}

/* Whether a path is that of a directory or file, or of something below it. */
static inline bool path_is_within(const char *path, const char *above) {
        const char *rest = startswith(path, above);

        return rest && (*rest == 0 || *rest == '/');
}

static inline bool endswith(const char *s, const char *suffix) {
        size_t n = strlen(s), m = strlen(suffix);

        return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

/* Whether two absolute paths name entries of the same directory, spelled alike. */
static inline bool same_folder(const char *a, const char *b) {
        size_t n = (size_t) (strrchr(a, '/') - a) + 1;

        return strncmp(a, b, n) == 0 && !strchr(b + n, '/');
}

/** safe_close() - close a descriptor unless it is negative, and keep errno. Return: -EBADF, to be assigned to it. */
static inline int safe_close(int fd) {
        int saved = errno;

        if (fd >= 0)
                (void) close(fd);
        errno = saved;
        return -EBADF;
}

/* The error of the system call that just failed, as a negative errno; never 0. */
static inline int negative_errno(void) {
        return errno > 0 ? -errno : -EIO;
}

/**
 * fill_standard_files() - open whatever of the standard descriptors, 0 to 2, is closed
 *
 * Otherwise a file or a socket would take the number, and what is printed would go into it. It is opened for reading
 * only: writing to a closed standard output must still fail. Return: 0 or -errno.
 */
int fill_standard_files(void);

/**
 * error_text() - strerror(), which also names the setting where a limit was hit
 * @error: an errno, positive
 */
const char *error_text(int error);

/** write_all() - write all of some bytes. Return: 0, or -errno, and a part of the bytes may be written. */
int write_all(int fd, const void *data, size_t size);

/**
 * xasprintf() - format into a new string
 * @format: as printf()
 *
 * Return: the string, which the caller frees, or NULL when memory is exhausted.
 */
char *xasprintf(const char *format, ...) _printf_(1, 2);

/** xvasprintf() - as xasprintf(), for functions that take a format themselves */
char *xvasprintf(const char *format, va_list ap) __attribute__((format(printf, 1, 0)));

/** location_format() - name a place in a file: "PATH:LINE", or "PATH" if line is 0. Return: a new string, or NULL. */
char *location_format(const char *path, unsigned line);

/**
 * complaint_format() - format a message about a place in a file
 * @path: the file
 * @line: from 1; 0: the message is about the file as a whole
 * @reason: what is wrong
 *
 * Return: "PATH:LINE: REASON" or "PATH: REASON", which the caller frees, or NULL when memory is exhausted.
 */
char *complaint_format(const char *path, unsigned line, const char *reason);

/**
 * free_and_strdup() - replace an owned string by a copy of another
 * @p: the owned string; freed
 * @s: the text to copy, or NULL
 *
 * Return: 0, or -ENOMEM and *p stays as it was.
 */
int free_and_strdup(char **p, const char *s);

/**
 * lower_bound() - find a place in a sorted array
 * @key: what is looked for
 * @base: the array of n elements, of size bytes each; may be NULL if n is 0
 * @compare: as for bsearch(3): called with the key and an element
 *
 * Return: the index of the first element that is not before the key; n if there is none.
 */
size_t lower_bound(const void *key, const void *base, size_t n, size_t size, int (*compare)(const void *, const void *));

/** strv_free() - free a NULL-terminated array of strings; NULL is ignored */
char **strv_free(char **l);
DEFINE_CLEANUP(char **, strv_free);

/** strv_length() - how many strings a NULL-terminated array holds; NULL: none */
size_t strv_length(char *const *l) _pure_;

/** strv_has() - whether a NULL-terminated array holds a string; NULL: no */
bool strv_has(char *const *l, const char *s) _pure_;

/** strv_compare() - the order of two strings of an array, for qsort(3) and bsearch(3) */
int strv_compare(const void *a, const void *b) _pure_;

/**
 * strv_take() - append a string to a NULL-terminated array
 * @list: the array; *list may be NULL if *n is 0
 * @n: how many strings it holds; one more afterwards
 * @s: the string; ownership moves, also on failure; NULL is taken for exhausted memory
 *
 * Return: 0, or -ENOMEM and the array is unchanged.
 */
int strv_take(char ***list, size_t *n, char *s);

/**
 * grow() - make room for one more element at the end of an array
 * @array: pointer to the array pointer, which may be NULL
 * @n: how many elements it holds
 * @size: bytes in an element
 *
 * The capacity follows from n: it is the next power of two, so the caller need not keep it. The new element is zeroed.
 *
 * Return: 0, or -ENOMEM.
 */
int grow(void *array, size_t n, size_t size);

/** grow_by() - as grow(), make room for so many more elements. Return: 0, or -ENOMEM. */
int grow_by(void *array, size_t n, size_t more, size_t size);

/**
 * strip() - remove white space at both ends
 * @s: changed in place
 *
 * Return: the first character that is no white space.
 */
char *strip(char *s);

/** monotonic_usec() - the time of CLOCK_MONOTONIC in microseconds */
uint64_t monotonic_usec(void);

/**
 * timestamp_utc() - write the current time in the form that reports use
 * @buffer: takes "2026-11-22T09:28:00Z"
 */
void timestamp_utc(char buffer[static 32]);
