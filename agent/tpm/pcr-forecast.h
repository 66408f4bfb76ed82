/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The PCRs that the next boot changes because a plan changes boot files. Tests: tests/tpm/cli-verbs.
 */

#include "agent/tpm/ask.h"

typedef struct Forecast {
        bool any;            /* there is a TPM, and files of the boot loader change; if false, no other member is set */
        uint32_t change;     /* the PCRs that change, one bit each */
        char *assumed;       /* why PCR 8 and 9 are assumed; NULL: "change" was found in the event log */
        char *path;          /* of the baseline */
        Baseline *baseline;  /* NULL: there is none, or it is unusable */
        char *error;         /* why the baseline is unusable, or NULL */
} Forecast;

/**
 * forecast_make() - find the PCRs that the next boot changes
 * @c: the context
 * @survey: the survey
 * @paths: the files of the boot loader that the plan changes, by their paths in the system; NULL-terminated
 * @ret: takes the forecast; the caller calls forecast_done()
 *
 * See moving_pcrs(). Without a usable event log PCR 8 and 9 are assumed. Return: 0 or -ENOMEM.
 */
int forecast_make(const Context *c, const Survey *survey, const char *const *paths, Forecast *ret);

/** forecast_done() - release a forecast */
void forecast_done(Forecast *f);
#define _cleanup_forecast_ _cleanup_(forecast_done)

/** forecast_print() - print the forecast to stdout, if there is any. Return: 0 or -ENOMEM. */
int forecast_print(const Forecast *f);

/** forecast_to_json() - make the member "pcrs" of doc/plan.schema.json; NULL is null. Return: 0 or -ENOMEM. */
int forecast_to_json(const Forecast *f, json_object **ret);
