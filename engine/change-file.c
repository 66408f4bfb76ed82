/* SPDX-License-Identifier: Apache-2.0 */

#include "engine/change.h"

/* A file that a practice makes is small: a unit file, a list of modules. */
#define CHANGE_FILE_SIZE_MAX (1024U * 1024U)

static void file_change_done(FileChange *f) {
        free(f->path);
        free(f->unit);
        buffer_done(&f->old);
        buffer_done(&f->new);
}

static void change_file_done(Transaction *t) {
        for (size_t i = 0; i < t->n_files; i++)
                file_change_done(t->files + i);
        free(t->files);
        t->files = NULL;
        t->n_files = 0;
}

FileChange *change_add_file(Transaction *t, const char *path, const char *unit) {
        FileChange *f;

        if (grow(&t->files, t->n_files, sizeof(FileChange)) < 0)
                return NULL;

        f = t->files + t->n_files++;
        if (free_and_strdup(&f->path, path) < 0 || free_and_strdup(&f->unit, unit) < 0)
                return NULL;

        return f;
}

char *change_file_explain_flag(const char *path, const FileTraits *traits) {
        const char flag = traits->folder_flag ? traits->folder_flag : traits->flag;
        const char *what = traits->folder_flag ? "the directory of " : "";

        return xasprintf("%s%s is %s: take the flag away with `chattr -%c`, and set it again afterwards", what, path,
                         flag == 'i' ? "immutable" : "append-only", flag);
}

void transaction_drop_file(Transaction *t, size_t index) {
        FileChange f = t->files[index];

        memmove(t->files + index, t->files + index + 1, (t->n_files - index - 1) * sizeof(f));
        t->n_files--;
        if (f.unit)
                change_drop_unit(t, f.unit);
        file_change_done(&f);
}

static int change_file_record(const Survey *survey, Transaction *t, const Change *c) {
        LedgerFile *record = ledger_file(t->ledger, c->target);

        if (!record)
                record = ledger_add_file(t->ledger);
        if (!record || free_and_strdup(&record->practice, c->practice) < 0 ||
            free_and_strdup(&record->subject, c->subject) < 0 || free_and_strdup(&record->path, c->target) < 0 ||
            free_and_strdup(&record->unit, c->unit) < 0 ||
            free_and_strdup(&record->boot_id, survey->machine->boot_id) < 0)
                return -ENOMEM;

        ledger_drop_release(t->ledger, c->practice, c->subject);
        return 0;
}

int change_record_directories(const Survey *survey, Transaction *t, const char *path) {
        _cleanup_free_ char *directory = strdup(path);

        if (!directory)
                return -ENOMEM;

        for (char *slash; (slash = strrchr(directory, '/')) && slash > directory;) {
                LedgerDirectory *record;

                *slash = 0;
                if (root_exists(survey->root, directory))
                        return 0;
                if (ledger_directory(t->ledger, directory))
                        continue;

                record = ledger_add_directory(t->ledger);
                if (!record || free_and_strdup(&record->path, directory) < 0)
                        return -ENOMEM;
        }

        return 0;
}

static int change_file_resolve(const Survey *survey, const Change *c, Transaction *t) {
        _cleanup_buffer_ Buffer is = BUFFER_NULL;
        bool exists;
        FileChange *f;
        int r;

        r = root_read(survey->root, c->target, CHANGE_FILE_SIZE_MAX, &is);
        if (r == -ENOMEM)
                return r;
        if (r < 0 && r != -ENOENT)
                return transaction_refuse(t, xasprintf("%s cannot be read: %s", c->target, error_text(-r)));

        exists = r >= 0;
        if (exists && buffer_equal(&is, &c->content))
                return 0;
        if (exists && !ledger_file(survey->ledger, c->target))
                return transaction_refuse(t, xasprintf("%s exists and is not gtuned's: move it away, or set "
                                                       "enable = no in [%s]",
                                                       c->target, c->practice));

        f = change_add_file(t, c->target, c->unit);
        if (!f || buffer_append(&f->new, c->content.data, c->content.size) < 0)
                return -ENOMEM;

        f->existed = exists;
        f->old = TAKE_GENERIC(is, BUFFER_NULL);
        r = change_add_unit(survey, t, c->practice, c->subject, c->unit, /* service= */ true, c->expect);
        if (r < 0)
                return r;
        r = change_record_directories(survey, t, c->target);
        return r < 0 ? r : change_file_record(survey, t, c);
}

static int change_file_release(const Survey *survey, const LedgerFile *record, Transaction *t) {
        const Observation *o = survey_find(survey, record->practice, record->subject);
        _cleanup_buffer_ Buffer is = BUFFER_NULL;
        FileChange *f;
        int r;

        r = root_read(survey->root, record->path, CHANGE_FILE_SIZE_MAX, &is);
        if (r < 0)
                return r == -ENOMEM ? r : 0;

        f = change_add_file(t, record->path, record->unit);
        if (!f)
                return -ENOMEM;

        f->existed = f->gone = true;
        f->old = TAKE_GENERIC(is, BUFFER_NULL);
        return change_add_unit(survey, t, o->practice->name, o->subject, record->unit, /* service= */ true, NULL);
}

static int change_file_begin(const Survey *survey, _unused_ const Plan *plan, const bool *release, Transaction *t) {
        for (size_t i = 0; i < t->ledger->n_files;) {
                LedgerFile *record = t->ledger->files + i;
                int r;

                if (!change_is_released(survey, release, record->practice, record->subject)) {
                        i++;
                        continue;
                }

                r = change_file_release(survey, record, t);
                if (r < 0)
                        return r;
                r = ledger_note_release(t->ledger, record->practice, record->subject, survey->machine->boot_id);
                if (r < 0)
                        return r;
                ledger_drop_file(t->ledger, record);
        }

        return 0;
}

static int change_file_to_json(const Transaction *t, json_object *changes) {
        for (size_t i = 0; i < t->n_files; i++) {
                const FileChange *f = t->files + i;
                json_object *o = change_object(changes, &change_file);

                if (!o || json_set_text(o, "path", f->path) < 0 ||
                    json_set_text(o, "action", f->gone ? "remove" : f->existed ? "change" : "create") < 0 ||
                    (f->other_names > 0 && json_set(o, "other_names", json_object_new_int64(f->other_names)) < 0))
                        return -ENOMEM;
        }

        return 0;
}

const ChangeDriver change_file = {
        .name = "file",
        .begin = change_file_begin,
        .resolve = change_file_resolve,
        .to_json = change_file_to_json,
        .done = change_file_done,
};
