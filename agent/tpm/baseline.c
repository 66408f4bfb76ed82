/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/tpm/ask.h"
#include "agent/tpm/baseline-check.h"
#include "core/replace.h"
#include "core/text.h"

/* PCR values are not secret: the kernel shows them to all users. The daemon must read the file. */
#define BASELINE_FILE_MODE 0644

/* Reads the PCRs for a new baseline; complains if this boot was not measured, unless --force is given. */
static int baseline_read_values(const Context *c, Algorithm bank, Pcrs *ret) {
        _cleanup_(verdict_freep) Verdict *v = NULL;
        _cleanup_free_ char *error = NULL;
        int r;

        r = tpm_pcrs(c, bank, ret, NULL, &error);
        if (r == 0)
                r = tpm_verdict(c, bank, NULL, &v, NULL, &error);
        if (r != 0)
                return tpm_complain(c, r, error);
        if ((v->state == VERDICT_MEASURED && v->log != VERDICT_LOG_MISMATCH) || tpm_verb_options(c)->force)
                return 0;

        return complain(c, "this boot cannot be a baseline: %s%s%s (with --force it is taken nevertheless)", v->reason,
                        v->remedy ? "; " : "", strempty(v->remedy));
}

static int baseline_write(const Context *c, const char *path, const Baseline *baseline) {
        _cleanup_free_ char *real = NULL;
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        int r;

        /* A symbolic link is kept, and its target is replaced. */
        r = root_resolve(c->root, path, &real);
        if (r < 0 && r != -ENOENT)
                return complain(c, "%s: %s", path, error_text(-r));

        r = baseline_format(baseline, &b);
        if (r < 0)
                return r;
        r = replace_file(c->root, real ? real : path, &b, BASELINE_FILE_MODE);
        if (r < 0 && r != -ENOMEM)
                return complain(c, "%s cannot be written: %s", path, error_text(-r));

        return r;
}

static uint32_t baseline_listed(const Baseline *baseline) {
        uint32_t set = 0;

        for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
                if (baseline->pcrs[pcr].listed)
                        set |= 1U << pcr;

        return set;
}

/* Prints which PCRs got a new value. */
static int baseline_print_written(const Context *c, const char *path, const Baseline *baseline, uint32_t set) {
        _cleanup_json_ json_object *o = NULL;
        _cleanup_free_ char *pcrs = pcr_selection_format(set);
        json_object *array;

        if (!pcrs)
                return -ENOMEM;

        if (!c->json) {
                if (set == 0)
                        text_say(stdout, "%s allows the present values already.\n", path);
                else
                        text_say(stdout, "%s allows the present values of PCR %s (%s).\n", path, pcrs,
                               algorithm_to_string(baseline->bank));
                return 0;
        }

        o = json_object_new_object();
        if (!o || json_set_text(o, "file", path) < 0 ||
            json_set_text(o, "bank", algorithm_to_string(baseline->bank)) < 0 ||
            pcr_selection_to_json(set, &array) < 0 || json_set(o, "added", array) < 0)
                return -ENOMEM;

        return print_document(o);
}

static int baseline_verb_save(Context *c, const Policy *policy, const char *path) {
        _cleanup_(baseline_freep) Baseline *baseline = NULL;
        Algorithm bank = tpm_bank(c, policy);
        struct stat st;
        Pcrs pcrs;
        int r;

        if (!tpm_verb_options(c)->force && root_stat(c->root, path, &st) != -ENOENT)
                return complain(c,
                                "%s exists: `gtune baseline add` allows the present values beside the others, and "
                                "--force replaces all",
                                path);

        r = baseline_read_values(c, bank, &pcrs);
        if (r != 0)
                return r;

        r = baseline_make(&pcrs, bank, tpm_verb_options(c)->label, &baseline);
        if (r == -ENODATA)
                return complain(c,
                                "this TPM does not have PCR 0 to 9 and 14 in the bank %s: choose one that `gtune pcr` "
                                "shows in full",
                                algorithm_to_string(bank));
        if (r < 0)
                return r;
        r = baseline_write(c, path, baseline);
        if (r != 0)
                return r;

        return baseline_print_written(c, path, baseline, baseline_listed(baseline));
}

static int baseline_verb_add(Context *c, _unused_ const Policy *policy, const char *path) {
        _cleanup_(baseline_freep) Baseline *baseline = NULL;
        uint32_t added = 0;
        Pcrs pcrs;
        int r;

        r = tpm_load_baseline(c, path, &baseline);
        if (r != 0)
                return r;
        if (tpm_verb_options(c)->bank >= 0 && tpm_verb_options(c)->bank != baseline->bank) {
                return complain_usage(c, "%s is of the bank %s: leave --bank out", path,
                                      algorithm_to_string(baseline->bank));
        }

        r = baseline_read_values(c, baseline->bank, &pcrs);
        if (r != 0)
                return r;

        r = baseline_add(baseline, &pcrs, tpm_verb_options(c)->label, &added);
        if (r == -ENODATA)
                return complain(c, "this TPM does not have all PCRs of %s in the bank %s", path,
                                algorithm_to_string(baseline->bank));
        if (r == -E2BIG)
                return complain(c, "%s: a PCR has %u values already; remove values that are no longer in use", path,
                                BASELINE_VALUES_MAX);
        if (r < 0)
                return r;
        if (added != 0) {
                r = baseline_write(c, path, baseline);
                if (r != 0)
                        return r;
        }

        return baseline_print_written(c, path, baseline, added);
}

