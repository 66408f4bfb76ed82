/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <dlfcn.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>

#include "tpm/attest.h"
#include "tpm/command.h"
#include "tpm/tss.h"

#define TSS_QUOTES_MAX 5U
#define TSS_LIBRARY_ESYS "libtss2-esys.so.0"
#define TSS_LIBRARY_MU "libtss2-mu.so.0"

typedef struct Tss {
        typeof(Esys_Initialize) *initialize;
        typeof(Esys_Finalize) *finalize;
        typeof(Esys_Free) *release;
        typeof(Esys_CreatePrimary) *create_primary;
        typeof(Esys_Quote) *quote;
        typeof(Esys_FlushContext) *flush;
        typeof(Tss2_MU_TPM2B_PUBLIC_Marshal) *marshal_public;
        typeof(Tss2_MU_TPMT_SIGNATURE_Marshal) *marshal_signature;
} Tss;

static const struct {
        const char *library, *symbol;
        size_t offset;
} tss_symbols[] = {
        {TSS_LIBRARY_ESYS, "Esys_Initialize", offsetof(Tss, initialize)},
        {TSS_LIBRARY_ESYS, "Esys_Finalize", offsetof(Tss, finalize)},
        {TSS_LIBRARY_ESYS, "Esys_Free", offsetof(Tss, release)},
        {TSS_LIBRARY_ESYS, "Esys_CreatePrimary", offsetof(Tss, create_primary)},
        {TSS_LIBRARY_ESYS, "Esys_Quote", offsetof(Tss, quote)},
        {TSS_LIBRARY_ESYS, "Esys_FlushContext", offsetof(Tss, flush)},
        {TSS_LIBRARY_MU, "Tss2_MU_TPM2B_PUBLIC_Marshal", offsetof(Tss, marshal_public)},
        {TSS_LIBRARY_MU, "Tss2_MU_TPMT_SIGNATURE_Marshal", offsetof(Tss, marshal_signature)},
};

/* The libraries stay loaded: the process ends soon, and libcrypto must not be unloaded. */
static int tss_load(Tss *tss, Fault *fault) {
        /* libtss2 writes to standard error by default. */
        if (setenv("TSS2_LOG", "all+none", 1) < 0)
                return -ENOMEM;

        for (size_t i = 0; i < ELEMENTSOF(tss_symbols); i++) {
                void *library = dlopen(tss_symbols[i].library, RTLD_NOW | RTLD_NODELETE), *symbol;

                if (!library)
                        return fault_set(fault, FAULT_NO_LIBRARY, "a quote needs %s, which cannot be loaded: %s",
                                         tss_symbols[i].library, dlerror());

                symbol = dlsym(library, tss_symbols[i].symbol);
                if (!symbol)
                        return fault_set(fault, FAULT_NO_LIBRARY, "%s has no function %s: it is too old",
                                         tss_symbols[i].library, tss_symbols[i].symbol);
                memcpy((uint8_t *) tss + tss_symbols[i].offset, &symbol, sizeof(symbol));
        }

        return 0;
}

/* libtss2 reaches the TPM through a TpmDevice, which knows how long to wait and sets the fault. */
typedef struct TssTcti {
        TSS2_TCTI_CONTEXT_COMMON_V1 common; /* the first member, the only one that libtss2 knows */
        TpmDevice *device;
        TpmMessage answer;
        Fault *fault;
} TssTcti;

/* "gtuned" in ASCII; libtss2 accepts any number. */
#define TSS_TCTI_MAGIC 0x6774756e6564ULL

static TSS2_RC tss_tcti_transmit(TSS2_TCTI_CONTEXT *context, size_t size, const uint8_t *command) {
        TssTcti *t = (TssTcti *) context;

        return tpm_device_transact(t->device, command, size, &t->answer, t->fault) == 0 ? TSS2_RC_SUCCESS
                                                                                        : TSS2_TCTI_RC_IO_ERROR;
}

static TSS2_RC tss_tcti_receive(TSS2_TCTI_CONTEXT *context, size_t *size, uint8_t *answer, _unused_ int32_t timeout) {
        TssTcti *t = (TssTcti *) context;

        if (answer && *size < t->answer.size)
                return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
        if (answer)
                memcpy(answer, t->answer.data, t->answer.size);

        *size = t->answer.size;
        return TSS2_RC_SUCCESS;
}

static TSS2_RC tss_tcti_set_locality(_unused_ TSS2_TCTI_CONTEXT *context, _unused_ uint8_t locality) {
        return TSS2_TCTI_RC_NOT_SUPPORTED;
}

typedef struct TssSession {
        const Tss *tss;
        TssTcti tcti;
        ESYS_CONTEXT *esys;
        ESYS_TR key;
} TssSession;

