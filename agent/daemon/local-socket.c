/* SPDX-License-Identifier: Apache-2.0 */

#include <sys/socket.h>
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
