/* SPDX-License-Identifier: Apache-2.0 */

/*
 * gtune: shows, plans, applies and reverts the tuning of this guest.
 */

#include "agent/hooks.h"
#include "agent/side.h"
#include "agent/snapshot.h"
#include "agent/tpm/verbs.h"
#include "core/text.h"
#include "tpm/attest.h"
#include "tpm/baseline.h"

#define OPTIONS(...) ((const char *const[]) {__VA_ARGS__, "help", "version", NULL})

static const Verb verbs[] = {
        {"status", "[PRACTICE]", "Show what is in effect, and if not, why and what to do", 0, 1,
         OPTIONS("root", "arch", "json"), verb_status},
        {"plan", NULL, "Show what apply would change, as a diff; nothing is written", 0, 0,
         OPTIONS("root", "arch", "json"), verb_plan},
        {"apply", NULL, "Take the guest to its policy", 0, 0, OPTIONS("root", "arch", "json", "unattended"), verb_apply},
        {"revert", "[PRACTICE...]", "Undo what gtuned changed, and leave it alone from now on", 0, PRACTICES_MAX,
         OPTIONS("root", "arch", "json"), verb_revert},
        {"reboot-needed", NULL, "Exit with 0 if something waits for a reboot, else with 1", 0, 0,
         OPTIONS("root", "arch"), verb_reboot_needed},
        {"explain", "[TOPIC]", "Tell what a practice is for, or what a reason code means", 0, 1,
         OPTIONS("root", "arch", "json"), verb_explain},
        {"snapshot", "FILE", "Write a tar file that gives the same report with --root elsewhere", 1, 1,
         OPTIONS("root"), verb_snapshot},
        {"pcr", NULL, "Show what the PCRs of the TPM hold", 0, 0, OPTIONS("root", "json", "bank"), verb_pcr},
        {"eventlog", NULL, "Show what was measured in this boot, and if the PCRs agree", 0, 0,
         OPTIONS("root", "json"), verb_eventlog},
        {"baseline", "COMMAND [FILE]", "save, check, show, add: the PCR values that a boot may have", 1, 2,
         OPTIONS("root", "json", "bank", "label", "force"), verb_baseline},
        {"quote", NULL, "Let the TPM sign its PCRs, the report and a --nonce", 0, 0,
         OPTIONS("root", "json", "bank", "nonce", "pcrs", "directory"), verb_quote},
};

static TpmVerbOptions *own(void *userdata) {
        return ((Context *) userdata)->own;
}

static int set_bank(void *userdata, const char *argument) {
        own(userdata)->bank = algorithm_from_string(argument);
        if (own(userdata)->bank >= 0)
                return 0;

        complain(userdata, "--bank %s: expected sha1, sha256, sha384, sha512 or sm3", argument);
        return -EINVAL;
}

static int set_pcrs(void *userdata, const char *argument) {
        if (pcr_selection_parse(argument, &own(userdata)->pcrs) >= 0)
                return 0;

        complain(userdata, "--pcrs %s: expected PCRs from 0 to 23, as 0-7,14", argument);
        return -EINVAL;
}

static int set_nonce(void *userdata, const char *argument) {
        uint8_t nonce[NONCE_SIZE_MAX];
        size_t digits = strlen(argument);

        if (digits < 2 * NONCE_SIZE_MIN || digits > 2 * NONCE_SIZE_MAX) {
                complain(userdata, "--nonce: it has %zu hex digits, and %u to %u bytes of two digits are needed", digits,
                         NONCE_SIZE_MIN, NONCE_SIZE_MAX);
                return -EINVAL;
        }
        if (digits % 2 != 0 || hex_decode(argument, digits / 2, nonce) < 0) {
                complain(userdata, "--nonce %s: expected hex digits, two for each byte", argument);
                return -EINVAL;
        }

        own(userdata)->nonce = argument;
        return 0;
}

static int set_label(void *userdata, const char *argument) {
        size_t n = 0;

        while (argument[n] >= 0x20 && argument[n] < 0x7F)
                n++;
        if (n == 0 || n > BASELINE_LABEL_MAX || argument[n]) {
                complain(userdata, "--label: expected 1 to %u printable ASCII characters", BASELINE_LABEL_MAX);
                return -EINVAL;
        }

        own(userdata)->label = argument;
        return 0;
}

static int set_directory(void *userdata, const char *argument) {
        if (!*argument) {
                complain(userdata, "--directory: a name is missing");
                return -EINVAL;
        }

        own(userdata)->directory = argument;
        return 0;
}

static int set_force(void *userdata, _unused_ const char *argument) {
        own(userdata)->force = true;
        return 0;
}

static const Option options[] = {
        {"root", 'R', "DIR", "work on the tree below DIR: an image or a snapshot", option_set_root},
        {"arch", 0, "ARCH", "architecture of an image: x86_64 or aarch64", option_set_arch},
        {"json", 'j', NULL, "print JSON", option_set_json},
        {"unattended", 0, NULL, "apply: leave reverted practices alone, as the boot unit does", option_set_unattended},
        {"bank", 0, "BANK", "pcr, baseline, quote: sha1, sha256, sha384, sha512 or sm3", set_bank},
        {"label", 0, "TEXT", "baseline save, add: what to call the present values", set_label},
        {"force", 0, NULL, "baseline save, add: replace a file, take any boot", set_force},
        {"nonce", 0, "HEX", "quote: 16 to 64 bytes that the asking side has chosen", set_nonce},
        {"pcrs", 0, "LIST", "quote: PCRs to sign, as 0-7,14; otherwise 0-9,14", set_pcrs},
        {"directory", 0, "DIR", "quote: write files for tpm2_checkquote to DIR", set_directory},
        {"help", 'h', NULL, "show this help", option_set_help},
        {"version", 0, NULL, "show the version", option_version},
};

int main(int argc, char **argv) {
        const Program program = {
                .name = "gtune",
                .purpose = "Tune this KVM guest, and prove that the tuning is in effect.",
                .verbs = verbs,
                .n_verbs = ELEMENTSOF(verbs),
                .options = options,
                .n_options = ELEMENTSOF(options),
                .hooks = gtune_hooks,
        };
        TpmVerbOptions tpm = {.bank = _ALGORITHM_INVALID, .baseline_path = "/etc/gtuned/baseline.json"};
        Context c = {.program = &program, .side = &guest_side, .root_path = "/", .own = &tpm};

        return cli_main(&c, argc, argv);
}
