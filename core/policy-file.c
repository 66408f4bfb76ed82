/* SPDX-License-Identifier: Apache-2.0 */

/* Tested by tests/unit/core/test-policy.c. */

#include <assert.h>

#include "core/policy-file.h"
#include "core/policy-parse.h"

#define POLICY_FILE_MAX (1024U * 1024U)

/* A file in a later directory replaces the file of the same name in an earlier one. */
static const char *const policy_directories[] = {"/usr/lib", "/run", "/etc"};

static const char *policy_file_explain(int r) {
        switch (r) {
        case -EFBIG:
                return "the file is larger than 1 MiB";
        case -EISDIR:
                return "it is a directory, not a file";
        case -EOPNOTSUPP:
                return "it is not a regular file";
        case -EACCES:
                return "permission denied; let its mode allow it (chmod a+rX), or its SELinux label (restorecon -R)";
        default:
                return error_text(-r);
        }
}

static int policy_remember_file(Policy *policy, const char *path) {
        size_t n = 0;

        while (policy->files && policy->files[n])
                n++;

        return strv_take(&policy->files, &n, strdup(path));
}

static int policy_file_read(const Root *root, Policy *policy, const PolicyKeys *keys, size_t n_keys, const char *path) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        int r;

        r = root_read(root, path, POLICY_FILE_MAX, &text);
        if (r == -ENOENT || (r == -EOPNOTSUPP && root_is_mask(root, path) > 0))
                return 0;
        if (r < 0)
                return policy_error(policy, path, 0, "cannot be read: %s", policy_file_explain(r));

        r = policy_remember_file(policy, path);
        if (r < 0)
                return r;

        return policy_parse(policy, keys, n_keys, path, text.data, text.size);
}

/* Find the file of a name that counts: the one in the last directory. Return: its path, or NULL: no memory. */
static char *policy_file_path(const Root *root, const char *name) {
        for (size_t i = ELEMENTSOF(policy_directories); i-- > 0;) {
                _cleanup_free_ char *path = xasprintf("%s/%s", policy_directories[i], name), *real = NULL;
                int r;

                if (!path)
                        return NULL;
                r = root_resolve(root, path, &real);
                if (r != -ENOENT || root_is_mask(root, path) > 0)
                        return TAKE_PTR(path);
        }

        return xasprintf("%s/%s", policy_directories[0], name);
}

/* A directory that cannot be listed may hold what closes something: it is an error, unless there is none. */
static int policy_list_directory(const Root *root, Policy *policy, const char *path, char ***ret) {
        int r = root_list(root, path, ret);

        if (r >= 0 || r == -ENOMEM || r == -ENOENT || root_is_mask(root, path) > 0)
                return r == -ENOMEM ? r : 0;

        return policy_error(policy, path, 0, "cannot be read: %s",
                            r == -EFBIG ? "the directory has more than 65536 entries" : policy_file_explain(r));
}

/* List the drop-ins of all directories as "NAME.d/FILE". A name is listed once for each directory that has it. */
static int policy_list_drop_ins(const Root *root, Policy *policy, const char *name, char ***names, size_t *n) {
        for (size_t i = 0; i < ELEMENTSOF(policy_directories); i++) {
                _cleanup_(strv_freep) char **found = NULL;
                _cleanup_free_ char *path = xasprintf("%s/%s.d", policy_directories[i], name);
                int r;

                if (!path)
                        return -ENOMEM;
                r = policy_list_directory(root, policy, path, &found);
                if (r < 0)
                        return r;

                for (char **f = found; f && *f; f++) {
                        if (!endswith(*f, ".conf") || **f == '.')
                                continue;
                        if (strv_take(names, n, xasprintf("%s.d/%s", name, *f)) < 0)
                                return -ENOMEM;
                }
        }

        return 0;
}

static int policy_read_drop_ins(const Root *root, const char *name, Policy *policy, const PolicyKeys *keys,
                                size_t n_keys) {
        _cleanup_(strv_freep) char **names = NULL;
        size_t n = 0;
        int r;

        r = policy_list_drop_ins(root, policy, name, &names, &n);
        if (r < 0)
                return r;
        if (n > 0)
                qsort(names, n, sizeof(char *), strv_compare);

        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *path = NULL;

                if (i > 0 && streq(names[i], names[i - 1]))
                        continue;

                path = policy_file_path(root, names[i]);
                if (!path)
                        return -ENOMEM;
                r = policy_file_read(root, policy, keys, n_keys, path);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* Make a policy without settings, with the list of the keys on which every practice depends. */
static int policy_new(const PolicyKeys *keys, size_t n_keys, Policy **ret) {
        _cleanup_(policy_freep) Policy *policy = calloc(1, sizeof(*policy));

        if (!policy)
                return -ENOMEM;

        for (size_t g = 0; g < n_keys; g++)
                for (size_t i = 0; i < keys[g].n_keys; i++) {
                        if (!keys[g].keys[i].shared)
                                continue;
                        if (grow(&policy->shared, policy->n_shared, sizeof(PolicyKey *)) < 0)
                                return -ENOMEM;
                        policy->shared[policy->n_shared++] = keys[g].keys + i;
                }

        *ret = TAKE_PTR(policy);
        return 0;
}

int policy_read_text(const char *text, size_t size, const PolicyKeys *keys, size_t n_keys, Policy **ret) {
        _cleanup_(policy_freep) Policy *policy = NULL;
        int r;

        assert(ret);

        r = policy_new(keys, n_keys, &policy);
        if (r < 0)
                return r;
        r = policy_parse(policy, keys, n_keys, "(text)", text, size);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(policy);
        return 0;
}

int policy_read(const Root *root, const char *name, const PolicyKeys *keys, size_t n_keys, Policy **ret) {
        _cleanup_(policy_freep) Policy *policy = NULL;
        _cleanup_free_ char *path = NULL;
        int r;

        assert(root && name && ret);

        r = policy_new(keys, n_keys, &policy);
        if (r < 0)
                return r;

        path = policy_file_path(root, name);
        if (!path)
                return -ENOMEM;
        r = policy_file_read(root, policy, keys, n_keys, path);
        if (r < 0)
                return r;
        r = policy_read_drop_ins(root, name, policy, keys, n_keys);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(policy);
        return 0;
}
