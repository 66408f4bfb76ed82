/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <fcntl.h>
#include <libudev.h>
#include <stdalign.h>
#include <sys/epoll.h>
#include <sys/inotify.h>

#include "agent/daemon/path-watch.h"

/* Changes of the entries of a directory, changes of the directory itself, and the end of its watch. */
#define PATH_WATCH_ENTRY_MASK (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)
#define PATH_WATCH_SELF_MASK (IN_DELETE_SELF | IN_MOVE_SELF)
#define PATH_WATCH_LOST_MASK (IN_IGNORED | IN_UNMOUNT | IN_Q_OVERFLOW | PATH_WATCH_SELF_MASK)
#define PATH_WATCH_MASK \
        (PATH_WATCH_ENTRY_MASK | PATH_WATCH_SELF_MASK | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_ONLYDIR)

/* An entry of a watched directory that a report was made of. */
typedef struct WatchedName {
        char *text;
        bool used; /* in the last report */
} WatchedName;

/*
 * A directory that is watched. Entries that the next report uses too are kept and not allocated again: each small
 * allocation that outlives a survey would keep a page of the survey's memory in use.
 */
typedef struct WatchedDirectory {
        int wd;
        char *path;
        WatchedName *names;
        size_t n_names;
        bool listed; /* the report was made of its list of names */
        bool used;   /* in the last report */
} WatchedDirectory;

struct PathWatch {
        Root *root;
        void (*changed)(void *userdata);
        void *userdata;

        int inotify_fd, mountinfo_fd;
        WatchedDirectory *directories;
        size_t n_directories;
        bool noting; /* set while a path is recorded, because recording opens paths below the root too */

        struct udev *udev;
        struct udev_monitor *monitor;
        sd_event_source *inotify, *mountinfo, *modules;
};

/* Drops the names that the last report did not use, or all names. */
static void watched_sweep(WatchedDirectory *d, bool all) {
        size_t n = 0;

        for (size_t i = 0; i < d->n_names; i++)
                if (d->names[i].used && !all)
                        d->names[n++] = d->names[i];
                else
                        free(d->names[i].text);
        d->n_names = n;
}

static void watched_done(WatchedDirectory *d) {
        watched_sweep(d, true);
        free(d->names);
        free(d->path);
}

static void watched_unuse(WatchedDirectory *d) {
        d->used = d->listed = false;
        for (size_t i = 0; i < d->n_names; i++)
                d->names[i].used = false;
}

static WatchedName *watched_find(const WatchedDirectory *d, const char *name) {
        for (size_t i = 0; i < d->n_names; i++)
                if (streq(d->names[i].text, name))
                        return d->names + i;

        return NULL;
}

static int watched_add_name(WatchedDirectory *d, const char *name) {
        WatchedName *found = watched_find(d, name);
        int r;

        if (!found) {
                r = grow(&d->names, d->n_names, sizeof(WatchedName));
                if (r < 0)
                        return r;

                found = d->names + d->n_names;
                found->text = strdup(name);
                if (!found->text)
                        return -ENOMEM;
                d->n_names++;
        }

        found->used = true;
        return 0;
}

static WatchedDirectory *path_watch_find_path(PathWatch *w, const char *path) {
        for (size_t i = 0; i < w->n_directories; i++)
                if (w->directories[i].used && streq(w->directories[i].path, path))
                        return &w->directories[i];

        return NULL;
}

static WatchedDirectory *path_watch_find_wd(PathWatch *w, int wd) {
        for (size_t i = 0; i < w->n_directories; i++)
                if (w->directories[i].wd == wd)
                        return &w->directories[i];

        return NULL;
}

/* inotify takes only paths, and a path could lead out of the root. The path of the descriptor cannot. */
static int path_watch_add_fd(PathWatch *w, int fd) {
        char path[32];
        int wd;

        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        wd = inotify_add_watch(w->inotify_fd, path, PATH_WATCH_MASK);
        return wd < 0 ? negative_errno() : wd;
}

