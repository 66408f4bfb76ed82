/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/tpm/ask.h"

/* What tpm2_pcrread calls a bank (TCG Algorithm Registry); sysfs and gtuned say "sm3". */
static const char *bank_title(Algorithm bank) {
        return bank == ALGORITHM_SM3_256 ? "sm3_256" : algorithm_to_string(bank);
}

static int print_bank(const PcrBank *values, Algorithm bank, Buffer *b) {
        char digest[2 * DIGEST_SIZE_MAX + 1];
        int r;

        r = buffer_printf(b, "  %s:\n", bank_title(bank));
        for (unsigned pcr = 0; r >= 0 && pcr < PCR_COUNT; pcr++) {
                if ((values->present & 1U << pcr) == 0)
                        continue;
                hex_encode(values->digests[pcr], algorithm_size(bank), digest);
                for (char *p = digest; *p; p++)
                        *p = *p >= 'a' ? (char) (*p - 'a' + 'A') : *p;
                r = buffer_printf(b, "    %-2u: 0x%s\n", pcr, digest);
        }

        return r;
}

/* Byte for byte as tpm2_pcrread, except that it also names banks that are not allocated, and sysfs does not tell. */
static int print_pcrs(const Pcrs *pcrs) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        int r = buffer_puts(&b, "");

        for (Algorithm bank = 0; r >= 0 && bank < _ALGORITHM_MAX; bank++)
                if (pcrs_bank_exists(pcrs, bank))
                        r = print_bank(pcrs->banks + bank, bank, &b);
        if (r >= 0)
                (void) fwrite(b.data, 1, b.size, stdout);

        return r;
}

int verb_pcr(Context *c, _unused_ char **arguments) {
        _cleanup_json_ json_object *document = NULL;
        _cleanup_free_ char *error = NULL;
        Pcrs pcrs;
        int r;

        r = tpm_pcrs(c, tpm_verb_options(c)->bank, &pcrs, &document, &error);
        if (r != 0)
                return tpm_complain(c, r, error);

        return c->json ? print_document(document) : print_pcrs(&pcrs);
}