static void tss_session_done(TssSession *s) {
        if (s->esys && s->key != ESYS_TR_NONE)
                (void) s->tss->flush(s->esys, s->key);
        if (s->esys)
                s->tss->finalize(&s->esys);
}

/* If the device has set a fault, it is kept: it says more than the code of libtss2. */
static int tss_session_fault(const TssSession *s, const char *command, TSS2_RC rc) {
        Fault *fault = s->tcti.fault;
        TSS2_RC layer = rc & TSS2_RC_LAYER_MASK;

        if (fault->desc)
                return FAULT;
        if (layer == TSS2_TPM_RC_LAYER || layer == TSS2_RESMGR_TPM_RC_LAYER)
                return tpm_rc_fault(fault, command, rc);

        return fault_set(fault, FAULT_TPM_ERROR, "libtss2 failed with 0x%06x at %s", rc, command);
}

static int tss_session_begin(TssSession *s, const Tss *tss, TpmDevice *device, Fault *fault) {
        TSS2_RC rc;

        *s = (TssSession) {
                .tss = tss,
                .key = ESYS_TR_NONE,
                .tcti = {
                        .common = {
                                .magic = TSS_TCTI_MAGIC,
                                .version = 1,
                                .transmit = tss_tcti_transmit,
                                .receive = tss_tcti_receive,
                                .setLocality = tss_tcti_set_locality,
                        },
                        .device = device,
                        .fault = fault,
                },
        };

        rc = tss->initialize(&s->esys, (TSS2_TCTI_CONTEXT *) &s->tcti, NULL);
        return rc == TSS2_RC_SUCCESS ? 0 : tss_session_fault(s, "Esys_Initialize", rc);
}

/* As tpm2_createprimary -C e -G ecc256:ecdsa-sha256:null with these attributes. */
static const TPM2B_PUBLIC tss_key_template = {
        .publicArea = {
                .type = TPM2_ALG_ECC,
                .nameAlg = TPM2_ALG_SHA256,
                .objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN |
                                    TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT |
                                    TPMA_OBJECT_NODA,
                .parameters.eccDetail = {
                        .symmetric.algorithm = TPM2_ALG_NULL,
                        .scheme = {.scheme = TPM2_ALG_ECDSA, .details.ecdsa.hashAlg = TPM2_ALG_SHA256},
                        .curveID = TPM2_ECC_NIST_P256,
                        .kdf.scheme = TPM2_ALG_NULL,
                },
        },
};

static int tss_session_key_fault(const TssSession *s, TSS2_RC rc) {
        const char *name = tpm_rc_name(rc);

        if (!s->tcti.fault->desc && (streq(name, "TPM_RC_BAD_AUTH") || streq(name, "TPM_RC_AUTH_FAIL")))
                return fault_set(s->tcti.fault, FAULT_ENDORSEMENT,
                                 "the endorsement hierarchy of this TPM has a password, and a quote is made without "
                                 "one; take the password away (tpm2_changeauth -c e)");
        if (!s->tcti.fault->desc && streq(name, "TPM_RC_HIERARCHY"))
                return fault_set(s->tcti.fault, FAULT_ENDORSEMENT,
                                 "the endorsement hierarchy of this TPM is disabled, so it has no key to quote with");

        return tss_session_fault(s, "TPM2_CreatePrimary", rc);
}

static int tss_session_create_key(TssSession *s, Buffer *ret_public) {
        static const TPM2B_SENSITIVE_CREATE no_password;
        static const TPM2B_DATA no_data;
        static const TPML_PCR_SELECTION no_pcrs;
        uint8_t bytes[sizeof(TPM2B_PUBLIC)];
        TPM2B_PUBLIC *key = NULL;
        size_t size = 0;
        TSS2_RC rc;

        rc = s->tss->create_primary(s->esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                                    &no_password, &tss_key_template, &no_data, &no_pcrs, &s->key, &key,
                                    NULL, NULL, NULL);
        if (rc != TSS2_RC_SUCCESS)
                return tss_session_key_fault(s, rc);

        rc = s->tss->marshal_public(key, bytes, sizeof(bytes), &size);
        s->tss->release(key);
        if (rc != TSS2_RC_SUCCESS)
                return tss_session_fault(s, "marshalling the public key", rc);

        return buffer_append(ret_public, bytes, size);
}

static int tss_session_keep_quote(const TssSession *s, const TPM2B_ATTEST *attest, const TPMT_SIGNATURE *signature,
                                  SignedPcrs *ret) {
        uint8_t bytes[sizeof(TPMT_SIGNATURE)];
        size_t size = 0;
        TSS2_RC rc;

        ret->attest.size = ret->signature.size = 0;
        rc = s->tss->marshal_signature(signature, bytes, sizeof(bytes), &size);
        if (rc != TSS2_RC_SUCCESS)
                return tss_session_fault(s, "marshalling the signature", rc);

        if (buffer_append(&ret->attest, attest->attestationData, attest->size) < 0 ||
            buffer_append(&ret->signature, bytes, size) < 0)
                return -ENOMEM;

        return 0;
}

