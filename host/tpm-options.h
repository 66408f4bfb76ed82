/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The options of the verbs pcrs and quote, which ask about the guest's TPM. The tests are
 * tests/unit/host/test-known-keys.c and tests/host/lying-quotes.py.
 */

#include "tpm/attest.h"

typedef enum HostTpmOption {
        HOST_TPM_OPTION_BANK,
        HOST_TPM_OPTION_PCRS,
        HOST_TPM_OPTION_NONCE,
        HOST_TPM_OPTION_NAME,
        HOST_TPM_OPTION_KEYS,
        HOST_TPM_OPTION_ACCEPT_KEY,
        HOST_TPM_OPTION_WRITE,
        _HOST_TPM_OPTION_MAX,
} HostTpmOption;

#define HOST_TPM_OPTION_BIT(option) (1U << (option))

typedef struct HostTpmOptions {
        unsigned given;                /* HOST_TPM_OPTION_BIT() of each option that was given */
        Algorithm bank;
        uint32_t selection;            /* the PCRs to quote, one bit for each */
        uint8_t nonce[NONCE_SIZE_MAX];
        size_t nonce_size;             /* in bytes; 0: each target gets a random nonce */
        const char **names;            /* the names of the guests, in the order of the targets */
        size_t n_names;
        const char *keys;              /* the directory of keys; NULL: known_keys_directory() */
        int keys_fd;                   /* the same, open; or negative */
        const char *write;             /* the directory for the files of a quote, or NULL */
        int write_fd;                  /* the same, open; or negative */
        bool accept_key;
} HostTpmOptions;

/* The PCRs that are quoted by default: into them everything up to the start of the kernel is measured. */
#define HOST_TPM_PCRS_DEFAULT (0x3FFU | 1U << 14)

#define HOST_TPM_OPTIONS_NULL                                   \
        ((HostTpmOptions) {                                     \
                .bank = ALGORITHM_SHA256,                       \
                .selection = HOST_TPM_PCRS_DEFAULT,             \
                .keys_fd = -EBADF,                              \
                .write_fd = -EBADF,                             \
        })

/**
 * host_tpm_options_set() - set one option of the command line
 * @o: the options
 * @option: the option to set
 * @argument: its argument; must outlive @o; NULL if the option takes none
 * @ret_error: takes a sentence that says what is wrong with the argument; the caller frees it
 *
 * Return: 0; -EINVAL with *ret_error set; -ENOMEM.
 */
int host_tpm_options_set(HostTpmOptions *o, HostTpmOption option, const char *argument, char **ret_error);

/**
 * host_tpm_options_check() - check that the options fit each other, the verb, and the number of targets
 * @o: the options
 * @allowed: HOST_TPM_OPTION_BIT() of each option that the verb takes
 * @verb: the name of the verb, for the error
 * @n_targets: the number of targets
 * @ret_error: takes a sentence that says what is wrong; the caller frees it
 *
 * Return: 0; -EINVAL with *ret_error set; -ENOMEM.
 */
int host_tpm_options_check(const HostTpmOptions *o, unsigned allowed, const char *verb, size_t n_targets,
                           char **ret_error);

/**
 * host_tpm_options_open() - open the directories of --keys and --write before any guest is asked
 * @o: the options; keys_fd is set if there are names, write_fd if --write was given
 * @ret_error: takes a sentence that names the directory; the caller frees it
 *
 * Return: 0; -errno with *ret_error set; -ENOMEM, and *ret_error may be NULL.
 */
int host_tpm_options_open(HostTpmOptions *o, char **ret_error);

/** host_tpm_options_done() - close the directories and free the array of names, but not the names */
void host_tpm_options_done(HostTpmOptions *o);
