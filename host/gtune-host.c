/* SPDX-License-Identifier: Apache-2.0 */

/*
 * gtune-host: asks guests, from the host, what gtuned knows of them.
 */

#include <ctype.h>
#include <fcntl.h>

#include "config.h"
#include "core/options.h"
#include "core/text.h"
#include "host/fleet.h"

#define TIMEOUT_DEFAULT (5 * USEC_PER_SEC)
#define TIMEOUT_MIN_SEC 0.001
#define TIMEOUT_MAX_SEC 86400.0

/* What the agent takes as one request is 64 KiB; the rest is for what is around the arguments. */
#define ARGUMENTS_MAX (60U * 1024U)

static const Verb *const verbs[] = {
        &verb_status,
        &verb_query,
        &verb_watch,
        &verb_pcrs,
        &verb_quote,
};

typedef struct Context {
        bool json;
        bool finished; /* --help or --version did all there was to do */
        Question question;
        Output output;
} Context;

/* Every complaint about the command line: one line, and the status of a usage error. */
static int usage(const char *format, ...) _printf_(1, 2);
static int usage(const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        va_list ap;

        va_start(ap, format);
        text = xvasprintf(format, ap);
        va_end(ap);

        (void) fprintf(stderr, "gtune-host: %s; try gtune-host --help\n", strempty(text));
        return STATUS_USAGE;
}

static int set_json(void *userdata, const char *argument _unused_) {
        ((Context *) userdata)->json = true;
        return 0;
}

static int set_timeout(void *userdata, const char *argument) {
        Context *c = userdata;
        char *end = NULL;
        double seconds = 0;

        /* strtod() also takes blanks, signs, "inf", "nan", hexadecimal numbers and exponents. */
        if (isdigit((unsigned char) argument[0]) && !argument[strspn(argument, "0123456789.")])
                seconds = strtod(argument, &end);
        if (!end || *end || seconds < TIMEOUT_MIN_SEC || seconds > TIMEOUT_MAX_SEC) {
                (void) usage("--timeout %s: expected seconds from 0.001 to 86400", argument);
                return -EINVAL;
        }

        c->question.timeout = (uint64_t) (seconds * (double) USEC_PER_SEC);
        return 0;
}

static int set_tpm(void *userdata, TpmOption option, const char *argument) {
        Context *c = userdata;
        _cleanup_free_ char *error = NULL;
        int r;

        r = tpm_options_set(&c->question.tpm, option, argument, &error);
        if (r < 0)
                (void) usage("%s", error ?: strerror(-r));

        return r;
}

static int set_bank(void *userdata, const char *argument) {
        return set_tpm(userdata, TPM_OPTION_BANK, argument);
}

static int set_pcrs(void *userdata, const char *argument) {
        return set_tpm(userdata, TPM_OPTION_PCRS, argument);
}

static int set_nonce(void *userdata, const char *argument) {
        return set_tpm(userdata, TPM_OPTION_NONCE, argument);
}

static int set_name(void *userdata, const char *argument) {
        return set_tpm(userdata, TPM_OPTION_NAME, argument);
}

static int set_keys(void *userdata, const char *argument) {
        return set_tpm(userdata, TPM_OPTION_KEYS, argument);
}

static int set_accept_key(void *userdata, const char *argument) {
        return set_tpm(userdata, TPM_OPTION_ACCEPT_KEY, argument);
}

static int set_write(void *userdata, const char *argument) {
        return set_tpm(userdata, TPM_OPTION_WRITE, argument);
}

static int print_version(void *userdata, const char *argument _unused_) {
        puts("gtune-host " PACKAGE_VERSION);
        ((Context *) userdata)->finished = true;
        return 0;
}

static int print_help(void *userdata, const char *argument);

static const Option options[] = {
        {"json", 'j', NULL, "print JSON, one object a line", set_json},
        {"timeout", 't', "SECONDS", "for each guest (default 5; pcrs and quote: 30)", set_timeout},
        {"bank", 'b', "BANK", "pcrs, quote: sha1, sha256, sha384, sha512, sm3", set_bank},
        {"pcrs", 'p', "LIST", "quote: which PCRs (default 0-9,14)", set_pcrs},
        {"name", 'n', "NAME", "quote: remember the key of this guest; once a target", set_name},
        {"keys", 'k', "DIR", "quote: where keys are remembered", set_keys},
        {"accept-key", 0, NULL, "quote: take a changed key, or an older TPM state", set_accept_key},
        {"nonce", 0, "HEX", "quote: instead of 32 random bytes; 16 to 64 bytes", set_nonce},
        {"write", 'w', "DIR", "quote: write the files that tpm2_checkquote takes", set_write},
        {"help", 'h', NULL, "show this help", print_help},
        {"version", 0, NULL, "show the version", print_version},
};

