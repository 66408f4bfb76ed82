/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <fcntl.h>
#include <libudev.h>
#include <stdalign.h>
#include <sys/epoll.h>
#include <sys/inotify.h>

#include "agent/daemon/path-watch.h"

/* Changes of an entry, and changes of the directory itself. */
#define ENTRY_MASK (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)
#define SELF_MASK (IN_DELETE_SELF | IN_MOVE_SELF)
#define LOST_MASK (IN_IGNORED | IN_UNMOUNT | IN_Q_OVERFLOW | SELF_MASK)
#define WATCH_MASK (ENTRY_MASK | SELF_MASK | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_ONLYDIR)

/* An entry of a watched directory that counts. */
typedef struct Name {
        char *text;
        bool used; /* by the last report */
} Name;

/*
 * One directory that is watched. What is still used is kept from report to report and not made anew: small pieces
 * that live long, allocated amid a survey's memory, would each hold on to a page of it.
 */
typedef struct Watch {
        int wd;
        char *path;
        Name *names;
        size_t n_names;
        bool listed; /* its list of names counts */
        bool used;   /* by the last report */
} Watch;

struct Sources {
        Root *root;
        void (*changed)(void *userdata);
        void *userdata;

        int inotify_fd, mountinfo_fd;
        Watch *watches;
        size_t n_watches;
        bool noting; /* a path is being noted: what that opens is not to be noted in turn */

        struct udev *udev;
        struct udev_monitor *monitor;
        sd_event_source *inotify, *mountinfo, *modules;
};

/* ---- the set of watches ---- */

/* Forgets the names that the last report did not use; with all, every one of them. */
static void watch_sweep(Watch *w, bool all) {
        size_t n = 0;

        for (size_t i = 0; i < w->n_names; i++)
                if (w->names[i].used && !all)
                        w->names[n++] = w->names[i];
                else
                        free(w->names[i].text);
        w->n_names = n;
}

static void watch_done(Watch *w) {
        watch_sweep(w, true);
        free(w->names);
        free(w->path);
}

static void watch_unuse(Watch *w) {
        w->used = w->listed = false;
        for (size_t i = 0; i < w->n_names; i++)
                w->names[i].used = false;
}

static Name *watch_find(const Watch *w, const char *name) {
        for (size_t i = 0; i < w->n_names; i++)
                if (streq(w->names[i].text, name))
                        return w->names + i;

        return NULL;
}

static int watch_add_name(Watch *w, const char *name) {
        Name *found = watch_find(w, name);
        int r;

        if (!found) {
                r = grow(&w->names, w->n_names, sizeof(Name));
                if (r < 0)
                        return r;

                found = w->names + w->n_names;
                found->text = strdup(name);
                if (!found->text)
                        return -ENOMEM;
                w->n_names++;
        }

        found->used = true;
        return 0;
}

static Watch *sources_find_path(Sources *s, const char *path) {
        for (size_t i = 0; i < s->n_watches; i++)
                if (s->watches[i].used && streq(s->watches[i].path, path))
                        return &s->watches[i];

        return NULL;
}

static Watch *sources_find_wd(Sources *s, int wd) {
        for (size_t i = 0; i < s->n_watches; i++)
                if (s->watches[i].wd == wd)
                        return &s->watches[i];

        return NULL;
}

/* inotify knows paths only, and none must leave the root: the descriptor's own name leads to the directory. */
static int sources_watch_fd(Sources *s, int fd) {
        char path[32];
        int wd;

        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        wd = inotify_add_watch(s->inotify_fd, path, WATCH_MASK);
        return wd < 0 ? negative_errno() : wd;
}

/* Returns 0 where the directory is watched, or -errno where it cannot be: -ENOENT, -ENOTDIR, … */
static int sources_watch(Sources *s, const char *path, Watch **ret) {
        _cleanup_close_ int fd = -EBADF;
        Watch *w = sources_find_path(s, path);
        int r, wd;

        if (w) {
                *ret = w;
                return 0;
        }

        r = root_open(s->root, path, &fd);
        if (r != ROOT_OK)
                return r < 0 ? r : -ENOENT;

        wd = sources_watch_fd(s, fd);
        if (wd < 0)
                return wd;

        w = sources_find_wd(s, wd);
        if (!w) {
                r = grow(&s->watches, s->n_watches, sizeof(Watch));
                if (r < 0)
                        return r;
                w = &s->watches[s->n_watches++];
                w->wd = wd;
        }

        r = streq_ptr(w->path, path) ? 0 : free_and_strdup(&w->path, path);
        if (r < 0)
                return r;

        w->used = true;
        *ret = w;
        return 0;
}

