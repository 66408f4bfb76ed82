/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The configuration of a practice that takes effect at boot: is it there for the next boot, was it there for this one,
 * and did gtuned write it? The state of the practice follows from that and from its effect.
 */

#include "core/practice.h"

typedef struct Configuration {
        bool automatic;           /* nothing has to be configured: the kernel does it by itself */
        bool unknown;             /* the boot entries cannot be relied on */
        bool complete;            /* every place has it */
        bool next_boot;           /* every entry that boots has it */
        bool running;             /* this boot was started with it */
        bool ours;                /* gtuned put it there */
        bool ours_earlier;        /* … in an earlier boot, or into the image */
        const BootEntry *missing; /* a place that does not have it */
        const BootEntry *opposite; /* a place that says the opposite … */
        const Token *opposite_token; /* … by this token */
        const char *path, *detail; /* of a practice that is configured by files: the file that is not right, and why */
} Configuration;

/**
 * configuration_of_tokens() - look for tokens on all command lines
 * @view: the view
 * @practice: the name of the practice that the tokens belong to
 * @specs: the tokens; all of them are needed
 * @n_specs: how many
 * @ret: takes the answer
 */
void configuration_of_tokens(const View *view, const char *practice, const TokenSpec *specs, size_t n_specs,
                             Configuration *ret);

/**
 * configuration_verdict() - the state that follows from configuration and effect
 * @view: the view
 * @finding: takes the verdict; its wanted and held are read
 * @c: the configuration
 * @effect: whether the running system proves that the practice is in effect
 *
 * What stops a practice that is configured is the practice's own knowledge: the practice asks for that first. Return: 0
 * or -ENOMEM.
 */
int configuration_verdict(const View *view, Finding *finding, const Configuration *c, bool effect);

/**
 * configuration_atuned_conflict() - whether A-Tune would undo a change of the boot entries
 * @view: the view
 * @c: the configuration; a complete one needs no edit, so there is no conflict
 * @finding: takes the verdict "conflict"
 *
 * A-Tune edits grub.cfg in place and rolls back by copying the whole file
 * (A-Tune: analysis/plugin/configurator/bootloader/grub2.py). Return: 1 if the verdict is set, 0, or -ENOMEM.
 */
int configuration_atuned_conflict(const View *view, const Configuration *c, Finding *finding);
