/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A snapshot holds exactly what the report was made from: the root tells which paths were looked at while a
 * survey was taken, and those go into the tar file, with gtuned-machine.json for what no file says.
 */

#include <fcntl.h>

#include <json-c/json_visit.h>

#include "agent/snapshot.h"
#include "agent/tar.h"
#include "core/secret.h"

typedef struct SnapshotPaths {
        char **names;
        size_t n;
        char *device;       /* the one device that a report reads, or NULL */
        size_t device_size; /* how many bytes it gives */
        bool no_memory;
} SnapshotPaths;

static void snapshot_paths_done(SnapshotPaths *p) {
        for (size_t i = 0; i < p->n; i++)
                free(p->names[i]);
        free(p->names);
        free(p->device);
}

static void snapshot_remember(const Sight *sight, void *userdata) {
        SnapshotPaths *p = userdata;
        char *copy;

        if (sight->kind == SIGHT_DEVICE) {
                p->device_size = sight->max;
                p->no_memory = free_and_strdup(&p->device, sight->path) < 0 || p->no_memory;
                return;
        }

        copy = strdup(sight->path);
        if (!copy || grow(&p->names, p->n, sizeof(char *)) < 0) {
                free(copy);
                p->no_memory = true;
                return;
        }

        p->names[p->n++] = copy;
}

static void snapshot_sort_paths(SnapshotPaths *p) {
        size_t kept = 0;

        if (p->n == 0)
                return;

        qsort(p->names, p->n, sizeof(char *), strv_compare);
        for (size_t i = 1; i < p->n; i++)
                if (streq(p->names[kept], p->names[i]))
                        free(p->names[i]);
                else
                        p->names[++kept] = p->names[i];
        p->n = kept + 1;
}

static int snapshot_add_file(const Root *root, const char *path, mode_t mode, Buffer *tar) {
        _cleanup_buffer_ Buffer content = BUFFER_NULL;
        int r;

        /* Of what is too large (a unified kernel image) the name is what matters. */
        r = root_read(root, path, BOOT_FILE_MAX, &content);
        if (r < 0 && r != -EFBIG)
                return r == -ENOMEM ? r : 0;

        /* A program holds no secret, and one with other bytes would be another program. */
        if (streq(path, "/proc/cmdline"))
                secret_redact_cmdline(content.data, content.size);
        else if (content.size < 4 || memcmp(content.data, "\177ELF", 4) != 0)
                secret_redact_file(content.data, content.size);

        return tar_add(tar, TAR_FILE, path, mode, &content, NULL);
}

/* The last component of a path as a link, where it is one. */
static int snapshot_read_link(const Root *root, const char *path, char **ret) {
        _cleanup_close_ int directory = -EBADF;
        char target[101];
        const char *name;
        ssize_t n;

        if (root_open_parent(root, path, false, &directory, &name) != ROOT_OK)
                return 0;

        n = readlinkat(directory, name, target, sizeof(target));
        if (n < 0 || (size_t) n >= sizeof(target))
                return 0;

        *ret = strndup(target, (size_t) n);
        return *ret ? 0 : -ENOMEM;
}

static int snapshot_add_path(const Root *root, const char *path, Buffer *tar) {
        _cleanup_free_ char *target = NULL;
        struct stat st;
        bool exists = root_stat(root, path, &st) >= 0;
        int r;

        if (streq(path, "/"))
                return 0;
        if (exists && S_ISDIR(st.st_mode))
                return tar_add(tar, TAR_DIRECTORY, path, st.st_mode, NULL, NULL);

        /* A link that leads nowhere is a finding too. */
        r = snapshot_read_link(root, path, &target);
        if (r < 0)
                return r;
        if (target)
                return tar_add(tar, TAR_LINK, path, 0777, NULL, target);

        return exists ? snapshot_add_file(root, path, st.st_mode, tar) : 0;
}

