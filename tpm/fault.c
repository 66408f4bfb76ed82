/* SPDX-License-Identifier: Apache-2.0 */

/* Tests: tests/unit/tpm/test-device.c and test-request.c compare classes and sentences. */

#include "tpm/fault.h"

static const char *const class_names[_FAULT_CLASS_MAX] = {
        [FAULT_BAD_REQUEST] = "bad-request",
        [FAULT_NO_TPM] = "no-tpm",
        [FAULT_TPM_NO_DRIVER] = "tpm-no-driver",
        [FAULT_TPM12] = "tpm12",
        [FAULT_NO_DEVICE] = "no-device",
        [FAULT_PERMISSION] = "permission",
        [FAULT_BUSY] = "busy",
        [FAULT_TPM_ERROR] = "tpm-error",
        [FAULT_BAD_ANSWER] = "bad-answer",
        [FAULT_NO_ANSWER] = "no-answer",
        [FAULT_UNSTABLE] = "unstable",
        [FAULT_NO_BANK] = "no-bank",
        [FAULT_NO_LIBRARY] = "no-library",
        [FAULT_ENDORSEMENT] = "endorsement",
        [FAULT_NO_LOG] = "no-log",
        [FAULT_BAD_LOG] = "bad-log",
        [FAULT_FAILED] = "failed",
};

const char *fault_class_to_string(FaultClass class) {
        return class < _FAULT_CLASS_MAX ? class_names[class] : NULL;
}

int fault_set(Fault *fault, FaultClass class, const char *format, ...) {
        char *desc;
        va_list ap;

        va_start(ap, format);
        desc = xvasprintf(format, ap);
        va_end(ap);
        if (!desc)
                return -ENOMEM;

        free(fault->desc);
        *fault = (Fault) {.class = class, .desc = desc};
        return FAULT;
}

void fault_done(Fault *fault) {
        free(fault->desc);
        *fault = (Fault) {};
}