static int print_help(void *userdata, const char *argument _unused_) {
        puts("Usage: gtune-host [OPTION...] VERB [ARGUMENT...]\n\n"
             "Ask the guests of this host whether they run what they were told to run.\n\nVerbs:");
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++) {
                char left[64];

                (void) snprintf(left, sizeof(left), "%s %s", verbs[i]->name, verbs[i]->synopsis);
                printf("  %-31s %s\n", left, verbs[i]->help);
        }
        puts("\nA target is the UNIX socket of a guest's channel org.gtuned.agent.0.");
        options_help(options, ELEMENTSOF(options));
        puts("\nExit status, the first that holds for any guest:\n"
             "  2 usage, 1 error, or a quote that does not hold, 6 no valid answer,\n"
             "  5 something wanted is in conflict, unsupported or unknown, 3 changes are\n"
             "  needed, 4 a reboot is pending, 0 all is as it should be;\n"
             "  query, watch and pcrs: 2, 1, 6 or 0");
        ((Context *) userdata)->finished = true;
        return 0;
}

/* "{...}" on the command line. */
static int parse_arguments(Context *c, const char *text) {
        int r;

        if (strlen(text) > ARGUMENTS_MAX)
                return usage("the arguments are longer than %u bytes", ARGUMENTS_MAX);

        r = json_parse(text, strlen(text), &c->question.arguments);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return usage("the arguments are no JSON object");

        return 0;
}

static int parse_command(Context *c, char ***args) {
        static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
        const char *command = **args;

        if (!command)
                return usage("query: a command is missing");
        if (!*command || command[strspn(command, allowed)])
                return usage("query: \"%s\" is no name of a command", command);

        c->question.execute = command;
        (*args)++;
        if (!**args || ***args != '{')
                return 0;

        return parse_arguments(c, *(*args)++);
}

static const Verb *find_verb(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                if (streq(verbs[i]->name, name))
                        return verbs[i];

        return NULL;
}

static int check_tpm_options(const Question *q) {
        _cleanup_free_ char *error = NULL;
        int r;

        r = tpm_options_check(&q->tpm, q->verb->tpm_options, q->verb->name, q->n_paths, &error);
        return r == -EINVAL ? usage("%s", error) : r;
}

static int parse_question(Context *c, char **args) {
        Question *q = &c->question;
        int r;

        if (!*args)
                return usage("a verb is missing");

        q->verb = find_verb(*args);
        if (!q->verb)
                return usage("there is no verb %s", *args);

        args++;
        q->execute = q->verb->execute;
        if (!q->execute) {
                r = parse_command(c, &args);
                if (r != 0)
                        return r;
        }

        for (q->paths = args; *args; args++, q->n_paths++)
                if (!**args)
                        return usage("%s: a target is empty", q->verb->name);
        if (q->n_paths == 0)
                return usage("%s: a target is missing", q->verb->name);
        if (q->timeout == 0)
                q->timeout = q->verb->timeout ?: TIMEOUT_DEFAULT;

        return check_tpm_options(q);
}

static void choose_output(Context *c) {
        const Verb *verb = c->question.verb;

        c->output = (Output) {
                .json = c->json || verb->json,
                .terminal = isatty(STDOUT_FILENO) > 0,
                .colour = text_wants_colour(stdout),
                .clock = verb->stream,
                .target_width = print_target_width(c->question.paths, c->question.n_paths),
        };
}

/* A socket must never become standard output, and what is written to a closed one must fail. */
static int keep_standard_files(void) {
        int fd;

        do {
                fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
                if (fd < 0)
                        return negative_errno();
        } while (fd <= STDERR_FILENO);

        (void) close(fd);
        return 0;
}

static int ask(Context *c) {
        _cleanup_(fleet_freep) Fleet *fleet = NULL;
        _cleanup_free_ char *error = NULL;
        int r;

        r = tpm_options_open(&c->question.tpm, &error);
        if (r < 0 && error) {
                (void) fprintf(stderr, "gtune-host: %s\n", error);
                return STATUS_ERROR;
        }
        if (r < 0)
                return r;

        choose_output(c);

        r = fleet_new(&c->question, &c->output, &fleet);
        if (r < 0)
                return r;

        return fleet_run(fleet);
}

static int run(Context *c, int argc, char **argv) {
        int first, r;

        r = keep_standard_files();
        if (r < 0)
                return r;

        first = options_parse(options, ELEMENTSOF(options), argc, argv, c, NULL);
        if (first < 0)
                return STATUS_USAGE;
        if (c->finished)
                return STATUS_OK;

        r = parse_question(c, argv + first);
        if (r != 0)
                return r;

        return ask(c);
}

int main(int argc, char **argv) {
        Context c = {.question.tpm = TPM_OPTIONS_NULL};
        int r;

        r = run(&c, argc, argv);
        if (c.question.arguments)
                json_object_put(c.question.arguments);
        tpm_options_done(&c.question.tpm);
        if (r >= 0 && fflush(stdout) != 0)
                r = negative_errno();
        if (r < 0) {
                (void) fprintf(stderr, "gtune-host: %s\n", strerror(-r));
                return STATUS_ERROR;
        }

        return r;
}
