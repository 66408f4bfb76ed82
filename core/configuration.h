/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The configuration of a practice that takes effect at boot: whether the next boot will have it, whether this boot was
 * started with it, and whether gtuned wrote it. The state of the practice follows from the configuration and the
 * effect.
 */

#include "core/practice.h"

typedef struct Configuration {
        bool automatic;           /* nothing has to be configured: the kernel does it by itself */
        bool unknown;             /* the boot entries could not be read, or there are none */
        bool built;               /* what boots is built of the templates, so that it may not have what they have */
        bool complete;            /* all boot entries, templates and files have it */
        bool next_boot;           /* all entries that boot this system have it */
        bool running;             /* this boot was started with it */
        bool ours;                /* gtuned wrote it */
        bool ours_earlier;        /* gtuned wrote all of it in an earlier boot, or into the image */
        bool released;            /* gtuned took it back in this boot, so that the next boot is without it */
        bool still;               /* an entry that boots this system has one of its tokens */
        const BootEntry *missing; /* an entry or template that does not have it; NULL: all have it */
        const BootEntry *opposite; /* an entry or template that says the opposite; NULL: there is none */
        const Token *opposite_token; /* the token of that entry that says so */
        const BootEntry *unedited; /* an entry that gtuned does not change and that does not have it; NULL: there is none */
        const TokenSpec *specs;   /* its tokens */
        size_t n_specs;
        const char *path, *detail; /* if the practice is configured by files: the file that is wrong, and why */
} Configuration;

/**
 * configuration_of_tokens() - look for tokens on all command lines
 * @view: the view
 * @practice: the name of the practice that the tokens belong to
 * @specs: the tokens; all of them are needed
 * @n_specs: how many tokens
 * @ret: takes the configuration, which points into the view and to the tokens
 */
void configuration_of_tokens(const View *view, const char *practice, const TokenSpec *specs, size_t n_specs,
                             Configuration *ret);

/** configuration_is_released() - whether gtuned took a practice back in this boot, as Configuration.released */
bool configuration_is_released(const View *view, const char *practice) _pure_;

/**
 * configuration_verdict() - set the state that follows from configuration and effect
 * @view: the view
 * @finding: takes the verdict; its wanted and held are read
 * @c: the configuration
 * @effect: whether the running system proves that the practice is in effect
 *
 * Only the practice knows what can stop it although it is configured, so it checks that before it calls this function.
 * Return: 0 or -ENOMEM.
 */
int configuration_verdict(const View *view, Finding *finding, const Configuration *c, bool effect);

/**
 * configuration_atuned_conflict() - find out whether A-Tune would undo a change of the boot entries
 * @view: the view
 * @c: the configuration; a complete one needs no edit, so there is no conflict
 * @finding: takes the verdict "conflict"
 *
 * A-Tune edits grub.cfg in place and rolls back by copying the whole file (A-Tune:
 * analysis/plugin/configurator/bootloader/grub2.py). Return: 1 if the verdict is set, 0 if there is no conflict, or
 * -ENOMEM.
 */
int configuration_atuned_conflict(const View *view, const Configuration *c, Finding *finding);
