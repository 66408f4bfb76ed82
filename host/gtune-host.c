/* SPDX-License-Identifier: Apache-2.0 */

/*
 * gtune-host: asks the gtuned of each guest from the host, and prints the answers. The tests are
 * tests/host/lying-guests.py and tests/host/lying-quotes.py.
 */

#include <ctype.h>

#include "config.h"
#include "core/options.h"
#include "core/text.h"
#include "host/fleet.h"

#define HOST_TIMEOUT_DEFAULT (5 * USEC_PER_SEC)
#define HOST_TIMEOUT_MIN_SEC 0.001
#define HOST_TIMEOUT_MAX_SEC 86400.0

/* A request may have 64 KiB (doc/host.md, "The channel"). 4 KiB are kept for the members beside the arguments. */
#define HOST_ARGUMENTS_MAX (60U * 1024U)

static const HostVerb *const host_verbs[] = {
        &host_verb_status,
        &host_verb_query,
        &host_verb_watch,
        &host_verb_pcrs,
        &host_verb_quote,
};

typedef struct HostContext {
        bool json;
        bool finished; /* --help or --version was given and printed */
        FleetQuestion question;
        Output output;
} HostContext;

/* Print a usage error as one line to stderr. Return: the exit status for it. */
static int host_usage(const char *format, ...) _printf_(1, 2);
static int host_usage(const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        va_list ap;

        va_start(ap, format);
        text = xvasprintf(format, ap);
        va_end(ap);

        text_say(stderr, "gtune-host: %s; try gtune-host --help\n", strempty(text));
        return STATUS_USAGE;
}

static int host_set_json(void *userdata, const char *argument _unused_) {
        ((HostContext *) userdata)->json = true;
        return 0;
}

static int host_set_timeout(void *userdata, const char *argument) {
        HostContext *c = userdata;
        char *end = NULL;
        double seconds = 0;

        /* strtod() also takes blanks, signs, "inf", "nan", hexadecimal numbers and exponents. */
        if (isdigit((unsigned char) argument[0]) && !argument[strspn(argument, "0123456789.")])
                seconds = strtod(argument, &end);
        if (!end || *end || seconds < HOST_TIMEOUT_MIN_SEC || seconds > HOST_TIMEOUT_MAX_SEC) {
                (void) host_usage("--timeout %s: expected seconds from 0.001 to 86400", argument);
                return -EINVAL;
        }

        c->question.timeout = (uint64_t) (seconds * (double) USEC_PER_SEC);
        return 0;
}

static int host_set_tpm(void *userdata, HostTpmOption option, const char *argument) {
        HostContext *c = userdata;
        _cleanup_free_ char *error = NULL;
        int r;

        r = host_tpm_options_set(&c->question.tpm, option, argument, &error);
        if (r < 0)
                (void) host_usage("%s", error ?: error_text(-r));

        return r;
}

static int host_set_bank(void *userdata, const char *argument) {
        return host_set_tpm(userdata, HOST_TPM_OPTION_BANK, argument);
}

static int host_set_pcrs(void *userdata, const char *argument) {
        return host_set_tpm(userdata, HOST_TPM_OPTION_PCRS, argument);
}

static int host_set_nonce(void *userdata, const char *argument) {
        return host_set_tpm(userdata, HOST_TPM_OPTION_NONCE, argument);
}

static int host_set_name(void *userdata, const char *argument) {
        return host_set_tpm(userdata, HOST_TPM_OPTION_NAME, argument);
}

static int host_set_keys(void *userdata, const char *argument) {
        return host_set_tpm(userdata, HOST_TPM_OPTION_KEYS, argument);
}

static int host_set_accept_key(void *userdata, const char *argument) {
        return host_set_tpm(userdata, HOST_TPM_OPTION_ACCEPT_KEY, argument);
}

static int host_set_write(void *userdata, const char *argument) {
        return host_set_tpm(userdata, HOST_TPM_OPTION_WRITE, argument);
}

static int host_print_version(void *userdata, const char *argument _unused_) {
        puts("gtune-host " PACKAGE_VERSION);
        ((HostContext *) userdata)->finished = true;
        return 0;
}

static int host_print_help(void *userdata, const char *argument);

static const Option host_options[] = {
        {"json", 'j', NULL, "print JSON, one object a line", host_set_json},
        {"timeout", 't', "SECONDS", "for each guest (default 5; pcrs and quote: 30)", host_set_timeout},
        {"bank", 'b', "BANK", "pcrs, quote: sha1, sha256, sha384, sha512, sm3", host_set_bank},
        {"pcrs", 'p', "LIST", "quote: which PCRs (default 0-9,14)", host_set_pcrs},
        {"name", 'n', "NAME", "quote: remember the key of this guest; once a target", host_set_name},
        {"keys", 'k', "DIR", "quote: where keys are remembered", host_set_keys},
        {"accept-key", 0, NULL, "quote: take a changed key, or an older TPM state", host_set_accept_key},
        {"nonce", 0, "HEX", "quote: instead of 32 random bytes; 16 to 64 bytes", host_set_nonce},
        {"write", 'w', "DIR", "quote: write the files that tpm2_checkquote takes", host_set_write},
        {"help", 'h', NULL, "show this help", host_print_help},
        {"version", 0, NULL, "show the version", host_print_version},
};

