/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Finds /etc/default/grub and the drop-ins that this distribution's grub-mkconfig reads, and reads them as the shell
 * does, together with the files that they source.
 *
 * Tested by test-default-grub.c and tests/default-grub/run.
 */

#include <assert.h>

#include "grub/default-grub.h"

#define DEFAULT_GRUB_DROP_INS DEFAULT_GRUB_PATH ".d"

/* Real systems have a few drop-ins. */
#define DEFAULT_GRUB_FILES_MAX 256U

/* All of them together: real ones have some KiB. Each is read some times when an edit is chosen and checked. */
#define DEFAULT_GRUB_SIZE_MAX (1024U * 1024U)

/* Files that are sourced: real systems have one or two of some lines. */
#define DEFAULT_GRUB_SOURCED_MAX 64U
#define DEFAULT_GRUB_SOURCED_SIZE_MAX (256U * 1024U)

/* grub-mkconfig is a script of about 10 KiB. */
#define DEFAULT_GRUB_GENERATOR_SIZE_MAX (1024U * 1024U)

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

        /* The second call may move what the first one returned. */
        r = shell_get(ret->shell, DEFAULT_GRUB_VARIABLE_BEHIND, &ret->behind);
        if (r >= 0)
                r = shell_get(ret->shell, DEFAULT_GRUB_VARIABLE, &ret->value);
        if (r >= 0)
                r = shell_get(ret->shell, DEFAULT_GRUB_VARIABLE_BEHIND, &ret->behind);
        if (r == -EINVAL)
                ret->error = (ShellError) { .dynamic = true, .reason = "the files set too many variables" };

        return r;
}

void default_grub_reading_done(DefaultGrubReading *r) {
        shell_free(r->shell);
        *r = (DefaultGrubReading) {};
}

/* Append a file to the list. Return: 0, also if it does not exist; 1 if a problem was appended; -ENOMEM. */
static int default_grub_read_file(const Root *root, BootStores *stores, const char *path, DefaultGrubFiles *f) {
        _cleanup_free_ char *real = NULL;
        _cleanup_buffer_ Buffer content = BUFFER_NULL;
        size_t left = DEFAULT_GRUB_SIZE_MAX;
        int r;

        for (unsigned i = 0; i < f->n_files; i++)
                left -= f->files[i].content.size;

        r = root_resolve(root, path, &real);
        if (r >= 0)
                r = root_read(root, real, left, &content);
        if (r == -ENOENT || r == -ENOTDIR)
                return 0;
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                r = default_grub_leave(stores, real ?: path, 0, "default-grub-unreadable", error_text(-r));
                return r < 0 ? r : 1;
        }

        return default_grub_files_add(f, real, &content);
}

/* Whether the text of an existing generator names the drop-ins. Return: 1, 0, -ENOENT if there is none, or -ENOMEM. */
static int default_grub_ask_generator(const Root *root) {
        static const char *const paths[] = {
                "/usr/sbin/grub-mkconfig", "/usr/sbin/grub2-mkconfig", "/usr/bin/grub-mkconfig",
                "/usr/bin/grub2-mkconfig", "/sbin/grub-mkconfig",      "/sbin/grub2-mkconfig",
        };
        bool found = false;

        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                _cleanup_buffer_ Buffer content = BUFFER_NULL;
                int r;

                r = root_read(root, paths[i], DEFAULT_GRUB_GENERATOR_SIZE_MAX, &content);
                if (r == -ENOMEM)
                        return r;
                if (r < 0 || content.size == 0 || !memmem(content.data, content.size, "default/grub", 12))
                        continue;
                if (memmem(content.data, content.size, "default/grub.d", 14))
                        return 1;
                found = true;
        }

        return found ? 0 : -ENOENT;
}

/*
 * The families whose grub2-mkconfig is that of upstream here, which reads no drop-ins (rhboot/grub2:
 * util/grub-mkconfig.in). Those of Debian, Azure Linux, Arch and Deepin read them.
 */
static bool default_grub_is_family_without(const char *word, size_t n) {
        static const char *const families[] = {
                "fedora", "rhel", "centos", "suse", "openEuler", "kylin", "anolis", "opencloudos", "tencentos", "amzn",
        };

        for (size_t i = 0; i < ELEMENTSOF(families); i++)
                if (strlen(families[i]) == n && strncasecmp(word, families[i], n) == 0)
                        return true;

        return false;
}

