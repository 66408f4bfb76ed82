/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Finds /etc/default/grub and the drop-ins that this distribution's grub-mkconfig reads, with the place of the one that
 * gtuned makes.
 *
 * Tested by test-default-grub.c and tests/default-grub/run.
 */

#include <assert.h>

#include "grub/default-grub.h"
#include "grub/os-family.h"

/* Real systems have a few drop-ins. */
#define DEFAULT_GRUB_FILES_MAX 256U

/* All of them together: real ones have some KiB. Each is read some times when an edit is chosen and checked. */
#define DEFAULT_GRUB_SIZE_MAX (1024U * 1024U)

/* grub-mkconfig is a script of about 10 KiB. */
#define DEFAULT_GRUB_GENERATOR_SIZE_MAX (1024U * 1024U)

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

/* Whether grub-mkconfig reads the drop-ins here. */
enum {
        DROP_INS_UNREAD,
        DROP_INS_READ,    /* it may, so they are read; none is added, because its tokens may be lost */
        DROP_INS_WELCOME, /* it surely does */
};

/* What the text of an existing generator says. Return: a number from above; -ENOENT if there is none; -ENOMEM. */
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
                        return DROP_INS_WELCOME;
                found = true;
        }

        return found ? DROP_INS_UNREAD : -ENOENT;
}

/*
 * The families whose grub2-mkconfig is that of upstream here, which reads no drop-ins (rhboot/grub2:
 * util/grub-mkconfig.in), and those that have changed this.
 */
static int default_grub_ask_os_release(const Root *root) {
        static const OsFamily families[] = {
                { "fedora", DROP_INS_UNREAD },      { "rhel", DROP_INS_UNREAD },      { "centos", DROP_INS_UNREAD },
                { "suse", DROP_INS_UNREAD },        { "openEuler", DROP_INS_UNREAD }, { "kylin", DROP_INS_UNREAD },
                { "anolis", DROP_INS_UNREAD },      { "opencloudos", DROP_INS_UNREAD },
                { "tencentos", DROP_INS_UNREAD },   { "amzn", DROP_INS_UNREAD },
                { "debian", DROP_INS_WELCOME },     { "ubuntu", DROP_INS_WELCOME },   { "deepin", DROP_INS_WELCOME },
                { "arch", DROP_INS_WELCOME },       { "azurelinux", DROP_INS_WELCOME },
        };

        return os_family_ask(root, families, ELEMENTSOF(families), DROP_INS_READ);
}

static int default_grub_reads_drop_ins(const Root *root) {
        int r = default_grub_ask_generator(root);

        return r == -ENOENT ? default_grub_ask_os_release(root) : r;
}

/* Read a file as one that is read alone, because grub-mkconfig does not read it. Return: 0 or -ENOMEM. */
static int default_grub_read_unread(const Root *root, BootStores *stores, const char *path, const char *own) {
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

        f->files[0].own = streq_ptr(real, own);
        return default_grub_add_unread(stores, f);
}

/*
 * The path of gtuned's own drop-in. Return: 0; -ENOENT if there is no directory of drop-ins and none can be made, or if
 * a link leads to it, and *ret stays NULL; -ENOMEM.
 */
static int default_grub_find_own(const Root *root, char **ret) {
        _cleanup_free_ char *folder = NULL;
        const char *expected = DEFAULT_GRUB_DROP_INS;
        int r;

        r = root_resolve(root, expected, &folder);
        if (r == -ENOENT && root_is_mask(root, DEFAULT_GRUB_DROP_INS) == -ENOENT) {
                expected = "/etc/default";
                r = root_resolve(root, expected, &folder);
        }
        if (r < 0)
                return r == -ENOMEM ? r : -ENOENT;

        /* Elsewhere the boot unit may not write (gtuned-apply.service). */
        if (!streq(folder, expected))
                return -ENOENT;

        *ret = strdup(DEFAULT_GRUB_DROP_INS "/" DEFAULT_GRUB_OWN_NAME);
        return *ret ? 0 : -ENOMEM;
}

/* The search for drop-ins. */
typedef struct DefaultGrubSearch {
        const Root *root;
        BootStores *stores;
        DefaultGrubFiles *files;
        int drop_ins; /* a number from above */
        char *own;    /* the path of gtuned's own; NULL: it has no place */
} DefaultGrubSearch;