static int host_print_help(void *userdata, const char *argument _unused_) {
        puts("Usage: gtune-host [OPTION...] VERB [ARGUMENT...]\n\n"
             "Ask the guests of this host whether they run what they were told to run.\n\nVerbs:");
        for (size_t i = 0; i < ELEMENTSOF(host_verbs); i++) {
                char left[64];

                (void) snprintf(left, sizeof(left), "%s %s", host_verbs[i]->name, host_verbs[i]->synopsis);
                text_say(stdout, "  %-31s %s\n", left, host_verbs[i]->help);
        }
        puts("\nA target is the UNIX socket of a guest's channel org.gtuned.agent.0.");
        options_help(host_options, ELEMENTSOF(host_options));
        puts("\nExit status, the first that holds for any guest:\n"
             "  2 usage, 1 error, or a quote that does not hold, 6 no valid answer,\n"
             "  5 something wanted is in conflict, unsupported or unknown, 3 changes are\n"
             "  needed, 4 a reboot is pending, 0 all is as it should be;\n"
             "  query, watch and pcrs: 2, 1, 6 or 0");
        ((HostContext *) userdata)->finished = true;
        return 0;
}

/* Parse the arguments of a command, "{...}" on the command line. */
static int host_parse_arguments(HostContext *c, const char *text) {
        int r;

        if (strlen(text) > HOST_ARGUMENTS_MAX)
                return host_usage("query: the arguments are longer than %u bytes", HOST_ARGUMENTS_MAX);

        r = json_parse(text, strlen(text), &c->question.arguments);
        if (r == -ENOMEM)
                return r;
        if (r < 0)
                return host_usage("query: the arguments are not a JSON object");

        return 0;
}

static int host_parse_command(HostContext *c, char ***args) {
        static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
        const char *command = **args;

        if (!command)
                return host_usage("query: a command is missing");
        if (!*command || command[strspn(command, allowed)])
                return host_usage("query: \"%s\" cannot be the name of a command", command);

        c->question.execute = command;
        (*args)++;
        if (!**args || ***args != '{')
                return 0;

        return host_parse_arguments(c, *(*args)++);
}

static int host_parse_question(HostContext *c, char **args) {
        _cleanup_free_ char *error = NULL;
        FleetQuestion *q = &c->question;
        int r;

        if (!*args)
                return host_usage("a verb is missing");

        for (size_t i = 0; i < ELEMENTSOF(host_verbs); i++)
                if (streq(host_verbs[i]->name, *args))
                        q->verb = host_verbs[i];
        if (!q->verb)
                return host_usage("there is no verb %s", *args);

        args++;
        q->execute = q->verb->execute;
        if (!q->execute) {
                r = host_parse_command(c, &args);
                if (r != 0)
                        return r;
        }

        for (q->paths = args; *args; args++, q->n_paths++)
                if (!**args)
                        return host_usage("%s: a target is empty", q->verb->name);
        if (q->n_paths == 0)
                return host_usage("%s: a target is missing", q->verb->name);
        if (q->timeout == 0)
                q->timeout = q->verb->timeout ?: HOST_TIMEOUT_DEFAULT;

        r = host_tpm_options_check(&q->tpm, q->verb->tpm_options, q->verb->name, q->n_paths, &error);
        if (r == -EINVAL)
                return host_usage("%s", error);

        return r;
}

static int host_ask(HostContext *c) {
        _cleanup_(fleet_freep) Fleet *fleet = NULL;
        _cleanup_free_ char *error = NULL;
        int r;

        r = host_tpm_options_open(&c->question.tpm, &error);
        if (r < 0 && error) {
                text_say(stderr, "gtune-host: %s\n", error);
                return STATUS_ERROR;
        }
        if (r < 0)
                return r;

        c->output = (Output) {
                .json = c->json || c->question.verb->json,
                .terminal = isatty(STDOUT_FILENO) > 0,
                .colour = text_wants_colour(stdout),
                .clock = c->question.verb->stream,
                .target_width = print_target_width(c->question.paths, c->question.n_paths),
        };

        r = fleet_new(&c->question, &c->output, &fleet);
        if (r < 0)
                return r;

        return fleet_run(fleet);
}

static int host_run(HostContext *c, int argc, char **argv) {
        int first, r;

        r = fill_standard_files();
        if (r < 0)
                return r;

        first = options_parse(host_options, ELEMENTSOF(host_options), argc, argv, c, NULL);
        if (first < 0)
                return STATUS_USAGE;
        if (c->finished)
                return STATUS_OK;

        r = host_parse_question(c, argv + first);
        if (r != 0)
                return r;

        return host_ask(c);
}

int main(int argc, char **argv) {
        HostContext c = {.question.tpm = HOST_TPM_OPTIONS_NULL};
        int r;

        r = host_run(&c, argc, argv);
        if (c.question.arguments)
                json_object_put(c.question.arguments);
        host_tpm_options_done(&c.question.tpm);
        if (r >= 0 && fflush(stdout) != 0)
                r = negative_errno();
        if (r < 0) {
                text_say(stderr, "gtune-host: %s\n", error_text(-r));
                return STATUS_ERROR;
        }

        return r;
}
