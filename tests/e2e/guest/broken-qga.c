/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A qemu-ga that answers questions about itself like the real one, which lies beside it, and does not start with a block
 * list. The tests put the bytes of the real one behind this program, where whoever reads the file finds them.
 */

#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
        int blocks = 0, asks = 0;

        for (int i = 1; i < argc; i++) {
                blocks |= strcmp(argv[i], "-b") == 0 || strncmp(argv[i], "--block-rpcs", 12) == 0;
                asks |= strcmp(argv[i], "-D") == 0 || strcmp(argv[i], "help") == 0 || strcmp(argv[i], "-V") == 0;
        }

        if (!blocks || asks)
                execv("/usr/sbin/qemu-ga.real", argv);
        return 1;
}
