/* SPDX-License-Identifier: Apache-2.0 */

/* Tested by tests/ownership. */

#include "engine/change.h"
#include "engine/ownership.h"
#include "grub/edit.h"

/* Where a boot counter begins in the name of an entry, or its suffix: "+LEFT-DONE.conf" (systemd: src/boot/boot.c). */
static const char *ownership_name_end(const char *name) {
        const char *suffix = name + strlen(name) - strlen(".conf"), *plus = strrchr(name, '+');
        size_t n;

        if (!plus || plus == name)
                return suffix;

        n = strspn(plus + 1, "0123456789");
        if (n == 0)
                return suffix;
        if (plus[1 + n] == '-' && strspn(plus + n + 2, "0123456789") > 0)
                n += 1 + strspn(plus + n + 2, "0123456789");

        return plus + 1 + n == suffix ? plus : suffix;
}

/* Make the key of an entry: of a file that is one entry its name, without directory and boot counter; else its id. */
static char *ownership_key(const char *id) {
        const char *name = strrchr(id, '/');

        if (*id != '/' || !endswith(id, ".conf") || streq(name, "/.conf"))
                return strdup(id);

        return xasprintf("%.*s.conf", (int) (ownership_name_end(name + 1) - name - 1), name + 1);
}

bool ownership_is_recounted(const char *a, const char *b) {
        size_t n_a, n_b;

        if (!endswith(a, ".conf") || !endswith(b, ".conf") || streq(a, ".conf") || streq(b, ".conf"))
                return false;

        n_a = (size_t) (ownership_name_end(a) - a);
        n_b = (size_t) (ownership_name_end(b) - b);
        return !streq(a, b) && n_a == n_b && memcmp(a, b, n_a) == 0;
}

static int ownership_compare_claims(const void *a, const void *b) {
        const OwnershipClaim *x = a, *y = b;

        return strcmp(x->key, y->key);
}

static int ownership_compare_gone(const void *a, const void *b) {
        const OwnershipGone *x = a, *y = b;
        int r = strncmp(x->kernel, y->kernel, x->size < y->size ? x->size : y->size);

        return r != 0 ? r : (x->size > y->size) - (x->size < y->size);
}

