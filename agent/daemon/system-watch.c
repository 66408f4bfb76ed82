/* SPDX-License-Identifier: Apache-2.0 */

/* Tested by tests/e2e, in guests. */

#include <assert.h>
#include <fcntl.h>
#include <libudev.h>
#include <sys/epoll.h>

#include "agent/daemon/system-watch.h"

struct SystemWatch {
        SystemWatchOwner owner;
        int mountinfo_fd;
        struct udev *udev;
        struct udev_monitor *monitor;
        sd_event_source *mounts, *modules;
};

static int system_watch_on_mounts(_unused_ sd_event_source *source, _unused_ int fd, _unused_ uint32_t events,
                                  void *userdata) {
        SystemWatch *w = userdata;

        w->owner.mounts_changed(w->owner.userdata);
        return 0;
}

static int system_watch_on_modules(_unused_ sd_event_source *source, _unused_ int fd, _unused_ uint32_t events,
                                   void *userdata) {
        SystemWatch *w = userdata;
        struct udev_device *device;

        while ((device = udev_monitor_receive_device(w->monitor)))
                udev_device_unref(device);

        w->owner.modules_changed(w->owner.userdata);
        return 0;
}

static int system_watch_open_mounts(SystemWatch *w, sd_event *event) {
        w->mountinfo_fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
        if (w->mountinfo_fd < 0)
                return 0;

        /* A change is an exceptional condition, which polling clears (mounts_poll() in fs/proc_namespace.c). */
        return sd_event_add_io(event, &w->mounts, w->mountinfo_fd, EPOLLPRI | EPOLLET, system_watch_on_mounts, w);
}

static int system_watch_open_modules(SystemWatch *w, sd_event *event) {
        if (!w->owner.modules_changed)
                return 0;

        w->udev = udev_new();
        w->monitor = w->udev ? udev_monitor_new_from_netlink(w->udev, "udev") : NULL;
        if (!w->monitor)
                return 0;
        if (udev_monitor_filter_add_match_subsystem_devtype(w->monitor, "module", NULL) < 0 ||
            udev_monitor_enable_receiving(w->monitor) < 0)
                return 0;

        return sd_event_add_io(event, &w->modules, udev_monitor_get_fd(w->monitor), EPOLLIN, system_watch_on_modules,
                               w);
}

/* Changes are heard of before requests are answered, so that a request finds their parts marked. */
static int system_watch_prefer(sd_event_source *source) {
        return source ? sd_event_source_set_priority(source, SD_EVENT_PRIORITY_IMPORTANT) : 0;
}

int system_watch_new(SystemWatch **ret, sd_event *event, const SystemWatchOwner *owner) {
        _cleanup_(system_watch_freep) SystemWatch *w = calloc(1, sizeof(SystemWatch));
        int r;

        assert(ret && event && owner);

        if (!w)
                return -ENOMEM;

        w->owner = *owner;
        w->mountinfo_fd = -EBADF;
        r = system_watch_open_mounts(w, event);
        if (r < 0)
                return r;
        r = system_watch_open_modules(w, event);
        if (r < 0)
                return r;
        r = system_watch_prefer(w->mounts);
        if (r < 0)
                return r;
        r = system_watch_prefer(w->modules);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(w);
        return 0;
}

SystemWatch *system_watch_free(SystemWatch *w) {
        if (!w)
                return NULL;

        sd_event_source_disable_unref(w->mounts);
        sd_event_source_disable_unref(w->modules);
        udev_monitor_unref(w->monitor);
        udev_unref(w->udev);
        closep(&w->mountinfo_fd);
        free(w);
        return NULL;
}
