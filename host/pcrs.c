/* SPDX-License-Identifier: Apache-2.0 */

/*
 * gtune-host pcrs: show the PCR values that each guest reports. They are not proven; "gtune-host quote" proves them.
 * The test is tests/host/lying-quotes.py.
 */

#include "host/quote-answer.h"
#include "core/text.h"
#include "host/tpm-options.h"
#include "host/verb.h"

#define PCRS_BANK_WIDTH 6U

static bool pcrs_bank_given(const HostTpmOptions *options) {
        return options->given & HOST_TPM_OPTION_BIT(HOST_TPM_OPTION_BANK);
}

static int pcrs_ask(Target *t, json_object **ret) {
        const HostTpmOptions *options = t->owner->tpm;
        _cleanup_json_ json_object *arguments = json_object_new_object();

        if (!arguments)
                return -ENOMEM;
        if (pcrs_bank_given(options) && json_set_text(arguments, "bank", algorithm_to_string(options->bank)) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(arguments);
        return 0;
}

static int pcrs_head(const Output *o, Buffer *b) {
        if (o->json)
                return 0;

        return text_printf(b, "%-*s  %-*s  PCR  VALUE\n", (int) o->target_width, "TARGET",
                             (int) PCRS_BANK_WIDTH, "BANK");
}

static int pcrs_print_bank(const Output *o, Target *t, Algorithm bank, const PcrBank *values) {
        char hex[2 * DIGEST_SIZE_MAX + 1];
        int r;

        for (unsigned i = 0; i < PCR_COUNT; i++) {
                if (!(values->present & 1U << i))
                        continue;

                r = print_target(o, &t->text, t->path, t->text.size == 0);
                if (r < 0)
                        return r;

                hex_encode(values->digests[i], algorithm_size(bank), hex);
                r = text_printf(&t->text, "%-*s  %3u  %s\n", (int) PCRS_BANK_WIDTH, algorithm_to_string(bank), i,
                                  hex);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int pcrs_print(const Output *o, Target *t, const Pcrs *pcrs) {
        int r;

        for (Algorithm i = 0; i < _ALGORITHM_MAX; i++) {
                r = pcrs_print_bank(o, t, i, pcrs->banks + i);
                if (r < 0)
                        return r;
        }
        if (t->text.size > 0)
                return 0;

        r = print_target(o, &t->text, t->path, true);
        if (r < 0)
                return r;

        return text_printf(&t->text, "%-*s  no bank has a value\n", (int) PCRS_BANK_WIDTH, "-");
}

static int pcrs_print_object(const Output *o, Target *t, json_object *value, const Pcrs *pcrs) {
        _cleanup_json_ json_object *object = print_object(o, t, true);
        json_object *values = NULL;
        int r;

        if (!object)
                return -ENOMEM;

        r = json_set_text(object, "source", json_get_text(value, "source"));
        if (r < 0)
                return r;

        r = pcrs_to_json(pcrs, &values);
        if (r < 0)
                return r;

        r = json_set(object, "pcrs", values);
        if (r < 0)
                return r;

        return print_json(&t->text, object);
}

static int pcrs_show(const Output *o, Target *t, json_object *value) {
        const HostTpmOptions *options = t->owner->tpm;
        Pcrs pcrs;
        int r;

        r = pcrs_answer_parse(value, &pcrs, &t->detail);
        if (r != 0)
                return r;

        if (pcrs_bank_given(options) && !pcrs_bank_exists(&pcrs, options->bank)) {
                t->detail = xasprintf("pcrs.%s is missing", algorithm_to_string(options->bank));
                if (!t->detail)
                        return -ENOMEM;

                return (int) CAUSE_BAD_ANSWER;
        }

        for (Algorithm i = 0; i < _ALGORITHM_MAX; i++)
                if (pcrs_bank_given(options) && i != options->bank)
                        pcrs.banks[i] = (PcrBank) {};

        if (o->json)
                return pcrs_print_object(o, t, value, &pcrs);

        return pcrs_print(o, t, &pcrs);
}

const HostVerb host_verb_pcrs = {
        .name = "pcrs",
        .synopsis = "TARGET...",
        .help = "Show each guest's PCRs, unproven",
        .execute = "gtune-pcrs",
        .tpm_options = HOST_TPM_OPTION_BIT(HOST_TPM_OPTION_BANK),
        .timeout = HOST_TPM_TIMEOUT,
        .ask = pcrs_ask,
        .head = pcrs_head,
        .show = pcrs_show,
};