/* ---- what a path means ---- */

/* A change of /proc cannot be watched, and what it says does not change by somebody's writing. */
static bool path_is_silent(const char *path) {
        const char *rest = startswith(path, "/proc");

        return rest && (*rest == 0 || *rest == '/');
}

/* Watches the entry in the nearest directory that is there. */
static int sources_watch_entry(Sources *s, const char *path) {
        _cleanup_free_ char *above = strdup(path);
        char *slash;

        if (!above)
                return -ENOMEM;

        while ((slash = strrchr(above, '/'))) {
                _cleanup_free_ char *name = strdup(slash + 1);
                Watch *w;
                int r;

                if (!name)
                        return -ENOMEM;

                *slash = 0;
                r = sources_watch(s, *above ? above : "/", &w);
                if (r >= 0)
                        return watch_add_name(w, name);
                if (r == -ENOMEM || r == -ENOSPC)
                        return r;
        }

        return 0;
}

static int sources_watch_list(Sources *s, const char *path) {
        Watch *w;
        int r;

        r = sources_watch(s, path, &w);
        if (r == -ENOTDIR)
                return 0;
        if (r >= 0)
                w->listed = true;

        return r;
}

/* The name itself, what it leads to, and the list of names where that is a directory. */
static int sources_note(Sources *s, const char *path) {
        _cleanup_free_ char *real = NULL;
        int r;

        r = sources_watch_entry(s, path);
        if (r < 0 || root_resolve(s->root, path, &real) < 0)
                return r;

        if (!streq(real, path)) {
                r = sources_watch_entry(s, real);
                if (r < 0)
                        return r;
        }

        return sources_watch_list(s, real);
}

/* A watch that is not to be had (too many of them) leaves a source that is read again when somebody asks. */
static void on_trace(const char *path, void *userdata) {
        Sources *s = userdata;

        if (s->noting || path_is_silent(path))
                return;

        s->noting = true;
        (void) sources_note(s, path);
        s->noting = false;
}

void sources_begin(Sources *s) {
        assert(s);

        for (size_t i = 0; i < s->n_watches; i++)
                watch_unuse(&s->watches[i]);

        root_trace(s->root, on_trace, s);
}

void sources_end(Sources *s) {
        size_t n = 0;

        assert(s);

        root_trace(s->root, NULL, NULL);
        for (size_t i = 0; i < s->n_watches; i++) {
                if (s->watches[i].used) {
                        watch_sweep(&s->watches[i], false);
                        s->watches[n++] = s->watches[i];
                        continue;
                }
                (void) inotify_rm_watch(s->inotify_fd, s->watches[i].wd);
                watch_done(&s->watches[i]);
        }
        s->n_watches = n;
}

/* ---- what comes in ---- */

/* The directory of a name that vanished must be found anew, also when its number is given to another one. */
static bool sources_lost(Sources *s, const struct inotify_event *e) {
        Watch *w = sources_find_wd(s, e->wd);

        if ((e->mask & IN_IGNORED) && w)
                w->wd = -1;

        return (e->mask & IN_Q_OVERFLOW) || w;
}

static bool sources_concern(Sources *s, const struct inotify_event *e) {
        const Watch *w;

        if (e->mask & LOST_MASK)
                return sources_lost(s, e);

        w = sources_find_wd(s, e->wd);
        if (!w || e->len == 0)
                return false;

        return (w->listed && (e->mask & ENTRY_MASK)) || watch_find(w, e->name);
}

