/* SPDX-License-Identifier: Apache-2.0 */

#include "config.h"
#include "cli/verb.h"
#include "core/text.h"

int option_set_root(void *userdata, const char *argument) {
        Context *c = userdata;

        c->root_path = argument;
        return 0;
}

int option_set_arch(void *userdata, const char *argument) {
        static const char *const known[] = {"x86_64", "aarch64"};
        Context *c = userdata;

        for (size_t i = 0; i < ELEMENTSOF(known); i++)
                if (streq(known[i], argument)) {
                        c->arch = argument;
                        return 0;
                }

        complain(c, "--arch %s: expected x86_64 or aarch64", argument);
        return -EINVAL;
}

int option_set_json(void *userdata, _unused_ const char *argument) {
        ((Context *) userdata)->json = true;
        return 0;
}

int option_set_unattended(void *userdata, _unused_ const char *argument) {
        ((Context *) userdata)->unattended = true;
        return 0;
}

int option_version(void *userdata, _unused_ const char *argument) {
        Context *c = userdata;

        text_say(stdout, "%s " PACKAGE_VERSION "\n", c->program->name);
        c->finished = true;
        return 0;
}

int option_set_help(void *userdata, _unused_ const char *argument) {
        ((Context *) userdata)->help = true;
        return 0;
}

static void print_help(const Context *c) {
        const Program *p = c->program;

        text_say(stdout, "Usage: %s [OPTION...] VERB [ARGUMENT...]\n\n%s\n\nVerbs:\n", p->name, p->purpose);
        for (size_t i = 0; i < p->n_verbs; i++) {
                char left[64];

                (void) snprintf(left, sizeof(left), "%s %s", p->verbs[i].name, strempty(p->verbs[i].arguments));
                text_say(stdout, "  %-24s %s\n", left, p->verbs[i].help);
        }
        text_say(stdout, "\nPractices:\n ");
        for (size_t i = 0; i < c->side->n_practices; i++)
                text_say(stdout, " %s", c->side->practices[i]->name);
        puts("");
        options_help(p->options, p->n_options);
        puts("\nExit status, the first that holds:\n"
             "  2 usage, 1 error, 5 something wanted is in conflict, unsupported or unknown,\n"
             "  3 changes are needed, 4 a reboot is pending, 0 all is as it should be");
}

static _printf_(2, 0) void complain_va(const Context *c, const char *format, va_list ap) {
        _cleanup_free_ char *text = xvasprintf(format, ap);

        text_say(stderr, "%s: %s\n", c->program->name, strempty(text));
}

int complain(const Context *c, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        complain_va(c, format, ap);
        va_end(ap);
        return STATUS_ERROR;
}

int complain_usage(const Context *c, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        complain_va(c, format, ap);
        va_end(ap);
        return STATUS_USAGE;
}

int check_survey(const Context *c, int r, Survey **survey) {
        if (r == -EBADMSG)
                complain(c, "%s%s is no machine description of a snapshot", c->root_path, PROBE_PATH);
        else if (r < 0)
                complain(c, "the %s cannot be looked at: %s", c->side->name, error_text(-r));
        else if (c->arch && (*survey)->machine->kind != MACHINE_IMAGE) {
                complain(c, "--arch is for images; this machine says itself that it is %s",
                         (*survey)->machine->probe->arch);
                *survey = survey_free(*survey);
                return -EINVAL;
        } else if ((*survey)->machine->problem) {
                complain(c, "%s: %s", c->root_path, (*survey)->machine->problem);
                *survey = survey_free(*survey);
                return -EINVAL;
        }

        return r;
}

int take_survey(const Context *c, Survey **ret) {
        return check_survey(c, survey_take(c->side, c->root, c->arch, ret), ret);
}

int parse_practices(const Context *c, char **arguments, PracticeSet *ret) {
        *ret = *arguments ? (PracticeSet) {} : PRACTICE_SET_ALL;

        for (; *arguments; arguments++) {
                int row = side_find_practice(c->side, *arguments);

                if (row < 0)
                        return complain_usage(c, "there is no practice %s; see %s --help", *arguments,
                                              c->program->name);
                practice_set_add(ret, (size_t) row);
        }

        return 0;
}

void print_policy_errors(const Policy *policy) {
        for (size_t i = 0; i < policy->n_errors; i++) {
                const PolicyError *e = policy->errors + i;
                _cleanup_free_ char *line = complaint_format(e->file, e->line, e->reason);

                text_say(stderr, "%s\n", strempty(line));
        }
}

