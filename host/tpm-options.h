/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The options of the command line that are for the verbs which ask about a TPM.
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
        unsigned given;                /* HOST_TPM_OPTION_BIT() of each */
        Algorithm bank;
        uint32_t selection;            /* PCRs, one bit each */
        uint8_t nonce[NONCE_SIZE_MAX];
        size_t nonce_size;             /* 0: each target gets one of its own */
        const char **names;            /* what the operator calls the guests, in the order of the targets */
        size_t n_names;
        const char *keys;              /* the directory of known keys; NULL: the default */
        int keys_fd;
        const char *write;             /* the directory for the files of a quote, or NULL */
        int write_fd;
        bool accept_key;
} HostTpmOptions;

/* What is quoted by default: what was measured up to the start of the kernel. */
#define HOST_TPM_PCRS_DEFAULT (0x3FFU | 1U << 14)

#define HOST_TPM_OPTIONS_NULL                                   \
        ((HostTpmOptions) {                                     \
                .bank = ALGORITHM_SHA256,                       \
                .selection = HOST_TPM_PCRS_DEFAULT,             \
                .keys_fd = -EBADF,                              \
                .write_fd = -EBADF,                             \
        })

/**
 * host_tpm_options_set() - take one option of the command line
 * @o: the options
 * @option: which
 * @argument: its argument, which must outlive the options; NULL where it has none
 * @ret_error: takes what is wrong with it; the caller frees it
 *
 * Return: 0; -EINVAL with *ret_error set; -ENOMEM.
 */
int host_tpm_options_set(HostTpmOptions *o, HostTpmOption option, const char *argument, char **ret_error);

/**
 * host_tpm_options_check() - whether the options go together, and with a verb
 * @o: the options
 * @allowed: what the verb takes, HOST_TPM_OPTION_BIT() of each
 * @verb: its name, for the error
 * @n_targets: how many targets it has
 * @ret_error: takes what is wrong; the caller frees it
 *
 * Return: 0; -EINVAL with *ret_error set; -ENOMEM.
 */
int host_tpm_options_check(const HostTpmOptions *o, unsigned allowed, const char *verb, size_t n_targets,
                           char **ret_error);

/**
 * host_tpm_options_open() - open the directories that the options need, so that what is wrong with them shows early
 * @o: the options
 * @ret_error: takes a sentence that names the directory; the caller frees it
 *
 * Return: 0, or -errno with *ret_error set unless it is -ENOMEM.
 */
int host_tpm_options_open(HostTpmOptions *o, char **ret_error);

/** host_tpm_options_done() - close the directories and free the names */
void host_tpm_options_done(HostTpmOptions *o);