/* Whether ID or ID_LIKE of os-release names such a family. */
static int default_grub_ask_os_release(const Root *root) {
        _cleanup_buffer_ Buffer content = BUFFER_NULL;
        char *state = NULL;
        int r;

        r = root_read(root, "/etc/os-release", 64 * 1024, &content);
        if (r < 0 && r != -ENOMEM)
                r = root_read(root, "/usr/lib/os-release", 64 * 1024, &content);
        if (r < 0 || content.size == 0)
                return r == -ENOMEM ? r : true;

        for (char *line = strtok_r(content.data, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
                const char *p = startswith(line, "ID=") ?: startswith(line, "ID_LIKE=");

                for (size_t n; p && *p; p += n + (p[n] != 0)) {
                        n = strcspn(p, " \t\"'\r");
                        if (default_grub_is_family_without(p, n))
                                return false;
                }
        }

        return true;
}

/* Whether grub-mkconfig reads the drop-ins here. Return: 1, 0 or -ENOMEM. */
static int default_grub_reads_drop_ins(const Root *root) {
        int r = default_grub_ask_generator(root);

        return r == -ENOENT ? default_grub_ask_os_release(root) : r;
}

static int default_grub_read_unread(const Root *root, BootStores *stores, const char *path) {
        _cleanup_(default_grub_files_unrefp) DefaultGrubFiles *f = NULL;
        _cleanup_free_ char *real = NULL;
        _cleanup_buffer_ Buffer content = BUFFER_NULL;
        int r;

        r = root_resolve(root, path, &real);
        if (r >= 0)
                r = root_read(root, real, DEFAULT_GRUB_SIZE_MAX, &content);
        if (r < 0)
                return r == -ENOMEM ? r : 0;

        r = default_grub_files_new(&f, NULL);
        if (r < 0)
                return r;
        r = default_grub_files_add(f, real, &content);
        if (r < 0)
                return r;

        return default_grub_add_unread(stores, f);
}

/* Read the drop-ins in the order in which the shell expands "*.cfg". */
static int default_grub_read_drop_ins(const Root *root, BootStores *stores, bool read, DefaultGrubFiles *f) {
        _cleanup_(strv_freep) char **names = NULL;
        int r;

        r = root_list(root, DEFAULT_GRUB_DROP_INS, &names);
        if (r < 0)
                return r == -ENOMEM ? r : 0;

        for (char **n = names; *n; n++) {
                _cleanup_free_ char *path = NULL;

                if (**n == '.' || !endswith(*n, ".cfg"))
                        continue;
                if (read && f->n_files >= DEFAULT_GRUB_FILES_MAX)
                        return boot_stores_problem(stores, DEFAULT_GRUB_DROP_INS, 0, "default-grub-unreadable",
                                                   /* fatal= */ true, "The directory holds more than %u files",
                                                   DEFAULT_GRUB_FILES_MAX);

                path = xasprintf("%s/%s", DEFAULT_GRUB_DROP_INS, *n);
                if (!path)
                        return -ENOMEM;

                r = read ? default_grub_read_file(root, stores, path, f) : default_grub_read_unread(root, stores, path);
                if (r != 0)
                        return r;
        }

        return 0;
}

int default_grub_find(const Root *root, BootStores *stores) {
        _cleanup_(default_grub_files_unrefp) DefaultGrubFiles *f = NULL;
        int drop_ins, r;

        r = default_grub_files_new(&f, root);
        if (r < 0)
                return r;
        drop_ins = default_grub_reads_drop_ins(root);
        if (drop_ins < 0)
                return drop_ins;

        r = default_grub_read_file(root, stores, DEFAULT_GRUB_PATH, f);
        if (r == 0 && drop_ins)
                r = default_grub_read_drop_ins(root, stores, /* read= */ true, f);
        if (r == 0)
                r = default_grub_add_stores(stores, f);
        if (r == 0 && !drop_ins)
                r = default_grub_read_drop_ins(root, stores, /* read= */ false, f);

        /* Stores outlive the search. */
        f->root = NULL;
        return r < 0 ? r : 0;
}
