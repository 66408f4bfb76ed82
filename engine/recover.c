/* SPDX-License-Identifier: Apache-2.0 */

#include <fcntl.h>

#include "core/replace.h"
#include "engine/boot-flush.h"
#include "engine/hash.h"
#include "engine/own-directory.h"
#include "engine/ownership.h"
#include "engine/recover-internal.h"

static bool hash_is(const Buffer *b, const char *expected) {
        char hash[HASH_TEXT_SIZE];

        if (!b || !expected)
                return !b && !expected;

        hash_buffer(b, hash);
        return streq(hash, expected);
}

/*
 * systemd-boot renames an entry at each boot that it counts, so that the boot after a crash has it under another name.
 * Only new bytes count: the ledger's record of them stays true (engine/ownership.h), and old ones must not come back
 * under the old name. Return: 1 if an entry that is so renamed has the new bytes, 0 or -errno.
 */
static int recovery_is_recounted(const Root *root, const LedgerIntent *intent) {
        const char *name = strrchr(intent->path, '/') + 1;
        _cleanup_free_ char *folder = strndup(intent->path, (size_t) (name - intent->path));
        _cleanup_(strv_freep) char **names = NULL;
        int r;

        if (!folder)
                return -ENOMEM;

        r = intent->new && endswith(name, ".conf") ? root_list(root, folder, &names) : 0;
        if (r == -ENOMEM)
                return r;

        for (char **n = names; n && *n; n++) {
                _cleanup_free_ char *path = ownership_is_recounted(name, *n) ? xasprintf("%s%s", folder, *n) : NULL;
                _cleanup_buffer_ Buffer is = BUFFER_NULL;

                if (path && root_read(root, path, BOOT_FILE_MAX, &is) >= 0 && hash_is(&is, intent->new))
                        return 1;
        }

        return 0;
}

static int recovery_look_at_target(const Root *root, const LedgerIntent *intent, Found *ret) {
        _cleanup_buffer_ Buffer is = BUFFER_NULL;
        const Buffer *content = &is;
        int r;

        r = root_read(root, intent->path, BOOT_FILE_MAX, &is);
        if (r == -ENOENT) {
                content = NULL;
                r = recovery_is_recounted(root, intent);
                if (r > 0) {
                        *ret = FOUND_NEW;
                        return 0;
                }
        }
        if (r < 0)
                return r;

        *ret = hash_is(content, intent->new)   ? FOUND_NEW
               : hash_is(content, intent->old) ? FOUND_OLD
                                               : FOUND_OTHER;
        return 0;
}

static char *staged_path(const char *path) {
        const char *name = strrchr(path, '/') + 1;
        _cleanup_free_ char *staged = replacement_staged_name(name);

        return staged ? xasprintf("%.*s%s", (int) (name - path), path, staged) : NULL;
}

static int staged_is_whole(const Root *root, const LedgerIntent *intent, bool *ret) {
        _cleanup_free_ char *path = staged_path(intent->path);
        _cleanup_buffer_ Buffer is = BUFFER_NULL;
        int r;

        *ret = true;
        if (!intent->new)
                return 0;
        if (!path)
                return -ENOMEM;

        r = root_read(root, path, BOOT_FILE_MAX, &is);
        *ret = r >= 0 && hash_is(&is, intent->new);
        return r == -ENOMEM ? r : 0;
}

static int recovery_look(Recovery *v, char **ret_error) {
        v->found = calloc(v->ledger->n_intents + 1, sizeof(Found));
        if (!v->found)
                return -ENOMEM;

        v->forward = true;
        for (size_t i = 0; i < v->ledger->n_intents; i++) {
                const LedgerIntent *intent = v->ledger->intents + i;
                bool whole = true;
                int r;

                r = recovery_look_at_target(v->root, intent, v->found + i);
                if (r >= 0 && v->found[i] == FOUND_OLD)
                        r = staged_is_whole(v->root, intent, &whole);
                if (r < 0) {
                        *ret_error = xasprintf("%s cannot be read: %s", intent->path, error_text(-r));
                        return r;
                }
                if (v->found[i] == FOUND_OTHER || !whole)
                        v->forward = false;
        }

        return 0;
}

static int recovery_roll_forward(const Root *root, const LedgerIntent *intent) {
        _cleanup_(replacement_done) Replacement p = REPLACEMENT_NULL;
        int r;

        if (intent->new)
                r = replacement_adopt(root, intent->path, &p);
        else
                r = replacement_stage(root, NULL, intent->path, NULL, 0, &p);
        if (r < 0)
                return r;
        r = replacement_commit(&p);
        if (r < 0)
                return r;

        return replacement_sync(&p);
}

/* Nothing else has to be undone: gtuned wrote the targets that are renamed already, and the next plan sees them. */
static void staged_remove(const Root *root, const char *path) {
        _cleanup_(replacement_done) Replacement p = REPLACEMENT_NULL;

        (void) replacement_adopt(root, path, &p);
}

static int recovery_check_frozen(Recovery *v, char **ret_error) {
        const char *path = NULL, *on_root;
        int r;

        v->paths = calloc(v->ledger->n_intents + 1, sizeof(char *));
        if (!v->paths)
                return -ENOMEM;
        if (root_is_live(v->root))
                for (size_t i = 0; i < v->ledger->n_intents; i++)
                        v->paths[v->n_paths++] = v->ledger->intents[i].path;

        r = boot_flush_check(v->root, v->paths, v->n_paths, &path, &on_root);
        if (r < 0)
                *ret_error = boot_flush_explain(path, r);

        return r;
}

