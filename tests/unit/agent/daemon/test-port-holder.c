/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Who has a device open; a file stands for the device, and this program holds it.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/daemon/port-holder.h"
#include "tests/unit/tree.h"

static void test_holder(void **state) {
        _cleanup_free_ char *path = tree_path(*state, "/dev/port"), *link = tree_path(*state, "/dev/link");
        _cleanup_free_ char *nobody = NULL, *holder = NULL, *through_link = NULL, *pid = NULL;
        _cleanup_close_ int fd = -EBADF;

        if (geteuid() != 0)
                skip(); /* only root sees the descriptors of other processes */

        tree_file(*state, "/dev/port", "");
        nobody = port_holder(path);
        assert_null(nobody);

        fd = open(path, O_RDWR | O_CLOEXEC);
        assert_return_code(fd, errno);
        holder = port_holder(path);
        assert_non_null(holder);
        pid = xasprintf(" (pid %d)", getpid());
        assert_non_null(pid);
        assert_true(endswith(holder, pid));

        /* A name in /dev/virtio-ports is a link. */
        tree_link(*state, "/dev/link", "port");
        through_link = port_holder(link);
        assert_non_null(through_link);
        assert_string_equal(through_link, holder);
}

static void test_missing(_unused_ void **state) {
        assert_null(port_holder("/nonexistent/port"));
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_holder, tree_setup, tree_teardown),
                cmocka_unit_test(test_missing),
        };

        return cmocka_run_group_tests_name("port-holder", tests, NULL, NULL);
}
