/* SPDX-License-Identifier: Apache-2.0 */

/*
 * UNIX sockets: what is in the way of listening, who may connect, and connecting below a root.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/daemon/local-socket.h"
#include "tests/unit/tree.h"

static void test_listen(void **state) {
        _cleanup_free_ char *path = tree_path(*state, "/run/gtuned/s.sock");
        _cleanup_close_ int fd = -EBADF, client = -EBADF, server = -EBADF;
        const Tree *t = *state;
        struct stat st;

        assert_return_code(local_socket_listen(path, &fd), 0);
        assert_return_code(lstat(path, &st), errno);
        assert_true(S_ISSOCK(st.st_mode));
        assert_int_equal(st.st_mode & 0777, 0600);

        assert_int_equal(local_socket_accept(fd, &server), -EAGAIN);
        assert_return_code(local_socket_connect(t->root, "/run/gtuned", "s.sock", &client), 0);
        assert_return_code(local_socket_accept(fd, &server), 0);
        assert_int_equal(write(server, "x", 1), 1);
}

static void test_in_the_way(void **state) {
        _cleanup_free_ char *path = tree_path(*state, "/run/s.sock"), *file = tree_path(*state, "/run/file");
        _cleanup_close_ int first = -EBADF, second = -EBADF;
        char too_long[200];

        assert_return_code(local_socket_listen(path, &first), 0);
        assert_int_equal(local_socket_listen(path, &second), -EADDRINUSE);

        /* The first one dies without removing its socket. */
        closep(&first);
        first = -EBADF;
        assert_return_code(local_socket_listen(path, &second), 0);

        tree_file(*state, "/run/file", "");
        assert_int_equal(local_socket_listen(file, &first), -EEXIST);

        memset(too_long, 'a', sizeof(too_long));
        too_long[sizeof(too_long) - 1] = 0;
        assert_int_equal(local_socket_listen(too_long, &first), -ENAMETOOLONG);
}

static void test_connect(void **state) {
        _cleanup_free_ char *path = tree_path(*state, "/run/gtuned/s.sock");
        const Tree *t = *state;
        int fd = -EBADF;

        assert_int_equal(local_socket_connect(t->root, "/nothing", "s.sock", &fd), -ENOENT);
        assert_int_equal(local_socket_connect(t->root, "/run/gtuned", "s.sock", &fd), -ENOENT);
        tree_file(t, "/run/gtuned/s.sock", "");
        assert_int_equal(local_socket_connect(t->root, "/run/gtuned", "s.sock", &fd), -ECONNREFUSED);
        assert_int_equal(fd, -EBADF);
}

int main(void) {
        static const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_listen, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_in_the_way, tree_setup, tree_teardown),
                cmocka_unit_test_setup_teardown(test_connect, tree_setup, tree_teardown),
        };

        return cmocka_run_group_tests_name("local-socket", tests, NULL, NULL);
}
