/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The outbox: what happens to lines that the host takes slowly, in part, or never. The host is the far end of a
 * socket pair.
 */

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "agent/daemon/outbox.h"

typedef struct Pair {
        int agent, host;
        Outbox outbox;
        uint64_t now;
} Pair;

static void pair_init(Pair *p) {
        const int small = 4096;
        int fds[2];

        assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), errno);
        assert_return_code(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), errno);
        *p = (Pair) {.agent = fds[0], .host = fds[1], .outbox = OUTBOX_NULL, .now = 1000};
}

static void pair_done(Pair *p) {
        outbox_clear(&p->outbox);
        assert_int_equal(p->outbox.memory, 0);
        closep(&p->agent);
        closep(&p->host);
}

/* A line of n bytes with its newline. */
static void pair_push(Pair *p, char letter, size_t n) {
        Buffer line = BUFFER_NULL;

        for (size_t i = 1; i < n; i++)
                assert_return_code(buffer_append(&line, &letter, 1), 0);
        assert_return_code(buffer_puts(&line, "\n"), 0);
        assert_return_code(outbox_push(&p->outbox, &line, p->now), 0);
        assert_null(line.data);
}

static int pair_write(Pair *p) {
        return outbox_write(&p->outbox, p->agent, p->now);
}

/* All that the host can read now, as a count of each byte in a row: "a5\n1". */
static size_t pair_read(Pair *p, Buffer *got) {
        char part[4096];
        ssize_t n;
        size_t all = 0;

        while ((n = read(p->host, part, sizeof(part))) > 0) {
                assert_return_code(buffer_append(got, part, (size_t) n), 0);
                all += (size_t) n;
        }

        return all;
}

static void test_order(_unused_ void **state) {
        _cleanup_buffer_ Buffer got = BUFFER_NULL;
        Pair p;

        pair_init(&p);
        assert_int_equal(pair_write(&p), OUTBOX_EMPTY);
        pair_push(&p, 'a', 4);
        pair_push(&p, 'b', 2);
        assert_int_equal(pair_write(&p), OUTBOX_EMPTY);
        (void) pair_read(&p, &got);
        assert_string_equal(got.data, "aaa\nb\n");
        pair_done(&p);
}

static void test_slow_host(_unused_ void **state) {
        _cleanup_buffer_ Buffer got = BUFFER_NULL;
        Pair p;

        pair_init(&p);
        pair_push(&p, 'a', 200000);
        pair_push(&p, 'b', 200000);
        assert_true(outbox_full(&p.outbox));

        /* It takes a little every four seconds, which is progress. */
        while (pair_write(&p) == OUTBOX_BLOCKED) {
                p.now += OUTBOX_USEC - 1;
                outbox_expire(&p.outbox, p.now);
                assert_true(p.outbox.n_lines > 0);
                (void) pair_read(&p, &got);
        }
        (void) pair_read(&p, &got);
        assert_int_equal(got.size, 400000);
        assert_int_equal(got.data[199999], '\n');
        assert_int_equal(got.data[200000], 'b');
        assert_false(outbox_full(&p.outbox));
        pair_done(&p);
}

static void test_torn_line(_unused_ void **state) {
        _cleanup_buffer_ Buffer got = BUFFER_NULL;
        size_t torn;
        Pair p;

        pair_init(&p);
        pair_push(&p, 'a', 200000);
        assert_int_equal(pair_write(&p), OUTBOX_BLOCKED);

        p.now += OUTBOX_USEC;
        outbox_expire(&p.outbox, p.now);
        assert_int_equal(p.outbox.n_lines, 0);

        torn = pair_read(&p, &got);
        assert_true(torn > 0 && torn < 200000);
        pair_push(&p, 'b', 3);
        pair_push(&p, 'c', 2);
        assert_int_equal(pair_write(&p), OUTBOX_EMPTY);
        (void) pair_read(&p, &got);
        assert_string_equal(got.data + torn, "\nbb\nc\n");
        pair_done(&p);
}

