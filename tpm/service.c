/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <openssl/evp.h>

#include "tpm/command.h"
#include "tpm/logs.h"
#include "tpm/service.h"
#include "tpm/sysfs.h"
#include "tpm/tss.h"

#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"

static bool service_has_no_tpm(TpmPresence presence) {
        return presence == TPM_ABSENT || presence == TPM_NO_DRIVER;
}

static int service_no_tpm(TpmPresence presence, Fault *fault) {
        if (presence == TPM_NO_DRIVER)
                return fault_set(fault, FAULT_TPM_NO_DRIVER,
                                 "the firmware announces a TPM (" TPM_ACPI_TABLE "), and this kernel has no driver for "
                                 "it that is loaded: there is neither " TPM_SYSFS " nor " TPM_DEVICE);

        return fault_set(fault, FAULT_NO_TPM,
                         "this machine has no TPM: there is neither " TPM_SYSFS " nor " TPM_DEVICE);
}

static int service_open_device(const TpmSources *sources, TpmDevice **ret, const char **ret_path, Fault *fault) {
        TpmPresence presence = sources->device ? TPM_20 : sysfs_tpm_presence(sources->root);
        int r;

        if (presence == TPM_12)
                return fault_set(fault, FAULT_TPM12, "this machine has a TPM 1.2, and gtuned supports TPM 2.0 only");
        if (!sources->device && !root_is_live(sources->root))
                return service_has_no_tpm(presence) ? service_no_tpm(presence, fault)
                                                    : fault_set(fault, FAULT_NO_DEVICE,
                                                                "this tree holds no PCR values, and the TPM of "
                                                                "another machine cannot be asked for them");

        *ret_path = sources->device ? sources->device : TPM_DEVICE;
        r = tpm_device_open(ret, *ret_path, fault);
        if (r == FAULT && fault->class == FAULT_NO_DEVICE && service_has_no_tpm(presence))
                return service_no_tpm(presence, fault);

        return r;
}

static int service_read_pcrs(const TpmSources *sources, unsigned banks, Pcrs *ret, const char **ret_source,
                             Fault *fault) {
        _cleanup_(tpm_device_freep) TpmDevice *device = NULL;
        int r;

        if (!sources->device && sysfs_tpm_presence(sources->root) == TPM_20 && sysfs_has_pcrs(sources->root)) {
                *ret_source = TPM_SYSFS;
                return sysfs_read_pcrs(sources->root, banks, ret, fault);
        }

        r = service_open_device(sources, &device, ret_source, fault);
        if (r != 0)
                return r;

        return tpm_read_pcrs(device, banks, PCR_ALL, ret, fault);
}

/* The kernel does not show banks without a PCR. Who may not open the TPM is not told of them. */
static int service_find_empty_banks(const TpmSources *sources, Pcrs *pcrs) {
        _cleanup_(tpm_device_freep) TpmDevice *device = NULL;
        _cleanup_fault_ Fault fault = {};
        const char *path;
        int r;

        if (sources->device || !root_is_live(sources->root) || !sysfs_has_pcrs(sources->root))
                return 0;

        r = service_open_device(sources, &device, &path, &fault);
        if (r == 0)
                r = tpm_read_empty_banks(device, &pcrs->empty, &fault);

        return r < 0 ? r : 0;
}

static int service_banks_to_json(unsigned banks, json_object **ret) {
        _cleanup_json_ json_object *array = json_object_new_array();

        if (!array)
                return -ENOMEM;

        for (Algorithm bank = 0; bank < _ALGORITHM_MAX; bank++)
                if ((banks & 1U << bank) != 0 &&
                    json_add(array, json_object_new_string(algorithm_to_string(bank))) < 0)
                        return -ENOMEM;

        *ret = TAKE_PTR(array);
        return 0;
}

