/* SPDX-License-Identifier: Apache-2.0 */

/* Tested by the golden machines qga-other-*. */

#include <assert.h>

#include "qga-policy/command.h"
#include "qga-policy/starter.h"

#define STARTER_PROGRAM "qemu-ga"

/* Limits of looking through all unit files: bytes of a file, and number of files. */
#define STARTER_FILE_MAX (64U * 1024U)
#define STARTER_FILES_MAX 4096

void starter_done(Starter *s) {
        free(s->path);
        free(s->program);
        *s = (Starter) {};
}

static int starter_find_program(const Root *root, Starter *s) {
        static const char *const folders[] = {"/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin",
                                              "/usr/libexec", "/bin", "/sbin"};

        for (size_t i = 0; i < ELEMENTSOF(folders) && !s->program; i++) {
                _cleanup_free_ char *path = xasprintf("%s/%s", folders[i], STARTER_PROGRAM);

                if (!path)
                        return -ENOMEM;
                if (root_exists(root, path))
                        s->program = TAKE_PTR(path);
        }

        return 0;
}

/* "qemu-ga@.service" and "qemu-guest-agent@vport0p1.service" */
static bool starter_has_usual_name(const char *path) {
        const char *name = strrchr(path, '/') + 1;

        return startswith(name, "qemu-ga") || startswith(name, "qemu-guest-agent");
}

/* Whether a path in a command line, as one that a shell is given, names a qemu-ga that exists. */
static int starter_names_file(const Root *root, const char *text, bool *ret) {
        static const char separators[] = " \t\"'=;&|()";

        *ret = false;
        for (const char *at = text; *at && !*ret; at += strspn(at, separators)) {
                const size_t size = strcspn(at, separators);
                _cleanup_free_ char *word = strndup(at, size);
                const char *path = word ? strchr(word, '/') : NULL; /* after a prefix such as "@" */

                if (!word)
                        return -ENOMEM;
                *ret = path && strstr(path, STARTER_PROGRAM) && root_exists(root, path);
                at += size;
        }

        return 0;
}

/*
 * Whether a command starts a qemu-ga. One that is run without a shell between must exist.
 * @installed: a qemu-ga is where a shell finds it by its name
 */
static int starter_is_command(const Root *root, const Unit *unit, const UnitSetting *setting, bool installed,
                              bool *ret) {
        _cleanup_exec_command_ ExecCommand command = {};
        int r;

        *ret = strstr(setting->value, STARTER_PROGRAM) != NULL;
        if (!*ret)
                return 0;

        r = exec_command_parse(unit, setting, &command);
        if (r == -ENOMEM)
                return r;
        if (r >= 0 && endswith(command.path, "/" STARTER_PROGRAM)) {
                *ret = root_exists(root, command.path);
                return 0;
        }

        return installed ? 0 : starter_names_file(root, setting->value, ret);
}

/* A file that cannot be read or parsed starts nothing that could be told. */
static int starter_check_unit(const Root *root, const char *path, bool installed, bool *ret) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        _cleanup_unit_ Unit unit = {};
        int r;

        *ret = false;
        r = root_read(root, path, STARTER_FILE_MAX, &text);
        if (r < 0)
                return r == -ENOMEM ? r : 0;

        unit.name = strdup(strrchr(path, '/') + 1);
        if (!unit.name)
                return -ENOMEM;
        r = text.size > 0 ? unit_parse(&unit, path, text.data, text.size) : 0;
        if (r == -ENOMEM)
                return r;

        for (size_t i = 0; i < unit.n_settings && !*ret; i++) {
                if (!streq(unit.settings[i].key, "ExecStart"))
                        continue;
                r = starter_is_command(root, &unit, unit.settings + i, installed, ret);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int starter_find_unit(const Root *root, const char *except, Starter *s) {
        _cleanup_(strv_freep) char **paths = NULL;
        int read = 0, r;

        r = unit_list(root, &paths);
        if (r < 0)
                return r;

        for (char **path = paths; path && *path && !s->path; path++) {
                const bool usual = starter_has_usual_name(*path);
                bool starts = false;

                if (streq_ptr(strrchr(*path, '/') + 1, except) || (!usual && read++ >= STARTER_FILES_MAX))
                        continue;

                r = starter_check_unit(root, *path, usual || s->program, &starts);
                if (r < 0)
                        return r;
                if (starts && free_and_strdup(&s->path, *path) < 0)
                        return -ENOMEM;
        }

        return 0;
}

static int starter_find_script(const Root *root, const char *except, Starter *s) {
        static const struct {
                const char *path, *unit;
        } scripts[] = {
                {"/etc/init.d/qemu-guest-agent", "qemu-guest-agent.service"},
                {"/etc/init.d/qemu-ga", "qemu-ga.service"},
        };

        for (size_t i = 0; i < ELEMENTSOF(scripts) && s->program && !s->path; i++)
                if (!streq_ptr(scripts[i].unit, except) && root_exists(root, scripts[i].path) &&
                    free_and_strdup(&s->path, scripts[i].path) < 0)
                        return -ENOMEM;

        return 0;
}

int starter_find(const Root *root, const char *except, Starter *ret) {
        int r;

        assert(root && ret);

        *ret = (Starter) {};
        r = starter_find_program(root, ret);
        if (r >= 0)
                r = starter_find_unit(root, except, ret);
        if (r >= 0)
                r = starter_find_script(root, except, ret);
        if (r < 0)
                starter_done(ret);

        return r;
}