static void test_untouched_line(_unused_ void **state) {
        _cleanup_buffer_ Buffer got = BUFFER_NULL;
        Pair p;

        pair_init(&p);
        pair_push(&p, 'a', 10);
        p.now += OUTBOX_USEC - 1;
        pair_push(&p, 'b', 10);
        outbox_expire(&p.outbox, p.now);
        assert_int_equal(p.outbox.n_lines, 2);
        p.now += 1;
        outbox_expire(&p.outbox, p.now);
        assert_int_equal(p.outbox.n_lines, 1);

        assert_int_equal(pair_write(&p), OUTBOX_EMPTY);
        (void) pair_read(&p, &got);
        assert_string_equal(got.data, "bbbbbbbbb\n");
        pair_done(&p);
}

/* The newline after a torn line may itself not be taken. */
static void test_torn_and_blocked(_unused_ void **state) {
        _cleanup_buffer_ Buffer got = BUFFER_NULL;
        Pair p;

        pair_init(&p);
        pair_push(&p, 'a', 200000);
        assert_int_equal(pair_write(&p), OUTBOX_BLOCKED);
        for (unsigned i = 0; i < 3; i++) {
                p.now += OUTBOX_USEC;
                outbox_expire(&p.outbox, p.now);
                assert_int_equal(p.outbox.n_lines, 0);
                pair_push(&p, 'b', 3);
                assert_int_equal(pair_write(&p), OUTBOX_BLOCKED);
        }

        (void) pair_read(&p, &got);
        assert_int_equal(pair_write(&p), OUTBOX_EMPTY);
        (void) pair_read(&p, &got);
        assert_string_equal(strchr(got.data, '\n'), "\nbb\n");
        pair_done(&p);
}

static void test_host_leaves(_unused_ void **state) {
        _cleanup_buffer_ Buffer got = BUFFER_NULL;
        Pair p;

        pair_init(&p);
        pair_push(&p, 'a', 200000);
        assert_int_equal(pair_write(&p), OUTBOX_BLOCKED);
        outbox_clear(&p.outbox);
        (void) pair_read(&p, &got);
        buffer_done(&got);

        pair_push(&p, 'b', 3);
        assert_int_equal(pair_write(&p), OUTBOX_EMPTY);
        (void) pair_read(&p, &got);
        assert_string_equal(got.data, "bb\n");
        pair_done(&p);
}

static void test_many_small_lines(_unused_ void **state) {
        _cleanup_buffer_ Buffer got = BUFFER_NULL;
        size_t n = 0;
        Pair p;

        pair_init(&p);
        for (; !outbox_full(&p.outbox); n++)
                pair_push(&p, 'a', 16);
        assert_true(n * (64 + sizeof(OutboxLine)) <= OUTBOX_MAX + 1024);

        while (pair_write(&p) == OUTBOX_BLOCKED)
                (void) pair_read(&p, &got);
        (void) pair_read(&p, &got);
        assert_int_equal(got.size, n * 16);
        pair_done(&p);
}

static void test_dead_host(_unused_ void **state) {
        Pair p;

        pair_init(&p);
        closep(&p.host);
        p.host = -EBADF;
        pair_push(&p, 'a', 10);
        assert_int_equal(pair_write(&p), -EPIPE);
        pair_done(&p);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_slow_host),
                cmocka_unit_test(test_torn_line),
                cmocka_unit_test(test_untouched_line),
                cmocka_unit_test(test_torn_and_blocked),
                cmocka_unit_test(test_host_leaves),
                cmocka_unit_test(test_many_small_lines),
                cmocka_unit_test(test_dead_host),
        };

        (void) signal(SIGPIPE, SIG_IGN);
        return cmocka_run_group_tests_name("outbox", tests, NULL, NULL);
}
