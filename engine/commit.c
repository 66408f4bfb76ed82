/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <fcntl.h>
#include <sys/resource.h>

#include "engine/commit.h"
#include "engine/hash.h"
#include "engine/boot-flush.h"
#include "engine/unit-jobs.h"
#include "core/replace.h"

/* As many files are renamed before they are flushed: each holds two descriptors from the one to the other. */
#define BATCH 128U

/* A transaction under way. */
typedef struct Commit {
        const Survey *survey;
        const Root *root;
        Transaction *t;
        Replacement *staged;  /* one for each file */
        const char **paths;   /* of those that the boot loader reads */
        size_t n_paths;
        size_t n_staged, n_renamed, n_written;
        bool intent_written;
        char **error;
} Commit;

static void commit_done(Commit *c) {
        for (size_t i = 0; i < c->n_staged; i++)
                replacement_done(c->staged + i);
        free(c->staged);
        free(c->paths);
}

static int fail(Commit *c, int r, const char *path, const char *what) {
        free(*c->error);
        *c->error = xasprintf("%s %s: %s", path, what, strerror(-r));
        return r;
}

/* Completes the ledger with the hashes of what will be written, and drops files that are no longer ours to remove. */
static int seal(Commit *c) {
        Transaction *t = c->t;
        char hash[HASH_TEXT_SIZE];

        for (size_t i = 0; i < t->n_files; i++) {
                FileChange *f = t->files + i;
                LedgerFile *record = ledger_file(t->ledger, f->path);

                if (f->gone) {
                        const LedgerFile *before = ledger_file(c->survey->view.ledger, f->path);

                        hash_buffer(&f->old, hash);
                        if (!before || streq(before->sha256, hash))
                                continue;

                        /* An administrator made it his own. */
                        transaction_drop_file(t, i--);
                } else if (record) {
                        hash_buffer(&f->new, hash);
                        if (free_and_strdup(&record->sha256, hash) < 0)
                                return -ENOMEM;
                }
        }

        return 0;
}

static int compare_paths(const void *a, const void *b) {
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Of the files of a transaction, those that are boot stores. */
static int list_boot_files(Commit *c) {
        const BootStores *stores = c->survey->stores;
        _cleanup_free_ const char **sorted = calloc(stores->n_stores + 1, sizeof(char *));

        if (!sorted)
                return -ENOMEM;

        for (size_t i = 0; i < stores->n_stores; i++)
                sorted[i] = stores->stores[i]->path;
        qsort(sorted, stores->n_stores, sizeof(char *), compare_paths);

        for (size_t i = 0; i < c->t->n_files; i++)
                if (bsearch(&c->t->files[i].path, sorted, stores->n_stores, sizeof(char *), compare_paths))
                        c->paths[c->n_paths++] = c->t->files[i].path;

        return 0;
}

static int check_settling(Commit *c) {
        const char *path = NULL, *on_root;
        int r;

        c->paths = calloc(c->t->n_files + 1, sizeof(char *));
        if (!c->paths)
                return -ENOMEM;
        if (c->survey->view.machine->kind != MACHINE_LIVE)
                return 0;

        r = list_boot_files(c);
        if (r < 0)
                return r;

        r = settle_check(c->root, c->paths, c->n_paths, &path, &on_root);
        if (r == -EBUSY)
                return fail(c, r, path, "lies on a file system that somebody has frozen");
        if (r < 0)
                return fail(c, r, path, "cannot be brought to the disk");

        if (on_root && startswith(on_root, "/boot/"))
                c->t->note = xasprintf("%s lies on the root file system, an XFS: it is flushed, but if this guest is "
                                       "reset before it has shut down in order, GRUB may still see the old file",
                                       on_root);
        return 0;
}

static int settle_files(Commit *c) {
        const char *path = NULL;
        int r = settle(c->root, c->paths, c->n_paths, &path);

        return r < 0 ? fail(c, r, path, "cannot be brought to the disk") : 0;
}

/* Each staged file holds a descriptor of its directory, and the first limit of a process is 1024. */
static void allow_many_files(void) {
        struct rlimit limit;

        if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == limit.rlim_max)
                return;

        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit);
}

