/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Whose a token in a boot entry is. The ledger says which entries gtuned added a token to, and which had it before.
 * Other tools rename entries, copy them, and generate new ones, so that the token is also in places that the ledger
 * does not name:
 *
 * - An entry that existed when gtuned added the token is the same entry after it was renamed, got another boot counter
 *   (systemd-boot: "NAME+3.conf", "NAME+2-1.conf", "NAME.conf") or moved to another file.
 * - In a later entry the token is gtuned's if the store that such entries are made from (BootStoreDriver.made_from)
 *   had it from gtuned alone.
 * - Every other token is left where it is.
 */

#include "engine/survey.h"

/* What the ledger says of one token: an entry that gtuned added it to, or one that had it before. */
typedef struct OwnershipClaim {
        char *key; /* of the entry, the same after a rename by a boot counter or into another directory */
        const LedgerToken *record;
        bool ours;
} OwnershipClaim;

/* An entry that the ledger knows and that is no longer there, by its kernel. */
typedef struct OwnershipGone {
        const char *kernel;
        size_t size;
        bool ours;
} OwnershipGone;

/* What the ledger says of all stores of a kind together. */
typedef struct OwnershipSource {
        const char *store; /* the kind */
        bool ours, theirs;
} OwnershipSource;

typedef struct Ownership {
        const char *practice, *subject, *token; /* as the ledger has them */
        OwnershipClaim *claims;                 /* sorted by key */
        size_t n_claims;
        OwnershipGone *gone; /* sorted by kernel */
        size_t n_gone;
        OwnershipSource *sources;
        size_t n_sources;
        bool older; /* a record of an older gtuned, which did not say which entries it had added the token to */
        const Survey *survey;
} Ownership;

typedef struct Ownerships {
        Ownership *tokens;
        size_t n_tokens;
} Ownerships;

/**
 * ownership_is_recounted() - whether two names in one directory are one entry with different boot counters
 * @a: the name of a file
 * @b: the name of another file
 */
bool ownership_is_recounted(const char *a, const char *b) _pure_;

/**
 * ownerships_read() - gather what the ledger says of the tokens that are taken back
 * @survey: the survey, which must outlive the result
 * @release: for each observation whether its changes are taken back
 * @ret: takes a row for each token; the caller calls ownerships_done()
 *
 * Return: 0 or -ENOMEM.
 */
int ownerships_read(const Survey *survey, const bool *release, Ownerships *ret);

/** ownerships_done() - release the rows */
void ownerships_done(Ownerships *o);

/**
 * ownership_keep() - list the entries of a store in which a token is not gtuned's
 * @o: what the ledger says of the token
 * @store: the store
 * @ret_keep: takes a NULL-terminated array of ids, for TokenEdit.keep; the caller calls strv_free()
 *
 * Return: 1 if the token is gtuned's in an entry of the store, or in its file; 0 if not; -ENOMEM.
 */
int ownership_keep(const Ownership *o, const BootStore *store, char ***ret_keep);
