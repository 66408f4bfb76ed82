/* SPDX-License-Identifier: Apache-2.0 */

/*
 * gtune-host pcrs: what each guest says that its PCRs hold. Nothing proves it; that is what quote is for.
 */

#include "host/quote-answer.h"
#include "host/tpm-options.h"
#include "host/verb.h"

#define BANK_WIDTH 6U

static bool bank_given(const TpmOptions *options) {
        return options->given & TPM_OPTION_BIT(TPM_OPTION_BANK);
}

static int pcrs_ask(Target *t, json_object **ret) {
        const TpmOptions *options = t->owner->tpm;
        _cleanup_json_ json_object *arguments = json_object_new_object();

        if (!arguments)
                return -ENOMEM;
        if (bank_given(options) && json_set_text(arguments, "bank", algorithm_to_string(options->bank)) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(arguments);
        return 0;
}

static int pcrs_head(const Output *o, Buffer *b) {
        if (o->json)
                return 0;

        return buffer_printf(b, "%-*s  %-*s  PCR  VALUE\n", (int) o->target_width, "TARGET", (int) BANK_WIDTH, "BANK");
}

static int print_pcr(const Output *o, Target *t, Algorithm bank, unsigned pcr, const uint8_t *value, bool first) {
        char hex[2 * DIGEST_SIZE_MAX + 1];
        int r;

        r = print_target(o, &t->text, t->path, first);
        if (r < 0)
                return r;

        hex_encode(value, algorithm_size(bank), hex);
        return buffer_printf(&t->text, "%-*s  %3u  %s\n", (int) BANK_WIDTH, algorithm_to_string(bank), pcr, hex);
}

static int print_bank(const Output *o, Target *t, Algorithm bank, const PcrBank *values) {
        int r = 0;

        for (unsigned i = 0; i < PCR_COUNT && r >= 0; i++)
                if (values->present & 1U << i)
                        r = print_pcr(o, t, bank, i, values->digests[i], t->text.size == 0);

        return r;
}

static int print_banks(const Output *o, Target *t, const Pcrs *pcrs) {
        int r = 0;

        for (Algorithm i = 0; i < _ALGORITHM_MAX && r >= 0; i++)
                r = print_bank(o, t, i, pcrs->banks + i);
        if (r < 0 || t->text.size > 0)
                return r;

        r = print_target(o, &t->text, t->path, true);
        return r < 0 ? r : buffer_printf(&t->text, "%-*s  no bank has a value\n", (int) BANK_WIDTH, "-");
}

static int print_object_of(const Output *o, Target *t, json_object *value, const Pcrs *pcrs) {
        _cleanup_json_ json_object *object = print_object(o, t, true);
        json_object *values = NULL;
        int r;

        if (!object)
                return -ENOMEM;

        r = json_set_text(object, "source", json_get_text(value, "source"));
        if (r >= 0)
                r = pcrs_to_json(pcrs, &values);
        if (r >= 0)
                r = json_set(object, "pcrs", values);

        return r < 0 ? r : print_json(&t->text, object);
}

static int pcrs_show(const Output *o, Target *t, json_object *value) {
        const TpmOptions *options = t->owner->tpm;
        Pcrs pcrs;
        int r;

        r = pcrs_answer_parse(value, &pcrs, &t->detail);
        if (r != 0)
                return r;

        if (bank_given(options) && !pcrs_bank_exists(&pcrs, options->bank)) {
                t->detail = xasprintf("pcrs.%s is missing", algorithm_to_string(options->bank));
                return t->detail ? (int) CAUSE_BAD_ANSWER : -ENOMEM;
        }

        for (Algorithm i = 0; i < _ALGORITHM_MAX; i++)
                if (bank_given(options) && i != options->bank)
                        pcrs.banks[i] = (PcrBank) {};

        return o->json ? print_object_of(o, t, value, &pcrs) : print_banks(o, t, &pcrs);
}

const Verb verb_pcrs = {
        .name = "pcrs",
        .synopsis = "TARGET...",
        .help = "Show each guest's PCRs, unproven",
        .execute = "gtune-pcrs",
        .tpm_options = TPM_OPTION_BIT(TPM_OPTION_BANK),
        .timeout = TPM_TIMEOUT,
        .ask = pcrs_ask,
        .head = pcrs_head,
        .show = pcrs_show,
};