/* Returns 0 if the directory is watched, or -errno: -ENOENT or -ENOTDIR if it is no directory. */
static int path_watch_add_directory(PathWatch *w, const char *path, WatchedDirectory **ret) {
        _cleanup_close_ int fd = -EBADF;
        WatchedDirectory *d = path_watch_find_path(w, path);
        int r, wd;

        if (d) {
                *ret = d;
                return 0;
        }

        r = root_open(w->root, path, &fd);
        if (r != ROOT_OK)
                return r < 0 ? r : -ENOENT;

        wd = path_watch_add_fd(w, fd);
        if (wd < 0)
                return wd;

        d = path_watch_find_wd(w, wd);
        if (!d) {
                r = grow(&w->directories, w->n_directories, sizeof(WatchedDirectory));
                if (r < 0)
                        return r;
                d = &w->directories[w->n_directories++];
                d->wd = wd;
        }

        if (!streq_ptr(d->path, path)) {
                r = free_and_strdup(&d->path, path);
                if (r < 0)
                        return r;
        }

        d->used = true;
        *ret = d;
        return 0;
}

/* inotify reports no changes in /proc (inotify(7)). */
static bool path_watch_is_silent(const char *path) {
        const char *rest = startswith(path, "/proc");

        return rest && (*rest == 0 || *rest == '/');
}

/* Watches the name in its directory, or the first missing name of the path in the nearest directory that exists. */
static int path_watch_add_entry(PathWatch *w, const char *path) {
        _cleanup_free_ char *above = strdup(path);
        char *slash;

        if (!above)
                return -ENOMEM;

        while ((slash = strrchr(above, '/'))) {
                _cleanup_free_ char *name = strdup(slash + 1);
                WatchedDirectory *d;
                int r;

                if (!name)
                        return -ENOMEM;

                *slash = 0;
                r = path_watch_add_directory(w, *above ? above : "/", &d);
                if (r >= 0)
                        return watched_add_name(d, name);
                if (r == -ENOMEM || r == -ENOSPC)
                        return r;
        }

        return 0;
}

static int path_watch_add_list(PathWatch *w, const char *path) {
        WatchedDirectory *d;
        int r;

        r = path_watch_add_directory(w, path, &d);
        if (r == -ENOTDIR)
                return 0;
        if (r < 0)
                return r;

        d->listed = true;
        return 0;
}

/* Watches the name itself, the file to which it resolves, and the list of names if that is a directory. */
static int path_watch_note(PathWatch *w, const char *path) {
        _cleanup_free_ char *real = NULL;
        int r;

        r = path_watch_add_entry(w, path);
        if (r < 0 || root_resolve(w->root, path, &real) < 0)
                return r;

        if (!streq(real, path)) {
                r = path_watch_add_entry(w, real);
                if (r < 0)
                        return r;
        }

        return path_watch_add_list(w, real);
}

/* If inotify has no watch left, the path is read again when the host asks. */
static void path_watch_on_trace(const char *path, void *userdata) {
        PathWatch *w = userdata;

        if (w->noting || path_watch_is_silent(path))
                return;

        w->noting = true;
        (void) path_watch_note(w, path);
        w->noting = false;
}

void path_watch_begin(PathWatch *w) {
        assert(w);

        for (size_t i = 0; i < w->n_directories; i++)
                watched_unuse(&w->directories[i]);

        root_trace(w->root, path_watch_on_trace, w);
}

void path_watch_end(PathWatch *w) {
        size_t n = 0;

        assert(w);

        root_trace(w->root, NULL, NULL);
        for (size_t i = 0; i < w->n_directories; i++) {
                if (w->directories[i].used) {
                        watched_sweep(&w->directories[i], false);
                        w->directories[n++] = w->directories[i];
                        continue;
                }
                (void) inotify_rm_watch(w->inotify_fd, w->directories[i].wd);
                watched_done(&w->directories[i]);
        }
        w->n_directories = n;
}

/* A lost directory counts as a change. After IN_IGNORED the kernel may give the number of its watch to another one. */
static bool path_watch_lost(PathWatch *w, const struct inotify_event *e) {
        WatchedDirectory *d = path_watch_find_wd(w, e->wd);

        if ((e->mask & IN_IGNORED) && d)
                d->wd = -1;

        return (e->mask & IN_Q_OVERFLOW) || d;
}

static bool path_watch_concerns(PathWatch *w, const struct inotify_event *e) {
        const WatchedDirectory *d;

        if (e->mask & PATH_WATCH_LOST_MASK)
                return path_watch_lost(w, e);

        d = path_watch_find_wd(w, e->wd);
        if (!d || e->len == 0)
                return false;

        return (d->listed && (e->mask & PATH_WATCH_ENTRY_MASK)) || watched_find(d, e->name);
}

