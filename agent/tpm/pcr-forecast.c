/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/tpm/pcr-forecast.h"
#include "agent/tpm/moving-pcrs.h"
#include "agent/tpm/events.h"
#include "core/text.h"

#define FORECAST_WIDTH 80U

static int forecast_read_log(const Context *c, const Survey *survey, const char *const *paths, Forecast *f) {
        _cleanup_json_ json_object *document = NULL;
        json_object *firmware = NULL;
        int r;

        f->change = GRUB_PCRS;
        r = tpm_events(c, &document, &f->assumed);
        if (r < 0)
                return r;
        if (r == TPM_NO_ANSWER)
                return 0;

        /* A damaged log does not show what it lacks. */
        (void) json_object_object_get_ex(json_object_object_get(document, "logs"), "firmware", &firmware);
        if (!firmware || !streq_ptr(json_get_text(firmware, "status"), "complete"))
                return free_and_strdup(&f->assumed, "the event log of this boot is not whole");

        f->change = moving_pcrs(json_get_array(document, "events"), survey->machine->cmdline_text, paths);
        return 0;
}

int forecast_make(const Context *c, const Survey *survey, const char *const *paths, Forecast *ret) {
        _cleanup_forecast_ Forecast f = {};
        int r;

        f.any = paths[0] && root_exists(survey->root, "/sys/class/tpm/tpm0");
        if (f.any) {
                r = forecast_read_log(c, survey, paths, &f);
                if (r < 0)
                        return r;

                f.path = strdup(
                        policy_word(survey->policy, "measured-boot", "baseline", tpm_verb_options(c)->baseline_path));
                if (!f.path)
                        return -ENOMEM;
                r = tpm_read_baseline(survey->root, f.path, &f.baseline, &f.error);
                if (r == -ENOMEM)
                        return r;
        }

        *ret = TAKE_GENERIC(f, (Forecast){});
        return 0;
}

void forecast_done(Forecast *f) {
        free(f->assumed);
        free(f->path);
        baseline_free(f->baseline);
        free(f->error);
        *f = (Forecast){};
}

static uint32_t forecast_in_baseline(const Forecast *f) {
        uint32_t set = 0;

        for (unsigned pcr = 0; f->baseline && pcr < PCR_COUNT; pcr++)
                if (f->baseline->pcrs[pcr].listed)
                        set |= f->change & 1U << pcr;

        return set;
}

/* "8 (warn) and 9 (warn)" */
static int forecast_name_levels(const Forecast *f, uint32_t set, Buffer *b) {
        int r = 0;

        for (unsigned pcr = 0; r >= 0 && pcr < PCR_COUNT; pcr++) {
                uint32_t before = set & ((1U << pcr) - 1), after = set & ~((2U << pcr) - 1);

                if ((set & 1U << pcr) != 0)
                        r = text_printf(b, "%s%u (%s)",
                                          before == 0  ? ""
                                          : after == 0 ? " and "
                                                       : ", ",
                                          pcr, baseline_level_to_string(f->baseline->pcrs[pcr].level));
        }

        return r;
}

static int forecast_print_change(const Forecast *f, Buffer *b) {
        _cleanup_free_ char *pcrs = f->change == 0 ? NULL : pcr_selection_format(f->change), *line = NULL;

        if (f->assumed)
                return buffer_puts(b,
                                   "This guest has a TPM: the next boot will change PCR 8 and 9 if GRUB measures "
                                   "(with its tpm\nmodule). Renew secrets that are sealed to them, and baselines.\n");
        if (f->change == 0)
                return buffer_puts(b, "This guest has a TPM, but this boot measured neither its command line nor the "
                                      "files that\nchange: the next boot changes no PCR by them.\n");

        if (!pcrs)
                return -ENOMEM;

        line = xasprintf("This guest has a TPM: as this boot's event log shows, the next boot will change PCR %s. "
                         "Renew secrets that are sealed to them, and baselines.",
                         pcrs);
        return line ? text_wrap(b, line, 0, 0, FORECAST_WIDTH) : -ENOMEM;
}

static int forecast_print_baseline(const Forecast *f, Buffer *b) {
        _cleanup_buffer_ Buffer levels = BUFFER_NULL;
        _cleanup_free_ char *line = NULL;
        uint32_t set = forecast_in_baseline(f);
        int r;

        if (f->error)
                return text_wrap(b, f->error, 0, 0, FORECAST_WIDTH);
        if (set == 0)
                return 0;

        r = forecast_name_levels(f, set, &levels);
        if (r < 0)
                return r;
        line = xasprintf("The baseline %s has PCR %s: after the reboot, look at `gtune baseline check`, and "
                         "allow the new values with `gtune baseline add`.",
                         f->path, levels.data);
        return line ? text_wrap(b, line, 0, 0, FORECAST_WIDTH) : -ENOMEM;
}

int forecast_print(const Forecast *f) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        int r;

        if (!f->any)
                return 0;

        r = forecast_print_change(f, &b);
        if (r < 0)
                return r;
        r = forecast_print_baseline(f, &b);
        if (r < 0)
                return r;

        (void) text_write(stdout, &b);
        return 0;
}

int forecast_to_json(const Forecast *f, json_object **ret) {
        _cleanup_json_ json_object *o = NULL;
        json_object *change, *baseline = NULL;

        *ret = NULL;
        if (!f->any)
                return 0;

        o = json_object_new_object();
        if (!o || pcr_selection_to_json(f->change, &change) < 0 || json_set(o, "change", change) < 0 ||
            (f->baseline && pcr_selection_to_json(forecast_in_baseline(f), &baseline) < 0) ||
            json_set(o, "baseline", baseline) < 0 ||
            json_set_text(o, "bank", f->baseline ? algorithm_to_string(f->baseline->bank) : NULL) < 0 ||
            json_set_text(o, "source", f->assumed ? "assumed" : "event-log") < 0 ||
            json_set_text(o, "reason", f->assumed) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}