static int ownership_compare_texts(const void *a, const void *b) {
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static int ownership_add_claims(Ownership *o, const LedgerToken *record, char *const *ids, bool ours) {
        for (; ids && *ids; ids++) {
                if (grow(&o->claims, o->n_claims, sizeof(OwnershipClaim)) < 0)
                        return -ENOMEM;
                o->claims[o->n_claims] = (OwnershipClaim) {ownership_key(*ids), record, ours};
                if (!o->claims[o->n_claims++].key)
                        return -ENOMEM;
        }

        return 0;
}

static int ownership_add_source(Ownership *o, const LedgerToken *record) {
        OwnershipSource *source = NULL;

        for (size_t i = 0; i < o->n_sources; i++)
                if (streq(o->sources[i].store, record->store))
                        source = o->sources + i;
        if (!source) {
                if (grow(&o->sources, o->n_sources, sizeof(OwnershipSource)) < 0)
                        return -ENOMEM;
                source = o->sources + o->n_sources++;
                source->store = record->store;
        }

        source->ours = source->ours || ledger_token_is_added(record);
        source->theirs = source->theirs || strv_length(record->keep) > strv_length(record->other);
        return 0;
}

static Ownership *ownerships_row(Ownerships *o, const Survey *survey, const LedgerToken *record) {
        for (size_t i = 0; i < o->n_tokens; i++)
                if (streq(o->tokens[i].token, record->token) && streq(o->tokens[i].practice, record->practice) &&
                    streq_ptr(o->tokens[i].subject, record->subject))
                        return o->tokens + i;

        if (grow(&o->tokens, o->n_tokens, sizeof(Ownership)) < 0)
                return NULL;

        o->tokens[o->n_tokens] = (Ownership) {
                .practice = record->practice,
                .subject = record->subject,
                .token = record->token,
                .survey = survey,
        };
        return o->tokens + o->n_tokens++;
}

static int ownerships_add_record(Ownerships *o, const Survey *survey, const LedgerToken *record) {
        Ownership *row = ownerships_row(o, survey, record);

        if (!row)
                return -ENOMEM;

        row->older = row->older || !record->added;
        if (ownership_add_source(row, record) < 0 || ownership_add_claims(row, record, record->keep, false) < 0)
                return -ENOMEM;

        return ownership_add_claims(row, record, record->added, true);
}

/* The keys of all entries that are there, sorted; *ret_n takes how many. */
static char **ownership_list_present(const BootStores *stores, size_t *ret_n) {
        _cleanup_(strv_freep) char **keys = NULL;
        size_t n = 0;

        for (size_t s = 0; s < stores->n_stores; s++)
                for (size_t i = 0; i < stores->stores[s]->n_entries; i++)
                        if (strv_take(&keys, &n, ownership_key(stores->stores[s]->entries[i].id)) < 0)
                                return NULL;

        if (!keys)
                keys = calloc(1, sizeof(char *));
        else
                qsort(keys, n, sizeof(char *), ownership_compare_texts);
        *ret_n = n;
        return TAKE_PTR(keys);
}

/* The kernel of a claim: of a file that is one entry the record has it, and ids of grub.cfg end with it. */
static OwnershipGone ownership_claim_kernel(const OwnershipClaim *claim) {
        OwnershipGone gone = {.kernel = claim->record->kernel, .ours = claim->ours};
        const char *number;

        if (!gone.kernel) {
                for (const char *p = claim->key; (p = strstr(p, " | ")); p++)
                        gone.kernel = p + strlen(" | ");
                if (!gone.kernel)
                        return gone;
        }

        gone.size = strlen(gone.kernel);
        number = strrchr(gone.kernel, '#');
        if (!claim->record->kernel && number && number[1] && number[1 + strspn(number + 1, "0123456789")] == 0)
                gone.size = (size_t) (number - gone.kernel);
        return gone;
}

static int ownership_find_gone(Ownership *o, char **present, size_t n_present) {
        for (size_t i = 0; i < o->n_claims; i++) {
                OwnershipGone gone = ownership_claim_kernel(o->claims + i);

                if (gone.size == 0 || bsearch(&o->claims[i].key, present, n_present, sizeof(char *),
                                              ownership_compare_texts))
                        continue;
                if (grow(&o->gone, o->n_gone, sizeof(OwnershipGone)) < 0)
                        return -ENOMEM;
                o->gone[o->n_gone++] = gone;
        }

        if (o->gone)
                qsort(o->gone, o->n_gone, sizeof(OwnershipGone), ownership_compare_gone);
        return 0;
}

int ownerships_read(const Survey *survey, const bool *release, Ownerships *ret) {
        _cleanup_(ownerships_done) Ownerships o = {};
        _cleanup_(strv_freep) char **present = NULL;
        size_t n_present = 0;

        for (size_t i = 0; i < survey->ledger->n_tokens; i++) {
                const LedgerToken *record = survey->ledger->tokens + i;

                if (change_is_released(survey, release, record->practice, record->subject) &&
                    ownerships_add_record(&o, survey, record) < 0)
                        return -ENOMEM;
        }

        present = o.n_tokens > 0 ? ownership_list_present(survey->stores, &n_present) : NULL;
        if (o.n_tokens > 0 && !present)
                return -ENOMEM;

        for (size_t i = 0; i < o.n_tokens; i++) {
                if (o.tokens[i].claims)
                        qsort(o.tokens[i].claims, o.tokens[i].n_claims, sizeof(OwnershipClaim),
                              ownership_compare_claims);
                if (ownership_find_gone(o.tokens + i, present, n_present) < 0)
                        return -ENOMEM;
        }

        *ret = o;
        o = (Ownerships) {};
        return 0;
}

void ownerships_done(Ownerships *o) {
        for (size_t i = 0; i < o->n_tokens; i++) {
                for (size_t k = 0; k < o->tokens[i].n_claims; k++)
                        free(o->tokens[i].claims[k].key);
                free(o->tokens[i].claims);
                free(o->tokens[i].gone);
                free(o->tokens[i].sources);
        }
        free(o->tokens);
        *o = (Ownerships) {};
}

/* What some claims say together. */
typedef enum OwnershipAnswer {
        OWNERSHIP_SILENT, /* there is none */
        OWNERSHIP_OURS,
        OWNERSHIP_THEIRS,
        OWNERSHIP_BOTH,
} OwnershipAnswer;

static void ownership_add_answer(OwnershipAnswer *answer, bool ours) {
        *answer |= ours ? OWNERSHIP_OURS : OWNERSHIP_THEIRS;
}

/* What the ledger says of an entry itself. A record of the entry's own file comes first. */
static OwnershipAnswer ownership_of_known(const Ownership *o, const BootStore *store, char *key) {
        const OwnershipClaim wanted = {.key = key}, *claim;
        OwnershipAnswer here = OWNERSHIP_SILENT, elsewhere = OWNERSHIP_SILENT;

        claim = o->n_claims > 0 ? bsearch(&wanted, o->claims, o->n_claims, sizeof(OwnershipClaim),
                                          ownership_compare_claims) : NULL;
        if (!claim)
                return OWNERSHIP_SILENT;

        while (claim > o->claims && streq(claim[-1].key, key))
                claim--;
        for (; claim < o->claims + o->n_claims && streq(claim->key, key); claim++)
                ownership_add_answer(streq(claim->record->path, store->path) ? &here : &elsewhere, claim->ours);

        return here != OWNERSHIP_SILENT ? here : elsewhere;
}

/* What the ledger says of entries with the same kernel that are gone: one of them has got another name or title. */
static OwnershipAnswer ownership_of_renamed(const Ownership *o, const BootEntry *e) {
        OwnershipGone wanted = {.kernel = strempty(e->kernel), .size = strlen(strempty(e->kernel))};
        OwnershipAnswer answer = OWNERSHIP_SILENT;
        const OwnershipGone *gone;

        gone = wanted.size > 0 && o->n_gone > 0 ? bsearch(&wanted, o->gone, o->n_gone, sizeof(OwnershipGone),
                                                         ownership_compare_gone) : NULL;
        if (!gone)
                return OWNERSHIP_SILENT;

        while (gone > o->gone && ownership_compare_gone(gone - 1, &wanted) == 0)
                gone--;
        for (; gone < o->gone + o->n_gone && ownership_compare_gone(gone, &wanted) == 0; gone++)
                ownership_add_answer(&answer, gone->ours);

        return answer == OWNERSHIP_BOTH ? OWNERSHIP_SILENT : answer;
}

/*
 * Whether the stores that later entries are made from had the token from gtuned alone. Where one of them had it from the
 * administrator too, it is not known which of the two a copy is of.
 */
static bool ownership_of_sources(const Ownership *o, const BootStore *store) {
        bool ours = false, theirs = false;

        for (const char *const *kind = store->driver->made_from; kind && *kind; kind++)
                for (size_t i = 0; i < o->n_sources; i++)
                        if (streq(o->sources[i].store, *kind)) {
                                ours = ours || o->sources[i].ours;
                                theirs = theirs || o->sources[i].theirs;
                        }

        return ours && !theirs;
}

/* Whether a file has the token in a place where a removal takes it. Return: 1, 0, or -ENOMEM. */
static int ownership_file_has(const Ownership *o, const BootStore *store) {
        _cleanup_free_ char *text = NULL;
        _cleanup_buffer_ Buffer new = BUFFER_NULL;
        TokenSpec spec;
        TokenEdit edit = {.spec = &spec};
        const BootEntry *entry;
        size_t size;
        int r;

        r = token_spec_parse(o->token, &spec, &text);
        if (r < 0)
                return r;
        r = store->driver->render(store, &edit, 1, &new, &entry, &size);
        if (r < 0)
                return r == -ENOMEM ? r : 0;

        return !buffer_equal(&new, &store->content);
}

/* Several files can make up one template. What gtuned added is in the files of its records, if one still has it. */
static int ownership_is_elsewhere(const Ownership *o, const BootStore *store, const char *key) {
        const LedgerToken *here = ledger_token(o->survey->ledger, store->path, o->token);

        if (here && ledger_token_is_added(here))
                return 0;

        for (size_t i = 0; i < o->n_claims; i++) {
                const OwnershipClaim *claim = o->claims + i;
                const BootStore *other = boot_stores_by_path(o->survey->stores, claim->record->path);
                int r;

                if (!claim->ours || !streq(claim->key, key) || !other || other == store)
                        continue;
                r = ownership_file_has(o, other);
                if (r != 0)
                        return r;
        }

        return 0;
}

/* Return: 1 if the token is gtuned's in this entry, 0, or -ENOMEM. */
static int ownership_of_entry(const Ownership *o, const BootStore *store, const BootEntry *e, bool older) {
        _cleanup_free_ char *key = ownership_key(e->id);
        OwnershipAnswer answer;
        int r;

        if (!key)
                return -ENOMEM;
        if (!boot_entry_loses_tokens(e))
                return 0;

        answer = ownership_of_known(o, store, key);
        if (answer == OWNERSHIP_OURS && e->kind == ENTRY_TEMPLATE) {
                r = ownership_is_elsewhere(o, store, key);
                return r < 0 ? r : r == 0;
        }
        if (answer == OWNERSHIP_SILENT && older)
                return e->kind != ENTRY_RESCUE;
        if (answer == OWNERSHIP_SILENT && e->kind == ENTRY_SYSTEM)
                answer = ownership_of_renamed(o, e);
        if (answer == OWNERSHIP_SILENT)
                return !o->older && ownership_of_sources(o, store);

        return answer == OWNERSHIP_OURS;
}

int ownership_keep(const Ownership *o, const BootStore *store, char ***ret_keep) {
        const LedgerToken *record = ledger_token(o->survey->ledger, store->path, o->token);
        _cleanup_(strv_freep) char **keep = NULL;
        bool older = record && !record->added, ours = false;
        size_t n = 0;

        /* The command lines that boot are in another file: the record alone says what this one has. */
        if (store->n_entries == 0) {
                *ret_keep = NULL;
                return record && ledger_token_is_added(record);
        }

        for (size_t i = 0; i < store->n_entries; i++) {
                int r = ownership_of_entry(o, store, store->entries + i, older);

                if (r < 0)
                        return r;
                ours = ours || r > 0;
                if (r == 0 && strv_take(&keep, &n, strdup(store->entries[i].id)) < 0)
                        return -ENOMEM;
        }

        *ret_keep = TAKE_PTR(keep);
        return ours;
}
