/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What a plan does to the PCRs of the next boot: boot files change, and a measured boot measures them.
 */

#include "agent/tpm/ask.h"

typedef struct Forecast {
        bool any;            /* there is a TPM, and files of the boot loader change; else nothing below is set */
        uint32_t change;     /* PCRs, one bit each */
        char *assumed;       /* why they are assumed and not read from the event log; NULL: they were read */
        char *path;          /* the baseline */
        Baseline *baseline;  /* NULL: none, or unusable */
        char *error;         /* what is wrong with it; NULL: nothing */
} Forecast;

/**
 * forecast_make() - find out what the next boot changes
 * @c: the context
 * @survey: the survey
 * @paths: the files of the boot loader that the plan changes, as the system sees them; NULL-terminated
 * @ret: takes the answer; the caller calls forecast_done()
 *
 * See moving_pcrs(). Without a usable event log: PCR 8 and 9. Return: 0 or -ENOMEM.
 */
int forecast_make(const Context *c, const Survey *survey, const char *const *paths, Forecast *ret);

/** forecast_done() - release a forecast */
void forecast_done(Forecast *f);
#define _cleanup_forecast_ _cleanup_(forecast_done)

/** forecast_print() - tell it on stdout; nothing where there is nothing to tell. Return: 0 or -ENOMEM. */
int forecast_print(const Forecast *f);

/** forecast_to_json() - the member "pcrs" of doc/plan.schema.json; *ret is NULL for null. Return: 0 or -ENOMEM. */
int forecast_to_json(const Forecast *f, json_object **ret);