static int stage_files(Commit *c) {
        allow_many_files();
        c->staged = calloc(c->t->n_files + 1, sizeof(Replacement));
        if (!c->staged)
                return -ENOMEM;

        for (size_t i = 0; i < c->t->n_files; i++) {
                const FileChange *f = c->t->files + i;
                int r;

                r = replacement_stage(c->root, f->path, f->gone ? NULL : &f->new, 0644, c->staged + i);
                if (r < 0)
                        return fail(c, r, f->path, "cannot be written");
                c->n_staged++;
        }

        return 0;
}

static int add_intent(Ledger *ledger, const FileChange *f) {
        LedgerIntent *intent = ledger_add_intent(ledger);
        char hash[HASH_TEXT_SIZE];
        int r;

        if (!intent)
                return -ENOMEM;

        r = free_and_strdup(&intent->path, f->path);
        if (r >= 0 && f->existed) {
                hash_buffer(&f->old, hash);
                r = free_and_strdup(&intent->old, hash);
        }
        if (r >= 0 && !f->gone) {
                hash_buffer(&f->new, hash);
                r = free_and_strdup(&intent->new, hash);
        }

        return r;
}

static int write_intent(Commit *c) {
        _cleanup_(ledger_freep) Ledger *ledger = NULL;
        int r;

        r = ledger_copy(c->survey->view.ledger, &ledger);
        if (r >= 0)
                r = ledger_copy(c->t->ledger, &ledger->next);
        for (size_t i = 0; r >= 0 && i < c->t->n_files; i++)
                r = add_intent(ledger, c->t->files + i);
        if (r >= 0)
                r = ledger_write(c->root, ledger);
        if (r < 0)
                return fail(c, r, LEDGER_PATH, "cannot be written");

        c->intent_written = true;
        return 0;
}

/* Somebody may have edited the file since it was read. */
static int check_unchanged(Commit *c, const FileChange *f) {
        _cleanup_buffer_ Buffer is = BUFFER_NULL;
        int r;

        r = root_read(c->root, f->path, f->old.size + 1, &is);
        if (r == -ENOENT && !f->existed)
                return 0;
        if (r >= 0 && f->existed && buffer_equal(&is, &f->old))
                return 0;
        if (r < 0 && r != -ENOENT && r != -EFBIG)
                return fail(c, r, f->path, "cannot be read");

        return fail(c, -ESTALE, f->path, "was changed by somebody else in this moment; try again");
}

/* A folder of drop-ins that the last of them has left means nothing, and may have been made for it. */
static void drop_empty_folder(const Root *root, const FileChange *f) {
        _cleanup_free_ char *folder = strndup(f->path, (size_t) (strrchr(f->path, '/') - f->path));
        _cleanup_close_ int fd = -EBADF;
        const char *name;

        if (f->unit && folder && endswith(folder, ".d") && root_open_parent(root, folder, false, &fd, &name) == ROOT_OK)
                (void) unlinkat(fd, name, AT_REMOVEDIR);
}

static int flush_files(Commit *c, size_t first, size_t end) {
        for (size_t i = first; i < end; i++) {
                int r = replacement_sync(c->staged + i);

                if (r < 0)
                        return fail(c, r, c->t->files[i].path, "cannot be flushed");
                if (c->t->files[i].gone)
                        drop_empty_folder(c->root, c->t->files + i);

                /* The old file is let go when all has settled; only of very many that cannot be waited for. */
                if (c->n_staged > BATCH)
                        replacement_done(c->staged + i);
        }

        return 0;
}

