/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <fcntl.h>
#include <stdalign.h>
#include <sys/epoll.h>
#include <sys/inotify.h>

#include "agent/daemon/path-watch.h"
#include "core/file-system.h"

/* Younger than the headers that some distributions build with (statx(2)). */
#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x2000
#endif

/* Names that come or go, and the end of the directory itself or of its watch. */
#define PATH_WATCH_ENTRY_MASK (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)
#define PATH_WATCH_LOST_MASK (IN_IGNORED | IN_UNMOUNT | IN_DELETE_SELF | IN_MOVE_SELF)
#define PATH_WATCH_MASK                                                                                    \
        (PATH_WATCH_ENTRY_MASK | IN_DELETE_SELF | IN_MOVE_SELF | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | \
         IN_ONLYDIR)

/* A name in a watched directory. */
typedef struct WatchedName {
        char *text;
        uint64_t readers;
} WatchedName;

typedef struct WatchedDirectory {
        int wd;
        char *path; /* without links, "" for the root */
        bool announces;
        WatchedName *names;
        size_t n_names;
        uint64_t list_readers; /* who has read its list of names */
} WatchedDirectory;

struct PathWatch {
        Root *root;
        PathWatchChanged changed;
        void *userdata;

        int fd;
        const char *limit; /* see path_watch_limit() */
        sd_event_source *inotify;
        WatchedDirectory *directories;
        size_t n_directories;
};

static void watched_done(WatchedDirectory *d) {
        for (size_t i = 0; i < d->n_names; i++)
                free(d->names[i].text);
        free(d->names);
        free(d->path);
}

static void watched_sweep(WatchedDirectory *d) {
        size_t n = 0;

        for (size_t i = 0; i < d->n_names; i++)
                if (d->names[i].readers != 0)
                        d->names[n++] = d->names[i];
                else
                        free(d->names[i].text);
        d->n_names = n;
}

static uint64_t watched_readers(const WatchedDirectory *d) {
        uint64_t readers = d->list_readers;

        for (size_t i = 0; i < d->n_names; i++)
                readers |= d->names[i].readers;

        return readers;
}

/* Names are sorted. Return: where a name is, or where it belongs. */
static size_t watched_search(const WatchedDirectory *d, const char *name) {
        size_t low = 0, high = d->n_names;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (strcmp(d->names[middle].text, name) < 0)
                        low = middle + 1;
                else
                        high = middle;
        }

        return low;
}

static WatchedName *watched_find(const WatchedDirectory *d, const char *name) {
        size_t i = watched_search(d, name);

        return i < d->n_names && streq(d->names[i].text, name) ? d->names + i : NULL;
}

static int watched_add_name(WatchedDirectory *d, const char *name, uint64_t readers) {
        WatchedName *found = watched_find(d, name);

        if (!found) {
                _cleanup_free_ char *text = strdup(name);

                if (!text || grow(&d->names, d->n_names, sizeof(WatchedName)) < 0)
                        return -ENOMEM;

                found = d->names + watched_search(d, name);
                memmove(found + 1, found, (size_t) (d->names + d->n_names++ - found) * sizeof(WatchedName));
                *found = (WatchedName) {.text = TAKE_PTR(text)};
        }

        found->readers |= readers;
        return 0;
}

static WatchedDirectory *path_watch_find_path(PathWatch *w, const char *path) {
        for (size_t i = 0; i < w->n_directories; i++)
                if (streq(w->directories[i].path, path))
                        return w->directories + i;

        return NULL;
}

static WatchedDirectory *path_watch_find_wd(PathWatch *w, int wd) {
        for (size_t i = 0; i < w->n_directories; i++)
                if (w->directories[i].wd == wd)
                        return w->directories + i;

        return NULL;
}

/*
 * inotify takes only paths, and a path could lead out of the root. The path of the descriptor cannot. A bind mount gives
 * a directory a second path, and inotify the same number for both.
 */
