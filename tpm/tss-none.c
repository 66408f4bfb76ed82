/* SPDX-License-Identifier: Apache-2.0 */

#include "tpm/tss.h"

/* For a build without the headers of libtss2. */

int tss_quote(_unused_ TpmDevice *device, _unused_ const QuoteOrder *order, _unused_ SignedPcrs *ret, Fault *fault) {
        return fault_set(fault, FAULT_NO_LIBRARY,
                         "gtuned was built without libtss2, so it cannot quote; build it with the headers of "
                         "tss2-esys and tss2-mu");
}

void signed_pcrs_done(_unused_ SignedPcrs *s) {
}
