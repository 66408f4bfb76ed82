/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "tpm/command.h"
#include "tpm/reader.h"

#define TPM_READINGS_MAX 5U

enum {
        TPM_ST_RSP_COMMAND = 0x00C4, /* the tag of a TPM 1.2, for every answer */
        TPM_ST_NO_SESSIONS = 0x8001,
        TPM_CC_GET_CAPABILITY = 0x17A,
        TPM_CC_PCR_READ = 0x17E,
        TPM_CAP_PCRS = 5,
};

/* The bytes of a bitmap of 24 PCRs, and of the largest bitmap that is read. */
#define TPM_SELECT_SIZE 3U
#define TPM_SELECT_SIZE_MAX 32U

/* Response codes (part 2, 6.6.3); codes of format one without the number of the parameter. */
static const struct {
        uint32_t rc;
        const char *name;
} tpm_rc_names[] = {
        {0x01E, "TPM_BAD_TAG"},           {0x081, "TPM_RC_ASYMMETRIC"},   {0x082, "TPM_RC_ATTRIBUTES"},
        {0x083, "TPM_RC_HASH"},           {0x084, "TPM_RC_VALUE"},        {0x085, "TPM_RC_HIERARCHY"},
        {0x08B, "TPM_RC_HANDLE"},         {0x08E, "TPM_RC_AUTH_FAIL"},    {0x092, "TPM_RC_SCHEME"},
        {0x095, "TPM_RC_SIZE"},           {0x0A2, "TPM_RC_BAD_AUTH"},     {0x100, "TPM_RC_INITIALIZE"},
        {0x101, "TPM_RC_FAILURE"},        {0x120, "TPM_RC_DISABLED"},     {0x121, "TPM_RC_EXCLUSIVE"},
        {0x12D, "TPM_RC_UPGRADE"},        {0x143, "TPM_RC_COMMAND_CODE"}, {0x902, "TPM_RC_OBJECT_MEMORY"},
        {0x903, "TPM_RC_SESSION_MEMORY"}, {0x904, "TPM_RC_MEMORY"},       {0x908, "TPM_RC_YIELDED"},
        {0x909, "TPM_RC_CANCELED"},       {0x90A, "TPM_RC_TESTING"},      {0x920, "TPM_RC_NV_RATE"},
        {0x921, "TPM_RC_LOCKOUT"},        {0x922, "TPM_RC_RETRY"},
};

#define TPM_RC_FORMAT_ONE 0x80U

/* Drops the number of the layer, which the kernel's resource manager and libtss2 set in bits 16 and up. */
static uint32_t tpm_rc_base(uint32_t rc) {
        return (rc & TPM_RC_FORMAT_ONE) != 0 ? rc & 0xBFU : rc & 0xFFFU;
}

const char *tpm_rc_name(uint32_t rc) {
        for (size_t i = 0; i < ELEMENTSOF(tpm_rc_names); i++)
                if (tpm_rc_names[i].rc == tpm_rc_base(rc))
                        return tpm_rc_names[i].name;

        return "unknown code";
}

