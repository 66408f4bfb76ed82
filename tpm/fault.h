/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The reason why a request about the TPM failed: a stable class for programs, and a sentence for people.
 */

#include "core/util.h"

typedef enum FaultClass {
        FAULT_BAD_REQUEST,    /* the request is not of the documented form */
        FAULT_NO_TPM,         /* the machine has no TPM */
        FAULT_TPM_NO_DRIVER,  /* the same, but the firmware announces one */
        FAULT_TPM12,          /* the machine has a TPM 1.2, which gtuned does not support */
        FAULT_NO_DEVICE,      /* the machine has a TPM, and its device node is missing */
        FAULT_PERMISSION,     /* no permission to open a file or the device */
        FAULT_BUSY,           /* another process has opened the device, or the TPM asks to try again */
        FAULT_TPM_ERROR,      /* the TPM or its driver refused a command */
        FAULT_BAD_ANSWER,     /* the TPM sent bytes that are no answer to the command */
        FAULT_NO_ANSWER,      /* the TPM did not answer in time */
        FAULT_UNSTABLE,       /* the PCRs changed during each reading */
        FAULT_NO_BANK,        /* the bank is not allocated, or does not have a PCR that was asked for */
        FAULT_NO_LIBRARY,     /* libtss2 is missing, at build or at run time */
        FAULT_ENDORSEMENT,    /* the endorsement hierarchy has a password or is disabled */
        FAULT_NO_LOG,         /* there is no event log, or it is empty */
        FAULT_BAD_LOG,        /* the event log is damaged or cannot be read */
        FAULT_FAILED,         /* anything else: no memory, or a defect of this program */
        _FAULT_CLASS_MAX,
} FaultClass;

typedef struct Fault {
        FaultClass class;
        char *desc; /* a sentence without a full stop */
} Fault;

/* What a function returns after it has set a fault. */
#define FAULT 1

/**
 * fault_set() - set class and sentence
 * @fault: takes both; an earlier sentence is freed; the caller calls fault_done()
 * @class: the class
 * @format: the sentence
 *
 * Return: FAULT, or -ENOMEM.
 */
int fault_set(Fault *fault, FaultClass class, const char *format, ...) _printf_(3, 4);

/** fault_done() - release the sentence */
void fault_done(Fault *fault);
#define _cleanup_fault_ _cleanup_(fault_done)

/** fault_class_to_string() - the class as in gtune-tpm's answer: "no-tpm" and so on */
const char *fault_class_to_string(FaultClass class) _const_;
