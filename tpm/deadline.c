/* SPDX-License-Identifier: Apache-2.0 */

/* Tests: tests/unit/tpm/test-device.c, and tests/tpm/asks.py for a slow TPM. */

#include "core/util.h"
#include "tpm/deadline.h"

int64_t deadline_in(int msec) {
        return (int64_t) (monotonic_usec() / 1000U) + msec;
}

int wait_until(int fd, short events, int64_t deadline) {
        for (;;) {
                struct pollfd p = {.fd = fd, .events = events};
                int64_t left = deadline - deadline_in(0);
                int r;

                r = left > 0 ? poll(&p, 1, (int) left) : 0;
                if (r > 0)
                        return 0;
                if (r == 0)
                        return -ETIMEDOUT;
                if (errno != EINTR)
                        return negative_errno();
        }
}
