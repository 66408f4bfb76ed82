/* SPDX-License-Identifier: Apache-2.0 */

#include <fcntl.h>
#include <sys/stat.h>

#include "agent/tpm/quote-files.h"
#include "core/text.h"

typedef struct QuoteFile {
        const char *name;
        const Buffer *content;
} QuoteFile;

void quote_files_done(QuoteFiles *q) {
        buffer_done(&q->attest);
        buffer_done(&q->signature);
        buffer_done(&q->public_key);
        buffer_done(&q->report);
}

static int quote_file_write(int directory, const QuoteFile *f) {
        const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
        _cleanup_close_ int fd = openat(directory, f->name, flags, 0600);
        int r;

        if (fd < 0)
                return negative_errno();

        r = write_all(fd, f->content->data, f->content->size);
        if (r < 0)
                (void) unlinkat(directory, f->name, 0);

        return r;
}

static int quote_files_write_all(const Context *c, const char *path, const QuoteFile *files, size_t n) {
        _cleanup_close_ int directory = -EBADF;
        int r;

        if (mkdir(path, 0700) < 0 && errno != EEXIST)
                return complain(c, "%s cannot be made: %s", path, error_text(errno));
        directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (directory < 0)
                return complain(c, "%s cannot be opened: %s", path, error_text(errno));

        for (size_t i = 0; i < n; i++) {
                r = quote_file_write(directory, files + i);
                if (r >= 0)
                        continue;
                for (size_t k = 0; k < i; k++)
                        (void) unlinkat(directory, files[k].name, 0);

                if (r == -EEXIST)
                        return complain(c, "%s/%s exists, and no file is replaced: name another directory", path,
                                        files[i].name);

                return complain(c, "%s/%s cannot be written: %s", path, files[i].name, error_text(-r));
        }

        return 0;
}

int quote_files_write(const Context *c, const QuoteFiles *q, const char *path) {
        _cleanup_buffer_ Buffer pcrs = BUFFER_NULL;
        const QuoteFile files[] = {
                {"quote.msg", &q->attest},   {"quote.sig", &q->signature}, {"quote.pcrs", &pcrs},
                {"key.pub", &q->public_key}, {"report.json", &q->report},
        };
        int r;

        r = quote_pcr_file(&q->pcrs, q->bank, q->selection, &pcrs);
        if (r == -ENODATA)
                return complain(c, "gtune-tpm gave a quote without all of its PCR values");

        if (r < 0)
                return r;

        return quote_files_write_all(c, path, files, ELEMENTSOF(files));
}

/* Appends a path, quoted for a shell if necessary. */
static int quote_files_append_word(const char *directory, const char *name, Buffer *b) {
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:@%";
        bool quoted = directory[strspn(directory, plain)] != 0;
        int r;

        r = buffer_puts(b, quoted ? "'" : *directory == '-' ? "./" : "");
        for (const char *p = directory; r >= 0 && *p; p += *p == '\'' ? 1 : strcspn(p, "'"))
                r = *p == '\'' ? buffer_puts(b, "'\\''") : text_printf(b, "%.*s", (int) strcspn(p, "'"), p);
        if (r < 0)
                return r;

        return text_printf(b, "/%s%s", name, quoted ? "'" : "");
}

int quote_files_print_command(const char *directory, const char *qualifying) {
        static const struct {
                const char *option, *name;
        } words[] = {{"-u", "key.pub"}, {"-m", "quote.msg"}, {"-s", "quote.sig"}, {"-f", "quote.pcrs"}};
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        int r;

        r = buffer_puts(&b, "tpm2_checkquote -g sha256");
        if (r < 0)
                return r;
        for (size_t i = 0; i < ELEMENTSOF(words); i++) {
                r = text_printf(&b, " %s ", words[i].option);
                if (r < 0)
                        return r;
                r = quote_files_append_word(directory, words[i].name, &b);
                if (r < 0)
                        return r;
        }
        r = text_printf(&b, " -q %s\n", strempty(qualifying));
        if (r < 0)
                return r;

        (void) text_write(stdout, &b);
        return 0;
}
