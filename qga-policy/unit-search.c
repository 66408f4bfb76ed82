/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Finds the files of a unit: its unit file and its drop-ins, in all directories of the search path.
 *
 * Tested by test-unit-file.c.
 */

#include <assert.h>

#include "qga-policy/unit-file.h"

/* The unit search path without the directories of generators, highest precedence first (systemd.unit(5)). */
static const char *const unit_paths[] = {
        "/etc/systemd/system",         "/run/systemd/system", "/usr/local/lib/systemd/system",
        "/usr/lib/systemd/system",     "/lib/systemd/system",
};

/* The drop-ins that were found. Of several with the same file name only the first counts. */
typedef struct DropIns {
        const char *known, *text; /* as @path and @text of unit_read() */
        char **paths;
        size_t n;
        bool full; /* there are more than UNIT_DROP_INS_MAX */
        char *unlisted; /* the first folder that cannot be listed, and may hold any drop-in; NULL: none */
        int error;      /* why */
} DropIns;

static void drop_ins_done(DropIns *d) {
        for (size_t i = 0; i < d->n; i++)
                free(d->paths[i]);
        free(d->paths);
        free(d->unlisted);
}

static bool unit_time_is_later(const struct timespec *t, uint64_t usec) {
        return t->tv_sec > 0 && (uint64_t) t->tv_sec * 1000000U + (uint64_t) t->tv_nsec / 1000U > usec;
}

bool unit_file_is_newer(const Root *root, const char *path, uint64_t started) {
        struct stat st;

        if (started == 0 || root_stat(root, path, &st) < 0)
                return false;

        return unit_time_is_later(&st.st_mtim, started) ||
               (root_is_live(root) && unit_time_is_later(&st.st_ctim, started));
}

/* Whether one of the first @n directories has a name. The lists of root_list() are sorted. */
static bool unit_is_listed(char **const lists[], const size_t sizes[], size_t n, char *const *name) {
        for (size_t i = 0; i < n; i++)
                if (sizes[i] > 0 && bsearch(name, lists[i], sizes[i], sizeof(char *), strv_compare))
                        return true;

        return false;
}

int unit_list(const Root *root, char ***ret) {
        char **lists[ELEMENTSOF(unit_paths)] = {}, **paths = NULL;
        size_t sizes[ELEMENTSOF(unit_paths)] = {}, n = 0;
        int r = 0;

        for (size_t i = 0; i < ELEMENTSOF(unit_paths) && r >= 0; i++) {
                r = root_list(root, unit_paths[i], lists + i);
                sizes[i] = r > 0 ? (size_t) r : 0;
                r = r == -ENOMEM ? r : 0;

                for (size_t k = 0; k < sizes[i] && r >= 0; k++)
                        if (endswith(lists[i][k], ".service") && !unit_is_listed(lists, sizes, i, lists[i] + k))
                                r = strv_take(&paths, &n, xasprintf("%s/%s", unit_paths[i], lists[i][k]));
        }

        for (size_t i = 0; i < ELEMENTSOF(unit_paths); i++)
                strv_free(lists[i]);
        if (r < 0) {
                strv_free(paths);
                return r;
        }

        *ret = paths;
        return (int) n;
}

static int unit_note_problem(Unit *unit, const char *path, const char *what) {
        if (unit->problem)
                return 0;

        unit->problem = xasprintf("%s %s", path, what);
        return unit->problem ? 0 : -ENOMEM;
}

/* Note the failure to read or parse a file, and go on. Return: 0 or -ENOMEM. */
static int unit_note_failure(Unit *unit, const char *path, int r) {
        switch (r) {
        case -ENOMEM:
                return r;
        case -EFBIG:
                return unit_note_problem(unit, path, "is larger than 1 MiB");
        case -EBADMSG:
                return unit_note_problem(unit, path, "is no unit file");
        case -E2BIG:
                return unit_note_problem(unit, path, "has too many settings");
        case -EISDIR:
                return unit_note_problem(unit, path, "is a directory");
        default:
                return unit_note_problem(unit, path, error_text(-r));
        }
}

/* The service manager ignores the rest of a file that it cannot parse; what it has read by then is unknown. */
static int unit_read_file(const Root *root, Unit *unit, const char *path, bool *ret_empty) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        int r;

        r = root_read(root, path, UNIT_FILE_MAX, &text);
        *ret_empty = r >= 0 && text.size == 0;
        if (r < 0)
                return unit_note_failure(unit, path, r);

        r = unit_parse(unit, path, text.data, text.size);
        return r < 0 ? unit_note_failure(unit, path, r) : 0;
}

static int unit_read_fragment(const Root *root, Unit *unit) {
        for (size_t i = 0; i < ELEMENTSOF(unit_paths); i++) {
                _cleanup_free_ char *path = xasprintf("%s/%s", unit_paths[i], unit->name);
                bool empty = false;
                int masked, r = 0;

                if (!path)
                        return -ENOMEM;

                masked = root_is_mask(root, path);
                if (masked == -ENOMEM)
                        return masked;
                if (masked < 0 || (masked == 0 && !root_exists(root, path)))
                        continue;

                if (masked == 0)
                        r = unit_read_file(root, unit, path, &empty);
                unit->masked = masked > 0 || empty;
                unit->fragment = TAKE_PTR(path);
                return r;
        }

        return 0;
}

static const char *unit_file_name(const char *path) {
        return strrchr(path, '/') + 1;
}

