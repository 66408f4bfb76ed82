/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Why a request to the TPM was not answered: a class for programs, which is stable, and a sentence for people.
 */

#include "core/util.h"

typedef enum FaultClass {
        FAULT_BAD_REQUEST,    /* the request is not of the documented form */
        FAULT_NO_TPM,         /* the machine has none */
        FAULT_TPM12,          /* it has a TPM 1.2, which gtuned does not speak to */
        FAULT_NO_DEVICE,      /* it has one that cannot be reached, because the device node is missing */
        FAULT_PERMISSION,     /* a file or the device may not be opened */
        FAULT_BUSY,           /* somebody else holds the device, or the TPM asks for patience */
        FAULT_TPM_ERROR,      /* the TPM or its driver refused a command */
        FAULT_BAD_ANSWER,     /* what came from the TPM is no answer to the command */
        FAULT_NO_ANSWER,      /* nothing came in time */
        FAULT_UNSTABLE,       /* PCRs kept changing while they were read */
        FAULT_NO_BANK,        /* the bank is not allocated, or does not have a PCR that was asked for */
        FAULT_NO_LIBRARY,     /* libtss2 is missing, at build or at run time */
        FAULT_ENDORSEMENT,    /* the endorsement hierarchy has a password or is disabled */
        FAULT_NO_LOG,         /* there is no event log, or an empty one */
        FAULT_BAD_LOG,        /* there is one that cannot be used as a whole */
        FAULT_FAILED,         /* anything else: no memory, a defect of this program */
        _FAULT_CLASS_MAX,
} FaultClass;

typedef struct Fault {
        FaultClass class;
        char *desc; /* a sentence without a full stop */
} Fault;

/* The positive outcome of functions that have set a fault. */
#define FAULT 1

/**
 * fault_set() - say why something cannot be done
 * @fault: takes class and sentence
 * @class: the class
 * @format: the sentence
 *
 * Return: FAULT, or -ENOMEM.
 */
int fault_set(Fault *fault, FaultClass class, const char *format, ...) _printf_(3, 4);

/** fault_done() - release the sentence */
void fault_done(Fault *fault);
#define _cleanup_fault_ _cleanup_(fault_done)

/** fault_class_to_string() - "no-tpm" and so on */
const char *fault_class_to_string(FaultClass class) _const_;
