/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The policy: what is wanted, from gtuned.conf and gtuned.conf.d/ (see gtuned.conf's own comments). Which
 * sections and keys exist is data that the practices bring; this file knows only how to read them.
 */

#include "core/root.h"

/* What a key may hold. */
typedef enum KeyType {
        KEY_BOOL,        /* yes/no, true/false, on/off, 1/0 */
        KEY_CHOICE,      /* one of the words in "choices" */
        KEY_KERNEL_UINT, /* as the kernel's kstrtouint(…, 0) */
        KEY_KERNEL_BOOL, /* as the kernel's kstrtobool() */
        KEY_PATH,        /* an absolute path */
        KEY_LIST,        /* words separated by commas; a repeated key adds up, an empty value clears it */
        _KEY_TYPE_MAX,
} KeyType;

typedef struct PolicyKey {
        const char *section;
        const char *name;
        KeyType type;
        const char *const *choices; /* for KEY_CHOICE, NULL-terminated */
        const char *meaning;        /* one line for people */
} PolicyKey;

/* The value that counts for a key, and where it was written. */
typedef struct PolicySetting {
        const PolicyKey *key;
        char *value;
        char *file;
        unsigned line;
} PolicySetting;

typedef struct PolicyError {
        char *file;
        unsigned line; /* from 1; 0 for the file as a whole */
        char *reason;
} PolicyError;

typedef struct Policy {
        char **files; /* those that were read, NULL-terminated, in the order of reading */
        PolicySetting *settings;
        size_t n_settings;
        PolicyError *errors; /* any: nothing of the policy may be applied */
        size_t n_errors;
        const char *credential; /* a constant: what became of the policy that the host offers; NULL: none is known */
        char *credential_note;  /* what a person should know of it, a sentence; or NULL */
} Policy;

/* Some keys that belong together. */
typedef struct PolicyKeys {
        const PolicyKey *keys;
        size_t n_keys;
} PolicyKeys;

/** policy_core_keys - the keys of [guest] and [channel], which belong to no practice */
extern const PolicyKeys policy_core_keys;

/**
 * policy_read() - read all policy files below a root
 * @root: the root
 * @keys: what is known besides policy_core_keys
 * @n_keys: how many groups
 * @ret: takes the policy; the caller frees it
 *
 * What is wrong in a file becomes an entry of errors. Return: 0 or -ENOMEM.
 */
int policy_read(const Root *root, const PolicyKeys *keys, size_t n_keys, Policy **ret);

/** policy_read_text() - policy_read() of one text instead of files; errors name "(text)" as the file */
int policy_read_text(const char *text, size_t size, const PolicyKeys *keys, size_t n_keys, Policy **ret);

/** policy_free() - release a policy; NULL is ignored */
Policy *policy_free(Policy *policy);
DEFINE_CLEANUP(Policy *, policy_free);

/**
 * policy_exists() - whether any key is set
 *
 * A file of comments is no policy: gtuned then only observes.
 */
bool policy_exists(const Policy *policy) _pure_;

/** policy_get() - what is set for a key, or NULL */
const PolicySetting *policy_get(const Policy *policy, const char *section, const char *name) _pure_;

/** policy_word() - the value of a key, or otherwise where it is not set */
const char *policy_word(const Policy *policy, const char *section, const char *name, const char *otherwise) _pure_;

/** policy_bool() - the value of a KEY_BOOL, or otherwise where it is not set */
bool policy_bool(const Policy *policy, const char *section, const char *name, bool otherwise) _pure_;

/**
 * policy_error() - note that something is wrong
 * @policy: the policy
 * @file: the file; copied
 * @line: from 1, or 0
 * @format: a sentence that says what is wrong and what to do
 *
 * Return: 0 or -ENOMEM.
 */
int policy_error(Policy *policy, const char *file, unsigned line, const char *format, ...) _printf_(4, 5);

/**
 * policy_describe() - the settings of a section in one canonical line
 * @policy: the policy
 * @section: the section
 *
 * A hold (see `gtune revert`) ends when this line changes. Return: a new string, or NULL: no memory.
 */
char *policy_describe(const Policy *policy, const char *section);

/** parse_bool() - read yes/no, true/false, on/off, 1/0. Return: 0 or -EINVAL. */
int parse_bool(const char *s, bool *ret);
