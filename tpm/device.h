/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A TPM 2.0 to which commands are sent as bytes: the kernel's resource manager, or the socket of an emulator.
 */

#include "tpm/fault.h"

/* The kernel's resource manager. Only one process at a time may open /dev/tpm0, and the TPM holds three objects. */
#define TPM_DEVICE "/dev/tpmrm0"

/* The kernel's own limit (tpm.h: TPM_BUFSIZE). */
#define TPM_MESSAGE_MAX 4096U
#define TPM_HEADER_SIZE 10U

typedef struct TpmDevice TpmDevice;

typedef struct TpmMessage {
        uint8_t data[TPM_MESSAGE_MAX];
        size_t size;
} TpmMessage;

/**
 * tpm_device_open() - open a TPM
 * @ret: takes the device; the caller frees it
 * @path: a character device, or "unix:" and the path of a socket that speaks raw TPM commands
 * @fault: takes the reason if it cannot be opened
 *
 * Return: 0, FAULT or -ENOMEM.
 */
int tpm_device_open(TpmDevice **ret, const char *path, Fault *fault);

/** tpm_device_free() - close a device; NULL is ignored */
TpmDevice *tpm_device_free(TpmDevice *device);
DEFINE_CLEANUP(TpmDevice *, tpm_device_free);

/**
 * tpm_device_transact() - send a command and receive the answer
 * @device: the device
 * @command: the command with its header
 * @size: its length in bytes
 * @ret: takes the answer: at least a header, and exactly as long as the header says
 * @fault: takes the reason if there is no answer
 *
 * A socket must answer within 10 s. For the kernel's device there is no time limit: write() returns only when the TPM
 * is done, and poll() waits for the same lock (Linux: tpm-dev-common.c). A caller that must not wait calls this
 * function in another process. Return: 0, FAULT or -ENOMEM.
 */
int tpm_device_transact(TpmDevice *device, const uint8_t *command, size_t size, TpmMessage *ret, Fault *fault);
