/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The driver as a file: what the kernel's modules say of it where there is no configuration, and what keeps a module from
 * being loaded. systemd-modules-load obeys deny lists (systemd: src/shared/module-util.c).
 *
 * Tested by test-module.c and by the golden machines (tests/roots).
 */

#include "core/kernel-files.h"
#include "haltpoll/haltpoll.h"

#define MODULE_FILE "kernel/drivers/cpuidle/cpuidle-haltpoll.ko"
#define MODULE_TEXT_MAX 65536U
#define MODULE_BUILTIN_MAX (1024U * 1024U)

static bool module_file_exists(const View *view, const char *directory, const char *release, bool *ret_no_memory) {
        static const char *const suffixes[] = {"", ".xz", ".zst", ".gz"};

        for (size_t i = 0; i < ELEMENTSOF(suffixes); i++) {
                _cleanup_free_ char *path = xasprintf("%s/%s/" MODULE_FILE "%s", directory, release, suffixes[i]);

                *ret_no_memory = *ret_no_memory || !path;
                if (path && root_exists(view->root, path))
                        return true;
        }

        return false;
}

int module_find(const View *view, ModulePlace *ret) {
        const char *release = view->machine->probe->kernel_release;
        bool no_memory = false;

        *ret = MODULE_UNKNOWN;
        for (const char *const *directory = kernel_module_directories; release && *directory; directory++) {
                _cleanup_free_ char *path = xasprintf("%s/%s/modules.builtin", *directory, release);
                _cleanup_buffer_ Buffer text = BUFFER_NULL;
                int r;

                if (!path)
                        return -ENOMEM;
                if (module_file_exists(view, *directory, release, &no_memory)) {
                        *ret = MODULE_AS_FILE;
                        return 0;
                }

                /* A kernel whose modules are here has this list, with all that is built in. */
                r = no_memory ? -ENOMEM : root_read(view->root, path, MODULE_BUILTIN_MAX, &text);
                if (r == -ENOMEM)
                        return r;
                if (r >= 0)
                        *ret = strstr(text.data, MODULE_FILE "\n") ? MODULE_IS_BUILT_IN : MODULE_IS_ABSENT;
        }

        return 0;
}

/*
 * Take the next line off a text. "\" at the end of a line joins the next one to it, in comments as well (kmod:
 * getline_wrapped()). *number becomes the line where it begins, and *next the one behind it. Return: the line, or NULL.
 */
static char *module_next_line(char **rest, unsigned *number, unsigned *next) {
        char *line = *rest, *to = line;

        *number = *next;
        if (!line)
                return NULL;

        for (char *p = line; *p; p++)
                if (p[0] == '\\' && p[1] == '\n') {
                        p++;
                        (*next)++;
                } else if (*p == '\n') {
                        *rest = p + 1;
                        (*next)++;
                        *to = 0;
                        return line;
                } else
                        *to++ = *p;

        *rest = NULL;
        *to = 0;
        return line;
}

/* "install NAME /bin/false" loads nothing; another command may load it in its own way. */
static bool module_line_denies(char *line) {
        char *rest = line, *verb = strsep(&rest, " \t"), *name, *command;

        if (rest)
                rest += strspn(rest, " \t");
        name = rest ? strsep(&rest, " \t") : NULL;
        if (!name || !parameter_name_equal(name, HALTPOLL_MODULE_NAME))
                return false;
        if (streq(verb, "blacklist"))
                return true;

        command = rest ? strip(rest) : NULL;
        return streq(verb, "install") && command && (endswith(command, "/true") || endswith(command, "/false"));
}

/* What cannot be read may deny the module; of several the first is kept. */
static int module_note_unread(const char *path, int error, char **unread) {
        if (*unread)
                return 0;

        *unread = xasprintf("%s: %s", path, error_text(-error));
        return *unread ? 0 : -ENOMEM;
}

/* Return: 1 if the file denies the module, 0 if not, -ENOMEM. */
static int module_file_denies(const View *view, const char *path, char **ret_where, char **ret_unread) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        unsigned number, next = 1;
        char *rest;
        int r;

        r = root_read(view->root, path, MODULE_TEXT_MAX, &text);
        if (r == -EACCES || r == -EIO)
                return module_note_unread(path, r, ret_unread);
        if (r < 0)
                return r == -ENOMEM ? r : 0;

        rest = text.data;
        for (char *line; (line = module_next_line(&rest, &number, &next));)
                if (module_line_denies(strip(line))) {
                        *ret_where = location_format(path, number);
                        return *ret_where ? 1 : -ENOMEM;
                }

        return 0;
}

int module_find_denial(const View *view, char **ret_where, char **ret_unread) {
        /* A file replaces those of its name in the directories after its own (modprobe.d(5)). */
        static const char *const directories[] = {
                "/etc/modprobe.d", "/run/modprobe.d", "/usr/local/lib/modprobe.d", "/usr/lib/modprobe.d",
                "/lib/modprobe.d",
        };
        _cleanup_(strv_freep) char **seen = NULL;
        size_t n_seen = 0;

        for (size_t i = 0; i < ELEMENTSOF(directories); i++) {
                _cleanup_(strv_freep) char **names = NULL;
                int r = root_list_optional(view->root, directories[i], &names);

                if (r < 0)
                        r = r == -ENOMEM ? r : module_note_unread(directories[i], r, ret_unread);
                if (r < 0)
                        return r;

                for (char **name = names; name && *name; name++) {
                        _cleanup_free_ char *path = xasprintf("%s/%s", directories[i], *name);

                        if (!endswith(*name, ".conf") || strv_has(seen, *name))
                                continue;
                        if (!path || strv_take(&seen, &n_seen, strdup(*name)) < 0)
                                return -ENOMEM;
                        r = module_file_denies(view, path, ret_where, ret_unread);
                        if (r != 0)
                                return r < 0 ? r : 0;
                }
        }

        return 0;
}
