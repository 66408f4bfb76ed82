/* SPDX-License-Identifier: Apache-2.0 */

/*
 * gtune: shows, plans, applies and reverts the tuning of this guest.
 */


#include "config.h"
#include "agent/gtune.h"
#include "core/options.h"
#include "core/text.h"
#include "tpm/attest.h"
#include "tpm/baseline.h"

static const Verb verbs[] = {
        {"status", "[PRACTICE]", "Show what is in effect, and if not, why and what to do", 0, 1, verb_status},
        {"plan", NULL, "Show what apply would change, as a diff; nothing is written", 0, 0, verb_plan},
        {"apply", NULL, "Take the guest to its policy", 0, 0, verb_apply},
        {"revert", "[PRACTICE...]", "Undo what gtuned changed, and leave it alone from now on", 0, N_PRACTICES,
         verb_revert},
        {"reboot-needed", NULL, "Exit with 0 if something waits for a reboot, else with 1", 0, 0, verb_reboot_needed},
        {"explain", "PRACTICE", "Tell what a practice is for, and what each reason means", 1, 1, verb_explain},
        {"snapshot", "FILE", "Write a tar file that gives the same report with --root elsewhere", 1, 1, verb_snapshot},
        {"pcr", NULL, "Show what the PCRs of the TPM hold", 0, 0, verb_pcr},
        {"eventlog", NULL, "Show what was measured in this boot, and if the PCRs agree", 0, 0, verb_eventlog},
        {"baseline", "COMMAND [FILE]", "save, check, show, add: the PCR values that a boot may have", 1, 2,
         verb_baseline},
        {"quote", NULL, "Let the TPM sign its PCRs, the report and a --nonce", 0, 0, verb_quote},
};

static int print_help(void *userdata, const char *argument);

static int print_version(void *userdata, const char *argument) {
        Context *c = userdata;

        (void) argument;
        puts("gtune " PACKAGE_VERSION);
        c->finished = true;
        return 0;
}

static int set_root(void *userdata, const char *argument) {
        ((Context *) userdata)->root_path = argument;
        return 0;
}

static int set_arch(void *userdata, const char *argument) {
        static const char *const known[] = {"x86_64", "aarch64"};

        for (size_t i = 0; i < ELEMENTSOF(known); i++)
                if (streq(known[i], argument)) {
                        ((Context *) userdata)->arch = argument;
                        return 0;
                }

        complain("--arch %s: expected x86_64 or aarch64", argument);
        return -EINVAL;
}

static int set_json(void *userdata, const char *argument) {
        (void) argument;
        ((Context *) userdata)->json = true;
        return 0;
}

static int set_unattended(void *userdata, const char *argument) {
        (void) argument;
        ((Context *) userdata)->unattended = true;
        return 0;
}

/* Options of the TPM verbs --------------------------------------------------------------------------------- */

static int set_bank(void *userdata, const char *argument) {
        Context *c = userdata;

        c->bank = algorithm_from_string(argument);
        if (c->bank >= 0)
                return 0;

        complain("--bank %s: expected sha1, sha256, sha384, sha512 or sm3", argument);
        return -EINVAL;
}

static int set_pcrs(void *userdata, const char *argument) {
        if (pcr_selection_parse(argument, &((Context *) userdata)->pcrs) >= 0)
                return 0;

        complain("--pcrs %s: expected PCRs from 0 to 23, as 0-7,14", argument);
        return -EINVAL;
}

static int set_nonce(void *userdata, const char *argument) {
        uint8_t nonce[NONCE_SIZE_MAX];
        size_t digits = strlen(argument);

        if (digits < 2 * NONCE_SIZE_MIN || digits > 2 * NONCE_SIZE_MAX) {
                complain("--nonce: it has %zu hex digits, and %u to %u bytes of two digits are needed", digits,
                         NONCE_SIZE_MIN, NONCE_SIZE_MAX);
                return -EINVAL;
        }
        if (digits % 2 != 0 || hex_decode(argument, digits / 2, nonce) < 0) {
                complain("--nonce %s: expected hex digits, two for each byte", argument);
                return -EINVAL;
        }

        ((Context *) userdata)->nonce = argument;
        return 0;
}

static int set_label(void *userdata, const char *argument) {
        size_t n = 0;

        while (argument[n] >= 0x20 && argument[n] < 0x7F)
                n++;
        if (n == 0 || n > BASELINE_LABEL_MAX || argument[n]) {
                complain("--label: expected 1 to %u printable ASCII characters", BASELINE_LABEL_MAX);
                return -EINVAL;
        }

        ((Context *) userdata)->label = argument;
        return 0;
}

static int set_directory(void *userdata, const char *argument) {
        if (!*argument) {
                complain("--directory: a name is missing");
                return -EINVAL;
        }

        ((Context *) userdata)->directory = argument;
        return 0;
}

static int set_force(void *userdata, const char *argument) {
        (void) argument;
        ((Context *) userdata)->force = true;
        return 0;
}

