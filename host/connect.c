/* SPDX-License-Identifier: Apache-2.0 */

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "host/connect.h"

int connect_path(int fd, const char *path) {
        struct sockaddr_un sa = {.sun_family = AF_UNIX};
        _cleanup_close_ int at = -EBADF;

        if (strlen(path) < sizeof(sa.sun_path)) {
                strcpy(sa.sun_path, path);
        } else {
                at = open(path, O_PATH | O_CLOEXEC);
                if (at < 0)
                        return negative_errno();
                (void) snprintf(sa.sun_path, sizeof(sa.sun_path), "/proc/self/fd/%d", at);
        }

        if (connect(fd, (const struct sockaddr *) &sa, sizeof(sa)) < 0)
                return negative_errno();

        return 0;
}
