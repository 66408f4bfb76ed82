/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "host/directory.h"
#include "host/known-keys.h"
#include "host/tpm-options.h"

static int tpm_options_complain(char **ret_error, const char *format, ...) _printf_(2, 3);
static int tpm_options_complain(char **ret_error, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        *ret_error = xvasprintf(format, ap);
        va_end(ap);
        if (!*ret_error)
                return -ENOMEM;

        return -EINVAL;
}

static int tpm_options_set_nonce(HostTpmOptions *o, const char *argument, char **ret_error) {
        size_t digits = strlen(argument);

        if (digits < 2 * NONCE_SIZE_MIN || digits > 2 * NONCE_SIZE_MAX || digits % 2 != 0 ||
            hex_decode(argument, digits / 2, o->nonce) < 0)
                return tpm_options_complain(ret_error, "--nonce: expected %u to %u bytes, two hex digits for each",
                                            NONCE_SIZE_MIN, NONCE_SIZE_MAX);

        o->nonce_size = digits / 2;
        return 0;
}

static int tpm_options_set_name(HostTpmOptions *o, const char *argument, char **ret_error) {
        if (!known_key_name_valid(argument))
                return tpm_options_complain(ret_error, "--name %s: expected up to %u letters, digits and \"._-\", "
                                            "not beginning with a dot", argument, KNOWN_KEY_NAME_MAX);
        if (grow(&o->names, o->n_names, sizeof(*o->names)) < 0)
                return -ENOMEM;

        o->names[o->n_names++] = argument;
        return 0;
}

static const struct {
        const char *name;
        bool single; /* may be given only with a single target */
        bool named;  /* may be given only with --name */
} tpm_options_table[_HOST_TPM_OPTION_MAX] = {
        [HOST_TPM_OPTION_BANK]       = {"bank"},
        [HOST_TPM_OPTION_PCRS]       = {"pcrs"},
        [HOST_TPM_OPTION_NONCE]      = {"nonce", .single = true},
        [HOST_TPM_OPTION_NAME]       = {"name"},
        [HOST_TPM_OPTION_KEYS]       = {"keys", .named = true},
        [HOST_TPM_OPTION_ACCEPT_KEY] = {"accept-key", .named = true},
        [HOST_TPM_OPTION_WRITE]      = {"write", .single = true},
};

int host_tpm_options_set(HostTpmOptions *o, HostTpmOption option, const char *argument, char **ret_error) {
        assert(o);
        assert(option < _HOST_TPM_OPTION_MAX);
        assert(ret_error);

        o->given |= HOST_TPM_OPTION_BIT(option);
        switch (option) {
        case HOST_TPM_OPTION_BANK:
                o->bank = algorithm_from_string(argument);
                if (o->bank < 0)
                        return tpm_options_complain(ret_error,
                                                    "--bank %s: expected sha1, sha256, sha384, sha512 or sm3",
                                                    argument);
                return 0;
        case HOST_TPM_OPTION_PCRS:
                if (pcr_selection_parse(argument, &o->selection) < 0)
                        return tpm_options_complain(ret_error, "--pcrs %s: expected PCRs from 0 to 23, as 0-7,14",
                                                    argument);
                return 0;
        case HOST_TPM_OPTION_NONCE:
                return tpm_options_set_nonce(o, argument, ret_error);
        case HOST_TPM_OPTION_NAME:
                return tpm_options_set_name(o, argument, ret_error);
        case HOST_TPM_OPTION_KEYS:
        case HOST_TPM_OPTION_WRITE:
                if (!*argument)
                        return tpm_options_complain(ret_error, "--%s: the directory is empty",
                                                    tpm_options_table[option].name);
                *(option == HOST_TPM_OPTION_KEYS ? &o->keys : &o->write) = argument;
                return 0;
        default:
                o->accept_key = true;
                return 0;
        }
}

/* If two targets had the same name, they would share a record, and each would look like the other with a new key. */
static int tpm_options_check_names(const HostTpmOptions *o, const char *verb, size_t n_targets, char **ret_error) {
        if (o->n_names > 0 && o->n_names != n_targets)
                return tpm_options_complain(ret_error,
                                            "%s: %zu names for %zu targets; give --name once for each, in their order",
                                            verb, o->n_names, n_targets);

        for (size_t i = 0; i < o->n_names; i++)
                for (size_t k = 0; k < i; k++)
                        if (streq(o->names[i], o->names[k]))
                                return tpm_options_complain(ret_error,
                                                            "--name %s is given twice; each guest needs its own",
                                                            o->names[i]);

        return 0;
}

int host_tpm_options_check(const HostTpmOptions *o, unsigned allowed, const char *verb, size_t n_targets,
                           char **ret_error) {
        assert(o);
        assert(verb);
        assert(ret_error);

        for (size_t i = 0; i < _HOST_TPM_OPTION_MAX; i++) {
                if (!(o->given & HOST_TPM_OPTION_BIT(i)))
                        continue;
                if (!(allowed & HOST_TPM_OPTION_BIT(i)))
                        return tpm_options_complain(ret_error, "%s takes no --%s", verb, tpm_options_table[i].name);
                if (tpm_options_table[i].single && n_targets > 1)
                        return tpm_options_complain(ret_error, "%s: --%s works with one target only", verb,
                                                    tpm_options_table[i].name);
                if (tpm_options_table[i].named && o->n_names == 0)
                        return tpm_options_complain(ret_error, "%s: --%s needs --name", verb,
                                                    tpm_options_table[i].name);
        }

        return tpm_options_check_names(o, verb, n_targets, ret_error);
}

static int tpm_options_open_directory(const char *path, const char *what, int *ret_fd, char **ret_error) {
        int r;

        r = directory_open(path, ret_fd);
        if (r == -EPERM)
                (void) tpm_options_complain(ret_error,
                                            "%s %s: it must belong to you or root, and its group and others must not "
                                            "be able to write to it; use chown or chmod go-w", what, path);
        else if (r < 0)
                (void) tpm_options_complain(ret_error, "%s %s: %s", what, path, error_text(-r));

        return r;
}

int host_tpm_options_open(HostTpmOptions *o, char **ret_error) {
        int r;

        assert(o);
        assert(ret_error);

        if (o->n_names > 0) {
                _cleanup_free_ char *path = o->keys ? strdup(o->keys) : known_keys_directory();

                if (!path && o->keys)
                        return -ENOMEM;
                if (!path)
                        return tpm_options_complain(ret_error, "neither XDG_STATE_HOME nor HOME is set; name the "
                                                    "directory of keys with --keys");

                r = tpm_options_open_directory(path, "the directory of keys", &o->keys_fd, ret_error);
                if (r < 0)
                        return r;
        }

        if (o->write)
                return tpm_options_open_directory(o->write, "--write", &o->write_fd, ret_error);

        return 0;
}

void host_tpm_options_done(HostTpmOptions *o) {
        free(o->names);
        o->names = NULL;
        o->keys_fd = safe_close(o->keys_fd);
        o->write_fd = safe_close(o->write_fd);
}