/* @path: allocated, or NULL if that failed; ownership moves in any case */
static int drop_ins_add(DropIns *d, char *path) {
        _cleanup_free_ char *owned = path;

        if (!owned)
                return -ENOMEM;

        if (!d->text && streq_ptr(owned, d->known))
                return 0;
        for (size_t i = 0; i < d->n; i++)
                if (streq(unit_file_name(d->paths[i]), unit_file_name(owned)))
                        return 0;
        d->full |= d->n >= UNIT_DROP_INS_MAX;
        if (d->full)
                return 0;
        if (grow(&d->paths, d->n, sizeof(char *)) < 0)
                return -ENOMEM;

        d->paths[d->n++] = TAKE_PTR(owned);
        return 0;
}

/* List one folder such as /etc/systemd/system/qemu-.service.d. The known drop-in may not exist yet. */
static int drop_ins_list_folder(const Root *root, const char *folder, DropIns *d) {
        _cleanup_(strv_freep) char **names = NULL;
        size_t n = strlen(folder);
        int r = root_list_optional(root, folder, &names);

        if (r == -ENOMEM)
                return r;
        if (r < 0 && !d->unlisted) {
                d->error = r;
                d->unlisted = strdup(folder);
                if (!d->unlisted)
                        return -ENOMEM;
        }

        if (d->text && startswith(d->known, folder) && d->known[n] == '/' && !strchr(d->known + n + 1, '/') &&
            drop_ins_add(d, strdup(d->known)) < 0)
                return -ENOMEM;

        for (char **name = names; name && *name; name++)
                if (**name != '.' && endswith(*name, ".conf") &&
                    drop_ins_add(d, xasprintf("%s/%s", folder, *name)) < 0)
                        return -ENOMEM;

        return 0;
}

/* List the folders of a name and of its prefixes that end in a dash: qemu-guest-agent, qemu-guest-, qemu-. */
static int drop_ins_list_beginnings(const Root *root, const char *path, const char *stem, DropIns *d) {
        _cleanup_free_ char *name = strdup(stem);
        char *dash;

        if (!name)
                return -ENOMEM;

        do {
                _cleanup_free_ char *folder = xasprintf("%s/%s%sservice.d", path, name, *name ? "." : "");
                size_t n = strlen(name);
                int r = folder ? drop_ins_list_folder(root, folder, d) : -ENOMEM;

                if (r < 0)
                        return r;
                if (n > 0)
                        name[n - 1] = 0;
                dash = strrchr(name, '-');
                if (dash)
                        dash[1] = 0;
        } while (dash);

        return 0;
}

static int drop_ins_list_folders(const Root *root, const char *stem, DropIns *d) {
        for (size_t i = 0; i < ELEMENTSOF(unit_paths); i++)
                if (drop_ins_list_beginnings(root, unit_paths[i], stem, d) < 0)
                        return -ENOMEM;

        return 0;
}

static int drop_ins_compare_names(const void *a, const void *b) {
        return strcmp(unit_file_name(*(char *const *) a), unit_file_name(*(char *const *) b));
}

static int unit_take_drop_in(const Root *root, Unit *unit, const DropIns *d, const char *path) {
        bool empty;
        int r;

        if (streq_ptr(path, d->known)) {
                r = unit_parse(unit, path, d->text, strlen(d->text));
                if (r < 0)
                        r = unit_note_failure(unit, path, r);
        } else if (root_is_mask(root, path) != 0 || !root_exists(root, path))
                return 0;
        else
                r = unit_read_file(root, unit, path, &empty);
        if (r < 0)
                return r;

        if (grow(&unit->drop_ins, unit->n_drop_ins, sizeof(char *)) < 0)
                return -ENOMEM;

        unit->drop_ins[unit->n_drop_ins] = strdup(path);
        return unit->drop_ins[unit->n_drop_ins++] ? 0 : -ENOMEM;
}

static int unit_read_drop_ins(const Root *root, Unit *unit, DropIns *d) {
        _cleanup_free_ char *stem = strndup(unit->name, strlen(unit->name) - strlen(".service"));
        int r;

        if (!stem)
                return -ENOMEM;

        /* A drop-in for all services (service.d) yields to any other of the same name, in whatever directory. */
        r = drop_ins_list_folders(root, stem, d);
        if (r < 0)
                return r;
        r = drop_ins_list_folders(root, "", d);
        if (r < 0)
                return r;

        if (d->full) {
                r = unit_note_problem(unit, unit->name, "has more drop-ins than gtuned reads");
                if (r < 0)
                        return r;
        }
        if (d->unlisted) {
                r = d->error == -EFBIG ? unit_note_problem(unit, d->unlisted, "has more than 65536 entries")
                                       : unit_note_failure(unit, d->unlisted, d->error);
                if (r < 0)
                        return r;
        }
        if (d->n == 0)
                return 0;

        qsort(d->paths, d->n, sizeof(char *), drop_ins_compare_names);
        for (size_t i = 0; i < d->n; i++) {
                r = unit_take_drop_in(root, unit, d, d->paths[i]);
                if (r < 0)
                        return r;
        }

        return 0;
}

int unit_read(const Root *root, const char *name, const char *path, const char *text, Unit *ret) {
        _cleanup_(drop_ins_done) DropIns d = {.known = path, .text = text};
        _cleanup_unit_ Unit unit = {};
        int r;

        assert(endswith(name, ".service"));

        *ret = (Unit) {};
        unit.name = strdup(name);
        if (!unit.name)
                return -ENOMEM;

        r = unit_read_fragment(root, &unit);
        if (r < 0)
                return r;
        if (unit.fragment && !unit.masked) {
                r = unit_read_drop_ins(root, &unit, &d);
                if (r < 0)
                        return r;
        }

        *ret = unit;
        unit = (Unit) {};
        return 0;
}