static FaultClass tpm_rc_class(uint32_t rc) {
        static const struct {
                uint32_t rc;
                FaultClass class;
        } rows[] = {
                {0x01E, FAULT_TPM12}, {0x902, FAULT_BUSY}, {0x903, FAULT_BUSY}, {0x908, FAULT_BUSY},
                {0x90A, FAULT_BUSY},  {0x920, FAULT_BUSY}, {0x922, FAULT_BUSY},
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (rows[i].rc == tpm_rc_base(rc))
                        return rows[i].class;

        return FAULT_TPM_ERROR;
}

int tpm_rc_fault(Fault *fault, const char *command, uint32_t rc) {
        FaultClass class = tpm_rc_class(rc);

        return fault_set(fault, class, "the TPM refused %s with 0x%03x (%s)%s", command, rc, tpm_rc_name(rc),
                         class == FAULT_BUSY ? ": it is busy; ask again" : "");
}

static size_t tpm_put(uint8_t *p, uint64_t value, size_t size) {
        for (size_t i = 0; i < size; i++)
                p[i] = (uint8_t) (value >> 8 * (size - 1 - i));

        return size;
}

/* Reads a TPMS_PCR_SELECTION. A PCR above 23 makes the reader fail. */
static uint32_t tpm_take_selection(Reader *r, uint16_t *ret_algorithm) {
        uint32_t size, selection = 0;
        const uint8_t *p;

        *ret_algorithm = reader_be16(r);
        size = reader_u8(r);
        if (size > TPM_SELECT_SIZE_MAX)
                r->failed = true;

        p = reader_take(r, size);
        for (uint32_t i = 0; p && i < size; i++) {
                if (i < TPM_SELECT_SIZE)
                        selection |= (uint32_t) p[i] << 8 * i;
                else if (p[i] != 0)
                        r->failed = true;
        }

        return selection;
}

typedef struct TpmCommand {
        const char *name;
        uint32_t code;
        uint8_t parameters[16];
        size_t size;
} TpmCommand;

static int tpm_command_execute(TpmDevice *device, const TpmCommand *c, TpmMessage *answer, Reader *ret, Fault *fault) {
        uint8_t bytes[TPM_HEADER_SIZE + sizeof(c->parameters)];
        uint32_t tag, rc;
        size_t n = 0;
        int r;

        n += tpm_put(bytes + n, TPM_ST_NO_SESSIONS, 2);
        n += tpm_put(bytes + n, TPM_HEADER_SIZE + c->size, 4);
        n += tpm_put(bytes + n, c->code, 4);
        memcpy(bytes + n, c->parameters, c->size);

        r = tpm_device_transact(device, bytes, n + c->size, answer, fault);
        if (r != 0)
                return r;

        *ret = reader_of(answer->data, answer->size);
        tag = reader_be16(ret);
        (void) reader_be32(ret);
        rc = reader_be32(ret);
        if (tag == TPM_ST_RSP_COMMAND && (tpm_rc_base(rc) == 0x01E || rc == 0))
                return fault_set(fault, FAULT_TPM12, "this is a TPM 1.2, and gtuned supports TPM 2.0 only");
        if (rc != 0)
                return tpm_rc_fault(fault, c->name, rc);
        if (tag != TPM_ST_NO_SESSIONS)
                return fault_set(fault, FAULT_BAD_ANSWER, "the TPM answered %s with the tag 0x%04x", c->name, tag);

        return 0;
}

static int tpm_command_malformed(Fault *fault, const TpmCommand *c) {
        return fault_set(fault, FAULT_BAD_ANSWER, "the TPM gave a malformed answer to %s", c->name);
}

/* Reads the banks that the TPM lists, and the PCRs of each. The firmware need not extend a bank that is allocated. */
static int tpm_read_allocation(TpmDevice *device, uint32_t allocated[static _ALGORITHM_MAX], unsigned *ret_listed,
                               Fault *fault) {
        TpmCommand c = {.name = "TPM2_GetCapability", .code = TPM_CC_GET_CAPABILITY};
        TpmMessage answer;
        uint32_t capability, count;
        unsigned listed = 0;
        Reader reader;
        int r;

        c.size += tpm_put(c.parameters + c.size, TPM_CAP_PCRS, 4);
        c.size += tpm_put(c.parameters + c.size, 0, 4);
        c.size += tpm_put(c.parameters + c.size, 1, 4);
        r = tpm_command_execute(device, &c, &answer, &reader, fault);
        if (r != 0)
                return r;

        (void) reader_u8(&reader); /* moreData: all banks are in one list */
        capability = reader_be32(&reader);
        count = reader_be32(&reader);
        for (uint32_t i = 0; i < count && !reader.failed; i++) {
                uint16_t id;
                uint32_t selection = tpm_take_selection(&reader, &id);
                Algorithm bank = algorithm_from_id(id);

                if (bank == _ALGORITHM_INVALID)
                        continue;
                allocated[bank] |= selection;
                listed |= 1U << bank;
        }

        if (reader.failed || reader_left(&reader) > 0 || capability != TPM_CAP_PCRS)
                return tpm_command_malformed(fault, &c);

        *ret_listed = listed;
        return 0;
}

static unsigned tpm_empty_banks(const uint32_t allocated[static _ALGORITHM_MAX], unsigned listed) {
        for (Algorithm bank = 0; bank < _ALGORITHM_MAX; bank++)
                if (allocated[bank] != 0)
                        listed &= ~(1U << bank);

        return listed;
}

int tpm_read_empty_banks(TpmDevice *device, unsigned *ret, Fault *fault) {
        uint32_t allocated[_ALGORITHM_MAX] = {};
        unsigned listed;
        int r;

        assert(device && ret);

        r = tpm_read_allocation(device, allocated, &listed, fault);
        if (r != 0)
                return r;

        *ret = tpm_empty_banks(allocated, listed);
        return 0;
}

/* Takes the values of an answer. Return: their PCRs, one bit each; 0 also if the answer is malformed. */
static uint32_t tpm_take_values(Reader *reader, Algorithm bank, uint32_t asked, PcrBank *ret) {
        uint32_t n_banks = reader_be32(reader), given = 0, count;
        uint16_t id = 0;

        if (n_banks == 1)
                given = tpm_take_selection(reader, &id);
        count = reader_be32(reader);
        if (n_banks != 1 || id != algorithm_id(bank) || (given & ~asked) != 0 ||
            count != (uint32_t) __builtin_popcount(given))
                return 0;

        for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++) {
                const uint8_t *digest;

                if ((given & 1U << pcr) == 0)
                        continue;
                if (reader_be16(reader) != algorithm_size(bank))
                        return 0;
                digest = reader_take(reader, algorithm_size(bank));
                if (!digest)
                        return 0;
                memcpy(ret->digests[pcr], digest, algorithm_size(bank));
        }

        return reader_left(reader) == 0 ? given : 0;
}

