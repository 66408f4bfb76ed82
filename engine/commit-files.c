/* SPDX-License-Identifier: Apache-2.0 */

#include <fcntl.h>

#include "engine/boot-flush.h"
#include "engine/commit-internal.h"
#include "engine/hash.h"
#include "engine/own-directory.h"

/* So many files are renamed before they are flushed: each holds its old file open between the two steps. */
#define COMMIT_BATCH 128U

int commit_seal_files(Commit *c) {
        Transaction *t = c->t;
        char hash[HASH_TEXT_SIZE];

        for (size_t i = 0; i < t->n_files; i++) {
                FileChange *f = t->files + i;
                LedgerFile *record = ledger_file(t->ledger, f->path);

                if (f->gone) {
                        const LedgerFile *before = ledger_file(c->survey->ledger, f->path);

                        hash_buffer(&f->old, hash);
                        if (!before || streq(before->sha256, hash))
                                continue;

                        /* An administrator edited it, so it is his file now. */
                        transaction_drop_file(t, i--);
                } else if (record) {
                        hash_buffer(&f->new, hash);
                        if (free_and_strdup(&record->sha256, hash) < 0)
                                return -ENOMEM;
                }
        }

        return 0;
}

int commit_check_boot_files(Commit *c) {
        const char *path = NULL, *on_root;
        int r;

        c->paths = calloc(c->t->n_files + 1, sizeof(char *));
        if (!c->paths)
                return -ENOMEM;
        if (c->survey->machine->kind != MACHINE_LIVE)
                return 0;

        for (size_t i = 0; i < c->t->n_files; i++)
                if (boot_stores_by_path(c->survey->stores, c->t->files[i].path))
                        c->paths[c->n_paths++] = c->t->files[i].path;

        r = boot_flush_check(c->root, c->paths, c->n_paths, &path, &on_root);
        if (r < 0) {
                commit_set_error(c, boot_flush_explain(path, r));
                return r;
        }

        if (on_root && startswith(on_root, "/boot/"))
                c->t->note = xasprintf("%s lies on the root file system, an XFS: it is flushed, but if this %s is "
                                       "reset before it has shut down in order, GRUB may still see the old file",
                                       on_root, c->survey->side->name);
        return 0;
}

int commit_flush_boot_files(Commit *c) {
        const char *path = NULL;
        int r;

        r = boot_flush(c->root, c->paths, c->n_paths, &path);
        if (r < 0)
                commit_set_error(c, boot_flush_explain(path, r));

        return r;
}

int commit_stage_files(Commit *c) {
        c->staged = calloc(c->t->n_files + 1, sizeof(Replacement));
        if (!c->staged)
                return -ENOMEM;

        for (size_t i = 0; i < c->t->n_files; i++) {
                const FileChange *f = c->t->files + i;
                int r;

                r = replacement_stage(c->root, i > 0 ? c->staged + i - 1 : NULL, f->path, f->gone ? NULL : &f->new,
                                      0644, c->staged + i);
                if (r < 0)
                        return commit_fail(c, r, f->path, "cannot be written");
                c->n_staged++;
        }

        return 0;
}

/* Another process may have edited the file since it was read, or have moved its directory away. */
static int commit_check_unchanged(Commit *c, size_t i, bool with_folder) {
        const FileChange *f = c->t->files + i;
        int r;

        r = with_folder ? replacement_check_folder(c->root, c->staged + i) : 0;
        if (r >= 0)
                r = replacement_check_target(c->staged + i, f->existed ? &f->old : NULL);
        if (r == -ESTALE)
                return commit_fail(c, r, f->path, "was changed by somebody else in this moment; try again");

        return r < 0 ? commit_fail(c, r, f->path, "cannot be read") : 0;
}

/* An empty folder of drop-ins means nothing, and may have been made for the drop-in that is gone. */
static void commit_drop_empty_folder(const Root *root, const FileChange *f) {
        _cleanup_free_ char *folder = strndup(f->path, (size_t) (strrchr(f->path, '/') - f->path));
        _cleanup_close_ int fd = -EBADF;
        const char *name;

        if (f->unit && folder && endswith(folder, ".d") && root_open_parent(root, folder, false, &fd, &name) == ROOT_OK)
                (void) unlinkat(fd, name, AT_REMOVEDIR);
}

/* Whether a file is the first of a batch in its directory. */
static bool commit_enters_folder(const Commit *c, size_t first, size_t i) {
        return i == first || c->staged[i].folder != c->staged[i - 1].folder;
}

static int commit_flush_files(Commit *c, size_t first, size_t end) {
        for (size_t i = first; i < end; i++) {
                int r = 0;

                if (commit_enters_folder(c, first, i))
                        r = replacement_sync_folder(c->staged + i);
                if (r >= 0)
                        r = replacement_sync_file(c->staged + i);
                if (r < 0)
                        return commit_fail(c, r, c->t->files[i].path, "cannot be flushed");
                if (c->t->files[i].gone)
                        commit_drop_empty_folder(c->root, c->t->files + i);
        }

        /* Old files are held open until the boot files are flushed; of more than a batch there are too many. */
        for (size_t i = first; c->n_staged > COMMIT_BATCH && i < end; i++)
                replacement_done(c->staged + i);

        return 0;
}

int commit_rename_files(Commit *c) {
        size_t flushed = 0;
        int r;

        for (size_t i = 0; i < c->n_staged; i++) {
                r = commit_check_unchanged(c, i, commit_enters_folder(c, flushed, i));
                if (r < 0)
                        return r;
                r = replacement_commit(c->staged + i);
                if (r < 0)
                        return commit_fail(c, r, c->t->files[i].path, "cannot be replaced");
                c->n_renamed++;

                if (c->n_renamed - flushed < COMMIT_BATCH && c->n_renamed < c->n_staged)
                        continue;
                r = commit_flush_files(c, flushed, c->n_renamed);
                if (r < 0)
                        return r;
                flushed = c->n_renamed;
        }

        return 0;
}

int commit_put_back(const Commit *c, const FileChange *f) {
        _cleanup_(replacement_done) Replacement back = REPLACEMENT_NULL;
        int r;

        /* Another process has renamed it, as systemd-bless-boot does: the old file would be a second entry. */
        if (f->existed && !f->gone && !root_exists(c->root, f->path))
                return -ESTALE;

        r = replacement_stage(c->root, NULL, f->path, f->existed ? &f->old : NULL, 0644, &back);
        if (r < 0)
                return r;
        r = replacement_commit(&back);
        if (r < 0)
                return r;
        r = replacement_sync(&back);
        if (r < 0)
                return r;

        if (!f->existed)
                commit_drop_empty_folder(c->root, f);
        return 0;
}

bool commit_undo_files(Commit *c) {
        bool clean = true, renamed = c->n_renamed > 0;
        const char *where;

        while (c->n_renamed > 0)
                clean = commit_put_back(c, c->t->files + --c->n_renamed) >= 0 && clean;
        if (renamed)
                clean = boot_flush(c->root, c->paths, c->n_paths, &where) >= 0 && clean;

        for (size_t i = 0; i < c->n_staged; i++)
                replacement_done(c->staged + i);

        /* A file that was only staged, or could not even be staged, may have got a directory already. */
        own_directories_remove(c->root, c->t->ledger, c->survey->ledger);

        return clean;
}
