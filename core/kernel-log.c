/* SPDX-License-Identifier: Apache-2.0 */

/* Tested by the golden machines (tests/roots) as a document, and by tests/e2e with a kernel. */

#include <ctype.h>
#include <fcntl.h>
#include <systemd/sd-journal.h>

#include "core/kernel-log.h"
#include "core/replace.h"

/* One record of /dev/kmsg is at most CONSOLE_EXT_LOG_MAX bytes (kernel/printk/internal.h). */
#define KERNEL_LOG_RECORD_MAX 8192U
#define KERNEL_LOG_ENTRIES_MAX 20000U

#define KERNEL_LOG_LINES_MAX 256U /* further lines of the same kind would tell nothing new */
#define KERNEL_LOG_FILE_MAX (1024U * 1024U)

static const char *const kernel_log_reaches[_LOG_REACH_MAX] = {
        [LOG_COMPLETE] = "complete",
        [LOG_WRAPPED] = "wrapped",
        [LOG_UNREADABLE] = "unreadable",
        [LOG_ABSENT] = "absent",
};

static LogReach kernel_log_reach_from_string(const char *s) {
        for (LogReach i = 0; s && i < _LOG_REACH_MAX; i++)
                if (streq(kernel_log_reaches[i], s))
                        return i;

        return _LOG_REACH_INVALID;
}

static bool kernel_log_matches(const char *line, const char *const *patterns) {
        for (const char *const *p = patterns; *p; p++)
                if (strstr(line, *p))
                        return true;

        return false;
}

static int kernel_log_add(KernelLog *log, const char *line, size_t size, const char *const *patterns) {
        _cleanup_free_ char *copy = strndup(line, size);

        if (!copy)
                return -ENOMEM;
        if (log->n_lines >= KERNEL_LOG_LINES_MAX || !kernel_log_matches(copy, patterns))
                return 0;

        return strv_take(&log->lines, &log->n_lines, TAKE_PTR(copy));
}

/* One record of the ring buffer. */
typedef struct KernelLogRecord {
        char data[KERNEL_LOG_RECORD_MAX + 1];
        unsigned long facility;
        unsigned long long sequence;
        char *text; /* the first line, in data */
} KernelLogRecord;

/* Parse a record such as "6,339,5140900,-;text\n KEY=value\n" (Linux: Documentation/ABI/testing/dev-kmsg). */
static bool kernel_log_parse_record(KernelLogRecord *record) {
        char *end, *text = strchr(record->data, ';');

        if (!text || !isdigit((unsigned char) record->data[0]))
                return false;

        record->facility = strtoul(record->data, &end, 10) >> 3;
        if (*end != ',')
                return false;
        record->sequence = strtoull(end + 1, &end, 10);

        record->text = text + 1;
        text[1 + strcspn(text + 1, "\n")] = 0;
        return *end == ',';
}

/*
 * Read the next record that can be understood. Return: 1; 0 if there is none left; -EPIPE if records were overwritten
 * before they were read, and the next read continues after them.
 */
static int kernel_log_read_record(int fd, KernelLogRecord *record) {
        for (;;) {
                ssize_t n = read(fd, record->data, KERNEL_LOG_RECORD_MAX);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 && errno == EPIPE ? -EPIPE : 0;

                record->data[n] = 0;
                if (kernel_log_parse_record(record))
                        return 1;
        }
}

static int kernel_log_read_ring(int fd, KernelLog *log, const char *const *patterns) {
        KernelLogRecord record;
        bool first = true;
        int r;

        log->reach = LOG_COMPLETE;

        while ((r = kernel_log_read_record(fd, &record)) != 0) {
                if (r < 0 || (first && record.sequence > 0))
                        log->reach = LOG_WRAPPED;
                if (r < 0)
                        continue;

                first = false;
                if (record.facility == 0 && kernel_log_add(log, record.text, strlen(record.text), patterns) < 0)
                        return -ENOMEM;
        }

        return 0;
}

static int kernel_log_open(void) {
        int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

        return fd < 0 ? negative_errno() : fd;
}

int kernel_log_follow(void) {
        int fd = kernel_log_open();

        if (fd >= 0)
                (void) lseek(fd, 0, SEEK_END);
        return fd;
}

bool kernel_log_has_news(int fd, const char *const *patterns) {
        KernelLogRecord record;
        bool news = false;
        int r;

        while ((r = kernel_log_read_record(fd, &record)) != 0)
                news = news || r < 0 || (record.facility == 0 && kernel_log_matches(record.text, patterns));

        return news;
}

static void journal_closep(sd_journal **j) {
        if (*j)
                sd_journal_close(*j);
}

static int kernel_log_open_journal(sd_journal **ret) {
        _cleanup_(journal_closep) sd_journal *j = NULL;
        char match[sizeof("_BOOT_ID=") + 32];
        sd_id128_t boot;
        int r;

        r = sd_id128_get_boot(&boot);
        if (r < 0)
                return r;
        r = sd_journal_open(&j, SD_JOURNAL_LOCAL_ONLY | SD_JOURNAL_SYSTEM);
        if (r < 0)
                return r;

        (void) snprintf(match, sizeof(match), "_BOOT_ID=" SD_ID128_FORMAT_STR, SD_ID128_FORMAT_VAL(boot));
        r = sd_journal_add_match(j, match, 0);
        if (r < 0)
                return r;
        r = sd_journal_add_match(j, "_TRANSPORT=kernel", 0);
        if (r < 0)
                return r;
        r = sd_journal_add_match(j, "SYSLOG_FACILITY=0", 0);
        if (r < 0)
                return r;

        *ret = TAKE_PTR(j);
        return 0;
}

