/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "tpm/deadline.h"
#include "tpm/device.h"

#define TPM_DEVICE_ANSWER_MSEC (10 * 1000)

struct TpmDevice {
        char *path;
        int fd;
};

TpmDevice *tpm_device_free(TpmDevice *device) {
        if (!device)
                return NULL;

        closep(&device->fd);
        free(device->path);
        free(device);
        return NULL;
}

static int tpm_device_open_socket(const char *path) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        _cleanup_close_ int fd = -EBADF;

        if (strlen(path) >= sizeof(address.sun_path))
                return -ENAMETOOLONG;
        strcpy(address.sun_path, path);

        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return negative_errno();
        if (connect(fd, (const struct sockaddr *) &address, sizeof(address)) < 0)
                return negative_errno();

        return TAKE_FD(fd);
}

static int tpm_device_open_node(const char *path) {
        _cleanup_close_ int fd = -EBADF;
        struct stat st;

        /* Check the type before open(): open() of a FIFO waits for a writer. */
        if (stat(path, &st) < 0)
                return negative_errno();
        if (!S_ISCHR(st.st_mode))
                return -ENOTTY;

        fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return negative_errno();

        return TAKE_FD(fd);
}

static int tpm_device_open_fault(Fault *fault, const char *path, int error) {
        static const struct {
                int error;
                FaultClass class;
                const char *meaning;
        } rows[] = {
                {-ENOENT, FAULT_NO_DEVICE, "it does not exist"},
                {-ENXIO, FAULT_NO_DEVICE, "its driver has no TPM"},
                {-ENODEV, FAULT_NO_DEVICE, "its driver has no TPM"},
                {-ECONNREFUSED, FAULT_NO_DEVICE, "no process listens there"},
                {-EACCES, FAULT_PERMISSION, "permission denied; only root and the group tss may open it"},
                {-EPERM, FAULT_PERMISSION, "the unit's DeviceAllow= or a security module forbids it"},
                {-EBUSY, FAULT_BUSY, "another program holds it; stop that program or ask again"},
                {-ENOTTY, FAULT_TPM_ERROR, "it is not a character device"},
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (rows[i].error == error)
                        return fault_set(fault, rows[i].class, "%s cannot be opened: %s", path, rows[i].meaning);

        return fault_set(fault, FAULT_TPM_ERROR, "%s cannot be opened: %s", path, error_text(-error));
}

int tpm_device_open(TpmDevice **ret, const char *path, Fault *fault) {
        _cleanup_(tpm_device_freep) TpmDevice *device = NULL;
        const char *socket_path = startswith(path, "unix:");

        assert(ret && path);

        device = calloc(1, sizeof(*device));
        if (!device)
                return -ENOMEM;

        device->fd = -EBADF;
        device->path = strdup(path);
        if (!device->path)
                return -ENOMEM;

        device->fd = socket_path ? tpm_device_open_socket(socket_path) : tpm_device_open_node(path);
        if (device->fd < 0)
                return tpm_device_open_fault(fault, path, device->fd);

        *ret = TAKE_PTR(device);
        return 0;
}

/* A socket may take a command in parts; a character device takes the whole command or nothing. */
static int tpm_device_send(int fd, const uint8_t *data, size_t size, int64_t deadline) {
        while (size > 0) {
                ssize_t n;
                int r;

                r = wait_until(fd, POLLOUT, deadline);
                if (r < 0)
                        return r;

                n = write(fd, data, size);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return negative_errno();
                data += n;
                size -= (size_t) n;
        }

        return 0;
}

static size_t tpm_message_announced_size(const TpmMessage *m) {
        return (size_t) m->data[2] << 24 | (size_t) m->data[3] << 16 | (size_t) m->data[4] << 8 | m->data[5];
}

/* Return: 0 if the answer is whole or the TPM closed before its end, which the caller detects by its size; -errno. */
static int tpm_device_receive(int fd, TpmMessage *m, int64_t deadline) {
        m->size = 0;

        while (m->size < sizeof(m->data) && (m->size < TPM_HEADER_SIZE || m->size < tpm_message_announced_size(m))) {
                ssize_t n;
                int r;

                r = wait_until(fd, POLLIN, deadline);
                if (r < 0)
                        return r;

                n = read(fd, m->data + m->size, sizeof(m->data) - m->size);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return negative_errno();
                if (n == 0)
                        return 0;
                m->size += (size_t) n;
        }

        return 0;
}

static int tpm_device_exchange_fault(const TpmDevice *device, int error, Fault *fault) {
        if (error == -ETIMEDOUT || error == -ETIME)
                return fault_set(fault, FAULT_NO_ANSWER, "the TPM at %s does not answer", device->path);
        if (error == -EBUSY || error == -EAGAIN)
                return fault_set(fault, FAULT_BUSY, "the TPM at %s is busy; ask again", device->path);
        if (error == -EPIPE || error == -ECONNRESET)
                return fault_set(fault, FAULT_BAD_ANSWER, "the TPM at %s closed the connection", device->path);

        return fault_set(fault, FAULT_TPM_ERROR, "the exchange with the TPM at %s failed: %s", device->path,
                         error_text(-error));
}

int tpm_device_transact(TpmDevice *device, const uint8_t *command, size_t size, TpmMessage *ret, Fault *fault) {
        const int64_t deadline = deadline_in(TPM_DEVICE_ANSWER_MSEC);
        int r;

        assert(device && command && ret);

        r = tpm_device_send(device->fd, command, size, deadline);
        if (r >= 0)
                r = tpm_device_receive(device->fd, ret, deadline);
        if (r < 0)
                return tpm_device_exchange_fault(device, r, fault);

        if (ret->size < TPM_HEADER_SIZE)
                return fault_set(fault, FAULT_BAD_ANSWER, "the TPM at %s gave a short answer of %zu bytes",
                                 device->path, ret->size);
        if (tpm_message_announced_size(ret) != ret->size)
                return fault_set(fault, FAULT_BAD_ANSWER, "the TPM at %s announced %zu bytes and gave %zu",
                                 device->path, tpm_message_announced_size(ret), ret->size);

        return 0;
}