static int rename_files(Commit *c) {
        size_t flushed = 0;
        int r;

        for (size_t i = 0; i < c->n_staged; i++) {
                r = check_unchanged(c, c->t->files + i);
                if (r < 0)
                        return r;
                r = replacement_commit(c->staged + i);
                if (r < 0)
                        return fail(c, r, c->t->files[i].path, "cannot be replaced");
                c->n_renamed++;

                if (c->n_renamed - flushed < BATCH && c->n_renamed < c->n_staged)
                        continue;
                r = flush_files(c, flushed, c->n_renamed);
                if (r < 0)
                        return r;
                flushed = c->n_renamed;
        }

        return 0;
}

static int write_attributes(Commit *c) {
        for (size_t i = 0; i < c->t->n_attributes; i++) {
                const AttributeChange *a = c->t->attributes + i;
                int r;

                if (!a->at_boot) {
                        r = write_attribute(c->root, a->path, a->new);
                        if (r < 0)
                                return fail(c, r, a->path, "cannot be written");
                }
                c->n_written++;
        }

        return 0;
}

static int write_ledger(Commit *c) {
        int r = ledger_write(c->root, c->t->ledger);

        return r < 0 ? fail(c, r, LEDGER_PATH, "cannot be written") : 0;
}

/* Give a file the bytes that it had. */
static int put_back(const Commit *c, const FileChange *f) {
        _cleanup_(replacement_done) Replacement back = REPLACEMENT_NULL;
        int r;

        r = replacement_stage(c->root, f->path, f->existed ? &f->old : NULL, 0644, &back);
        if (r >= 0)
                r = replacement_commit(&back);

        if (r >= 0)
                r = replacement_sync(&back);
        if (r >= 0 && !f->existed)
                drop_empty_folder(c->root, f);

        return r;
}

/*
 * The way back. What fails here cannot be mended by this process: the intent then stays in the ledger, and
 * the next run settles it.
 */
static void undo(Commit *c) {
        bool clean = true, renamed = c->n_renamed > 0;
        const char *where;

        while (c->n_written > 0) {
                const AttributeChange *a = c->t->attributes + --c->n_written;

                if (!a->at_boot && a->old)
                        clean = write_attribute(c->root, a->path, a->old) >= 0 && clean;
        }

        while (c->n_renamed > 0)
                clean = put_back(c, c->t->files + --c->n_renamed) >= 0 && clean;
        if (renamed)
                clean = settle(c->root, c->paths, c->n_paths, &where) >= 0 && clean;

        /* What was only staged, or could not even be staged, may have got a folder already. */
        for (size_t i = 0; i <= c->n_staged && i < c->t->n_files; i++) {
                if (i < c->n_staged)
                        replacement_done(c->staged + i);
                if (!c->t->files[i].existed)
                        drop_empty_folder(c->root, c->t->files + i);
        }

        if (c->intent_written && clean && ledger_write(c->root, c->survey->view.ledger) >= 0)
                c->intent_written = false;
}

static int change_everything(Commit *c) {
        int r;

        r = check_settling(c);
        if (r >= 0)
                r = stage_files(c);
        if (r >= 0)
                r = settle_files(c);
        if (r >= 0)
                r = write_intent(c);
        if (r >= 0)
                r = rename_files(c);
        if (r >= 0)
                r = settle_files(c);
        if (r >= 0)
                r = write_attributes(c);
        if (r >= 0)
                r = write_ledger(c);

        return r;
}

/* Units ------------------------------------------------------------------------------------------------- */

static bool reads_changed_file(const Transaction *t, const char *unit) {
        for (size_t i = 0; i < t->n_files; i++)
                if (streq_ptr(t->files[i].unit, unit))
                        return true;

        return false;
}

