/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The policy: the administrator's wishes, as settings of keys. The tables of a side and of its practices say which
 * sections and keys exist. core/policy-file.h reads policies.
 */

#include "core/util.h"

/* What a key may hold. */
typedef enum KeyType {
        KEY_BOOL,        /* yes/no, true/false, on/off, 1/0 */
        KEY_CHOICE,      /* one of the words in "choices" */
        KEY_KERNEL_UINT, /* a number that the kernel's kstrtouint(…, 0) reads */
        KEY_KERNEL_BOOL, /* a text that the kernel's kstrtobool() reads */
        KEY_PATH,        /* an absolute path */
        KEY_LIST,        /* words separated by commas; every line counts, and an empty value clears those before it */
        _KEY_TYPE_MAX,
} KeyType;

typedef struct PolicyKey {
        const char *section;
        const char *name;
        KeyType type;
        const char *const *choices; /* for KEY_CHOICE, NULL-terminated */
        const char *meaning;        /* one line for people */
        const char *shared;         /* default value of a key on which every practice depends; NULL: other keys */
        bool lasting;               /* it must not be set below /run, because it would be lost at a reboot */
} PolicyKey;

/* One line of a list. */
typedef struct PolicyPart {
        char *text; /* the value of the line; never empty */
        char *file;
        unsigned line;
} PolicyPart;

/* The value that counts for a key, and where it was written. */
typedef struct PolicySetting {
        const PolicyKey *key;
        char *pattern; /* of [section PATTERN]: a shell pattern over names of subjects; NULL: a plain section */
        char *value;   /* of a list: the words of all lines */
        char *file;    /* of a list: that of the last line */
        unsigned line;
        PolicyPart *parts; /* of a list: the lines that count, in the order of reading; those of a file are together */
        size_t n_parts;
} PolicySetting;

typedef struct PolicyError {
        char *file;
        unsigned line; /* from 1; 0 for the file as a whole */
        char *reason;
} PolicyError;

typedef struct Policy {
        char **files; /* the files that were read, NULL-terminated, in the order of reading */
        PolicySetting *settings; /* of the same key, the last one counts; of a list, every line does */
        size_t n_settings;
        const PolicyKey **shared; /* the keys on which every practice depends */
        size_t n_shared;
        PolicyError *errors; /* if there is any, nothing is applied */
        size_t n_errors;
        const char *credential; /* a constant: the state of the policy that the host offers; NULL: unknown */
        char *credential_note;  /* a sentence about it that a person should read, or NULL */
} Policy;

/* A group of keys. */
typedef struct PolicyKeys {
        const PolicyKey *keys;
        size_t n_keys;
        bool by_subject; /* their sections are written [section PATTERN] */
} PolicyKeys;

/** policy_free() - release a policy; NULL is ignored */
Policy *policy_free(Policy *policy);
DEFINE_CLEANUP(Policy *, policy_free);

/** policy_clear_list() - forget the lines of a list */
void policy_clear_list(PolicySetting *setting);

/**
 * policy_exists() - whether any key is set
 *
 * A file of comments is no policy: gtuned then only observes.
 */
bool policy_exists(const Policy *policy) _pure_;

/** policy_get() - find the setting of a key of a plain section, or NULL */
const PolicySetting *policy_get(const Policy *policy, const char *section, const char *name) _pure_;

/**
 * policy_get_for() - find the setting of a key for a subject
 * @policy: the policy
 * @section: the section
 * @name: the key
 * @subject: the subject's name; NULL: this machine, as in policy_get()
 *
 * A section [section NAME] that names the subject itself wins over one with a pattern; of several sections of either
 * kind the last one wins. Return: the setting, or NULL.
 */
const PolicySetting *policy_get_for(const Policy *policy, const char *section, const char *name,
                                    const char *subject) _pure_;

/** policy_word() - the value of a key of a plain section, or @otherwise if it is not set */
const char *policy_word(const Policy *policy, const char *section, const char *name, const char *otherwise) _pure_;

/** policy_bool() - the value of a KEY_BOOL of a plain section, or @otherwise if it is not set */
bool policy_bool(const Policy *policy, const char *section, const char *name, bool otherwise) _pure_;

/**
 * policy_error() - add an error to a policy
 * @policy: the policy
 * @file: the file; copied
 * @line: the line, from 1; 0: the file as a whole
 * @format: a sentence that says what is wrong and what to do
 *
 * Return: 0 or -ENOMEM.
 */
int policy_error(Policy *policy, const char *file, unsigned line, const char *format, ...) _printf_(4, 5);

/**
 * policy_describe() - write the settings of a practice as one line
 * @policy: the policy
 * @keys: the keys of the practice
 * @subject: a subject's name, or NULL for this machine
 *
 * The ledger keeps this line with a hold (`gtune revert`), which ends when the line changes. So the form of the line
 * must never change. Return: a new string, or NULL when memory is exhausted.
 */
char *policy_describe(const Policy *policy, const PolicyKeys *keys, const char *subject);

/** parse_bool() - read yes/no, true/false, on/off, 1/0. Return: 0 or -EINVAL. */
int parse_bool(const char *s, bool *ret);
