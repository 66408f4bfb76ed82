/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/credential.h"
#include "agent/hooks.h"
#include "agent/tpm/ask.h"
#include "agent/tpm/pcr-forecast.h"
#include "core/replace.h"
#include "engine/announce.h"
#include "measured-boot/measured-boot.h"

/* Only the boot unit is given what the host offers. A person's apply drops a credential that is no longer accepted. */
static int take_credential(Context *c, char **ret_error) {
        const char *directory = c->unattended ? getenv("CREDENTIALS_DIRECTORY") : NULL;
        _cleanup_(policy_freep) Policy *policy = NULL;
        int r;

        if (!root_is_live(c->root))
                return 0;

        r = c->side->read_policy(c->side, c->root, &policy);
        if (r < 0)
                return r;

        return credential_take(c->side, c->root, policy, directory, credential_manager_version, ret_error);
}

/* Return: 1 if another verdict was kept, 0, or -errno. */
static int keep_document(const Context *c, json_object *document) {
        _cleanup_free_ char *path = side_run_path(c->side, MEASURED_BOOT_NAME);
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        int r;

        if (!path)
                return -ENOMEM;

        r = json_format_pretty(document, &text);
        return r < 0 ? r : update_file(c->root, path, &text, 0644);
}

/* The verdict on this boot, for programs that may not open the TPM. The practice says if there is none. */
static int keep_verdict(Context *c, const Survey *survey) {
        const char *bank = policy_word(survey->policy, "measured-boot", "bank", "");
        _cleanup_(verdict_freep) Verdict *verdict = NULL;
        _cleanup_json_ json_object *document = NULL;
        _cleanup_free_ char *error = NULL;
        int r;

        r = tpm_verdict(c, algorithm_from_string(bank), policy_word(survey->policy, "measured-boot", "baseline", NULL),
                        &verdict, &document, &error);
        if (r != 0)
                return r == -ENOMEM ? r : 0;

        r = keep_document(c, document);
        return r == -ENOMEM || r > 0 ? r : 0;
}

static void announce_baseline(_unused_ Context *c, const Survey *survey) {
        const Observation *o = survey_find(survey, practice_measured_boot.name, NULL);

        if (measured_boot_breaks_baseline(o->facts, o->finding))
                announce_finding(survey->root, JOURNAL_BASELINE_MISMATCH, o->finding,
                                 "This boot is not one that the baseline allows");
}

static int forecast(Context *c, const Survey *survey, const char *const *paths, json_object *o) {
        _cleanup_forecast_ Forecast f = {};
        json_object *pcrs = NULL;
        int r;

        r = forecast_make(c, survey, paths, &f);
        if (r < 0)
                return r;
        if (!o)
                return forecast_print(&f);

        r = forecast_to_json(&f, &pcrs);
        return r < 0 ? r : json_set(o, "pcrs", pcrs);
}

const Hooks gtune_hooks = {
        .before = take_credential,
        .after = keep_verdict,
        .announce = announce_baseline,
        .forecast = forecast,
};