int print_document(json_object *o) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        int r;

        r = json_format_pretty(o, &text);
        if (r < 0)
                return r;

        (void) text_write(stdout, &text);
        return 0;
}

/* Return: the row of a verb, or NULL after a complaint. */
static const Verb *find_verb(const Context *c, const char *name) {
        const Program *p = c->program;

        for (size_t i = 0; i < p->n_verbs; i++)
                if (streq(p->verbs[i].name, name))
                        return p->verbs + i;

        (void) complain_usage(c, "there is no verb %s; try %s --help", name, p->name);
        return NULL;
}

static bool verb_takes(const Verb *verb, const char *option) {
        for (const char *const *o = verb->options; *o; o++)
                if (streq(*o, option))
                        return true;

        return false;
}

static void print_verb_help(const Context *c, const Verb *verb) {
        const Program *p = c->program;

        text_say(stdout, "Usage: %s %s [OPTION...]%s%s\n\n%s\n\nOptions:\n", p->name, verb->name, verb->arguments ? " " : "",
               strempty(verb->arguments), verb->help);
        for (size_t i = 0; i < p->n_options; i++)
                if (verb_takes(verb, p->options[i].name))
                        option_help(p->options + i);
}

/* An option that a verb would ignore is a mistake that its user should hear of. */
static int check_options(const Context *c, const Verb *verb, uint32_t given) {
        for (size_t i = 0; i < c->program->n_options; i++)
                if ((given >> i & 1U) != 0 && !verb_takes(verb, c->program->options[i].name))
                        return complain_usage(c, "%s takes no option --%s; try %s %s --help", verb->name,
                                              c->program->options[i].name, c->program->name, verb->name);

        return 0;
}

/* --help behind a verb is about this verb. */
static int run_help(const Context *c, int argc, char **argv) {
        const Verb *verb;

        if (argc == 0) {
                print_help(c);
                return STATUS_OK;
        }

        verb = find_verb(c, argv[0]);
        if (!verb)
                return STATUS_USAGE;

        print_verb_help(c, verb);
        return STATUS_OK;
}

/* An image that was not mounted, or no longer is, would be in order: there is nothing in it. */
static bool root_holds_system(const Root *root) {
        static const char *const any[] = {"/etc", "/usr", "/boot", PROBE_PATH};

        for (size_t i = 0; i < ELEMENTSOF(any); i++)
                if (root_exists(root, any[i]))
                        return true;

        return false;
}

static int run_verb(Context *c, uint32_t given, int argc, char **argv) {
        const char *name = c->program->name;
        const Verb *verb;
        unsigned n;
        int r;

        if (argc == 0)
                return complain_usage(c, "a verb is missing; try %s --help", name);

        verb = find_verb(c, argv[0]);
        if (!verb)
                return STATUS_USAGE;

        n = (unsigned) argc - 1;
        if (n < verb->min || n > verb->max)
                return complain_usage(c, "wrong number of arguments; usage: %s %s%s%s", name, argv[0],
                                      verb->arguments ? " " : "", strempty(verb->arguments));
        r = check_options(c, verb, given);
        if (r != 0)
                return r;

        r = root_new(&c->root, c->root_path);
        if (r < 0)
                return complain(c, "--root %s: %s", c->root_path, error_text(-r));

        if (!root_holds_system(c->root))
                return complain(c, "--root %s: no system is there: it has neither etc, usr nor boot", c->root_path);

        return verb->run(c, argv + 1);
}

static int run(Context *c, int argc, char **argv) {
        uint32_t given = 0;
        int first, r;

        first = options_parse(c->program->options, c->program->n_options, argc, argv, c, &given);
        if (first < 0)
                return STATUS_USAGE;
        if (c->finished)
                return STATUS_OK;
        if (c->help)
                return run_help(c, argc - first, argv + first);

        c->colour = text_wants_colour(stdout);
        r = run_verb(c, given, argc - first, argv + first);
        if (r == -ENOMEM)
                return complain(c, "out of memory");

        return r < 0 ? STATUS_ERROR : r;
}

int cli_main(Context *c, int argc, char **argv) {
        int status, r = fill_standard_files();

        status = r < 0 ? STATUS_ERROR : run(c, argc, argv);
        c->root = root_free(c->root);
        if (fflush(stdout) != 0 || ferror(stdout))
                status = complain(c, "the output cannot be written: %s", error_text(errno));

        return status;
}
