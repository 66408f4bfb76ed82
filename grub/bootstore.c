/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <stdarg.h>

#include "grub/bootstore.h"
#include "grub/stores.h"

static BootStore *boot_store_free(BootStore *s) {
        if (!s)
                return NULL;

        if (s->driver->done)
                s->driver->done(s);
        for (size_t i = 0; i < s->n_entries; i++)
                boot_entry_done(s->entries + i);
        free(s->entries);
        free(s->path);
        buffer_done(&s->content);
        free(s);
        return NULL;
}
DEFINE_CLEANUP(BootStore *, boot_store_free);

BootStores *boot_stores_free(BootStores *stores) {
        if (!stores)
                return NULL;

        for (size_t i = 0; i < stores->n_stores; i++)
                boot_store_free(stores->stores[i]);
        free(stores->stores);
        free(stores->index);

        for (size_t i = 0; i < stores->n_problems; i++) {
                free(stores->problems[i].path);
                free(stores->problems[i].reason);
        }
        free(stores->problems);

        free(stores->systemd_boot);
        free(stores->unified_kernel);
        free(stores);
        return NULL;
}

static bool boot_store_boots_system(const BootStore *s) {
        for (size_t i = 0; i < s->n_entries; i++)
                if (s->entries[i].kind == ENTRY_SYSTEM)
                        return true;

        return false;
}

bool boot_stores_boot_system(const BootStores *stores, const BootStoreDriver *driver) {
        for (size_t i = 0; i < stores->n_stores; i++)
                if ((!driver || stores->stores[i]->driver == driver) && boot_store_boots_system(stores->stores[i]))
                        return true;

        return false;
}

/* FNV-1a */
static size_t boot_stores_hash(const char *path) {
        uint32_t h = 2166136261U;

        for (; *path; path++)
                h = (h ^ (unsigned char) *path) * 16777619U;

        return h;
}

/* The slot of a path in the index: the one with its store, or the free one that it would get. */
static size_t *boot_stores_index_find(const BootStores *stores, const char *path) {
        size_t i = boot_stores_hash(path);

        for (;; i++) {
                size_t *place = stores->index + (i & (stores->index_size - 1));

                if (*place == 0 || streq(stores->stores[*place - 1]->path, path))
                        return place;
        }
}

/* Make room for one more store. A quarter of the slots stays free. */
static int boot_stores_index_grow(BootStores *stores) {
        size_t *old = stores->index;

        if (old && (stores->n_stores + 1) * 4 <= stores->index_size * 3)
                return 0;

        stores->index = calloc(old ? stores->index_size * 2 : 16, sizeof(size_t));
        if (!stores->index) {
                stores->index = old;
                return -ENOMEM;
        }

        stores->index_size = old ? stores->index_size * 2 : 16;
        for (size_t i = 0; i < stores->n_stores; i++)
                *boot_stores_index_find(stores, stores->stores[i]->path) = i + 1;

        free(old);
        return 0;
}

int boot_stores_add(BootStores *stores, const BootStoreDriver *driver, const char *path, Buffer *content,
                    BootStore **ret) {
        _cleanup_(boot_store_freep) BootStore *s = NULL;
        size_t *place;
        int r;

        assert(stores);
        assert(driver);
        assert(path);
        assert(content);

        r = boot_stores_index_grow(stores);
        if (r < 0)
                return r;

        place = boot_stores_index_find(stores, path);
        if (*place > 0)
                return -EEXIST;

        s = calloc(1, sizeof(BootStore));
        if (!s)
                return -ENOMEM;

        s->driver = driver;
        s->path = strdup(path);
        if (!s->path)
                return -ENOMEM;

        r = grow(&stores->stores, stores->n_stores, sizeof(BootStore *));
        if (r < 0)
                return r;

        s->content = *content;
        *content = BUFFER_NULL;
        if (ret)
                *ret = s;
        stores->stores[stores->n_stores++] = TAKE_PTR(s);
        *place = stores->n_stores;
        return 0;
}

