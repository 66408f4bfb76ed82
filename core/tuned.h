/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What TuneD sets on this machine: a second tuner, whose profile may set what a practice sets.
 */

#include "core/root.h"

/* An option of the active profile. */
typedef struct TunedOption {
        char *path;    /* the file of the profile */
        unsigned line;
        char *section; /* the plugin, such as "sysfs" */
        char *name;    /* such as the path of an attribute, or the name of a module */
        char *value;
} TunedOption;

typedef struct Tuned {
        char *profile; /* the active profiles, as TuneD keeps them */
        TunedOption *options;
        size_t n;
} Tuned;

/**
 * tuned_read() - read the active profile
 * @root: the root
 * @ret: takes the profile with its options, those of an included profile first; NULL if TuneD is not there, is masked or
 *       not started at boot, or has no active profile; the caller frees it
 *
 * A profile that is missing or too large has no options. What a variable of TuneD holds ("${x}", "${f:…}") is not
 * known; the value stays as it is written (TuneD: tuned/profiles/loader.py, tuned/consts.py). Return: 0 or -ENOMEM.
 */
int tuned_read(const Root *root, Tuned **ret);

/** tuned_option() - the option that counts, which is the last one, or NULL. */
const TunedOption *tuned_option(const Tuned *tuned, const char *section, const char *name) _pure_;

/** tuned_free() - release a profile; NULL is ignored */
Tuned *tuned_free(Tuned *tuned);
DEFINE_CLEANUP(Tuned *, tuned_free);