/* Sends one command. The TPM answers with some of the PCRs that are asked for, at least one. */
static int tpm_read_some(TpmDevice *device, Algorithm bank, uint32_t asked, PcrBank *ret, uint32_t *ret_counter,
                         Fault *fault) {
        TpmCommand c = {.name = "TPM2_PCR_Read", .code = TPM_CC_PCR_READ};
        TpmMessage answer;
        uint32_t given;
        Reader reader;
        int r;

        c.size += tpm_put(c.parameters + c.size, 1, 4);
        c.size += tpm_put(c.parameters + c.size, algorithm_id(bank), 2);
        c.size += tpm_put(c.parameters + c.size, TPM_SELECT_SIZE, 1);
        for (size_t i = 0; i < TPM_SELECT_SIZE; i++)
                c.parameters[c.size++] = (uint8_t) (asked >> 8 * i);
        r = tpm_command_execute(device, &c, &answer, &reader, fault);
        if (r != 0)
                return r;

        *ret_counter = reader_be32(&reader);
        given = tpm_take_values(&reader, bank, asked, ret);
        if (reader.failed || given == 0)
                return tpm_command_malformed(fault, &c);

        ret->present |= given;
        return 0;
}

typedef struct TpmReading {
        uint32_t allocated[_ALGORITHM_MAX]; /* PCRs to read, by bank, one bit each */
        uint32_t counter;                   /* the update counter of the last command */
        bool begun;                         /* a command was sent */
        bool moved;                         /* the update counter changed between two commands */
} TpmReading;

static int tpm_reading_add_bank(TpmDevice *device, TpmReading *reading, Algorithm bank, PcrBank *ret, Fault *fault) {
        uint32_t counter;
        int r;

        /* Each command gives at least one value, so there are at most 24 commands. */
        for (uint32_t left; (left = reading->allocated[bank] & ~ret->present) != 0;) {
                r = tpm_read_some(device, bank, left, ret, &counter, fault);
                if (r != 0)
                        return r;

                reading->moved = reading->moved || (reading->begun && counter != reading->counter);
                reading->counter = counter;
                reading->begun = true;
        }

        return 0;
}

int tpm_read_pcrs(TpmDevice *device, unsigned banks, uint32_t selection, Pcrs *ret, Fault *fault) {
        TpmReading reading = {};
        unsigned listed, empty;
        Pcrs before;
        int r;

        assert(device && ret);

        r = tpm_read_allocation(device, reading.allocated, &listed, fault);
        if (r != 0)
                return r;
        empty = tpm_empty_banks(reading.allocated, listed) & banks;
        for (Algorithm bank = 0; bank < _ALGORITHM_MAX; bank++)
                reading.allocated[bank] &= (banks & 1U << bank) != 0 ? selection & PCR_ALL : 0;

        for (unsigned i = 0; i < TPM_READINGS_MAX; i++) {
                *ret = (Pcrs){.empty = empty};
                reading.begun = reading.moved = false;
                for (Algorithm bank = 0; bank < _ALGORITHM_MAX; bank++) {
                        r = tpm_reading_add_bank(device, &reading, bank, ret->banks + bank, fault);
                        if (r != 0)
                                return r;
                }

                if (!reading.moved || (i > 0 && pcrs_equal(&before, ret, PCR_MOVING)))
                        return 0;
                before = *ret;
        }

        return fault_set(fault, FAULT_UNSTABLE, "the PCRs changed in each of %u readings; ask again",
                         TPM_READINGS_MAX);
}
