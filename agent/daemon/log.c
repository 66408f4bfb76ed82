/* SPDX-License-Identifier: Apache-2.0 */

#include <stdarg.h>
#include <sys/socket.h>

#include "core/journal.h"
#include "core/text.h"
#include "agent/daemon/log.h"

static void log_write(int priority, const char *text) {
        char line[1024];
        int n;

        if (journal_takes_stderr())
                n = snprintf(line, sizeof(line), "<%d>%s\n", priority, text);
        else
                n = snprintf(line, sizeof(line), "%s\n", text);
        if (n < 0)
                return;
        if ((size_t) n >= sizeof(line)) {
                n = sizeof(line) - 1;
                line[n - 1] = '\n';
        }

        if (send(STDERR_FILENO, line, (size_t) n, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno == ENOTSOCK &&
            write(STDERR_FILENO, line, (size_t) n) < 0)
                return; /* the message is lost */
}

__attribute__((format(printf, 3, 0)))
static void log_va(int priority, int error, const char *format, va_list ap) {
        _cleanup_buffer_ Buffer clean = BUFFER_NULL;
        char text[900];
        size_t n;

        if (priority >= LOG_DEBUG && !getenv("GTUNED_DEBUG"))
                return;

        if (vsnprintf(text, sizeof(text), format, ap) < 0)
                return;

        n = strlen(text);
        if (error != 0)
                (void) snprintf(text + n, sizeof(text) - n, ": %s", error_text(-error));
        if (text_printf(&clean, "%s", text) >= 0)
                log_write(priority, strempty(clean.data));
}

void log_line(int priority, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        log_va(priority, 0, format, ap);
        va_end(ap);
}

int log_error_errno(int error, const char *format, ...) {
        va_list ap;

        va_start(ap, format);
        log_va(LOG_ERR, error, format, ap);
        va_end(ap);

        return error;
}