/* Give the ledger of afterwards the record of before. */
static int restore_record(Commit *c, const char *path) {
        const LedgerFile *before = ledger_file(c->survey->view.ledger, path);
        LedgerFile *record = ledger_file(c->t->ledger, path);

        if (!before) {
                if (record)
                        ledger_drop_file(c->t->ledger, record);
                return 0;
        }

        if (!record)
                record = ledger_add_file(c->t->ledger);
        return !record || free_and_strdup(&record->practice, before->practice) < 0 ||
                               free_and_strdup(&record->path, before->path) < 0 ||
                               free_and_strdup(&record->sha256, before->sha256) < 0 ||
                               free_and_strdup(&record->unit, before->unit) < 0 ||
                               free_and_strdup(&record->boot_id, before->boot_id) < 0
                       ? -ENOMEM
                       : 0;
}

/* What was reverted by hand and is back is not held. */
static void restore_hold(Commit *c, const char *practice) {
        if (!ledger_hold(c->survey->view.ledger, practice))
                ledger_drop_hold(c->t->ledger, practice);
}

/* A service that does not come up gets the files that it had. That it may not run with those either is no failure. */
static int give_back(Commit *c, const UnitAction *u, bool *ret_runs) {
        int r = 0;

        restore_hold(c, u->practice);
        for (size_t i = 0; r >= 0 && i < c->t->n_files; i++) {
                const FileChange *f = c->t->files + i;

                if (streq_ptr(f->unit, u->unit)) {
                        r = put_back(c, f);
                        if (r >= 0)
                                r = restore_record(c, f->path);
                }
        }

        if (r >= 0)
                r = write_ledger(c);
        if (r >= 0)
                r = units_reload();
        if (r >= 0)
                *ret_runs = unit_act(u->unit, "RestartUnit") >= 0;

        return r;
}

static int fail_unit(Commit *c, const UnitAction *u, int r, const char *why) {
        bool runs = false;
        int back;

        why = why ? why : strerror(-r);
        if (!reads_changed_file(c->t, u->unit)) {
                free(*c->error);
                *c->error = xasprintf("%s did not come up: %s", u->unit, why);
                return -r;
        }

        back = give_back(c, u, &runs);
        free(*c->error);
        *c->error = back < 0 ? xasprintf("%s did not come up: %s; and its old configuration cannot be put back: %s",
                                         u->unit, why, strerror(-back))
                             : xasprintf("%s did not come up: %s; its old configuration is back%s", u->unit, why,
                                         runs ? "" : ", and it does not run with that either");
        return -r;
}

/* Whether it ran before says whose fault it is that it does not run now. */
static int act_on_unit(Commit *c, UnitAction *u) {
        _cleanup_free_ char *why = NULL;
        bool was_up = true;
        int r;

        r = u->service ? service_restart(u->unit, u->expect, &was_up, &why) : unit_act(u->unit, "RestartUnit");
        u->restarted = r > 0 || (r == 0 && !u->service);
        if (r >= 0)
                return 0;
        if (was_up)
                return fail_unit(c, u, r, why);

        free(*c->error);
        *c->error = xasprintf("%s had failed before, and still does not come up: %s", u->unit, why ? why : strerror(-r));
        return -r;
}

/* Return: 0, or the positive errno of the first unit that failed. */
static int act_on_units(Commit *c) {
        int first = 0, r = 0;

        if (c->survey->view.machine->kind != MACHINE_LIVE)
                return 0;

        /* Also where no file of ours changes: somebody may have edited one, and not said so. */
        if (c->t->n_units > 0)
                r = units_reload();

        for (size_t i = 0; i < c->t->n_units; i++) {
                int failed = r < 0 ? fail_unit(c, c->t->units + i, r, "the service manager cannot read its files again")
                                   : act_on_unit(c, c->t->units + i);

                if (first == 0)
                        first = failed;
        }

        return first;
}

int engine_commit(const Survey *survey, Transaction *t, char **ret_error) {
        _cleanup_(commit_done) Commit c = {.survey = survey, .root = survey->root, .t = t, .error = ret_error};
        int r;

        assert(!t->refusal);

        r = seal(&c);
        if (r >= 0)
                r = change_everything(&c);
        if (r < 0) {
                undo(&c);
                return r;
        }

        return act_on_units(&c);
}