static int service_answer_pcrs(const TpmSources *sources, const TpmRequest *q, json_object **ret, Fault *fault) {
        _cleanup_json_ json_object *o = json_object_new_object();
        json_object *values = NULL, *empty = NULL;
        const char *source = NULL;
        Pcrs pcrs;
        int r;

        r = service_read_pcrs(sources, q->bank >= 0 ? 1U << q->bank : BANKS_ALL, &pcrs, &source, fault);
        if (r != 0)
                return r;
        if (q->bank >= 0 && !pcrs_bank_exists(&pcrs, q->bank))
                return fault_set(fault, FAULT_NO_BANK, "this TPM has no bank %s; ask for all to see which it has",
                                 algorithm_to_string(q->bank));
        if (q->bank < 0 && service_find_empty_banks(sources, &pcrs) < 0)
                return -ENOMEM;

        if (!o || json_set_text(o, "source", source) < 0 || pcrs_to_json(&pcrs, &values) < 0 ||
            json_set(o, "pcrs", values) < 0 || service_banks_to_json(pcrs.empty, &empty) < 0 ||
            json_set(o, "empty_banks", empty) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}

static int service_answer_eventlog(const TpmSources *sources, const TpmRequest *q, json_object **ret, Fault *fault) {
        _cleanup_logs_ Logs logs = {};
        int r;

        r = logs_read(sources->root, &logs);
        if (r < 0)
                return r;

        if (logs.firmware && logs.firmware->status == EVENT_LOG_UNREADABLE)
                return fault_set(fault, logs.fault.class, "the event log is unusable: %s", logs.fault.desc);
        if (!logs.userspace && (!logs.firmware || logs.firmware->status == EVENT_LOG_EMPTY))
                return fault_set(fault, FAULT_NO_LOG, "there is no event log: " FIRMWARE_LOG_PATH " %s",
                                 logs.firmware ? "is empty, so the firmware made none"
                                               : "does not exist. The firmware made none, or securityfs is not "
                                                 "mounted");

        return logs_page(&logs, q->offset, q->limit, ret);
}

static int service_read_baseline(const TpmSources *sources, Baseline **ret, char **ret_error) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        int r;

        if (!sources->baseline)
                return 0;

        r = root_read(sources->root, sources->baseline, BASELINE_SIZE_MAX, &b);
        if (r == -ENOMEM)
                return r;
        if (r < 0) {
                *ret_error = xasprintf("%s cannot be read: %s", sources->baseline, error_text(-r));
                return *ret_error ? 0 : -ENOMEM;
        }

        r = baseline_parse(b.data, b.size, sources->baseline, ret, ret_error);
        return r == -EBADMSG ? 0 : r;
}

/* A TPM that is absent or cannot be read makes a verdict, and is no error. */
static int service_judge_pcrs(const TpmSources *sources, Pcrs *pcrs, Fault *fault, VerdictInput *in) {
        const char *source;
        int r;

        r = service_read_pcrs(sources, BANKS_ALL, pcrs, &source, fault);
        if (r < 0)
                return r;

        in->tpm = TPM_20;
        if (r == 0)
                in->pcrs = pcrs;
        else if (fault->class == FAULT_NO_TPM)
                in->tpm = TPM_ABSENT;
        else if (fault->class == FAULT_TPM_NO_DRIVER)
                in->tpm = TPM_NO_DRIVER;
        else if (fault->class == FAULT_TPM12)
                in->tpm = TPM_12;
        else
                in->pcrs_reason = fault->desc;

        return 0;
}