static int tss_session_quote_once(TssSession *s, const QuoteOrder *order, SignedPcrs *ret) {
        TPM2B_DATA qualifying = {.size = QUALIFYING_SIZE};
        const TPMT_SIG_SCHEME scheme_of_key = {.scheme = TPM2_ALG_NULL};
        TPML_PCR_SELECTION selection = {.count = 1};
        TPMS_PCR_SELECTION *bank = selection.pcrSelections;
        TPMT_SIGNATURE *signature = NULL;
        TPM2B_ATTEST *attest = NULL;
        TSS2_RC rc;
        int r;

        memcpy(qualifying.buffer, order->qualifying, QUALIFYING_SIZE);
        bank->hash = algorithm_id(order->bank);
        bank->sizeofSelect = PCR_COUNT / 8;
        for (unsigned i = 0; i < PCR_COUNT / 8; i++)
                bank->pcrSelect[i] = (uint8_t) (order->selection >> 8 * i);

        rc = s->tss->quote(s->esys, s->key, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &qualifying, &scheme_of_key,
                           &selection, &attest, &signature);
        if (rc != TSS2_RC_SUCCESS)
                return tss_session_fault(s, "TPM2_Quote", rc);

        r = tss_session_keep_quote(s, attest, signature, ret);
        s->tss->release(attest);
        s->tss->release(signature);
        return r;
}

/* Return: 1 if the quote is about the values that were read, 0 if not, -EBADMSG: it is malformed, or -errno. */
static int signed_pcrs_agree(const QuoteOrder *order, const SignedPcrs *s) {
        uint8_t digest[DIGEST_SIZE_MAX];
        Attest attest;
        int r;

        r = attest_parse(s->attest.data, s->attest.size, &attest);
        if (r != QUOTE_OK)
                return r < 0 ? r : -EBADMSG;

        r = pcrs_composite(&s->pcrs, order->bank, order->selection, ALGORITHM_SHA256, digest);
        if (r < 0)
                return r;

        return attest.bank == order->bank && attest.selection == order->selection &&
               attest.pcr_digest_size == algorithm_size(ALGORITHM_SHA256) &&
               memcmp(attest.pcr_digest, digest, attest.pcr_digest_size) == 0;
}

static int tss_session_quote(TssSession *s, const QuoteOrder *order, SignedPcrs *ret) {
        Fault *fault = s->tcti.fault;
        int r;

        for (unsigned i = 0; i < TSS_QUOTES_MAX; i++) {
                r = tpm_read_pcrs(s->tcti.device, 1U << order->bank, order->selection, &ret->pcrs, fault);
                if (r != 0)
                        return r;
                if (ret->pcrs.banks[order->bank].present != order->selection)
                        return fault_set(fault, FAULT_NO_BANK, "this TPM does not have all selected PCRs in the bank "
                                         "%s", algorithm_to_string(order->bank));

                r = tss_session_quote_once(s, order, ret);
                if (r != 0)
                        return r;

                r = signed_pcrs_agree(order, ret);
                if (r == -EBADMSG)
                        return fault_set(fault, FAULT_BAD_ANSWER, "the TPM gave a malformed quote");
                if (r < 0)
                        return r;
                if (r > 0)
                        return 0;
        }

        return fault_set(fault, FAULT_UNSTABLE, "the PCRs changed before each of %u quotes; leave PCR 10 out of the "
                         "selection, or ask again", TSS_QUOTES_MAX);
}

int tss_quote(TpmDevice *device, const QuoteOrder *order, SignedPcrs *ret, Fault *fault) {
        _cleanup_(tss_session_done) TssSession session = {.key = ESYS_TR_NONE};
        _cleanup_(signed_pcrs_done) SignedPcrs quote = {};
        Tss tss = {};
        int r;

        assert(device && order && ret && fault);

        r = tss_load(&tss, fault);
        if (r != 0)
                return r;
        r = tss_session_begin(&session, &tss, device, fault);
        if (r != 0)
                return r;
        r = tss_session_create_key(&session, &quote.public_key);
        if (r != 0)
                return r;
        r = tss_session_quote(&session, order, &quote);
        if (r != 0)
                return r;

        *ret = quote;
        quote = (SignedPcrs) {};
        return 0;
}

void signed_pcrs_done(SignedPcrs *s) {
        buffer_done(&s->attest);
        buffer_done(&s->signature);
        buffer_done(&s->public_key);
}