/* Where a link leads belongs to the snapshot too. */
static void snapshot_remember_targets(const Root *root, SnapshotPaths *p) {
        size_t n = p->n;

        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *real = NULL;

                if (root_resolve(root, p->names[i], &real) >= 0)
                        snapshot_remember(&(Sight){.path = real}, p);
        }
}

/* A file stands for it (see root_read_device()). */
static int snapshot_add_device(const Root *root, const SnapshotPaths *p, Buffer *tar) {
        _cleanup_free_ char *bytes = p->device ? calloc(1, p->device_size) : NULL;
        _cleanup_buffer_ Buffer content = BUFFER_NULL;

        if (!p->device)
                return 0;
        if (!bytes)
                return -ENOMEM;
        if (root_read_device(root, p->device, p->device_size, bytes) < 0)
                return 0;
        if (buffer_append(&content, bytes, p->device_size) < 0)
                return -ENOMEM;

        return tar_add(tar, TAR_FILE, p->device, 0600, &content, NULL);
}

/* A visitor of json_c_visit(): each string is redacted alone, so that the document stays one. */
static int snapshot_redact_string(json_object *o, int flags, _unused_ json_object *parent, _unused_ const char *key,
                                  _unused_ size_t *index, _unused_ void *userdata) {
        _cleanup_free_ char *text = NULL;
        size_t n;

        if (flags & JSON_C_VISIT_SECOND || !json_object_is_type(o, json_type_string))
                return JSON_C_VISIT_RETURN_CONTINUE;

        n = (size_t) json_object_get_string_len(o);
        text = malloc(n + 1);
        if (!text)
                return JSON_C_VISIT_RETURN_ERROR;

        memcpy(text, json_object_get_string(o), n);
        secret_redact(text, n);
        return json_object_set_string_len(o, text, (int) n) ? JSON_C_VISIT_RETURN_CONTINUE : JSON_C_VISIT_RETURN_ERROR;
}

static int snapshot_add_machine(const Survey *survey, Buffer *tar) {
        _cleanup_json_ json_object *o = NULL;
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        int r;

        r = probe_to_json(survey->machine->probe, &o);
        if (r < 0)
                return r;
        if (json_c_visit(o, 0, snapshot_redact_string, NULL) < 0)
                return -ENOMEM;
        r = json_format_pretty(o, &text);
        if (r < 0)
                return r;

        return tar_add(tar, TAR_FILE, PROBE_PATH, 0644, &text, NULL);
}

/* Where the user says: the file is for him, so it is not below the root. */
static int snapshot_write(const char *path, const Buffer *b) {
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

        if (fd < 0 || fchmod(fd, 0600) < 0)
                return negative_errno();

        return write_all(fd, b->data, b->size);
}

int verb_snapshot(Context *c, char **arguments) {
        _cleanup_(survey_freep) Survey *survey = NULL;
        _cleanup_(snapshot_paths_done) SnapshotPaths paths = {};
        _cleanup_buffer_ Buffer tar = BUFFER_NULL;
        int r;

        root_trace(c->root, &(RootTrace){.before = snapshot_remember, .userdata = &paths});
        r = take_survey(c, &survey);
        root_trace(c->root, NULL);
        if (r < 0)
                return r;

        if (survey->machine->kind == MACHINE_IMAGE)
                return complain(c, "%s is an image, and a snapshot is of a machine that runs", c->root_path);

        snapshot_remember_targets(c->root, &paths);
        snapshot_sort_paths(&paths);
        r = paths.no_memory ? -ENOMEM : snapshot_add_machine(survey, &tar);
        if (r >= 0)
                r = snapshot_add_device(c->root, &paths, &tar);
        for (size_t i = 0; r >= 0 && i < paths.n; i++)
                if (!streq(paths.names[i], PROBE_PATH))
                        r = snapshot_add_path(c->root, paths.names[i], &tar);
        if (r >= 0)
                r = tar_finish(&tar);
        if (r == -ENOMEM)
                return r;
        if (r >= 0)
                r = snapshot_write(*arguments, &tar);

        return r < 0 ? complain(c, "%s: %s", *arguments, error_text(-r)) : STATUS_OK;
}