static int recovery_flush_files(Recovery *v, char **ret_error) {
        const char *path = NULL;
        int r;

        r = boot_flush(v->root, v->paths, v->n_paths, &path);
        if (r < 0)
                *ret_error = boot_flush_explain(path, r);

        return r;
}

/* A file that was renamed stays: the next plan sees it. Else it has its old bytes, and so it keeps its old records. */
static int recovery_roll_back(Recovery *v, const LedgerIntent *intent, Found found) {
        int r;

        staged_remove(v->root, intent->path);
        if (found == FOUND_NEW)
                return 0;

        r = recovery_keep_token_records(v, intent->path);
        if (r < 0)
                return r;

        return recovery_keep_file_record(v, intent->path);
}

static int recovery_finish_files(Recovery *v, char **ret_error) {
        for (size_t i = 0; i < v->ledger->n_intents; i++) {
                const LedgerIntent *intent = v->ledger->intents + i;
                int r = 0;

                if (!v->forward)
                        r = recovery_roll_back(v, intent, v->found[i]);
                else if (v->found[i] == FOUND_OLD)
                        r = recovery_roll_forward(v->root, intent);
                if (r < 0) {
                        *ret_error = xasprintf("%s cannot be settled: %s", intent->path, error_text(-r));
                        return r;
                }
        }

        return 0;
}

static char *recovery_describe(const Recovery *v) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;

        if (buffer_printf(&b, "an interrupted apply was %s", v->forward ? "completed" : "taken back") < 0)
                return NULL;
        for (size_t i = 0; i < v->ledger->n_intents; i++)
                if (v->found[i] == FOUND_OTHER &&
                    buffer_printf(&b, "; %s was changed by somebody else and is left alone",
                                  v->ledger->intents[i].path) < 0)
                        return NULL;

        return TAKE_PTR(b.data);
}

static int recovery_run(Recovery *v, char **ret_error) {
        int r;

        r = recovery_look(v, ret_error);
        if (r < 0)
                return r;
        r = recovery_check_frozen(v, ret_error);
        if (r < 0)
                return r;
        r = recovery_renew_records(v);
        if (r < 0)
                return r;
        r = recovery_finish_files(v, ret_error);
        if (r < 0)
                return r;
        r = recovery_keep_attributes(v);
        if (r < 0)
                return r;
        r = recovery_keep_side_changes(v, ret_error);
        if (r < 0)
                return r;
        r = recovery_flush_files(v, ret_error);
        if (r < 0)
                return r;

        own_directories_settle(v->root, v->ledger->next);
        r = ledger_write(v->root, v->ledger->next);
        if (r < 0)
                *ret_error = xasprintf("%s cannot be written: %s", v->ledger->path, error_text(-r));
        return r;
}

static void recovery_done(Recovery *v) {
        free(v->found);
        free(v->paths);
        ledger_free(v->ledger);
}

int recover(const Side *side, const Root *root, char **ret_note, char **ret_error) {
        _cleanup_(recovery_done) Recovery v = {.side = side, .root = root};
        int r;

        r = side_read_ledger(side, root, &v.ledger);
        if (r < 0 || !v.ledger->next)
                return r;

        r = recovery_run(&v, ret_error);
        if (r < 0)
                return r;

        *ret_note = recovery_describe(&v);
        return 0;
}

typedef struct Leftovers {
        const Root *root;
        const char **paths; /* of the targets */
        size_t n_paths;
        const char *last;   /* the target that was looked for last, and the directory of it */
        int directory;
} Leftovers;

static void leftovers_done(Leftovers *l) {
        closep(&l->directory);
        free(l->paths);
}

static int leftovers_add(Leftovers *l, const char *path) {
        _cleanup_free_ char *staged = replacement_staged_name(strrchr(path, '/') + 1);
        const char *name;
        int r;

        if (!staged)
                return -ENOMEM;

        if (!l->last || !same_folder(l->last, path)) {
                l->directory = safe_close(l->directory);
                l->last = path;
                (void) root_open_parent(l->root, path, false, &l->directory, &name);
        }
        if (l->directory < 0 || faccessat(l->directory, staged, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
                return 0;

        r = grow(&l->paths, l->n_paths, sizeof(char *));
        if (r >= 0)
                l->paths[l->n_paths++] = path;
        return r;
}

static int leftovers_find(const Survey *survey, Leftovers *l) {
        int r;

        r = leftovers_add(l, survey->ledger->path);
        for (size_t i = 0; r >= 0 && i < survey->stores->n_stores; i++)
                r = leftovers_add(l, survey->stores->stores[i]->path);
        for (size_t i = 0; r >= 0 && i < survey->ledger->n_files; i++)
                r = leftovers_add(l, survey->ledger->files[i].path);
        for (size_t i = 0; r >= 0 && i < survey->plan->n_changes; i++)
                if (survey->plan->changes[i].kind == CHANGE_FILE)
                        r = leftovers_add(l, survey->plan->changes[i].target);

        return r;
}

void recover_leftovers(const Survey *survey) {
        _cleanup_(leftovers_done) Leftovers l = {.root = survey->root, .directory = -EBADF};
        const char *where, *on_root;
        int r;

        r = leftovers_find(survey, &l);

        /* Removing would hang on a file system that is frozen. Apply says so when it wants to write. */
        if (r < 0 || (root_is_live(l.root) && l.n_paths > 0 &&
                      boot_flush_check(l.root, l.paths, l.n_paths, &where, &on_root) < 0))
                return;

        for (size_t i = 0; i < l.n_paths; i++)
                staged_remove(l.root, l.paths[i]);
}
