/* SPDX-License-Identifier: Apache-2.0 */

/* Sleeps for so many microseconds at a time, for ever: idles of one length. sleeper MICROSECONDS */

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

int main(int argc, char *argv[]) {
        const struct timespec pause = {.tv_nsec = argc == 2 ? atol(argv[1]) * 1000 : 0};

        /* The kernel would end sleeps up to 50 µs later, to end several of them together. */
        if (pause.tv_nsec <= 0 || prctl(PR_SET_TIMERSLACK, 1) < 0 || mlockall(MCL_CURRENT) < 0)
                return EXIT_FAILURE;

        for (;;)
                (void) clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
}