static int path_watch_on_inotify(_unused_ sd_event_source *source, int fd, _unused_ uint32_t events, void *userdata) {
        alignas(struct inotify_event) char buffer[4096];
        PathWatch *w = userdata;
        bool concern = false;
        ssize_t n;

        n = read(fd, buffer, sizeof(buffer));
        for (ssize_t i = 0; i < n;) {
                const struct inotify_event *e = (const struct inotify_event *) (buffer + i);

                concern = path_watch_concerns(w, e) || concern;
                i += (ssize_t) (sizeof(struct inotify_event) + e->len);
        }

        if (concern)
                w->changed(w->userdata);
        return 0;
}

static int path_watch_on_mountinfo(_unused_ sd_event_source *source, _unused_ int fd, _unused_ uint32_t events,
                                   void *userdata) {
        PathWatch *w = userdata;

        w->changed(w->userdata);
        return 0;
}

static int path_watch_on_module(_unused_ sd_event_source *source, _unused_ int fd, _unused_ uint32_t events,
                                void *userdata) {
        PathWatch *w = userdata;
        struct udev_device *device;

        while ((device = udev_monitor_receive_device(w->monitor)))
                udev_device_unref(device);

        w->changed(w->userdata);
        return 0;
}

static int path_watch_open_inotify(PathWatch *w, sd_event *event) {
        w->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        if (w->inotify_fd < 0)
                return negative_errno();

        return sd_event_add_io(event, &w->inotify, w->inotify_fd, EPOLLIN, path_watch_on_inotify, w);
}

static int path_watch_open_mountinfo(PathWatch *w, sd_event *event) {
        w->mountinfo_fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
        if (w->mountinfo_fd < 0)
                return 0;

        /* A change is an exceptional condition, which polling clears (mounts_poll() in fs/proc_namespace.c). */
        return sd_event_add_io(event, &w->mountinfo, w->mountinfo_fd, EPOLLPRI | EPOLLET, path_watch_on_mountinfo, w);
}

static int path_watch_open_modules(PathWatch *w, sd_event *event) {
        w->udev = udev_new();
        w->monitor = w->udev ? udev_monitor_new_from_netlink(w->udev, "udev") : NULL;
        if (!w->monitor)
                return 0;
        if (udev_monitor_filter_add_match_subsystem_devtype(w->monitor, "module", NULL) < 0 ||
            udev_monitor_enable_receiving(w->monitor) < 0)
                return 0;

        return sd_event_add_io(event, &w->modules, udev_monitor_get_fd(w->monitor), EPOLLIN, path_watch_on_module, w);
}

/* Changes are handled before requests, so that no request is answered with a report that is known to be outdated. */
static int path_watch_prefer(sd_event_source *source) {
        if (!source)
                return 0;

        return sd_event_source_set_priority(source, SD_EVENT_PRIORITY_IMPORTANT);
}

static int path_watch_open(PathWatch *w, sd_event *event) {
        int r;

        r = path_watch_open_inotify(w, event);
        if (r < 0)
                return r;
        r = path_watch_prefer(w->inotify);
        if (r < 0 || !root_is_live(w->root))
                return r;

        r = path_watch_open_mountinfo(w, event);
        if (r < 0)
                return r;
        r = path_watch_prefer(w->mountinfo);
        if (r < 0)
                return r;
        r = path_watch_open_modules(w, event);
        if (r < 0)
                return r;

        return path_watch_prefer(w->modules);
}

int path_watch_new(PathWatch **ret, sd_event *event, Root *root, void (*changed)(void *userdata), void *userdata) {
        _cleanup_(path_watch_freep) PathWatch *w = NULL;
        int r;

        assert(ret && event && root && changed);

        w = calloc(1, sizeof(PathWatch));
        if (!w)
                return -ENOMEM;

        w->root = root;
        w->changed = changed;
        w->userdata = userdata;
        w->inotify_fd = w->mountinfo_fd = -EBADF;
        r = path_watch_open(w, event);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(w);
        return 0;
}

PathWatch *path_watch_free(PathWatch *w) {
        if (!w)
                return NULL;

        sd_event_source_disable_unref(w->inotify);
        sd_event_source_disable_unref(w->mountinfo);
        sd_event_source_disable_unref(w->modules);
        udev_monitor_unref(w->monitor);
        udev_unref(w->udev);
        closep(&w->inotify_fd);
        closep(&w->mountinfo_fd);
        for (size_t i = 0; i < w->n_directories; i++)
                watched_done(&w->directories[i]);
        free(w->directories);
        free(w);
        return NULL;
}
