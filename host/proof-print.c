/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "core/text.h"
#include "host/proof.h"

static const char *const key_status_names[_KEY_STATUS_MAX] = {
        [KEY_UNVERIFIED] = "unverified",
        [KEY_NEW]        = "new",
        [KEY_KNOWN]      = "known",
        [KEY_ACCEPTED]   = "accepted",
};

#define PROOF_CLAIM                                                                                     \
        "the PCR values, and that this report came with them. What the report says of the guest is the " \
        "guest's own word."

static char *proof_describe_key(const Proof *proof, const char *key, const char *name) {
        const char *other = proof->other_name;

        switch (proof->key_status) {
        case KEY_NEW:
                return xasprintf("Key %s was seen for the first time, and is remembered as that of %s. It is believed "
                                 "because it came first.", key, name);
        case KEY_KNOWN:
                return xasprintf("Key %s is that of %s, known since %s.", key, name, proof->key.first_seen);
        case KEY_ACCEPTED:
                return xasprintf("Key %s is accepted, and remembered as that of %s from now on.%s%s%s", key, name,
                                 *other ? " It is also remembered as that of " : "", other, *other ? "." : "");
        default:
                return xasprintf("Key %s is UNVERIFIED and not remembered: any program could have made this quote, "
                                 "even without a TPM. If you give the guest a name with --name, its key is remembered "
                                 "and compared the next time.", key);
        }
}

static char *proof_describe_binding(const Proof *proof) {
        const Attest *a = &proof->result.attest;
        bool unverified = proof->key_status == KEY_UNVERIFIED;
        const char *condition = unverified ? "If its key is that of the guest's TPM, the" : "The";

        if (!proof->result.endorsement)
                return xasprintf("%s quote proves " PROOF_CLAIM " The key is not a primary key of the endorsement "
                                 "hierarchy, so the TPM hides its counters and they are not compared.",
                                 condition);

        return xasprintf("%s quote proves " PROOF_CLAIM " Resets of the TPM so far: %u; restarts since the last "
                         "reset: %u.", condition, a->reset_count, a->restart_count);
}

static int proof_print_command(Buffer *b, const char *command) {
        int r;

        r = print_note(b, "The files are written. To check them again:");
        if (r < 0)
                return r;

        r = buffer_puts(b, "    ");
        if (r < 0)
                return r;

        r = text_print(b, command, strlen(command));
        if (r < 0)
                return r;

        return buffer_puts(b, "\n");
}

static int proof_print_row(const Output *o, Target *t, const Proof *proof) {
        _cleanup_free_ char *selection = pcr_selection_format(proof->result.attest.selection);
        const char *state = proof->key_status == KEY_UNVERIFIED ? key_status_names[KEY_UNVERIFIED] : "verified";
        int r;

        if (!selection)
                return -ENOMEM;

        r = print_row(o, &t->text, t->path, "quote", state, false);
        if (r < 0)
                return r;

        return text_printf(&t->text, "%s:%s\n", algorithm_to_string(proof->result.attest.bank), selection);
}

static int proof_print_text(const Output *o, Target *t, const Proof *proof, json_object *report) {
        _cleanup_free_ char *key = NULL, *binding = proof_describe_binding(proof);
        char hex[2 * KEY_NAME_SIZE + 1];
        int r;

        hex_encode(proof->result.key.name, KEY_NAME_SIZE, hex);
        key = proof_describe_key(proof, hex, t->name);
        if (!key || !binding)
                return -ENOMEM;

        r = print_report(o, t, report);
        if (r < 0)
                return r;

        r = proof_print_row(o, t, proof);
        if (r < 0)
                return r;

        r = print_note(&t->text, binding);
        if (r < 0)
                return r;

        r = print_note(&t->text, key);
        if (r < 0)
                return r;
        if (proof->checkquote)
                return proof_print_command(&t->text, proof->checkquote);

        return 0;
}

static int proof_set_hex(json_object *o, const char *key, const uint8_t *data, size_t size) {
        char hex[2 * NONCE_SIZE_MAX + 1];

        assert(size <= NONCE_SIZE_MAX);

        hex_encode(data, size, hex);
        return json_set_text(o, key, hex);
}

static int proof_key_to_json(const Target *t, const Proof *proof, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();

        if (!o ||
            proof_set_hex(o, "name", proof->result.key.name, KEY_NAME_SIZE) < 0 ||
            json_set_text(o, "status", key_status_names[proof->key_status]) < 0 ||
            json_set_text(o, "guest", t->name) < 0 ||
            json_set_text(o, "other_guest", *proof->other_name ? proof->other_name : NULL) < 0 ||
            json_set_text(o, "first_seen", t->name ? proof->key.first_seen : NULL) < 0 ||
            json_set(o, "endorsement", json_object_new_boolean(proof->result.endorsement)) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}

static int proof_clock_to_json(const Attest *a, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();

        if (!o ||
            json_set(o, "milliseconds", json_object_new_uint64(a->clock)) < 0 ||
            json_set(o, "reset_count", json_object_new_int64(a->reset_count)) < 0 ||
            json_set(o, "restart_count", json_object_new_int64(a->restart_count)) < 0 ||
            json_set(o, "safe", json_object_new_boolean(a->safe)) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}

static int proof_to_json(const Target *t, const Proof *proof, json_object **ret) {
        const Attest *a = &proof->result.attest;
        _cleanup_json_ json_object *o = json_object_new_object();
        _cleanup_free_ char *selection = pcr_selection_format(a->selection);
        json_object *pcrs, *key, *clock;
        Pcrs quoted = {};

        /* Only the quoted PCRs are proven, so the other values that the guest sent are not printed. */
        quoted.banks[a->bank] = proof->answer->pcrs.banks[a->bank];
        quoted.banks[a->bank].present &= a->selection;

        if (!o || !selection ||
            json_set_text(o, "bank", algorithm_to_string(a->bank)) < 0 ||
            json_set_text(o, "selection", selection) < 0 ||
            pcrs_to_json(&quoted, &pcrs) < 0 || json_set(o, "pcrs", pcrs) < 0 ||
            proof_set_hex(o, "nonce", proof->nonce, proof->nonce_size) < 0 ||
            proof_set_hex(o, "qualifying_data", proof->qualifying_data, sizeof(proof->qualifying_data)) < 0 ||
            proof_key_to_json(t, proof, &key) < 0 || json_set(o, "key", key) < 0 ||
            proof_clock_to_json(a, &clock) < 0 || json_set(o, "clock", clock) < 0 ||
            json_set(o, "firmware_version", json_object_new_uint64(a->firmware_version)) < 0 ||
            json_set_text(o, "checkquote", proof->checkquote) < 0)
                return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}

int proof_print(const Output *o, Target *t, const Proof *proof, json_object *report) {
        _cleanup_json_ json_object *object = NULL;
        json_object *quote;

        assert(o);
        assert(proof);

        if (!o->json)
                return proof_print_text(o, t, proof, report);

        object = print_object(o, t, true);
        if (!object ||
            proof_to_json(t, proof, &quote) < 0 || json_set(object, "quote", quote) < 0 ||
            json_set(object, "report", json_object_get(report)) < 0)
                return -ENOMEM;

        return print_json(&t->text, object);
}
