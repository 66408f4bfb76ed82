/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "host/directory.h"
#include "host/known-keys.h"
#include "host/tpm-options.h"

static int complain(char **ret_error, const char *format, ...) _printf_(2, 3);
static int complain(char **ret_error, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        *ret_error = xvasprintf(format, ap);
        va_end(ap);
        return *ret_error ? -EINVAL : -ENOMEM;
}

static int set_bank(TpmOptions *o, const char *argument, char **ret_error) {
        o->bank = algorithm_from_string(argument);

        return o->bank >= 0 ? 0
                            : complain(ret_error, "--bank %s: expected sha1, sha256, sha384, sha512 or sm3", argument);
}

static int set_pcrs(TpmOptions *o, const char *argument, char **ret_error) {
        if (pcr_selection_parse(argument, &o->selection) < 0)
                return complain(ret_error, "--pcrs %s: expected PCRs from 0 to 23, as 0-7,14", argument);

        return 0;
}

static int set_nonce(TpmOptions *o, const char *argument, char **ret_error) {
        size_t digits = strlen(argument);

        if (digits < 2 * NONCE_SIZE_MIN || digits > 2 * NONCE_SIZE_MAX || digits % 2 != 0 ||
            hex_decode(argument, digits / 2, o->nonce) < 0)
                return complain(ret_error, "--nonce: expected %u to %u bytes, two hex digits for each", NONCE_SIZE_MIN,
                                NONCE_SIZE_MAX);

        o->nonce_size = digits / 2;
        return 0;
}

static int set_name(TpmOptions *o, const char *argument, char **ret_error) {
        if (!known_key_name_valid(argument))
                return complain(ret_error,
                                "--name %s: expected up to %u letters, digits and \"._-\", not beginning with a dot",
                                argument, KNOWN_KEY_NAME_MAX);
        if (grow(&o->names, o->n_names, sizeof(*o->names)) < 0)
                return -ENOMEM;

        o->names[o->n_names++] = argument;
        return 0;
}

static int set_keys(TpmOptions *o, const char *argument, char **ret_error) {
        o->keys = argument;
        return *argument ? 0 : complain(ret_error, "--keys: the directory is empty");
}

static int set_accept_key(TpmOptions *o, const char *argument _unused_, char **ret_error _unused_) {
        o->accept_key = true;
        return 0;
}

static int set_write(TpmOptions *o, const char *argument, char **ret_error) {
        o->write = argument;
        return *argument ? 0 : complain(ret_error, "--write: the directory is empty");
}

static const struct {
        const char *name;
        int (*set)(TpmOptions *o, const char *argument, char **ret_error);
        bool single; /* for one target only */
        bool named;  /* only with --name */
} table[_TPM_OPTION_MAX] = {
        [TPM_OPTION_BANK]       = {"bank",       set_bank},
        [TPM_OPTION_PCRS]       = {"pcrs",       set_pcrs},
        [TPM_OPTION_NONCE]      = {"nonce",      set_nonce, .single = true},
        [TPM_OPTION_NAME]       = {"name",       set_name},
        [TPM_OPTION_KEYS]       = {"keys",       set_keys, .named = true},
        [TPM_OPTION_ACCEPT_KEY] = {"accept-key", set_accept_key, .named = true},
        [TPM_OPTION_WRITE]      = {"write",      set_write, .single = true},
};

int tpm_options_set(TpmOptions *o, TpmOption option, const char *argument, char **ret_error) {
        assert(o);
        assert(option < _TPM_OPTION_MAX);
        assert(ret_error);

        o->given |= TPM_OPTION_BIT(option);
        return table[option].set(o, argument, ret_error);
}

/* A name that two targets had would make each look like the other one with a new key. */
static int check_names(const TpmOptions *o, const char *verb, size_t n_targets, char **ret_error) {
        if (o->n_names > 0 && o->n_names != n_targets)
                return complain(ret_error, "%s: %zu names for %zu targets; give --name once for each, in their order",
                                verb, o->n_names, n_targets);

        for (size_t i = 0; i < o->n_names; i++)
                for (size_t k = 0; k < i; k++)
                        if (streq(o->names[i], o->names[k]))
                                return complain(ret_error, "--name %s is given twice; each guest needs its own",
                                                o->names[i]);

        return 0;
}

int tpm_options_check(const TpmOptions *o, unsigned allowed, const char *verb, size_t n_targets, char **ret_error) {
        assert(o);
        assert(verb);
        assert(ret_error);

        for (size_t i = 0; i < _TPM_OPTION_MAX; i++) {
                if (!(o->given & TPM_OPTION_BIT(i)))
                        continue;
                if (!(allowed & TPM_OPTION_BIT(i)))
                        return complain(ret_error, "%s takes no --%s", verb, table[i].name);
                if (table[i].single && n_targets > 1)
                        return complain(ret_error, "%s: --%s goes with one target", verb, table[i].name);
                if (table[i].named && o->n_names == 0)
                        return complain(ret_error, "%s: --%s needs --name", verb, table[i].name);
        }

        return check_names(o, verb, n_targets, ret_error);
}

static int open_directory(const char *path, const char *what, int *ret_fd, char **ret_error) {
        int r;

        r = directory_open(path, ret_fd);
        if (r == -EPERM)
                (void) complain(ret_error,
                                "%s %s: it must belong to you or root, and neither its group nor others may write to "
                                "it; chmod go-w takes that from them", what, path);
        else if (r < 0)
                (void) complain(ret_error, "%s %s: %s", what, path, strerror(-r));

        return r;
}

static int open_keys(TpmOptions *o, char **ret_error) {
        _cleanup_free_ char *path = o->keys ? strdup(o->keys) : known_keys_directory();

        if (!path && o->keys)
                return -ENOMEM;
        if (!path)
                return complain(ret_error, "neither XDG_STATE_HOME nor HOME is set: say with --keys where keys are");

        return open_directory(path, "the directory of keys", &o->keys_fd, ret_error);
}

int tpm_options_open(TpmOptions *o, char **ret_error) {
        int r = 0;

        assert(o);
        assert(ret_error);

        if (o->n_names > 0)
                r = open_keys(o, ret_error);
        if (r >= 0 && o->write)
                r = open_directory(o->write, "--write", &o->write_fd, ret_error);

        return r;
}

void tpm_options_done(TpmOptions *o) {
        free(o->names);
        o->names = NULL;
        o->keys_fd = safe_close(o->keys_fd);
        o->write_fd = safe_close(o->write_fd);
}