const BootStore *boot_stores_by_path(const BootStores *stores, const char *path) {
        size_t place;

        if (stores->n_stores == 0)
                return NULL;

        place = *boot_stores_index_find(stores, path);
        return place > 0 ? stores->stores[place - 1] : NULL;
}

char *boot_store_problem_format(const BootStoreProblem *problem) {
        return complaint_format(problem->path, problem->line, problem->reason);
}

__attribute__((format(printf, 3, 0)))
static int boot_stores_append(BootStores *stores, const BootStoreProblem *problem, const char *format, va_list ap) {
        _cleanup_free_ char *path = NULL;
        BootStoreProblem *p;
        int r;

        assert(stores);
        assert(problem->path);
        assert(problem->code);

        path = strdup(problem->path);
        if (!path)
                return -ENOMEM;

        r = grow(&stores->problems, stores->n_problems, sizeof(BootStoreProblem));
        if (r < 0)
                return r;

        p = stores->problems + stores->n_problems;
        *p = *problem;
        p->reason = xvasprintf(format, ap);
        if (!p->reason)
                return -ENOMEM;

        p->path = TAKE_PTR(path);
        stores->n_problems++;
        return 0;
}

int boot_stores_problem(BootStores *stores, const char *path, unsigned line, const char *code, bool fatal,
                        const char *format, ...) {
        const BootStoreProblem problem = { .path = (char *) path, .line = line, .code = code, .fatal = fatal };
        va_list ap;
        int r;

        va_start(ap, format);
        r = boot_stores_append(stores, &problem, format, ap);
        va_end(ap);
        return r;
}

int boot_stores_remark(BootStores *stores, const char *path, unsigned line, const char *code, const char *format, ...) {
        const BootStoreProblem problem = { .path = (char *) path, .line = line, .code = code, .remark = true };
        va_list ap;
        int r;

        va_start(ap, format);
        r = boot_stores_append(stores, &problem, format, ap);
        va_end(ap);
        return r;
}

int boot_stores_leave(BootStores *stores, const char *path, unsigned line, const char *code, const char *format, ...) {
        bool boots = boot_stores_boot_system(stores, NULL);
        const BootStoreProblem problem = {
                .path = (char *) path, .line = line, .code = code, .fatal = !boots, .remark = boots,
        };
        va_list ap;
        int r;

        va_start(ap, format);
        r = boot_stores_append(stores, &problem, format, ap);
        va_end(ap);
        return r;
}

/* A directory that cannot be listed is met by more than one driver. */
static bool boot_stores_tell_unreadable(const BootStores *stores, const char *path) {
        for (size_t i = 0; i < stores->n_problems; i++)
                if (streq(stores->problems[i].code, "boot-store-unreadable") && streq(stores->problems[i].path, path))
                        return true;

        return false;
}

int boot_stores_read_problem_max(BootStores *stores, const char *path, size_t max, int r) {
        switch (r) {
        case -ENOMEM:
                return r;
        case -EISDIR:
        case -EOPNOTSUPP:
                return boot_stores_problem(stores, path, 0, "boot-store-not-regular", /* fatal= */ true,
                                           "This is %s, and the boot loader reads a regular file here",
                                           r == -EISDIR ? "a directory" : "a FIFO, a socket or a device");
        case -EFBIG:
                return boot_stores_problem(stores, path, 0, "boot-store-too-large", /* fatal= */ true,
                                           "The file is larger than %zu %s", max < 1024 * 1024 ? max / 1024
                                           : max / 1024 / 1024, max < 1024 * 1024 ? "KiB" : "MiB");
        default:
                if (boot_stores_tell_unreadable(stores, path))
                        return 0;
                return boot_stores_problem(stores, path, 0, "boot-store-unreadable", /* fatal= */ true,
                                           "The file cannot be read: %s", error_text(-r));
        }
}

int boot_stores_read_problem(BootStores *stores, const char *path, int r) {
        return boot_stores_read_problem_max(stores, path, BOOT_FILE_MAX, r);
}
