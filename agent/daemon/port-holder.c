/* SPDX-License-Identifier: Apache-2.0 */

#include <dirent.h>

#include "agent/daemon/port-holder.h"
#include "core/util.h"

static bool port_holder_has_open(const char *pid, const char *device) {
        _cleanup_free_ char *path = xasprintf("/proc/%s/fd", pid);
        struct dirent *entry;
        bool found = false;
        DIR *dir;

        dir = path ? opendir(path) : NULL;
        if (!dir)
                return false;

        while (!found && (entry = readdir(dir))) {
                char link[256];
                ssize_t n = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);

                link[n > 0 ? n : 0] = 0;
                found = streq(link, device);
        }

        closedir(dir);
        return found;
}

static char *port_holder_describe(const char *pid) {
        _cleanup_free_ char *path = xasprintf("/proc/%s/comm", pid);
        _cleanup_fclose_ FILE *f = NULL;
        char name[64] = "";

        f = path ? fopen(path, "re") : NULL;
        if (f && fscanf(f, "%63[^\n]", name) != 1)
                name[0] = 0;

        return xasprintf("%s (pid %s)", name[0] ? name : "a process", pid);
}

char *port_holder(const char *path) {
        _cleanup_free_ char *device = NULL;
        struct dirent *entry;
        char *holder = NULL;
        DIR *dir;

        if (geteuid() != 0)
                return NULL;

        device = realpath(path, NULL);
        dir = device ? opendir("/proc") : NULL;
        if (!dir)
                return NULL;

        while (!holder && (entry = readdir(dir)))
                if (entry->d_name[strspn(entry->d_name, "0123456789")] == 0 &&
                    port_holder_has_open(entry->d_name, device))
                        holder = port_holder_describe(entry->d_name);

        closedir(dir);
        return holder;
}
