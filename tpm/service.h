/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The answers of gtune-tpm. Tests: tests/tpm/asks.py.
 */

#include "core/root.h"
#include "tpm/request.h"

/* The sources of all answers. */
typedef struct TpmSources {
        const Root *root;
        const char *device;   /* as for tpm_device_open(); NULL: TPM_DEVICE if the root is live, else none */
        const char *baseline; /* a baseline file for the verdict; NULL: none */
} TpmSources;

/**
 * tpm_answer() - answer a request
 * @sources: the sources
 * @request: the request
 * @ret: takes the object for "return"; the caller puts it
 * @fault: takes the reason if there is no answer
 *
 * Return: 0, FAULT or -ENOMEM.
 */
int tpm_answer(const TpmSources *sources, const TpmRequest *request, json_object **ret, Fault *fault);
