/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "host/directory.h"
#include "host/proof.h"

/* Append DIRECTORY/NAME as one word of a shell. */
static int proof_append_path(Buffer *b, const char *directory, const char *name) {
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:@%";
        int r;

        if (!directory[strspn(directory, plain)])
                return buffer_printf(b, "%s/%s", directory, name);

        r = buffer_puts(b, "'");
        if (r < 0)
                return r;

        for (const char *p = directory; *p; p++) {
                r = *p == '\'' ? buffer_puts(b, "'\\''") : buffer_append(b, p, 1);
                if (r < 0)
                        return r;
        }

        return buffer_printf(b, "'/%s", name);
}

static int proof_format_command(Proof *proof, const char *directory) {
        static const struct {
                const char *option;
                const char *name;
        } files[] = {{"-u", "key.pub"}, {"-m", "quote.msg"}, {"-s", "quote.sig"}, {"-f", "quote.pcrs"}};
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        char hex[2 * REPORT_HASH_SIZE + 1];
        int r;

        r = buffer_puts(&b, "tpm2_checkquote");
        if (r < 0)
                return r;

        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                r = buffer_printf(&b, " %s ", files[i].option);
                if (r < 0)
                        return r;

                r = proof_append_path(&b, directory, files[i].name);
                if (r < 0)
                        return r;
        }

        hex_encode(proof->qualifying_data, sizeof(proof->qualifying_data), hex);
        r = buffer_printf(&b, " -g sha256 -q %s", hex);
        if (r < 0)
                return r;

        free(proof->checkquote);
        proof->checkquote = TAKE_PTR(b.data);
        return 0;
}

int proof_write(Proof *proof, const char *path, int directory_fd, char **ret_error) {
        const QuoteAnswer *a = proof->answer;
        const Attest *attest = &proof->result.attest;
        _cleanup_buffer_ Buffer pcrs = BUFFER_NULL;
        int r;

        assert(path);
        assert(ret_error);

        r = quote_pcr_file(&a->pcrs, attest->bank, attest->selection, &pcrs);
        if (r < 0)
                return r;

        const struct {
                const char *name;
                const void *data;
                size_t size;
        } files[] = {
                {"quote.msg", a->attest, a->attest_size},
                {"quote.sig", a->signature, a->signature_size},
                {"quote.pcrs", pcrs.data, pcrs.size},
                {"key.pub", a->public_key, a->public_key_size},
                {"report.json", a->report, a->report_size},
        };

        for (size_t i = 0; i < ELEMENTSOF(files); i++) {
                r = directory_write(directory_fd, files[i].name, files[i].data, files[i].size);
                if (r < 0) {
                        *ret_error = xasprintf("%s/%s cannot be written: %s", path, files[i].name, error_text(-r));
                        return r;
                }
        }

        return proof_format_command(proof, path);
}

void proof_done(Proof *proof) {
        free(proof->checkquote);
        proof->checkquote = NULL;
}