static int path_watch_add_directory(PathWatch *w, int fd, const char *path, WatchedDirectory **ret) {
        _cleanup_free_ char *copy = NULL;
        char link[32];
        int wd;

        *ret = path_watch_find_path(w, path);
        if (*ret)
                return 0;

        (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        wd = inotify_add_watch(w->fd, link, PATH_WATCH_MASK);
        if (wd < 0) {
                if (errno == ENOSPC)
                        w->limit = "fs.inotify.max_user_watches";
                return negative_errno();
        }

        copy = strdup(path);
        if (!copy || grow(&w->directories, w->n_directories, sizeof(WatchedDirectory)) < 0)
                return -ENOMEM;

        *ret = w->directories + w->n_directories++;
        **ret = (WatchedDirectory) {.wd = wd, .path = TAKE_PTR(copy), .announces = file_system_announces(fd)};
        return 0;
}

/* A path that is being noted. */
typedef struct PathWatchNote {
        PathWatch *watch;
        SightKind kind;
        uint64_t readers;
        bool announced; /* every change on the way so far will be heard of */
} PathWatchNote;

/*
 * Whether the change of a file at the end of its way is heard of; fd is open with O_PATH. A file with further names may
 * change by one of those, and a mounted file has its name in another directory. Kernels before 5.8 do not say that.
 */
static bool path_watch_file_announces(int fd) {
        struct statx st;

        if (statx(fd, "", AT_EMPTY_PATH, STATX_TYPE | STATX_NLINK, &st) < 0 || !file_system_announces(fd))
                return false;

        return S_ISDIR(st.stx_mode) || (st.stx_nlink == 1 && !(st.stx_attributes & STATX_ATTR_MOUNT_ROOT));
}

static int path_watch_on_step(int directory, const char *path, const char *name, void *userdata) {
        PathWatchNote *note = userdata;
        bool lists = note->kind == SIGHT_NAMES || note->kind == SIGHT_METADATA || note->kind == SIGHT_FILE;
        WatchedDirectory *d;
        int r;

        if (!name) {
                const bool announces = path_watch_file_announces(directory);

                note->announced = note->announced && announces;
                if (!announces || !lists)
                        return 0;
        }

        r = path_watch_add_directory(note->watch, directory, path, &d);
        if (r == -ENOTDIR && !name)
                return 0;
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                note->announced = false;
                return 0;
        }

        note->announced = note->announced && d->announces;
        if (name)
                return watched_add_name(d, name, note->readers);

        d->list_readers |= note->readers;
        return 0;
}

int path_watch_note(PathWatch *w, SightKind kind, const char *path, uint64_t readers) {
        PathWatchNote note = {.watch = w, .kind = kind, .readers = readers, .announced = true};
        int r;

        assert(w && path);

        r = root_walk(w->root, path, path_watch_on_step, &note);
        if (r == -ENOMEM)
                return r;

        /* The way to a missing file ends at the first name that is missing. Other ends are not understood here. */
        return note.announced && (r >= 0 || r == -ENOENT || r == -ENOTDIR);
}

void path_watch_forget(PathWatch *w, uint64_t readers) {
        assert(w);

        for (size_t i = 0; i < w->n_directories; i++) {
                WatchedDirectory *d = w->directories + i;

                d->list_readers &= ~readers;
                for (size_t k = 0; k < d->n_names; k++)
                        d->names[k].readers &= ~readers;
        }
}

static void path_watch_end(PathWatch *w, WatchedDirectory *d) {
        const int wd = d->wd;

        watched_done(d);
        *d = w->directories[--w->n_directories];

        /* By another path the directory may still be watched. */
        if (wd >= 0 && !path_watch_find_wd(w, wd))
                (void) inotify_rm_watch(w->fd, wd);
}

void path_watch_sweep(PathWatch *w) {
        assert(w);

        for (size_t i = w->n_directories; i-- > 0;) {
                watched_sweep(w->directories + i);
                if (watched_readers(w->directories + i) == 0)
                        path_watch_end(w, w->directories + i);
        }
}

/* End the watches of a directory and of all below it: their paths may lead elsewhere now. */
static void path_watch_end_tree(PathWatch *w, const char *path) {
        for (size_t i = w->n_directories; i-- > 0;)
                if (path_is_within(w->directories[i].path, path))
                        path_watch_end(w, w->directories + i);
}

/* After IN_IGNORED the kernel may give the number of the watch to another one. */
static uint64_t path_watch_on_lost(PathWatch *w, const struct inotify_event *e) {
        WatchedDirectory *d;
        uint64_t readers = 0;

        while ((d = path_watch_find_wd(w, e->wd))) {
                _cleanup_free_ char *path = strdup(d->path);

                readers |= watched_readers(d);
                if (e->mask & IN_IGNORED)
                        d->wd = -1;
                if (path)
                        path_watch_end_tree(w, path);
                else
                        d->wd = -1;
        }

        return readers;
}

