/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A root shell for the end-to-end tests, on a virtio port of its own. Test guests only.
 *
 * The host sends "PING <nonce>\n", answered by "PONG <nonce>\n", or
 * "RUN <id> <seconds> <command bytes> <input bytes>\n" followed by those bytes, answered by
 * "DONE <id> <status> <output bytes> <error bytes>\n" followed by those bytes. The status is the
 * command's exit status, 128 + its signal, or 256 when its time was over and it was killed.
 *
 * Input and output are memory files and not pipes: a command that leaves a background process
 * behind is answered when the command itself ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATUS_TIMEOUT 256
#define RETRY_USEC 20000
#define SIZE_LIMIT (64UL << 20)

/* Reads some bytes; the port gives 0 while no host is attached, which also voids a half request. */
static ssize_t port_read(int port, void *buffer, size_t size) {
        ssize_t n;

        n = read(port, buffer, size);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
                exit(EXIT_FAILURE); /* unplugged: the unit starts us again */
        if (n <= 0)
                usleep(RETRY_USEC);
        return n;
}

static bool port_read_line(int port, char *line, size_t size) {
        size_t used = 0;

        while (used < size - 1) {
                if (port_read(port, line + used, 1) <= 0) {
                        used = 0;
                        continue;
                }
                if (line[used] == '\n') {
                        line[used] = '\0';
                        return true;
                }
                used++;
        }
        return false;
}

static char *port_read_bytes(int port, size_t size) {
        char *bytes;

        bytes = calloc(1, size + 1);
        if (!bytes)
                exit(EXIT_FAILURE);
        for (size_t used = 0; used < size;) {
                ssize_t n = port_read(port, bytes + used, size - used);

                if (n <= 0) {
                        free(bytes);
                        return NULL;
                }
                used += (size_t) n;
        }
        return bytes;
}

static void port_write(int port, const char *bytes, size_t size) {
        while (size > 0) {
                ssize_t n = write(port, bytes, size);

                if (n < 0 && errno != EINTR && errno != EAGAIN)
                        exit(EXIT_FAILURE);
                if (n <= 0) {
                        usleep(RETRY_USEC);
                        continue;
                }
                bytes += n;
                size -= (size_t) n;
        }
}

static void port_write_file(int port, int fd, size_t size) {
        void *bytes;

        if (size == 0)
                return;
        bytes = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
        if (bytes == MAP_FAILED)
                exit(EXIT_FAILURE);
        port_write(port, bytes, size);
        munmap(bytes, size);
}

static void command_exec(const char *command, int in, int out, int err) {
        setsid();
        dup2(in, STDIN_FILENO);
        dup2(out, STDOUT_FILENO);
        dup2(err, STDERR_FILENO);
        execl("/bin/sh", "sh", "-c", command, (char *) NULL);
        _exit(127);
}

/* Waits for the process and gives its status as the protocol wants it. */
static int command_wait(pid_t pid, int seconds) {
        struct pollfd ended = {.events = POLLIN};
        int status, r;

        ended.fd = (int) syscall(SYS_pidfd_open, pid, 0);
        do
                r = poll(&ended, 1, seconds * 1000);
        while (r < 0 && errno == EINTR);
        close(ended.fd);
        if (r == 0)
                kill(-pid, SIGKILL);
        waitpid(pid, &status, 0);
        if (r == 0)
                return STATUS_TIMEOUT;
        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void command_reply(int port, unsigned id, int status, int out, int err) {
        struct stat out_stat = {}, err_stat = {};
        char header[128];
        int n;

        fstat(out, &out_stat);
        fstat(err, &err_stat);
        n = snprintf(header, sizeof(header), "DONE %u %d %zu %zu\n", id, status, (size_t) out_stat.st_size,
                     (size_t) err_stat.st_size);
        port_write(port, header, (size_t) n);
        port_write_file(port, out, (size_t) out_stat.st_size);
        port_write_file(port, err, (size_t) err_stat.st_size);
}

static void command_run(int port, unsigned id, int seconds, const char *command, const char *input, size_t size) {
        int in = memfd_create("in", MFD_CLOEXEC), out = memfd_create("out", MFD_CLOEXEC),
            err = memfd_create("err", MFD_CLOEXEC);
        pid_t pid;

        if (in < 0 || out < 0 || err < 0 || write(in, input, size) != (ssize_t) size || lseek(in, 0, SEEK_SET) < 0)
                exit(EXIT_FAILURE);
        pid = fork();
        if (pid == 0)
                command_exec(command, in, out, err);
        command_reply(port, id, command_wait(pid, seconds), out, err);
        close(in);
        close(out);
        close(err);
}

static void serve_run(int port, const char *line) {
        size_t command_size, input_size;
        char *command, *input;
        unsigned id;
        int seconds;

        if (sscanf(line, "RUN %u %d %zu %zu", &id, &seconds, &command_size, &input_size) != 4)
                return;
        if (command_size > SIZE_LIMIT || input_size > SIZE_LIMIT)
                return;
        command = port_read_bytes(port, command_size);
        input = command ? port_read_bytes(port, input_size) : NULL;
        if (input)
                command_run(port, id, seconds, command, input, input_size);
        free(command);
        free(input);
}

static void serve_line(int port, char *line) {
        if (strncmp(line, "PING ", 5) == 0) {
                line[1] = 'O';
                line[strlen(line)] = '\n';
                port_write(port, line, strcspn(line, "\n") + 1);
        } else
                serve_run(port, line);
}

int main(int argc, char **argv) {
        char line[256];
        int port;

        if (argc != 2)
                return EXIT_FAILURE;
        while ((port = open(argv[1], O_RDWR | O_CLOEXEC)) < 0)
                usleep(RETRY_USEC);
        for (;;)
                if (port_read_line(port, line, sizeof(line)))
                        serve_line(port, line);
}
