/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The answers of gtune-tpm.
 */

#include "core/root.h"
#include "tpm/request.h"

/* Where everything is read from. */
typedef struct TpmSources {
        const Root *root;
        const char *device;   /* as tpm_device_open() takes it; NULL: TPM_DEVICE of the running system, else none */
        const char *baseline; /* a baseline file for the verdict; NULL: none */
} TpmSources;

/**
 * tpm_answer() - answer a request
 * @sources: where everything is read from
 * @request: what is asked
 * @ret: takes what goes into "return"
 * @fault: takes the reason where there is no answer
 *
 * Return: 0, FAULT or -ENOMEM.
 */
int tpm_answer(const TpmSources *sources, const TpmRequest *request, json_object **ret, Fault *fault);