/* One of the paths of a directory. Return: the readers of the name that has changed in it. */
static uint64_t path_watch_on_name(PathWatch *w, const WatchedDirectory *d, const struct inotify_event *e) {
        const WatchedName *name;
        bool moved = (e->mask & PATH_WATCH_ENTRY_MASK) != 0;
        uint64_t readers;

        /* The attributes of the directory itself. For the root and a mounted directory there is no other event. */
        if (e->len == 0)
                return watched_readers(d);

        name = watched_find(d, e->name);
        readers = (name ? name->readers : 0) | (moved ? d->list_readers : 0);
        if (name && moved) {
                _cleanup_free_ char *path = xasprintf("%s/%s", d->path, e->name);

                if (path)
                        path_watch_end_tree(w, path);
        }

        return readers;
}

static void path_watch_on_event(PathWatch *w, const struct inotify_event *e) {
        uint64_t readers = 0;

        if (e->mask & IN_Q_OVERFLOW)
                readers = UINT64_MAX;
        else if (e->mask & PATH_WATCH_LOST_MASK)
                readers = path_watch_on_lost(w, e);
        else
                for (size_t i = w->n_directories; i-- > 0;)
                        if (i < w->n_directories && w->directories[i].wd == e->wd)
                                readers |= path_watch_on_name(w, w->directories + i, e);

        if (readers != 0)
                w->changed(readers, (e->mask & ~(uint32_t) (IN_MODIFY | IN_CLOSE_WRITE | IN_ISDIR)) != 0, w->userdata);
}

static int path_watch_on_inotify(_unused_ sd_event_source *source, int fd, _unused_ uint32_t events, void *userdata) {
        alignas(struct inotify_event) char buffer[4096];
        ssize_t n;

        n = read(fd, buffer, sizeof(buffer));
        for (ssize_t i = 0; i < n;) {
                const struct inotify_event *e = (const struct inotify_event *) (buffer + i);

                path_watch_on_event(userdata, e);
                i += (ssize_t) (sizeof(struct inotify_event) + e->len);
        }

        return 0;
}

/* inotify_init1(2) gives EMFILE for both: the user's instances and the descriptors of this process. */
static const char *path_watch_limit_of(int error) {
        int fd = error == EMFILE ? fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0) : -EBADF;

        if (error == ENFILE)
                return "fs.file-max";
        if (fd < 0)
                return "LimitNOFILE= of the unit";

        (void) close(fd);
        return "fs.inotify.max_user_instances";
}

static int path_watch_open(PathWatch *w, sd_event *event) {
        int r;

        w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        if (w->fd < 0) {
                r = negative_errno();
                if (r != -EMFILE && r != -ENFILE)
                        return r;
                w->limit = path_watch_limit_of(-r);
                return 0;
        }

        r = sd_event_add_io(event, &w->inotify, w->fd, EPOLLIN, path_watch_on_inotify, w);
        if (r < 0)
                return r;

        /* Changes are heard of before requests are answered, so that a request finds their parts marked. */
        return sd_event_source_set_priority(w->inotify, SD_EVENT_PRIORITY_IMPORTANT);
}

int path_watch_new(PathWatch **ret, sd_event *event, Root *root, PathWatchChanged changed, void *userdata) {
        _cleanup_(path_watch_freep) PathWatch *w = NULL;
        int r;

        assert(ret && event && root && changed);

        w = calloc(1, sizeof(PathWatch));
        if (!w)
                return -ENOMEM;

        w->root = root;
        w->changed = changed;
        w->userdata = userdata;
        w->fd = -EBADF;
        r = path_watch_open(w, event);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(w);
        return r;
}

const char *path_watch_limit(const PathWatch *w) {
        return w->limit;
}

void path_watch_pause(PathWatch *w, bool pause) {
        if (w->inotify)
                (void) sd_event_source_set_enabled(w->inotify, pause ? SD_EVENT_OFF : SD_EVENT_ON);
}

PathWatch *path_watch_free(PathWatch *w) {
        if (!w)
                return NULL;

        sd_event_source_disable_unref(w->inotify);
        closep(&w->fd);
        for (size_t i = 0; i < w->n_directories; i++)
                watched_done(w->directories + i);
        free(w->directories);
        free(w);
        return NULL;
}