static int baseline_print_pcr(const Baseline *baseline, unsigned number, Buffer *b) {
        const BaselinePcr *pcr = baseline->pcrs + number;
        char digest[2 * DIGEST_SIZE_MAX + 1];
        int r;

        r = text_printf(b, "\nPCR %u (%s)\n", number, baseline_level_to_string(pcr->level));
        if (r < 0)
                return r;

        for (size_t i = 0; i < pcr->n_values; i++) {
                hex_encode(pcr->values[i].digest, algorithm_size(baseline->bank), digest);
                r = text_printf(b, "    %s\n", digest);
                if (r < 0)
                        return r;
                if (!pcr->values[i].label)
                        continue;

                r = buffer_puts(b, "      ");
                if (r < 0)
                        return r;
                r = text_wrap(b, pcr->values[i].label, 6, 6, 80);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int baseline_verb_show(Context *c, _unused_ const Policy *policy, const char *path) {
        _cleanup_(baseline_freep) Baseline *baseline = NULL;
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        int r;

        r = tpm_load_baseline(c, path, &baseline);
        if (r != 0)
                return r;

        if (c->json) {
                r = baseline_format(baseline, &b);
                if (r < 0)
                        return r;
        } else {
                r = text_printf(&b, "%s, bank %s\n", path, algorithm_to_string(baseline->bank));
                if (r < 0)
                        return r;
                for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++) {
                        r = baseline->pcrs[pcr].listed ? baseline_print_pcr(baseline, pcr, &b) : 0;
                        if (r < 0)
                                return r;
                }
        }

        (void) text_write(stdout, &b);
        return 0;
}

static int baseline_verb_check(Context *c, _unused_ const Policy *policy, const char *path) {
        return baseline_check_verb(c, path);
}

static const struct {
        const char *name;
        bool writes; /* only then it takes --label and --force */
        int (*run)(Context *c, const Policy *policy, const char *path);
} baseline_commands[] = {
        {"save", true, baseline_verb_save},
        {"check", false, baseline_verb_check},
        {"show", false, baseline_verb_show},
        {"add", true, baseline_verb_add},
};

/* Makes the path of the file inside the root. Return: 0, an exit status after a complaint, -ENOMEM. */
static int baseline_find_file(const Context *c, const Policy *policy, const char *file, char **ret) {
        _cleanup_free_ char *here = NULL;

        if (!file) {
                if (policy->n_errors > 0) {
                        print_policy_errors(policy);
                        return complain(c,
                                        "the policy has errors, so it does not say which baseline is meant: name the "
                                        "file");
                }
                file = policy_word(policy, "measured-boot", "baseline", tpm_verb_options(c)->baseline_path);
        }
        if (*file == '/') {
                *ret = strdup(file);
                return *ret ? 0 : -ENOMEM;
        }
        if (!root_is_live(c->root)) {
                return complain_usage(c, "%s: below --root a file is named by its path inside it, as %s", file,
                                      tpm_verb_options(c)->baseline_path);
        }

        here = getcwd(NULL, 0);
        if (!here)
                return complain(c, "%s: the working directory is not known: %s", file, error_text(errno));
        *ret = xasprintf("%s/%s", streq(here, "/") ? "" : here, file);
        return *ret ? 0 : -ENOMEM;
}

int verb_baseline(Context *c, char **arguments) {
        const TpmVerbOptions *options = tpm_verb_options(c);
        _cleanup_(policy_freep) Policy *policy = NULL;
        _cleanup_free_ char *path = NULL;
        int r;

        for (size_t i = 0; i < ELEMENTSOF(baseline_commands); i++) {
                if (!streq(baseline_commands[i].name, arguments[0]))
                        continue;
                if (!baseline_commands[i].writes && (options->label || options->force))
                        return complain_usage(c, "baseline %s takes no option --%s; try %s baseline --help", arguments[0],
                                              options->label ? "label" : "force", c->program->name);

                r = c->side->read_policy(c->side, c->root, &policy);
                if (r < 0)
                        return r;
                r = baseline_find_file(c, policy, arguments[1], &path);
                if (r != 0)
                        return r;

                return baseline_commands[i].run(c, policy, path);
        }

        return complain_usage(c, "there is no command baseline %s; it is save, check, show or add", arguments[0]);
}
