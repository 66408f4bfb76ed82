/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is remembered of guests that were seen before: the key of each one's TPM and how far its counters were. A file
 * each, NAME.json, under the name that the operator gives; nothing that a guest sends becomes a file name.
 */

#include "tpm/attest.h"

#define KNOWN_KEY_NAME_MAX 64U

/* More files in the directory of keys are not looked through. */
#define KNOWN_KEYS_MAX 4096U

typedef struct KnownKey {
        uint8_t name[KEY_NAME_SIZE]; /* of the key (TPM 2.0 part 1, 16) */
        bool counted;                /* the counters are real, not obfuscated */
        uint32_t reset_count;
        uint32_t restart_count;
        bool clocked;                /* the clock is known, which older records lack; only where it is counted */
        uint64_t clock;              /* of the TPM, in milliseconds */
        char first_seen[32];         /* as timestamp_utc() */
        char last_seen[32];
} KnownKey;

typedef enum KnownKeyMatch {
        KNOWN_KEY_SAME,
        KNOWN_KEY_OTHER,      /* another TPM state, or another guest */
        KNOWN_KEY_BACK,       /* the same key, and its counters went back: an old TPM state */
        KNOWN_KEY_CLOCK_BACK, /* likewise: its counters are what they were, and its clock went back */
} KnownKeyMatch;

/** known_key_name_valid() - whether a guest may be called so: [A-Za-z0-9._-]{1,64}, not beginning with a dot */
bool known_key_name_valid(const char *name) _pure_;

/**
 * known_keys_directory() - where keys are kept by default
 *
 * $XDG_STATE_HOME/gtune-host/keys, else ~/.local/state/gtune-host/keys (XDG Base Directory Specification 0.8; a
 * relative path counts as not set). Return: the path, which the caller frees, or NULL: neither is set, or no memory.
 */
char *known_keys_directory(void);

/**
 * known_key_load() - what is remembered of a guest
 * @directory_fd: the directory of keys
 * @name: a valid name
 * @ret: takes it
 *
 * Return: 0; -ENOENT; -EBADMSG where the file is not one that known_key_store() wrote; as directory_read().
 */
int known_key_load(int directory_fd, const char *name, KnownKey *ret);

/**
 * known_key_store() - remember a guest, in the place of what was remembered
 * @directory_fd: the directory of keys
 * @name: a valid name
 * @key: what is remembered
 *
 * Return: 0, -ENOMEM, or as directory_write().
 */
int known_key_store(int directory_fd, const char *name, const KnownKey *key);

/**
 * known_keys_find() - look for a key under another name
 * @directory_fd: the directory of keys
 * @name: the name that is not looked at
 * @key: the name of the key, KEY_NAME_SIZE bytes
 * @ret: takes the guest's name, where there is one
 *
 * What is no record is passed over: it is told when its own guest is asked. Return: 1; 0 where there is none; -E2BIG
 * where none was found and there are more than KNOWN_KEYS_MAX files; -ENOMEM or another -errno.
 */
int known_keys_find(int directory_fd, const char *name, const uint8_t *key, char ret[static KNOWN_KEY_NAME_MAX + 1]);

/**
 * known_key_compare() - whether a guest is the one that is known
 * @known: what is remembered
 * @now: what its quote says
 *
 * A reset starts the restarts again from 0 (TPM 2.0 part 1, 36.3). Counters that a TPM obfuscates are not compared.
 * The clock may go back a little when a TPM loses its power, and that is a reset: without one it does
 * not.
 */
KnownKeyMatch known_key_compare(const KnownKey *known, const KnownKey *now) _pure_;
