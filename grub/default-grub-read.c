/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reads /etc/default/grub and its drop-ins as the shell does, together with the files that they source.
 *
 * Tested by test-default-grub.c and tests/default-grub/run.
 */

#include <assert.h>

#include "grub/default-grub.h"

/* Files that are sourced: real systems have one or two of some lines. */
#define DEFAULT_GRUB_SOURCED_MAX 64U
#define DEFAULT_GRUB_SOURCED_SIZE_MAX (256U * 1024U)

const char *const default_grub_variables[_DEFAULT_GRUB_VARIABLE_MAX] = {
        [DEFAULT_GRUB_ALL] = DEFAULT_GRUB_VARIABLE,
        [DEFAULT_GRUB_NORMAL] = DEFAULT_GRUB_VARIABLE "_DEFAULT",
};

int default_grub_files_new(DefaultGrubFiles **ret, const Root *root) {
        DefaultGrubFiles *f = calloc(1, sizeof(DefaultGrubFiles));

        if (!f)
                return -ENOMEM;

        f->n_references = 1;
        f->root = root;
        *ret = f;
        return 0;
}

int default_grub_files_add(DefaultGrubFiles *f, const char *path, Buffer *content) {
        DefaultGrubFile *file;
        int r;

        r = grow(&f->files, f->n_files, sizeof(DefaultGrubFile));
        if (r < 0)
                return r;

        file = f->files + f->n_files;
        *file = (DefaultGrubFile) { .path = strdup(path) };
        if (!file->path)
                return -ENOMEM;

        file->content = TAKE_GENERIC(*content, BUFFER_NULL);
        f->n_files++;
        return 0;
}

static void default_grub_file_done(DefaultGrubFile *file) {
        free(file->path);
        free(file->real);
        buffer_done(&file->content);
}

DefaultGrubFiles *default_grub_files_unref(DefaultGrubFiles *f) {
        if (!f || --f->n_references > 0)
                return NULL;

        for (unsigned i = 0; i < f->n_files; i++)
                default_grub_file_done(f->files + i);
        for (size_t i = 0; i < f->n_sourced; i++)
                default_grub_file_done(f->sourced + i);
        free(f->files);
        free(f->sourced);
        free(f);
        return NULL;
}

/* Read a file that is sourced. Return: 0, also if there is none; -ENODATA if it cannot be read; -ENOMEM. */
static int default_grub_load_sourced(DefaultGrubFiles *f, DefaultGrubFile *file) {
        int r;

        if (!f->root || f->n_sourced >= DEFAULT_GRUB_SOURCED_MAX)
                return -ENODATA;

        r = root_resolve(f->root, file->path, &file->real);
        if (r >= 0)
                r = root_read(f->root, file->real, DEFAULT_GRUB_SOURCED_SIZE_MAX - f->sourced_size, &file->content);
        if (r == -ENOENT || r == -ENOTDIR)
                r = 0;
        if (r < 0)
                return r == -ENOMEM ? r : -ENODATA;

        f->sourced_size += file->content.size;
        return 0;
}

static int default_grub_add_sourced(DefaultGrubFiles *f, const char *path) {
        DefaultGrubFile file = { .path = strdup(path) };
        int r;

        r = file.path ? default_grub_load_sourced(f, &file) : -ENOMEM;
        if (r >= 0)
                r = grow(&f->sourced, f->n_sourced, sizeof(DefaultGrubFile));
        if (r < 0) {
                default_grub_file_done(&file);
                return r;
        }

        f->sourced[f->n_sourced++] = file;
        return 0;
}

/* The files are read again when an edit is checked, and then there is no root; so each is kept. */
static int default_grub_source(void *userdata, const char *path, const Buffer **ret) {
        DefaultGrubFiles *f = userdata;
        const DefaultGrubFile *file;
        size_t i = 0;
        int r;

        while (i < f->n_sourced && !streq(f->sourced[i].path, path))
                i++;
        if (i == f->n_sourced) {
                r = default_grub_add_sourced(f, path);
                if (r < 0)
                        return r;
        }

        file = f->sourced + i;
        *ret = f->replaced && streq_ptr(file->real, f->replaced) ? f->replacement : &file->content;
        return file->real != NULL;
}

