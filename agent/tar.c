/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "agent/tar.h"

#define BLOCK 512U

typedef struct Header {
        char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100];
        char magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], padding[12];
} Header;

_Static_assert(sizeof(Header) == BLOCK, "a tar header is one block");

/* A long path is cut at a slash: what stands before it goes into the prefix. */
static int split_name(Header *h, const char *path) {
        size_t size = strlen(path), cut;

        if (size <= sizeof(h->name)) {
                memcpy(h->name, path, size);
                return 0;
        }

        for (cut = size - sizeof(h->name) - 1; cut < size && path[cut] != '/'; cut++)
                ;
        if (cut >= size || cut > sizeof(h->prefix))
                return -ENAMETOOLONG;

        memcpy(h->prefix, path, cut);
        memcpy(h->name, path + cut + 1, size - cut - 1);
        return 0;
}

/* Octal digits and a NUL, zero padded. */
static void octal(char *field, size_t size, unsigned long value) {
        char text[24];

        (void) snprintf(text, sizeof(text), "%0*lo", (int) size - 1, value);
        memcpy(field, text, size);
}

static void sign(Header *h) {
        unsigned long sum = 0;

        memset(h->checksum, ' ', sizeof(h->checksum));
        for (size_t i = 0; i < sizeof(*h); i++)
                sum += ((const unsigned char *) h)[i];

        octal(h->checksum, 7, sum);
}

static int pad(Buffer *b, size_t size) {
        static const char zeros[BLOCK];

        return buffer_append(b, zeros, (BLOCK - size % BLOCK) % BLOCK);
}

int tar_add(Buffer *b, TarType type, const char *path, mode_t mode, const Buffer *content, const char *target) {
        size_t size = content ? content->size : 0;
        Header h = {.type = (char) type, .magic = "ustar", .version = {'0', '0'}};
        int r;

        assert(path[0] == '/' && path[1]);

        r = split_name(&h, path + 1);
        if (r < 0)
                return r;
        if (target && strlen(target) > sizeof(h.link))
                return -ENAMETOOLONG;
        if (target)
                memcpy(h.link, target, strlen(target));

        octal(h.mode, sizeof(h.mode), mode & 07777);
        octal(h.uid, sizeof(h.uid), 0);
        octal(h.gid, sizeof(h.gid), 0);
        octal(h.size, sizeof(h.size), size);
        octal(h.mtime, sizeof(h.mtime), 0);
        sign(&h);

        r = buffer_append(b, &h, sizeof(h));
        if (r >= 0 && content)
                r = buffer_append(b, content->data, content->size);

        return r < 0 ? r : pad(b, size);
}

int tar_finish(Buffer *b) {
        static const char zeros[2 * BLOCK];

        return buffer_append(b, zeros, sizeof(zeros));
}
