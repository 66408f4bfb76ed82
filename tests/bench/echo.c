/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The floor of a round trip over virtio-serial: answers each line that comes from a port with as many bytes as the
 * number says that the line begins with. Nothing is parsed, nothing is prepared, no event loop.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REPLY_MAX (256U * 1024U)
#define NO_HOST_USEC 10000U

static int answer(int fd, const char *reply, size_t size) {
        while (size > 0) {
                ssize_t n = write(fd, reply, size);

                if (n < 0)
                        return -1;
                reply += n;
                size -= (size_t) n;
        }

        return 0;
}

/* A reply is "xxx\n": its end is where the longest one ends. */
static int serve(int fd, const char *replies) {
        char line[4096];
        size_t have = 0;

        for (;;) {
                ssize_t n = read(fd, line + have, sizeof(line) - 1 - have);
                size_t size;

                if (n < 0)
                        return -1;
                if (n == 0)
                        (void) usleep(NO_HOST_USEC);

                have += (size_t) n;
                if (have == 0 || line[have - 1] != '\n')
                        continue;

                line[have] = 0;
                have = 0;
                size = strtoul(line, NULL, 10);
                if (size < 1 || size > REPLY_MAX || answer(fd, replies + REPLY_MAX - size, size) < 0)
                        return -1;
        }
}

int main(int argc, char **argv) {
        static char replies[REPLY_MAX];
        int fd;

        if (argc != 2) {
                fputs("usage: echo PORT\n", stderr);
                return 2;
        }

        memset(replies, 'x', sizeof(replies));
        replies[sizeof(replies) - 1] = '\n';
        fd = open(argv[1], O_RDWR | O_CLOEXEC);
        if (fd < 0 || serve(fd, replies) < 0) {
                perror(argv[1]);
                return EXIT_FAILURE;
        }

        return EXIT_SUCCESS;
}