/* Read the lines of this boot from the journal, which also has those that the ring buffer has lost. */
static int kernel_log_read_journal(KernelLog *log, const char *const *patterns) {
        _cleanup_(journal_closep) sd_journal *j = NULL;
        static const char prefix[] = "MESSAGE=", banner[] = "Linux version ";
        const char *data;
        size_t size;
        unsigned n = 0;

        if (kernel_log_open_journal(&j) < 0)
                return 0;

        for (; n < KERNEL_LOG_ENTRIES_MAX && sd_journal_next(j) > 0; n++) {
                if (sd_journal_get_data(j, "MESSAGE", (const void **) &data, &size) < 0 || size < strlen(prefix))
                        continue;
                if (n == 0) {
                        /* Every boot begins with this line (init/main.c: linux_banner), or the journal lost lines. */
                        if (!memmem(data, size, banner, strlen(banner)))
                                return 0;
                        /* The journal has the lines of the ring buffer too. */
                        log->lines = strv_free(log->lines);
                        log->n_lines = 0;
                }
                if (kernel_log_add(log, data + strlen(prefix), size - strlen(prefix), patterns) < 0)
                        return -ENOMEM;
        }

        if (n > 0)
                log->reach = LOG_COMPLETE;
        return 0;
}

int kernel_log_read(KernelLog *log, const char *const *patterns) {
        _cleanup_close_ int fd = -EBADF;
        int r;

        fd = kernel_log_open();
        if (fd < 0)
                log->reach = fd == -ENOENT ? LOG_ABSENT : LOG_UNREADABLE;
        else {
                r = kernel_log_read_ring(fd, log, patterns);
                if (r < 0)
                        return r;
        }

        return log->reach == LOG_COMPLETE ? 0 : kernel_log_read_journal(log, patterns);
}

void kernel_log_done(KernelLog *log) {
        strv_free(log->lines);
        *log = KERNEL_LOG_NULL;
}

const char *kernel_log_line(const KernelLog *log, const char *text) {
        for (size_t i = log->n_lines; i-- > 0;)
                if (startswith(log->lines[i], text))
                        return log->lines[i];

        return NULL;
}

const char *kernel_log_find(const KernelLog *log, const char *text) {
        for (size_t i = log->n_lines; i-- > 0;)
                if (strstr(log->lines[i], text))
                        return log->lines[i];

        return NULL;
}

int kernel_log_to_json(const KernelLog *log, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        json_object *lines = json_object_new_array();

        if (json_set(o, "lines", lines) < 0 || json_set_text(o, "reach", kernel_log_reaches[log->reach]) < 0)
                return -ENOMEM;

        for (size_t i = 0; i < log->n_lines; i++)
                if (json_add(lines, json_text(log->lines[i])) < 0)
                        return -ENOMEM;

        *ret = TAKE_PTR(o);
        return 0;
}

int kernel_log_from_json(json_object *o, KernelLog *log) {
        static const char *const everything[] = {"", NULL};
        json_object *lines = json_get_array(o, "lines");
        LogReach reach = kernel_log_reach_from_string(json_get_text(o, "reach"));

        if (!lines || reach < 0)
                return -EBADMSG;

        log->reach = reach;
        for (size_t i = 0; i < json_object_array_length(lines); i++) {
                json_object *line = json_object_array_get_idx(lines, i);

                if (!json_object_is_type(line, json_type_string))
                        return -EBADMSG;
                if (kernel_log_add(log, json_object_get_string(line), (size_t) json_object_get_string_len(line),
                                   everything) < 0)
                        return -ENOMEM;
        }

        return 0;
}

int kernel_log_keep(const Root *root, const char *path, const KernelLog *log) {
        _cleanup_json_ json_object *o = json_object_new_object();
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        json_object *part = NULL;
        int r;

        if (log->reach != LOG_COMPLETE || root_exists(root, path))
                return 0;
        if (!o || kernel_log_to_json(log, &part) < 0 || json_set(o, "kernel_log", part) < 0)
                return -ENOMEM;

        r = json_format_pretty(o, &text);
        if (r < 0)
                return r;

        return replace_file(root, path, &text, 0644);
}

/* The lines in the ring buffer are newer than the kept ones, so they come after these. */
static int kernel_log_prepend(json_object *kept, KernelLog *log) {
        static const char *const everything[] = {"", NULL};
        _cleanup_(strv_freep) char **ring = TAKE_PTR(log->lines);

        log->n_lines = 0;
        if (kernel_log_from_json(kept, log) == -ENOMEM)
                return -ENOMEM;

        for (char **line = ring; line && *line; line++)
                if (kernel_log_add(log, *line, strlen(*line), everything) < 0)
                        return -ENOMEM;

        return 0;
}

int kernel_log_recall(const Root *root, const char *path, KernelLog *log) {
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        _cleanup_json_ json_object *o = NULL;
        json_object *kept;
        int r;

        if (log->reach == LOG_COMPLETE)
                return 0;

        r = root_read(root, path, KERNEL_LOG_FILE_MAX, &text);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        r = json_parse(text.data, text.size, &o);
        if (r < 0)
                return r == -ENOMEM ? r : 0;
        if (!json_object_object_get_ex(o, "kernel_log", &kept))
                return 0;

        return kernel_log_prepend(kept, log);
}