static const Option options[] = {
        {"root", 'R', "DIR", "work on the tree below DIR: an image or a snapshot", set_root},
        {"arch", 0, "ARCH", "architecture of an image: x86_64 or aarch64", set_arch},
        {"json", 'j', NULL, "print JSON", set_json},
        {"unattended", 0, NULL, "apply: leave reverted practices alone, as the boot unit does", set_unattended},
        {"bank", 0, "BANK", "pcr, baseline, quote: sha1, sha256, sha384, sha512 or sm3", set_bank},
        {"label", 0, "TEXT", "baseline save, add: what to call the present values", set_label},
        {"force", 0, NULL, "baseline save, add: replace a file, take any boot", set_force},
        {"nonce", 0, "HEX", "quote: 16 to 64 bytes that the asking side has chosen", set_nonce},
        {"pcrs", 0, "LIST", "quote: PCRs to sign, as 0-7,14; otherwise 0-9,14", set_pcrs},
        {"directory", 0, "DIR", "quote: write files for tpm2_checkquote to DIR", set_directory},
        {"help", 'h', NULL, "show this help", print_help},
        {"version", 0, NULL, "show the version", print_version},
};

static int print_help(void *userdata, const char *argument) {
        Context *c = userdata;

        (void) argument;
        puts("Usage: gtune [OPTION...] VERB [ARGUMENT...]\n\n"
             "Tune this KVM guest, and prove that the tuning is in effect.\n\nVerbs:");
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++) {
                char left[64];

                (void) snprintf(left, sizeof(left), "%s %s", verbs[i].name, strempty(verbs[i].arguments));
                printf("  %-24s %s\n", left, verbs[i].help);
        }
        printf("\nPractices:\n ");
        for (size_t i = 0; i < N_PRACTICES; i++)
                printf(" %s", practices[i]->name);
        puts("");
        options_help(options, ELEMENTSOF(options));
        puts("\nExit status, the first that holds:\n"
             "  2 usage, 1 error, 5 something wanted is in conflict, unsupported or unknown,\n"
             "  3 changes are needed, 4 a reboot is pending, 0 all is as it should be");
        c->finished = true;
        return 0;
}

int complain(const char *format, ...) {
        _cleanup_free_ char *text = NULL;
        va_list ap;

        va_start(ap, format);
        text = xvasprintf(format, ap);
        va_end(ap);

        fprintf(stderr, "gtune: %s\n", strempty(text));
        return STATUS_ERROR;
}

int take_survey(const Context *c, Survey **ret) {
        int r = survey_take(c->root, c->arch, ret);

        if (r == -EBADMSG)
                complain("%s%s is no machine description of a snapshot", c->root_path, PROBE_PATH);
        else if (r < 0)
                complain("the guest cannot be looked at: %s", strerror(-r));
        else if (c->arch && (*ret)->view.machine->kind != MACHINE_IMAGE) {
                complain("--arch is for images; this machine says itself that it is %s",
                         (*ret)->view.machine->probe->arch);
                *ret = survey_free(*ret);
                return -EINVAL;
        }

        return r;
}

int parse_practices(char **arguments, unsigned *ret) {
        *ret = *arguments ? 0 : PRACTICES_ALL;

        for (; *arguments; arguments++) {
                int i = practice_find(*arguments);

                if (i < 0) {
                        complain("there is no practice %s; see gtune --help", *arguments);
                        return STATUS_USAGE;
                }
                *ret |= 1U << i;
        }

        return 0;
}

void print_policy_errors(const Policy *policy) {
        for (size_t i = 0; i < policy->n_errors; i++) {
                const PolicyError *e = policy->errors + i;
                _cleanup_buffer_ Buffer reason = BUFFER_NULL;

                /* A value can hold any byte, and so does the tree of somebody else. */
                if (text_print(&reason, e->reason, strlen(e->reason)) < 0)
                        return;
                if (e->line > 0)
                        fprintf(stderr, "%s:%u: %s\n", e->file, e->line, strempty(reason.data));
                else
                        fprintf(stderr, "%s: %s\n", e->file, strempty(reason.data));
        }
}

int print_document(json_object *o) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        int r;

        r = json_format_pretty(o, &text);
        if (r < 0)
                return r;

        (void) fwrite(text.data, 1, text.size, stdout);
        return 0;
}

static const Verb *find_verb(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++)
                if (streq(verbs[i].name, name))
                        return verbs + i;

        return NULL;
}

static int run_verb(Context *c, int argc, char **argv) {
        const Verb *verb;
        unsigned n;
        int r;

        if (argc == 0) {
                complain("a verb is missing; try gtune --help");
                return STATUS_USAGE;
        }

        verb = find_verb(argv[0]);
        n = (unsigned) argc - 1;
        if (!verb || n < verb->min || n > verb->max) {
                complain(verb ? "wrong number of arguments; usage: gtune %s %s"
                              : "there is no verb %s%s; try gtune --help",
                         argv[0], verb ? strempty(verb->arguments) : "");
                return STATUS_USAGE;
        }

        r = root_new(&c->root, c->root_path);
        if (r < 0)
                return complain("--root %s: %s", c->root_path, strerror(-r));

        return verb->run(c, argv + 1);
}

static int run(Context *c, int argc, char **argv) {
        int first, r;

        first = options_parse(options, ELEMENTSOF(options), argc, argv, c);
        if (first < 0)
                return STATUS_USAGE;
        if (c->finished)
                return STATUS_OK;

        c->colour = text_wants_colour(stdout);
        r = run_verb(c, argc - first, argv + first);
        if (r == -ENOMEM)
                return complain("out of memory");

        return r < 0 ? STATUS_ERROR : r;
}

int main(int argc, char **argv) {
        Context c = {.root_path = "/", .bank = _ALGORITHM_INVALID};
        int status = run(&c, argc, argv);

        root_free(c.root);
        if (fflush(stdout) != 0 || ferror(stdout))
                status = complain("the output cannot be written: %s", strerror(errno));

        return status;
}