static int default_grub_get_values(DefaultGrubReading *r) {
        /* A call may move what those before it returned, but not if all the variables are known. */
        for (unsigned i = 0; i < 2 * _DEFAULT_GRUB_VARIABLE_MAX; i++) {
                unsigned variable = i % _DEFAULT_GRUB_VARIABLE_MAX;
                int q;

                q = shell_get(r->shell, default_grub_variables[variable], r->values + variable);
                if (q < 0)
                        return q;
        }

        return 0;
}

int default_grub_read(DefaultGrubFiles *f, unsigned number, const Buffer *content, DefaultGrubReading *ret) {
        int r;

        *ret = (DefaultGrubReading) {};
        f->replaced = content ? f->files[number].path : NULL;
        f->replacement = content;
        r = shell_new(&ret->shell, default_grub_source, f);

        for (unsigned i = 0; r >= 0 && i < f->n_files; i++) {
                const DefaultGrubFile *file = f->files + i;

                ret->error_file = i;
                r = shell_run(ret->shell, streq_ptr(file->path, f->replaced) ? content : &file->content, i,
                              &ret->error);
        }

        f->replaced = NULL;
        if (r < 0)
                return r;

        r = default_grub_get_values(ret);
        if (r == -EINVAL)
                ret->error = (ShellError) { .dynamic = true, .reason = "the files set too many variables" };

        return r;
}

void default_grub_reading_done(DefaultGrubReading *r) {
        shell_free(r->shell);
        *r = (DefaultGrubReading) {};
}

static int default_grub_append(Line *line, const ShellValue *value) {
        size_t n = line->text.size;
        int r;

        r = line_map(line, &value->text, 0, value->text.size);
        if (r < 0)
                return r;
        for (size_t i = 0; i < value->text.size; i++)
                line->bytes[n + i] = value->bytes[i];

        return 0;
}

int default_grub_line(const ShellValue *value, Line *ret) {
        _cleanup_(line_done) Line line = { .first = value->first, .first_quote = value->first_quote };
        int r;

        r = default_grub_append(&line, value);
        if (r < 0)
                return r;
        r = line_parse(&line);
        if (r < 0)
                return r;

        *ret = TAKE_GENERIC(line, (Line) {});
        return 0;
}

int default_grub_entry_line(const DefaultGrubReading *r, Line *ret) {
        _cleanup_(line_done) Line line = { .first = SIZE_MAX };
        int q;

        for (unsigned i = 0; i < _DEFAULT_GRUB_VARIABLE_MAX; i++) {
                if (i > 0 && r->values[i]->text.size > 0) {
                        q = line_append(&line, ' ', 0, 0);
                        if (q < 0)
                                return q;
                }
                q = default_grub_append(&line, r->values[i]);
                if (q < 0)
                        return q;
        }

        q = line_parse(&line);
        if (q < 0)
                return q;

        *ret = TAKE_GENERIC(line, (Line) {});
        return 0;
}

int default_grub_read_alone(const Buffer *content, DefaultGrubVariable variable, DefaultGrubPart *ret) {
        _cleanup_(shell_freep) Shell *shell = NULL;
        const ShellValue *own;
        ShellError error;
        int r;

        r = shell_new(&shell, NULL, NULL);
        if (r >= 0)
                r = shell_run(shell, content, 0, &error);
        if (r >= 0)
                r = shell_get(shell, default_grub_variables[variable], &own);
        if (r < 0)
                return r == -EINVAL ? 0 : r;

        ret->n_assignments = own->n_assignments;
        ret->begin = own->begin;
        ret->end = own->end;
        return default_grub_line(own, &ret->line);
}