/* Append gtuned's own drop-in, which is not there: without content, so that it can be made. */
static int default_grub_add_missing(DefaultGrubSearch *s) {
        unsigned n = s->files->n_files;
        Buffer empty = BUFFER_NULL;
        int r;

        /* Where nothing at all is set, grub-mkconfig is not used. */
        if (s->drop_ins != DROP_INS_WELCOME || !s->own || n == 0)
                return 0;

        /* The check of what would be written asks here, too, and then the file is there. */
        r = default_grub_read_file(s->root, s->stores, s->own, s->files);
        if (r == 0 && s->files->n_files == n) {
                r = default_grub_files_add(s->files, s->own, &empty);
                if (r >= 0)
                        s->files->files[n].missing = true;
        }
        if (r >= 0 && s->files->n_files > n)
                s->files->files[n].own = true;

        return r;
}

static int default_grub_read_drop_in(DefaultGrubSearch *s, const char *name) {
        _cleanup_free_ char *path = NULL;
        unsigned n = s->files->n_files;
        int r;

        if (*name == '.' || !endswith(name, ".cfg"))
                return 0;
        if (n >= DEFAULT_GRUB_FILES_MAX) {
                r = boot_stores_problem(s->stores, DEFAULT_GRUB_DROP_INS, 0, "default-grub-unreadable",
                                        /* fatal= */ true, "The directory holds more than %u files",
                                        DEFAULT_GRUB_FILES_MAX);
                return r < 0 ? r : 1;
        }

        path = xasprintf("%s/%s", DEFAULT_GRUB_DROP_INS, name);
        if (!path)
                return -ENOMEM;
        if (s->drop_ins == DROP_INS_UNREAD)
                return default_grub_read_unread(s->root, s->stores, path, s->own);

        r = default_grub_read_file(s->root, s->stores, path, s->files);
        if (s->files->n_files > n)
                s->files->files[n].own = streq(name, DEFAULT_GRUB_OWN_NAME) &&
                                         streq_ptr(s->files->files[n].path, s->own);
        return r;
}

/* Read the drop-ins in the order in which the shell expands "*.cfg", with gtuned's own in its place. */
static int default_grub_read_drop_ins(DefaultGrubSearch *s) {
        _cleanup_(strv_freep) char **names = NULL;
        bool passed = false;
        int r;

        r = root_list(s->root, DEFAULT_GRUB_DROP_INS, &names);
        if (r == -ENOMEM)
                return r;
        /* What is no directory has no room for a drop-in of gtuned's own, either. */
        if (r == -ENOTDIR || r == -ELOOP || r == -EOPNOTSUPP || (r < 0 && s->drop_ins == DROP_INS_UNREAD))
                return 0;
        if (r < 0 && r != -ENOENT) {
                r = default_grub_leave(s->stores, DEFAULT_GRUB_DROP_INS, 0, "default-grub-unreadable", error_text(-r));
                return r < 0 ? r : 1;
        }

        for (char **n = names; n && *n; n++) {
                int order = strcmp(*n, DEFAULT_GRUB_OWN_NAME);

                r = order > 0 && !passed ? default_grub_add_missing(s) : 0;
                passed = passed || order >= 0;
                if (r == 0)
                        r = default_grub_read_drop_in(s, *n);
                if (r != 0)
                        return r;
        }

        return passed ? 0 : default_grub_add_missing(s);
}

static int default_grub_search(DefaultGrubSearch *s) {
        int r;

        s->drop_ins = default_grub_reads_drop_ins(s->root);
        if (s->drop_ins < 0)
                return s->drop_ins;
        r = default_grub_find_own(s->root, &s->own);
        if (r == -ENOMEM)
                return r;

        r = default_grub_read_file(s->root, s->stores, DEFAULT_GRUB_PATH, s->files);
        if (r == 0 && s->drop_ins != DROP_INS_UNREAD)
                r = default_grub_read_drop_ins(s);
        if (r == 0)
                r = default_grub_add_stores(s->stores, s->files);
        if (r == 0 && s->drop_ins == DROP_INS_UNREAD)
                r = default_grub_read_drop_ins(s);

        return r;
}

int default_grub_find(const Root *root, BootStores *stores) {
        DefaultGrubSearch s = { .root = root, .stores = stores };
        int r;

        r = default_grub_files_new(&s.files, root);
        if (r < 0)
                return r;

        r = default_grub_search(&s);

        /* Stores outlive the search. */
        s.files->root = NULL;
        (void) default_grub_files_unref(s.files);
        free(s.own);
        return r < 0 ? r : 0;
}
