/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Decides what a boot entry boots.
 *
 * Tested by test-entry-kind.c.
 */

#include <strings.h>
#include <unistd.h>

#include "core/buffer.h"
#include "grub/entry-kind.h"

/* After so many files, the others are told by their names alone. */
#define KERNEL_FILES_MAX 256U

static bool entry_is_letter(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The bit of a letter, whatever its case; all other bytes share one. */
static uint32_t entry_letter_bit(char c) {
        return 1U << (entry_is_letter(c) ? (c | 0x20) - 'a' : 'z' - 'a' + 1);
}

/* Words that follow each other, each with its NUL, and one NUL more: a table of them needs no relocations. */
static uint32_t entry_first_letters(const char *words) {
        uint32_t letters = 0;

        for (const char *word = words; *word; word += strlen(word) + 1)
                letters |= entry_letter_bit(*word);

        return letters;
}

static bool entry_begins_with(const char *text, const char *word, bool whole) {
        size_t n = strlen(word);

        return strncasecmp(text, word, n) == 0 && !(whole && entry_is_letter(text[n]));
}

/*
 * Whether a text has one of the words, whatever its case; whole: one that no letter continues at either end. Few letters
 * of most texts begin a word, so that this takes much less than a strcasestr(3) for each of them.
 */
static bool entry_has_one(const char *text, const char *words, bool whole) {
        uint32_t letters = entry_first_letters(words);

        for (const char *p = text; *p; p++) {
                uint32_t letter = entry_letter_bit(*p);

                if (!(letter & letters) || (whole && p > text && entry_is_letter(p[-1])))
                        continue;

                for (const char *word = words; *word; word += strlen(word) + 1)
                        if (entry_letter_bit(*word) == letter && entry_begins_with(p, word, whole))
                                return true;
        }

        return false;
}

/* "recovery mode" in the translations of GRUB (po/), without the ends that are declined; those of ASCII letters alone, */
static const char rescue_ascii[] =
        "Wiederherstellungsmodus\0" "Rettungsmodus\0" "mode de secours\0" "modo de rescate\0" "herstelmodus\0"
        "tryb ratunkowy\0" "tryb odzyskiwania\0" "gjenopprettingsmodus\0" "redningstilstand\0" "palautustila\0"
        "kurtarma kipi\0";

/* … and the others, which most names need not be searched for. */
static const char rescue_not_ascii[] =
        "恢复模式\0" "救援模式\0" "復原模式\0" "急救\0" "リカバリモード\0" "リカバリーモード\0" "レスキュー\0" "복구 모드\0"
        "mode de dépannage\0" "mode de récupération\0" "modo de recuperación\0" "modo de recuperação\0" "modalità ripristino\0"
        "modalità di ripristino\0" "återställningsläge\0" "режим восстановления\0" "режим відновлення\0"
        "záchranný režim\0" "obnovovací režim\0" "helyreállítási mód\0" "chế độ phục hồi\0";

static bool entry_is_ascii(const char *text) {
        for (; *text; text++)
                if ((uint8_t) *text >= 0x80)
                        return false;

        return true;
}

bool entry_name_is_rescue(const char *name) {
        static const char words[] = "rescue\0" "recovery\0" "failsafe\0" "fail-safe\0" "emergency\0" "single-user\0";

        return entry_has_one(name, words, true) || entry_has_one(name, rescue_ascii, false) ||
               (!entry_is_ascii(name) && entry_has_one(name, rescue_not_ascii, false));
}

bool entry_name_is_snapshot(const char *name) {
        return entry_has_one(name, "snapshot\0" "snapshots\0", true);
}

/* Whether a value is what is expected; an expected value that ends with "*" is a beginning. */
static bool value_matches(const char *value, const char *expected) {
        return endswith(expected, "*") ? strncmp(value, expected, strlen(expected) - 1) == 0 : streq(value, expected);
}

EntryKind entry_kind_of_cmdline(const Cmdline *c) {
        static const struct {
                const char *name, *value; /* value: as for value_matches(); NULL: any value, or none */
                EntryKind kind;
        } tokens[] = {
                /* init's runlevels and targets, and what grub-mkconfig of Ubuntu writes (friendly-recovery) */
                { "single",              NULL,               ENTRY_RESCUE  },
                { "recovery",            NULL,               ENTRY_RESCUE  },
                { "rescue",              NULL,               ENTRY_RESCUE  },
                { "emergency",           NULL,               ENTRY_RESCUE  },
                { "systemd.unit",        "rescue.target",    ENTRY_RESCUE  },
                { "systemd.unit",        "emergency.target", ENTRY_RESCUE  },
                { "init",                "/bin/sh",          ENTRY_RESCUE  },
                { "init",                "/bin/bash",        ENTRY_RESCUE  },
                { "rd.break",            NULL,               ENTRY_RESCUE  },
                /* live systems: casper, live-boot, dracut, archiso */
                { "boot",                "casper",           ENTRY_RESCUE  },
                { "boot",                "live",             ENTRY_RESCUE  },
                { "live-media-path",     NULL,               ENTRY_RESCUE  },
                { "rd.live.image",       NULL,               ENTRY_RESCUE  },
                { "root",                "live:*",           ENTRY_RESCUE  },
                { "archisobasedir",      NULL,               ENTRY_RESCUE  },
                /* and those whose image is a file that GRUB has found */
                { "iso-scan/filename",   NULL,               ENTRY_FOREIGN },
                { "findiso",             NULL,               ENTRY_FOREIGN },
                { "fromiso",             NULL,               ENTRY_FOREIGN },
                { "isofrom",             NULL,               ENTRY_FOREIGN },
                { "isofrom_device",      NULL,               ENTRY_FOREIGN },
                { "iso_filename",        NULL,               ENTRY_FOREIGN },
                { "img_loop",            NULL,               ENTRY_FOREIGN },
        };
        EntryKind kind = ENTRY_SYSTEM;

        for (size_t i = 0; i < ELEMENTSOF(tokens); i++) {
                const Token *t = cmdline_find(c, tokens[i].name);

                if (t && !t->uncertain && (!tokens[i].value || value_matches(strempty(t->value), tokens[i].value)))
                        kind = tokens[i].kind;
        }

        return kind;
}

/* Programs that boot loaders load as a kernel, by the beginning or by the end of their file's name. */
static EntryKind kernel_name_kind(const char *name) {
        static const struct {
                const char *begin, *end;
                EntryKind kind;
        } names[] = {
                { "memtest",  "",      ENTRY_MEMTEST },
                { "mt86p",    "",      ENTRY_MEMTEST },
                { "memdisk",  "",      ENTRY_PROGRAM },
                { "ipxe",     "",      ENTRY_PROGRAM },
                { "gpxe",     "",      ENTRY_PROGRAM },
                { "grub.exe", "",      ENTRY_PROGRAM }, /* grub4dos */
                { "grldr",    "",      ENTRY_PROGRAM },
                { "plpbt",    "",      ENTRY_PROGRAM }, /* Plop */
                { "netboot.xyz", "",   ENTRY_PROGRAM },
                { "",         ".lkrn", ENTRY_PROGRAM },
                { "",         ".c32",  ENTRY_PROGRAM },
                { "",         ".kpxe", ENTRY_PROGRAM },
                { "",         ".exe",  ENTRY_PROGRAM },
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                size_t n = strlen(name), end = strlen(names[i].end);

                if (strncasecmp(name, names[i].begin, strlen(names[i].begin)) == 0 && n >= end &&
                    strcasecmp(name + n - end, names[i].end) == 0)
                        return names[i].kind;
        }

        return entry_has_one(name, "rescue\0", false) ? ENTRY_RESCUE : ENTRY_SYSTEM;
}

/*
 * The Linux/x86 boot protocol (Documentation/arch/x86/boot.rst): "HdrS" at 0x202, and at 0x20e where the version is, less
 * 0x200. A kernel's begins with a number; iPXE and memdisk have their own names there, and memtest86+ has none.
 */
static bool kernel_header_is_foreign(const uint8_t *data, size_t size) {
        size_t version;

        if (size < 0x210 || memcmp(data + 0x202, "HdrS", 4) != 0)
                return false;

        version = (size_t) (data[0x20e] | data[0x20f] << 8);
        return version == 0 || (version + 0x200 < size && (data[version + 0x200] < '0' || data[version + 0x200] > '9'));
}

/* Look at the header of a file. Return: 1 if it is no kernel; 0 if it is one, or not known; -ENOMEM. */
static int kernel_file_look(KernelFiles *files, const char *path) {
        enum { HEADER_SIZE = 0x200 + 0x10000 };
        _cleanup_free_ uint8_t *data = NULL;
        _cleanup_free_ char *real = NULL;
        _cleanup_close_ int fd = -EBADF;
        ssize_t n;
        int r;

        r = boot_file_locate(files->root, &files->directories, path, &real);
        if (r <= 0)
                return r;
        if (root_open(files->root, real, &fd) != ROOT_OK)
                return 0;

        data = malloc(HEADER_SIZE);
        if (!data)
                return -ENOMEM;

        n = pread(fd, data, HEADER_SIZE, 0);
        return n > 0 && kernel_header_is_foreign(data, (size_t) n);
}

static int kernel_file_compare(const void *path, const void *file) {
        return strcmp(path, ((const struct KernelFile *) file)->path);
}

static int kernel_files_insert(KernelFiles *files, size_t at, const char *path, EntryKind kind) {
        char *copy;
        int r;

        r = grow(&files->files, files->n_files, sizeof(*files->files));
        if (r < 0)
                return r;
        copy = strdup(path);
        if (!copy)
                return -ENOMEM;

        memmove(files->files + at + 1, files->files + at, (files->n_files - at) * sizeof(*files->files));
        files->files[at] = (struct KernelFile) { copy, kind };
        files->n_files++;
        return 0;
}

int entry_kind_of_kernel(KernelFiles *files, const char *path, EntryKind *ret) {
        const char *slash = strrchr(path, '/'), *device = *path == '(' ? strchr(path, ')') : NULL;
        size_t at;
        int r;

        *ret = kernel_name_kind(slash ? slash + 1 : path);
        if (device)
                path = device + 1;
        if (*ret != ENTRY_SYSTEM || !files->root || *path != '/')
                return 0;

        at = lower_bound(path, files->files, files->n_files, sizeof(*files->files), kernel_file_compare);
        if (at < files->n_files && streq(files->files[at].path, path)) {
                *ret = files->files[at].kind;
                return 0;
        }
        if (files->n_files == KERNEL_FILES_MAX)
                return 0;

        r = kernel_file_look(files, path);
        if (r < 0)
                return r;

        *ret = r > 0 ? ENTRY_PROGRAM : ENTRY_SYSTEM;
        return kernel_files_insert(files, at, path, *ret);
}

void kernel_files_done(KernelFiles *files) {
        for (size_t i = 0; i < files->n_files; i++)
                free(files->files[i].path);
        free(files->files);
        boot_directories_done(&files->directories);
}
