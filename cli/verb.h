/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A command line with verbs, for any side: the options and the verbs are tables of the program. A verb is given the options
 * that its row lists, and refuses the others.
 */

#include "core/json.h"
#include "core/options.h"
#include "engine/survey.h"

typedef struct Context Context;

/* What a program does around the verbs of the loop, besides the side's own practices. Each may be NULL. */
typedef struct Hooks {
        /*
         * Before an apply or revert looks at anything, with the lock: the policy may change here. Return: 0, or -errno and
         * *ret_error says why.
         */
        int (*before)(Context *c, char **ret_error);

        /*
         * After an apply or revert that succeeded on the running system, also if nothing had to be changed. survey is
         * what was true before. Return: 1 if announce() is to be called with the next survey, 0, or -ENOMEM.
         */
        int (*after)(Context *c, const Survey *survey);
        void (*announce)(Context *c, const Survey *survey);

        /*
         * Say what the next boot will measure otherwise. paths are the files of the boot loader that the plan changes,
         * NULL-terminated. With o the member goes into the plan's document, without it to stdout. Return: 0 or -ENOMEM.
         */
        int (*forecast)(Context *c, const Survey *survey, const char *const *paths, json_object *o);
} Hooks;

/* A verb gives its exit status, or -errno after which cli_main() says what failed. */
typedef struct Verb {
        const char *name;
        const char *arguments;         /* for people, or NULL */
        const char *help;
        unsigned min, max;             /* how many arguments */
        const char *const *options;    /* the names of the options that it takes, NULL-terminated */
        int (*run)(Context *c, char **arguments);
} Verb;

typedef struct Program {
        const char *name;    /* "gtune" */
        const char *purpose; /* one sentence for --help */
        const Verb *verbs;
        size_t n_verbs;
        const Option *options;
        size_t n_options;
        Hooks hooks;
} Program;

struct Context {
        const Program *program;
        const Side *side;
        const char *root_path;
        const char *arch;
        bool json;
        bool unattended;
        bool colour;
        bool help;
        bool finished;         /* --version has been answered */
        Root *root;
        void *own;             /* the program's own options */
};

/* Option.set of options that every program may have; userdata is a Context. */
int option_set_root(void *userdata, const char *argument);
int option_set_arch(void *userdata, const char *argument);
int option_set_json(void *userdata, const char *argument);
int option_set_unattended(void *userdata, const char *argument);
int option_set_help(void *userdata, const char *argument);
int option_version(void *userdata, const char *argument);

/* The verbs of the loop, a file each. */
int verb_status(Context *c, char **arguments);
int verb_plan(Context *c, char **arguments);
int verb_apply(Context *c, char **arguments);
int verb_revert(Context *c, char **arguments);
int verb_reboot_needed(Context *c, char **arguments);
int verb_explain(Context *c, char **arguments);

/**
 * cli_main() - run a program
 * @c: the context; program, side and own are set
 * @argc: as main() got it
 * @argv: as main() got it
 *
 * Return: the exit status.
 */
int cli_main(Context *c, int argc, char **argv);

/** complain() - write "PROGRAM: …" to stderr. Return: STATUS_ERROR, to be returned in the same statement. */
int complain(const Context *c, const char *format, ...) _printf_(2, 3);

/** complain_usage() - complain() about the command line. Return: STATUS_USAGE. */
int complain_usage(const Context *c, const char *format, ...) _printf_(2, 3);

/**
 * take_survey() - survey_take() with the context's options
 *
 * Return: 0, or -errno after a complaint.
 */
int take_survey(const Context *c, Survey **ret);

/**
 * check_survey() - complain about what survey_take() returned, or about --arch if the machine says itself what it is
 * @c: the context
 * @r: what survey_take() returned
 * @survey: its survey, which is freed if --arch does not fit
 *
 * Return: r or -EINVAL.
 */
int check_survey(const Context *c, int r, Survey **survey);

/**
 * parse_practices() - names on the command line as a set
 * @c: the context
 * @arguments: NULL-terminated names; none means all
 * @ret: takes the set
 *
 * Return: 0, or STATUS_USAGE after a complaint.
 */
int parse_practices(const Context *c, char **arguments, PracticeSet *ret);

/** print_policy_errors() - write each error of the policy to stderr, with file and line */
void print_policy_errors(const Policy *policy);

/**
 * print_status() - print one line for each practice and subject, then reasons and remedies
 * @c: the context
 * @survey: the survey
 * @set: the practices
 *
 * Return: 0 or -ENOMEM.
 */
int print_status(const Context *c, const Survey *survey, PracticeSet set);

/**
 * print_other_names() - print that the hard links of a file keep the old content; nothing if it has none
 * @separator: what comes before
 * @n: their number
 */
void print_other_names(const char *separator, unsigned n);

/** print_document() - print a JSON document. Return: 0 or -ENOMEM. */
int print_document(json_object *o);
