/* SPDX-License-Identifier: Apache-2.0 */

#include "agent/tpm/ask.h"
#include "core/text.h"

static int pcr_print_bank(const PcrBank *values, Algorithm bank, Buffer *b) {
        char digest[2 * DIGEST_SIZE_MAX + 1];
        int r;

        /* tpm2_pcrread calls this bank sm3_256 (TCG Algorithm Registry), and sysfs and gtuned call it sm3. */
        r = text_printf(b, "  %s:\n", bank == ALGORITHM_SM3_256 ? "sm3_256" : algorithm_to_string(bank));
        if (r < 0)
                return r;

        for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++) {
                if ((values->present & 1U << pcr) == 0)
                        continue;
                hex_encode(values->digests[pcr], algorithm_size(bank), digest);
                for (char *p = digest; *p; p++)
                        *p = *p >= 'a' ? (char) (*p - 'a' + 'A') : *p;
                r = text_printf(b, "    %-2u: 0x%s\n", pcr, digest);
                if (r < 0)
                        return r;
        }

        return 0;
}

/* As tpm2_pcrread, which also names banks without a PCR: gtune-tpm knows them if it may open the TPM. */
static int pcr_print(const Pcrs *pcrs) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        int r;

        r = buffer_puts(&b, "");
        if (r < 0)
                return r;
        for (Algorithm bank = 0; bank < _ALGORITHM_MAX; bank++) {
                if (!pcrs_bank_exists(pcrs, bank) && (pcrs->empty & 1U << bank) == 0)
                        continue;
                r = pcr_print_bank(pcrs->banks + bank, bank, &b);
                if (r < 0)
                        return r;
        }

        (void) text_write(stdout, &b);
        return 0;
}

int verb_pcr(Context *c, _unused_ char **arguments) {
        _cleanup_json_ json_object *document = NULL;
        _cleanup_free_ char *error = NULL;
        Pcrs pcrs;
        int r;

        r = tpm_pcrs(c, tpm_verb_options(c)->bank, &pcrs, &document, &error);
        if (r != 0)
                return tpm_complain(c, r, error);

        return c->json ? print_document(document) : pcr_print(&pcrs);
}
