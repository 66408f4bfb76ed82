/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Tries what a domain of SELinux must not do: deeds allowed|denied [VERB PATH]...
 *
 * It writes nothing that stays, so that the same deeds can be done by a domain that may. Its exit status is the number of
 * the first deed that does not end as was expected, counted from 1, or 0 if there is none. It is linked statically, so that
 * it needs no other file in its domain.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define RUN_DENIED 77
#define RUN_FAILED 78

/* Return: 0 or an errno. */
static int deed_open(const char *path, int flags) {
        int fd = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);

        if (fd < 0)
                return errno;

        close(fd);
        return 0;
}

static int deed_read(const char *path) {
        return deed_open(path, O_RDONLY);
}

static int deed_write(const char *path) {
        return deed_open(path, O_WRONLY);
}

static int deed_create(const char *path) {
        int error = deed_open(path, O_WRONLY | O_CREAT | O_EXCL);

        if (error == 0)
                unlink(path);
        return error;
}

static int deed_run(const char *path) {
        int status;
        pid_t pid = fork();

        if (pid == 0) {
                execl(path, path, "--version", (char *) NULL);
                _exit(errno == EACCES ? RUN_DENIED : RUN_FAILED);
        }
        if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) == RUN_FAILED)
                return ECHILD;

        return WEXITSTATUS(status) == RUN_DENIED ? EACCES : 0;
}

static const struct {
        const char *verb;
        int (*try)(const char *path);
} deeds[] = {
        {"read", deed_read},
        {"write", deed_write},
        {"create", deed_create},
        {"run", deed_run},
};

static bool deed_ends_as_expected(const char *verb, const char *path, bool denied) {
        for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++)
                if (strcmp(deeds[i].verb, verb) == 0) {
                        int error = deeds[i].try(path);

                        return denied ? error == EACCES || error == EPERM : error == 0;
                }

        return false;
}

int main(int argc, char **argv) {
        bool denied = argc > 1 && strcmp(argv[1], "denied") == 0;

        for (int i = 2; i + 1 < argc; i += 2)
                if (!deed_ends_as_expected(argv[i], argv[i + 1], denied))
                        return i / 2;

        return argc > 2 && argc % 2 == 0 ? 0 : 255;
}
