/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A record of each guest that has given a good quote: the key of its TPM, and the last values of the TPM's counters.
 * Each record is a file NAME.json. The operator gives NAME; a guest has no influence on file names.
 */

#include "tpm/attest.h"

#define KNOWN_KEY_NAME_MAX 64U

/* known_keys_find() reads at most so many records. */
#define KNOWN_KEYS_MAX 4096U

typedef struct KnownKey {
        uint8_t name[KEY_NAME_SIZE]; /* the TPM's name for the key (TPM 2.0 part 1, 16) */
        bool counted;                /* the counters are valid: the TPM did not obfuscate them (part 1, 36.7) */
        uint32_t reset_count;
        uint32_t restart_count;
        bool clocked;                /* the clock is valid: counted is set, and the record has it; older ones do not */
        uint64_t clock;              /* the TPM's clock, in milliseconds */
        char first_seen[32];         /* in the form of timestamp_utc() */
        char last_seen[32];          /* in the form of timestamp_utc() */
} KnownKey;

typedef enum KnownKeyMatch {
        KNOWN_KEY_SAME,
        KNOWN_KEY_OTHER,      /* another key: another TPM state, or another guest */
        KNOWN_KEY_BACK,       /* the same key, but a counter went back: an old TPM state */
        KNOWN_KEY_CLOCK_BACK, /* the same key and counters, but the clock went back: an old TPM state */
} KnownKeyMatch;

/** known_key_name_valid() - check the name of a guest: [A-Za-z0-9._-]{1,64}, not beginning with a dot */
bool known_key_name_valid(const char *name) _pure_;

/**
 * known_keys_directory() - get the default directory of keys
 *
 * The directory is $XDG_STATE_HOME/gtune-host/keys, or ~/.local/state/gtune-host/keys if XDG_STATE_HOME is not set. A
 * relative path counts as not set (XDG Base Directory Specification 0.8).
 *
 * Return: the path, which the caller frees; NULL if neither XDG_STATE_HOME nor HOME is set, or memory is exhausted.
 */
char *known_keys_directory(void);

/**
 * known_key_load() - read the record of a guest
 * @directory_fd: the directory of keys
 * @name: the name of the guest; must be valid
 * @ret: takes the record
 *
 * Return: 0; -ENOENT if there is no record; -EBADMSG if the file has not the form that known_key_store() writes;
 * another error of directory_read().
 */
int known_key_load(int directory_fd, const char *name, KnownKey *ret);

/**
 * known_key_store() - write the record of a guest; an older record is replaced
 * @directory_fd: the directory of keys
 * @name: the name of the guest; must be valid
 * @key: the record
 *
 * Return: 0; -ENOMEM; another error of directory_write().
 */
int known_key_store(int directory_fd, const char *name, const KnownKey *key);

/**
 * known_keys_find() - find out whether another guest has the same key
 * @directory_fd: the directory of keys
 * @name: the guest whose own record is not compared
 * @key: the TPM's name for the key, KEY_NAME_SIZE bytes
 * @ret: takes the name of the other guest, or "" if the function does not return 1
 *
 * Files that are not valid records are skipped; gtune-host reports such a file when the guest of that name is asked.
 *
 * Return: 1 if another guest has the key; 0 if none has; -E2BIG if none was found in the first KNOWN_KEYS_MAX records
 * and there are more; -ENOMEM or another -errno.
 */
int known_keys_find(int directory_fd, const char *name, const uint8_t *key, char ret[static KNOWN_KEY_NAME_MAX + 1]);

/**
 * known_key_compare() - compare the key and the counters of a quote with the record of the guest
 * @known: the record
 * @now: the content of the quote
 *
 * A TPM reset sets the count of restarts to 0 (TPM 2.0 part 1, 36.3), so restarts are compared only if the count of
 * resets is the same. The clock may go back a little when the TPM loses power, but then the TPM counts a reset; so the
 * clock is compared only if both counts are the same. Counters that the TPM obfuscates are not compared.
 */
KnownKeyMatch known_key_compare(const KnownKey *known, const KnownKey *now) _pure_;
