/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Options of the programs' command lines, as a table that getopt_long() and --help both follow, and exit statuses.
 */

#include "core/util.h"

/* Exit statuses of gtune and gtune-host (README, "Exit status"). */
typedef enum ExitStatus {
        STATUS_OK = 0,
        STATUS_ERROR = 1,
        STATUS_USAGE = 2,
        STATUS_CHANGES = 3,   /* changes are needed */
        STATUS_REBOOT = 4,    /* a reboot is pending */
        STATUS_UNMET = 5,     /* something wanted is in conflict, unsupported or unknown */
        STATUS_NO_ANSWER = 6, /* a guest did not answer */
} ExitStatus;

typedef struct Option {
        const char *name;
        int letter;           /* short form, or 0 */
        const char *argument; /* its name for people; NULL: the option takes none */
        const char *help;
        int (*set)(void *userdata, const char *argument); /* 0, or -EINVAL after a message on stderr */
} Option;

/* The most options a program may have. */
#define OPTIONS_MAX 32U

/**
 * options_parse() - read the options of a command line
 * @options: the table
 * @n: number of its rows, at most OPTIONS_MAX
 * @argc: as main() got it
 * @argv: as main() got it; words that are no options move to the end
 * @userdata: passed to the set functions
 * @ret_given: takes one bit for each row whose option was given; may be NULL
 *
 * Return: the index of the first word that is no option, or -EINVAL after a message on stderr.
 */
int options_parse(const Option *options, size_t n, int argc, char **argv, void *userdata, uint32_t *ret_given);

/** option_help() - print one row of that section */
void option_help(const Option *option);

/** options_help() - print the table as the "Options:" section of --help */
void options_help(const Option *options, size_t n);
