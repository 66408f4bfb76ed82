/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "agent/daemon/local-socket.h"

int local_socket_connect(const Root *root, const char *directory, const char *name, int *ret_fd) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        _cleanup_close_ int dir = -EBADF, fd = -EBADF;
        int r;

        r = root_open(root, directory, &dir);
        if (r != ROOT_OK)
                return r < 0 ? r : -ENOENT;

        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return negative_errno();

        (void) snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", dir, name);
        if (connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return negative_errno();

        *ret_fd = TAKE_FD(fd);
        return 0;
}

/* Nobody listens on the socket if connecting is refused. */
static int local_socket_remove_stale(const struct sockaddr_un *address) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        if (lstat(address->sun_path, &st) < 0)
                return negative_errno();
        if (!S_ISSOCK(st.st_mode))
                return -EEXIST;

        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return negative_errno();
        if (connect(fd, (const struct sockaddr *) address, sizeof(*address)) >= 0 || errno != ECONNREFUSED)
                return -EADDRINUSE;

        if (unlink(address->sun_path) < 0)
                return negative_errno();

        return 0;
}

static int local_socket_bind(int fd, const struct sockaddr_un *address) {
        mode_t saved = umask(0177);
        int r = 0;

        if (bind(fd, (const struct sockaddr *) address, sizeof(*address)) < 0)
                r = negative_errno();
        (void) umask(saved);
        return r;
}

int local_socket_listen(const char *path, int *ret_fd) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        _cleanup_close_ int fd = -EBADF;
        int r;

        assert(path && ret_fd);

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        strcpy(address.sun_path, path);

        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return negative_errno();

        r = local_socket_bind(fd, &address);
        if (r == -EADDRINUSE) {
                r = local_socket_remove_stale(&address);
                if (r < 0)
                        return r;
                r = local_socket_bind(fd, &address);
        }
        if (r < 0)
                return r;
        if (listen(fd, 16) < 0) {
                r = negative_errno();
                (void) unlink(path);
                return r;
        }

        *ret_fd = TAKE_FD(fd);
        return 0;
}

static bool local_socket_peer_is_welcome(int fd) {
        struct ucred peer;
        socklen_t size = sizeof(peer);

        return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) >= 0 && (peer.uid == 0 || peer.uid == geteuid());
}

int local_socket_accept(int listen_fd, int *ret_fd) {
        _cleanup_close_ int fd = -EBADF;

        assert(ret_fd);

        fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
                return negative_errno();
        if (!local_socket_peer_is_welcome(fd))
                return -EACCES;

        *ret_fd = TAKE_FD(fd);
        return 0;
}
