/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <inttypes.h>

#include "host/recognise.h"
#include "host/tpm-options.h"

#define RECOGNISE_CODE_COUNTER_BACK "counter-back"
#define RECOGNISE_CODE_KEY_OF_ANOTHER "key-of-another"

#define RECOGNISE_WENT_BACK                                                                              \
        "An old snapshot or TPM state was put back, or a copy of it answers here. If you know why, accept " \
        "this state with --accept-key; else do not trust this guest."

/* Refuse a key or counters that contradict the record of the guest. */
static int recognise_refuse(Target *t, KnownKeyMatch match, const KnownKey *known, const KnownKey *now) {
        char was[2 * KEY_NAME_SIZE + 1], is[2 * KEY_NAME_SIZE + 1];

        if (match == KNOWN_KEY_BACK)
                return target_refuse(t, CAUSE_BAD_QUOTE, RECOGNISE_CODE_COUNTER_BACK,
                                     "WARNING: THE TPM OF %s WENT BACK. On %s its count of resets was %" PRIu32
                                     " and that of restarts %" PRIu32 "; now they are %" PRIu32 " and %" PRIu32
                                     ". " RECOGNISE_WENT_BACK, t->name, known->last_seen, known->reset_count,
                                     known->restart_count, now->reset_count, now->restart_count);
        if (match == KNOWN_KEY_CLOCK_BACK)
                return target_refuse(t, CAUSE_BAD_QUOTE, RECOGNISE_CODE_COUNTER_BACK,
                                     "WARNING: THE CLOCK OF THE TPM OF %s WENT BACK. On %s it stood at %" PRIu64
                                     " ms, now it stands at %" PRIu64 " ms, and no reset or restart was counted "
                                     "since. " RECOGNISE_WENT_BACK, t->name, known->last_seen, known->clock,
                                     now->clock);

        hex_encode(known->name, sizeof(known->name), was);
        hex_encode(now->name, sizeof(now->name), is);
        return target_refuse(t, CAUSE_BAD_QUOTE, quote_fault_code(QUOTE_OTHER_KEY),
                             "WARNING: THE KEY OF %s HAS CHANGED. Since %s its key was %s, but this quote was made "
                             "with the key %s. Either the guest got a new TPM state, or its TPM was cleared; or "
                             "another guest, or an impostor, answers here. If you know why, accept the new key with "
                             "--accept-key; else do not trust this guest.", t->name, known->first_seen, was, is);
}

static void recognise_fill(Proof *proof) {
        const QuoteResult *result = &proof->result;
        KnownKey *key = &proof->key;

        memcpy(key->name, result->key.name, sizeof(key->name));
        key->counted = result->endorsement;
        key->reset_count = result->attest.reset_count;
        key->restart_count = result->attest.restart_count;
        key->clocked = key->counted;
        key->clock = result->attest.clock;
        timestamp_utc(key->first_seen);
        timestamp_utc(key->last_seen);
}

/* Find out whether a key that is new for this guest is the key of another guest. */
static int recognise_elsewhere(Target *t, Proof *proof) {
        const HostTpmOptions *options = t->owner->tpm;
        int r;

        r = known_keys_find(options->keys_fd, t->name, proof->key.name, proof->other_name);
        if (r == 0 || r == -ENOMEM)
                return r;
        if (r == -E2BIG)
                return target_refuse(t, CAUSE_KEY_STORE, NULL,
                                     "the directory of keys holds more than %u keys, too many to compare this key with "
                                     "those of all other guests; use several directories, each for some of the "
                                     "guests, with --keys", KNOWN_KEYS_MAX);
        if (r < 0)
                return target_refuse(t, CAUSE_KEY_STORE, NULL, "the directory of keys cannot be read: %s",
                                     error_text(-r));
        if (!options->accept_key)
                return target_refuse(t, CAUSE_BAD_QUOTE, RECOGNISE_CODE_KEY_OF_ANOTHER,
                                     "WARNING: THE KEY OF %s IS ALREADY THAT OF %s. No two TPMs have the same key: "
                                     "either the guest that answers here passes the request on to %s (a relay), or "
                                     "one guest is a clone of the other, made together with its TPM state, and a "
                                     "quote cannot tell them apart. If you know why, accept the key with "
                                     "--accept-key; else do not trust this guest.", t->name, proof->other_name,
                                     proof->other_name);

        proof->key_status = KEY_ACCEPTED;
        return 0;
}

static int recognise_judge(Target *t, Proof *proof, const KnownKey *known) {
        KnownKeyMatch match = known_key_compare(known, &proof->key);

        if (match != KNOWN_KEY_SAME && !t->owner->tpm->accept_key)
                return recognise_refuse(t, match, known, &proof->key);

        proof->key_status = match == KNOWN_KEY_SAME ? KEY_KNOWN : KEY_ACCEPTED;
        if (match == KNOWN_KEY_OTHER)
                return recognise_elsewhere(t, proof);

        memcpy(proof->key.first_seen, known->first_seen, sizeof(known->first_seen));
        return 0;
}

int recognise(Target *t, Proof *proof) {
        KnownKey known;
        int r;

        assert(t->name);

        recognise_fill(proof);
        r = known_key_load(t->owner->tpm->keys_fd, t->name, &known);
        if (r >= 0)
                return recognise_judge(t, proof, &known);
        if (r == -ENOENT) {
                proof->key_status = KEY_NEW;
                return recognise_elsewhere(t, proof);
        }

        if (r == -ENOMEM)
                return r;
        if (r == -EBADMSG)
                return target_refuse(t, CAUSE_KEY_STORE, NULL,
                                     "%s.json in the directory of keys is damaged: look at it, and remove it only if "
                                     "you know why it is damaged", t->name);
        if (r == -EPERM)
                return target_refuse(t, CAUSE_KEY_STORE, NULL,
                                     "%s.json in the directory of keys belongs neither to you nor to root; remove it "
                                     "only if you know who made it", t->name);

        return target_refuse(t, CAUSE_KEY_STORE, NULL, "%s.json in the directory of keys cannot be read: %s", t->name,
                             error_text(-r));
}

int remember(Target *t, const Proof *proof) {
        int r;

        r = known_key_store(t->owner->tpm->keys_fd, t->name, &proof->key);
        if (r >= 0 || r == -ENOMEM)
                return r;

        return target_refuse(t, CAUSE_KEY_STORE, NULL, "%s.json in the directory of keys cannot be written: %s",
                             t->name, error_text(-r));
}
