/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "qga-policy/binary.h"

#define QGA_BINARY_CHUNK (64U * 1024U)

/* So many bytes are kept from one chunk to the next. No string that matters is longer. */
#define QGA_BINARY_OVERLAP 256U

/* Properties of QEMU itself, whose names look like those of RPCs. */
static const char *const no_rpcs[] = {"guest-agent", "guest-visible-workarounds"};

void qga_binary_done(QgaBinary *binary) {
        names_done(&binary->names);
        free(binary->conf);
        *binary = (QgaBinary) {};
}

static bool qga_binary_is_name_byte(char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

static bool qga_binary_ends_in(const char *end, size_t size, const char *text) {
        size_t n = strlen(text);

        return size >= n && memcmp(end - n, text, n) == 0;
}

static int qga_binary_take_name(QgaBinary *b, const char *end, size_t size) {
        static const char prefix[] = "guest-";
        _cleanup_free_ char *name = strndup(end - size, size);

        if (!name)
                return -ENOMEM;
        if (!startswith(name, prefix) || size == strlen(prefix) || endswith(name, "-") || !name_is_plain(name))
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(no_rpcs); i++)
                if (streq(no_rpcs[i], name))
                        return 0;

        return names_add(&b->names, name);
}

/*
 * Take a string by its end. Only the end counts, because the linker may have merged the string with the end of a longer
 * one.
 * @most: how many bytes before @end are readable
 */
static int qga_binary_take_string(QgaBinary *b, const char *end, size_t most) {
        static const char conf[] = "/qemu-ga.conf";
        size_t n = 0;

        while (n < most && qga_binary_is_name_byte(end[-1 - (ptrdiff_t) n]))
                n++;

        if (qga_binary_ends_in(end, n, "blacklist"))
                b->blacklist = true;
        else if (qga_binary_ends_in(end, n, "block-rpcs"))
                b->block_rpcs = true;
        else if (qga_binary_ends_in(end, n, "allow-rpcs"))
                b->allow_rpcs = true;

        if (!b->conf && qga_binary_ends_in(end, most, conf)) {
                for (n = 0; n < most && end[-1 - (ptrdiff_t) n] > ' ' && end[-1 - (ptrdiff_t) n] < 0x7F;)
                        n++;
                if (end[-(ptrdiff_t) n] == '/') {
                        b->conf = strndup(end - n, n);
                        if (!b->conf)
                                return -ENOMEM;
                }
                return 0;
        }

        return qga_binary_take_name(b, end, n);
}

static int qga_binary_scan(QgaBinary *b, const char *data, size_t kept, size_t size) {
        const char *p = data + kept, *end = data + size;

        while ((p = memchr(p, 0, (size_t) (end - p)))) {
                size_t most = (size_t) (p - data);
                int r;

                if (most > 0 && qga_binary_is_name_byte(p[-1])) {
                        r = qga_binary_take_string(b, p, most < QGA_BINARY_OVERLAP ? most : QGA_BINARY_OVERLAP);
                        if (r < 0)
                                return r;
                }
                p++;
        }

        return 0;
}

static int qga_binary_read_all(int fd, QgaBinary *b) {
        _cleanup_free_ char *data = malloc(QGA_BINARY_OVERLAP + QGA_BINARY_CHUNK);
        size_t kept = 0, total = 0;

        if (!data)
                return -ENOMEM;

        while (total < QGA_BINARY_MAX) {
                ssize_t n = read(fd, data + kept, QGA_BINARY_CHUNK);
                int r;

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return negative_errno();
                if (n == 0)
                        break;
                if (total == 0 && (n < 4 || memcmp(data, "\177ELF", 4) != 0))
                        return -EBADMSG;

                r = qga_binary_scan(b, data, kept, kept + (size_t) n);
                if (r < 0)
                        return r;

                total += (size_t) n;
                kept += (size_t) n;
                if (kept > QGA_BINARY_OVERLAP) {
                        memmove(data, data + kept - QGA_BINARY_OVERLAP, QGA_BINARY_OVERLAP);
                        kept = QGA_BINARY_OVERLAP;
                }
        }

        return 0;
}

int qga_binary_read(const Root *root, const char *path, QgaBinary *ret) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        assert(ret);

        *ret = (QgaBinary) {};
        r = root_open(root, path, &fd);
        if (r != ROOT_OK)
                return r == ROOT_FOREIGN ? -ENOENT : r;

        r = qga_binary_read_all(fd, ret);
        if (r >= 0 && (ret->names.n == 0 || !(ret->blacklist || ret->block_rpcs)))
                r = -EBADMSG;
        if (r < 0) {
                qga_binary_done(ret);
                return r;
        }

        /* The order of strings in the file changes with each build; reports must not change with it. */
        qsort(ret->names.list, ret->names.n, sizeof(char *), strv_compare);
        return 0;
}