static int service_verdict_document(const VerdictInput *in, json_object **ret) {
        _cleanup_(verdict_freep) Verdict *verdict = NULL;
        _cleanup_json_ json_object *o = NULL;
        json_object *values = NULL;
        int r;

        r = verdict_compute(in, &verdict);
        if (r < 0)
                return r;
        r = verdict_to_json(verdict, &o);
        if (r < 0)
                return r;

        /* Keep the values too: a baseline that is written or changed later is compared with this boot. */
        if (in->pcrs) {
                r = pcrs_to_json(in->pcrs, &values);
                if (r < 0)
                        return r;
        }
        if (json_set(o, "pcrs", values) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}

static int service_answer_verdict(const TpmSources *sources, const TpmRequest *q, json_object **ret, Fault *fault) {
        _cleanup_free_ char *boot_id = NULL, *baseline_error = NULL;
        _cleanup_(baseline_freep) Baseline *baseline = NULL;
        _cleanup_logs_ Logs logs = {};
        VerdictInput in = {.bank = q->bank};
        Pcrs pcrs;
        int r;

        r = service_judge_pcrs(sources, &pcrs, fault, &in);
        if (r < 0)
                return r;
        r = logs_read(sources->root, &logs);
        if (r < 0)
                return r;
        r = service_read_baseline(sources, &baseline, &baseline_error);
        if (r < 0)
                return r;
        r = root_read_line(sources->root, BOOT_ID_PATH, &boot_id);
        if (r == -ENOMEM)
                return r;

        in.firmware = logs.firmware;
        in.userspace = logs.userspace;
        in.baseline = baseline;
        in.baseline_error = baseline_error;
        in.boot_id = boot_id;
        return service_verdict_document(&in, ret);
}

static int service_set_base64(json_object *o, const char *key, const Buffer *b) {
        _cleanup_free_ char *text = malloc(4 * ((b->size + 2) / 3) + 1);

        if (!text)
                return -ENOMEM;

        (void) EVP_EncodeBlock((unsigned char *) text, (const unsigned char *) b->data, (int) b->size);
        return json_set_text(o, key, text);
}

static int service_set_hex(json_object *o, const char *key, const uint8_t *data, size_t size) {
        char text[2 * NONCE_SIZE_MAX + 1];

        assert(size <= NONCE_SIZE_MAX);
        hex_encode(data, size, text);
        return json_set_text(o, key, text);
}

static int service_quote_to_json(const TpmRequest *q, const QuoteOrder *order, const SignedPcrs *quote,
                                 json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        _cleanup_free_ char *selection = pcr_selection_format(q->selection);
        json_object *values = NULL;

        if (!o || !selection || service_set_base64(o, "attest", &quote->attest) < 0 ||
            service_set_base64(o, "signature", &quote->signature) < 0 ||
            service_set_base64(o, "public", &quote->public_key) < 0 ||
            json_set_text(o, "bank", algorithm_to_string(q->bank)) < 0 ||
            json_set_text(o, "selection", selection) < 0 || service_set_hex(o, "nonce", q->nonce, q->nonce_size) < 0 ||
            service_set_hex(o, "report_sha256", q->report_hash, sizeof(q->report_hash)) < 0 ||
            service_set_hex(o, "qualifying_data", order->qualifying, sizeof(order->qualifying)) < 0 ||
            pcrs_to_json(&quote->pcrs, &values) < 0 || json_set(o, "pcrs", values) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}

static int service_answer_quote(const TpmSources *sources, const TpmRequest *q, json_object **ret, Fault *fault) {
        _cleanup_(tpm_device_freep) TpmDevice *device = NULL;
        _cleanup_(signed_pcrs_done) SignedPcrs quote = {};
        QuoteOrder order = {.bank = q->bank, .selection = q->selection};
        const char *path;
        int r;

        r = quote_qualifying_data(q->nonce, q->nonce_size, q->report_hash, order.qualifying);
        if (r < 0)
                return r;
        r = service_open_device(sources, &device, &path, fault);
        if (r != 0)
                return r;
        r = tss_quote(device, &order, &quote, fault);
        if (r != 0)
                return r;

        return service_quote_to_json(q, &order, &quote, ret);
}

int tpm_answer(const TpmSources *sources, const TpmRequest *request, json_object **ret, Fault *fault) {
        static int (*const answers[_TPM_VERB_MAX])(const TpmSources *, const TpmRequest *, json_object **, Fault *) = {
                [TPM_VERB_PCRS] = service_answer_pcrs,
                [TPM_VERB_EVENTLOG] = service_answer_eventlog,
                [TPM_VERB_VERDICT] = service_answer_verdict,
                [TPM_VERB_QUOTE] = service_answer_quote,
        };

        assert(sources && request && request->verb < _TPM_VERB_MAX);

        return answers[request->verb](sources, request, ret, fault);
}
