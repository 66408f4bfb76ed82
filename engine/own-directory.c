/* SPDX-License-Identifier: Apache-2.0 */

/* Tested by tests/unit/engine/test-engine.c, and by the golden machine module-directories-missing. */

#include <fcntl.h>

#include "engine/own-directory.h"

static bool own_directory_is_used(const Ledger *files, const char *path) {
        for (size_t i = 0; i < files->n_files; i++)
                if (path_is_within(files->files[i].path, path))
                        return true;
        for (size_t i = 0; i < files->n_tokens; i++)
                if (path_is_within(files->tokens[i].path, path))
                        return true;

        return false;
}

void own_directories_remove(const Root *root, const Ledger *made, const Ledger *files) {
        /* A directory is removed after those in it: each pass removes at least one, or is the last. */
        for (bool removed = true; removed;) {
                removed = false;
                for (size_t i = 0; i < made->n_directories; i++) {
                        const char *path = made->directories[i].path, *name;
                        _cleanup_close_ int fd = -EBADF;

                        if (!own_directory_is_used(files, path) &&
                            root_open_parent(root, path, false, &fd, &name) == ROOT_OK &&
                            unlinkat(fd, name, AT_REMOVEDIR) >= 0)
                                removed = true;
                }
        }
}

void own_directories_settle(const Root *root, Ledger *ledger) {
        own_directories_remove(root, ledger, ledger);
        for (size_t i = 0; i < ledger->n_directories;)
                if (own_directory_is_used(ledger, ledger->directories[i].path))
                        i++;
                else
                        ledger_drop_directory(ledger, ledger->directories + i);
}
