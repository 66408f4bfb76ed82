/* SPDX-License-Identifier: Apache-2.0 */

/* Tested by every other test. */

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <time.h>

#include "core/util.h"

char *xvasprintf(const char *format, va_list ap) {
        char *s;

        return vasprintf(&s, format, ap) < 0 ? NULL : s;
}

char *xasprintf(const char *format, ...) {
        char *s;
        va_list ap;

        va_start(ap, format);
        s = xvasprintf(format, ap);
        va_end(ap);
        return s;
}

char *location_format(const char *path, unsigned line) {
        return line > 0 ? xasprintf("%s:%u", path, line) : strdup(path);
}

char *complaint_format(const char *path, unsigned line, const char *reason) {
        return line > 0 ? xasprintf("%s:%u: %s", path, line, reason) : xasprintf("%s: %s", path, reason);
}

int free_and_strdup(char **p, const char *s) {
        char *copy = NULL;

        if (s) {
                copy = strdup(s);
                if (!copy)
                        return -ENOMEM;
        }

        free(*p);
        *p = copy;
        return 0;
}

size_t lower_bound(const void *key, const void *base, size_t n, size_t size, int (*compare)(const void *, const void *)) {
        size_t low = 0, high = n;

        while (low < high) {
                size_t middle = (low + high) / 2;

                if (compare(key, (const char *) base + middle * size) > 0)
                        low = middle + 1;
                else
                        high = middle;
        }

        return low;
}

int strv_compare(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

char **strv_free(char **l) {
        for (char **s = l; s && *s; s++)
                free(*s);

        free(l);
        return NULL;
}

size_t strv_length(char *const *l) {
        size_t n = 0;

        while (l && l[n])
                n++;

        return n;
}

bool strv_has(char *const *l, const char *s) {
        for (; l && *l; l++)
                if (streq(*l, s))
                        return true;

        return false;
}

int strv_take(char ***list, size_t *n, char *s) {
        /* Make room for the NULL at the end too. */
        if (!s || grow(list, *n + 1, sizeof(char *)) < 0) {
                free(s);
                return -ENOMEM;
        }

        (*list)[(*n)++] = s;
        (*list)[*n] = NULL;
        return 0;
}

/* The smallest power of two that is at least n; 0 if n is 0. */
static size_t array_capacity(size_t n) {
        return n < 2 ? n : (size_t) 1 << (sizeof(unsigned long) * CHAR_BIT - (size_t) __builtin_clzl(n - 1));
}

int grow_by(void *array, size_t n, size_t more, size_t size) {
        void **p = array, *bigger;

        assert(p);

        if (array_capacity(n + more) != array_capacity(n)) {
                bigger = reallocarray(*p, array_capacity(n + more), size);
                if (!bigger)
                        return -ENOMEM;

                *p = bigger;
        }

        if (more > 0)
                memset((char *) *p + n * size, 0, more * size);
        return 0;
}

int grow(void *array, size_t n, size_t size) {
        return grow_by(array, n, 1, size);
}

char *strip(char *s) {
        static const char white[] = " \t\r\n";
        size_t n;

        s += strspn(s, white);
        n = strlen(s);
        while (n > 0 && strchr(white, s[n - 1]))
                s[--n] = 0;

        return s;
}

uint64_t monotonic_usec(void) {
        struct timespec now = {};

        (void) clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t) now.tv_sec * 1000000U + (uint64_t) now.tv_nsec / 1000U;
}

void timestamp_utc(char buffer[static 32]) {
        struct tm tm;
        time_t now;

        now = time(NULL);
        if (!gmtime_r(&now, &tm) || strftime(buffer, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
                strcpy(buffer, "1970-01-01T00:00:00Z");
}

int fill_standard_files(void) {
        for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
                if (fcntl(fd, F_GETFD) >= 0)
                        continue;

                /* It takes the lowest number that is free. An image that is not complete has no /dev/null. */
                if (open("/dev/null", O_RDONLY) < 0 && open("/", O_RDONLY | O_DIRECTORY) < 0)
                        return negative_errno();
        }

        return 0;
}

const char *error_text(int error) {
        switch (error) {
        case EMFILE:
                return "too many open files: raise the limit of this process (ulimit -n, LimitNOFILE= of its unit)";
        case ENFILE:
                return "too many open files in the system: raise fs.file-max";
        default:
                return strerror(error);
        }
}

int write_all(int fd, const void *data, size_t size) {
        const char *p = data;

        while (size > 0) {
                ssize_t n = write(fd, p, size);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return negative_errno();

                p += n;
                size -= (size_t) n;
        }

        return 0;
}