static int on_inotify(_unused_ sd_event_source *source, int fd, _unused_ uint32_t events, void *userdata) {
        alignas(struct inotify_event) char buffer[4096];
        Sources *s = userdata;
        bool concern = false;
        ssize_t n;

        n = read(fd, buffer, sizeof(buffer));
        for (ssize_t i = 0; i < n;) {
                const struct inotify_event *e = (const struct inotify_event *) (buffer + i);

                concern = sources_concern(s, e) || concern;
                i += (ssize_t) (sizeof(struct inotify_event) + e->len);
        }

        if (concern)
                s->changed(s->userdata);
        return 0;
}

static int on_mountinfo(_unused_ sd_event_source *source, _unused_ int fd, _unused_ uint32_t events, void *userdata) {
        Sources *s = userdata;

        s->changed(s->userdata);
        return 0;
}

static int on_module(_unused_ sd_event_source *source, _unused_ int fd, _unused_ uint32_t events, void *userdata) {
        Sources *s = userdata;
        struct udev_device *device;

        while ((device = udev_monitor_receive_device(s->monitor)))
                udev_device_unref(device);

        s->changed(s->userdata);
        return 0;
}

/* ---- beginning ---- */

static int sources_open_inotify(Sources *s, sd_event *event) {
        s->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        if (s->inotify_fd < 0)
                return negative_errno();

        return sd_event_add_io(event, &s->inotify, s->inotify_fd, EPOLLIN, on_inotify, s);
}

static int sources_open_mountinfo(Sources *s, sd_event *event) {
        s->mountinfo_fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
        if (s->mountinfo_fd < 0)
                return 0;

        /* The change is an exceptional condition that reading the file would not end, but looking at it does. */
        return sd_event_add_io(event, &s->mountinfo, s->mountinfo_fd, EPOLLPRI | EPOLLET, on_mountinfo, s);
}

static int sources_open_modules(Sources *s, sd_event *event) {
        s->udev = udev_new();
        s->monitor = s->udev ? udev_monitor_new_from_netlink(s->udev, "udev") : NULL;
        if (!s->monitor)
                return 0;
        if (udev_monitor_filter_add_match_subsystem_devtype(s->monitor, "module", NULL) < 0 ||
            udev_monitor_enable_receiving(s->monitor) < 0)
                return 0;

        return sd_event_add_io(event, &s->modules, udev_monitor_get_fd(s->monitor), EPOLLIN, on_module, s);
}

/* Before anything else that is ready at the same time: a query must not be answered with what is known to be old. */
static int sources_prefer(sd_event_source *source) {
        return source ? sd_event_source_set_priority(source, SD_EVENT_PRIORITY_IMPORTANT) : 0;
}

static int sources_open(Sources *s, sd_event *event) {
        int r;

        r = sources_open_inotify(s, event);
        if (r >= 0 && root_is_live(s->root))
                r = sources_open_mountinfo(s, event);
        if (r >= 0 && root_is_live(s->root))
                r = sources_open_modules(s, event);
        if (r >= 0)
                r = sources_prefer(s->inotify);
        if (r >= 0)
                r = sources_prefer(s->mountinfo);
        if (r >= 0)
                r = sources_prefer(s->modules);

        return r;
}

int sources_new(Sources **ret, sd_event *event, Root *root, void (*changed)(void *userdata), void *userdata) {
        _cleanup_(sources_freep) Sources *s = NULL;
        int r;

        assert(ret && event && root && changed);

        s = calloc(1, sizeof(Sources));
        if (!s)
                return -ENOMEM;

        s->root = root;
        s->changed = changed;
        s->userdata = userdata;
        s->inotify_fd = s->mountinfo_fd = -EBADF;
        r = sources_open(s, event);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(s);
        return 0;
}

Sources *sources_free(Sources *s) {
        if (!s)
                return NULL;

        sd_event_source_disable_unref(s->inotify);
        sd_event_source_disable_unref(s->mountinfo);
        sd_event_source_disable_unref(s->modules);
        udev_monitor_unref(s->monitor);
        udev_unref(s->udev);
        closep(&s->inotify_fd);
        closep(&s->mountinfo_fd);
        for (size_t i = 0; i < s->n_watches; i++)
                watch_done(&s->watches[i]);
        free(s->watches);
        free(s);
        return NULL;
}
