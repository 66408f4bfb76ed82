/* SPDX-License-Identifier: Apache-2.0 */

/* Tested by tests/unit/core/test-root.c. */

#include "core/sight.h"

static int sight_content(const Root *root, const Sight *sight) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;

        return root_read(root, sight->path, sight->max, &b);
}

static int sight_names(const Root *root, const Sight *sight) {
        _cleanup_(strv_freep) char **names = NULL;

        return root_list(root, sight->path, &names);
}

static int sight_presence(const Root *root, const Sight *sight) {
        return root_exists(root, sight->path);
}

static int sight_metadata(const Root *root, const Sight *sight) {
        struct stat st;

        return root_stat(root, sight->path, &st);
}

static int sight_file(const Root *root, const Sight *sight) {
        _cleanup_close_ int fd = -EBADF;

        return root_open(root, sight->path, &fd);
}

static int sight_real_path(const Root *root, const Sight *sight) {
        _cleanup_free_ char *real = NULL;

        return root_resolve(root, sight->path, &real);
}

static int sight_mask(const Root *root, const Sight *sight) {
        return root_is_mask(root, sight->path);
}

static int sight_device(const Root *root, const Sight *sight) {
        _cleanup_free_ void *bytes = malloc(sight->max);

        return bytes ? root_read_device(root, sight->path, sight->max, bytes) : -ENOMEM;
}

static void sight_take_digest(const Sight *sight, void *userdata) {
        *(uint64_t *) userdata = sight->digest;
}

int sight_again(Root *root, Sight *sight) {
        static int (*const looks[_SIGHT_KIND_MAX])(const Root *root, const Sight *sight) = {
                [SIGHT_CONTENT] = sight_content,
                [SIGHT_NAMES] = sight_names,
                [SIGHT_PRESENCE] = sight_presence,
                [SIGHT_METADATA] = sight_metadata,
                [SIGHT_FILE] = sight_file,
                [SIGHT_REAL_PATH] = sight_real_path,
                [SIGHT_MASK] = sight_mask,
                [SIGHT_DEVICE] = sight_device,
        };
        uint64_t digest = sight->digest;
        int r;

        root_trace(root, &(RootTrace) {.after = sight_take_digest, .userdata = &digest});
        r = looks[sight->kind](root, sight);
        root_trace(root, NULL);
        if (r == -ENOMEM)
                return r;

        sight->digest = digest;
        return 0;
}
