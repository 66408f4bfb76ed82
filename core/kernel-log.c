/* SPDX-License-Identifier: Apache-2.0 */

#include <ctype.h>
#include <fcntl.h>
#include <systemd/sd-journal.h>

#include "core/probe.h"

/* One record of /dev/kmsg is at most CONSOLE_EXT_LOG_MAX bytes (kernel/printk/internal.h). */
#define RECORD_MAX 8192U
#define JOURNAL_ENTRIES_MAX 20000U

/* "6,339,5140900,-;text\n KEY=value\n": Documentation/ABI/testing/dev-kmsg */
static bool parse_record(char *record, unsigned long *ret_facility, unsigned long long *ret_sequence, char **ret_text,
                         size_t *ret_size) {
        char *end, *text = strchr(record, ';');

        if (!text || !isdigit((unsigned char) record[0]))
                return false;

        *ret_facility = strtoul(record, &end, 10) >> 3;
        if (*end != ',')
                return false;
        *ret_sequence = strtoull(end + 1, &end, 10);

        *ret_text = text + 1;
        *ret_size = strcspn(text + 1, "\n");
        return *end == ',';
}

static int read_ring(int fd, Probe *probe, const char *const *patterns) {
        char record[RECORD_MAX + 1];
        bool first = true;

        probe->log_reach = LOG_COMPLETE;

        for (;;) {
                unsigned long long sequence;
                unsigned long facility;
                size_t size;
                char *text;
                ssize_t n = read(fd, record, RECORD_MAX);

                /* EPIPE: records were overwritten while we read; the next read goes on behind them. */
                if (n < 0 && errno == EPIPE) {
                        probe->log_reach = LOG_WRAPPED;
                        continue;
                }
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return 0;

                record[n] = 0;
                if (!parse_record(record, &facility, &sequence, &text, &size))
                        continue;
                if (first && sequence > 0)
                        probe->log_reach = LOG_WRAPPED;
                first = false;
                if (facility == 0 && probe_add_log(probe, text, size, patterns) < 0)
                        return -ENOMEM;
        }
}

static void journal_closep(sd_journal **j) {
        if (*j)
                sd_journal_close(*j);
}

static int open_kernel_journal(sd_journal **ret) {
        _cleanup_(journal_closep) sd_journal *j = NULL;
        char match[sizeof("_BOOT_ID=") + 32];
        sd_id128_t boot;
        int r;

        r = sd_id128_get_boot(&boot);
        if (r >= 0)
                r = sd_journal_open(&j, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
        if (r < 0)
                return r;

        (void) snprintf(match, sizeof(match), "_BOOT_ID=" SD_ID128_FORMAT_STR, SD_ID128_FORMAT_VAL(boot));
        r = sd_journal_add_match(j, match, 0);
        if (r >= 0)
                r = sd_journal_add_match(j, "_TRANSPORT=kernel", 0);
        if (r >= 0)
                r = sd_journal_add_match(j, "SYSLOG_FACILITY=0", 0);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(j);
        return 0;
}

/* The first line of every boot (init/main.c: linux_banner). */
static bool begins_boot(const char *data, size_t size) {
        return memmem(data, size, "Linux version ", strlen("Linux version ")) != NULL;
}

/* Reads from the beginning of the boot: what the ring has lost stands there. */
static int read_journal(Probe *probe, const char *const *patterns) {
        _cleanup_(journal_closep) sd_journal *j = NULL;
        static const char prefix[] = "MESSAGE=";
        const char *data;
        size_t size;
        unsigned n = 0;

        if (open_kernel_journal(&j) < 0)
                return 0;

        for (; n < JOURNAL_ENTRIES_MAX && sd_journal_next(j) > 0; n++) {
                if (sd_journal_get_data(j, "MESSAGE", (const void **) &data, &size) < 0 || size < strlen(prefix))
                        continue;
                if (n == 0 && !begins_boot(data, size))
                        return 0;
                if (n == 0)
                        probe_clear_log(probe); /* the journal has the ring's lines too */
                if (probe_add_log(probe, data + strlen(prefix), size - strlen(prefix), patterns) < 0)
                        return -ENOMEM;
        }

        if (n > 0)
                probe->log_reach = LOG_COMPLETE;
        return 0;
}

int kernel_log_read(Probe *probe, const char *const *patterns) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0)
                probe->log_reach = errno == ENOENT ? LOG_ABSENT : LOG_UNREADABLE;
        else {
                r = read_ring(fd, probe, patterns);
                if (r < 0)
                        return r;
        }

        return probe->log_reach == LOG_COMPLETE ? 0 : read_journal(probe, patterns);
}
