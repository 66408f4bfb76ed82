/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "core/secret.h"
#include "tpm/words.h"

#define PCR_GRUB_FILES 9U
#define EVENT_SECTION_NAME_MAX 8U /* of a PE file, in characters */

static int event_describe_action(const Event *event, Buffer *b) {
        return words_guess(b, event->data, event->size);
}

static int event_describe_separator(const Event *event, Buffer *b) {
        static const struct {
                uint32_t value;
                const char *text;
        } values[] = {
                {0, "end of the firmware's measurements"},
                {0xFFFFFFFF, "end of the firmware's measurements (ffffffff)"},
                {1, "the firmware reports an error in place of measurements"},
        };
        Reader reader = reader_of(event->data, event->size);
        uint32_t value = reader_le32(&reader);

        for (size_t i = 0; i < ELEMENTSOF(values) && !reader.failed && reader_left(&reader) == 0; i++)
                if (values[i].value == value)
                        return buffer_puts(b, values[i].text);

        return buffer_printf(b, "a separator of %zu bytes", event->size);
}

static int event_describe_version(const Event *event, Buffer *b) {
        static const uint8_t zero[2];
        int r;

        if (event->size <= 2 && memcmp(event->data, zero, event->size) == 0)
                return buffer_puts(b, "firmware version, empty");

        r = buffer_puts(b, "firmware version: ");
        if (r < 0)
                return r;

        return words_guess(b, event->data, event->size);
}

static int event_describe_post_code(const Event *event, Buffer *b) {
        int r = buffer_puts(b, "firmware code: ");

        if (r < 0)
                return r;

        return words_guess(b, event->data, event->size);
}

static int event_describe_no_action(const Event *event, Buffer *b) {
        int r;

        if (event->size >= 15 && memcmp(event->data, "Spec ID Event03", 15) == 0)
                return buffer_puts(b, "header of the log (TCG 2.0)");
        if (event->size == 17 && memcmp(event->data, "StartupLocality", 16) == 0)
                return buffer_printf(b, "the TPM was started from locality %u", event->data[16]);

        r = buffer_puts(b, "note of the firmware: ");
        if (r < 0)
                return r;

        return words_bytes(b, event->data, event->size < 16 ? event->size : 16);
}

static int event_describe_hcrtm(const Event *event, Buffer *b) {
        return buffer_printf(b, "hardware root of trust (H-CRTM), %zu bytes", event->size);
}

/* Describes a TCG_PCClientTaggedEvent: an identifier, a size, and the data. */
static int event_describe_tag(const Event *event, Buffer *b) {
        static const struct {
                uint32_t id;
                const char *text;
        } tags[] = {
                {0x8F3B22ED, "kernel command line, measured by the kernel's EFI stub (its text is not in the log)"},
                {0x8F3B22EC, "initrd, measured by the kernel's EFI stub"},
                {0xF5BC582A, "systemd-boot: loader.conf"},
                {0x6C46F751, "systemd-stub: an add-on with a device tree"},
                {0x49DFFE0F, "systemd-stub: an add-on with an initrd"},
                {0xDAC08E1A, "systemd-stub: an add-on with CPU microcode"},
                {0x13AED6DB, "systemd-stub: the profile of the unified kernel image"},
                {0xD5CB7CBC, "systemd: SMBIOS type 1, the machine"},
                {0xE0D47BC8, "systemd: SMBIOS type 2, the mainboard"},
                {0xC0B3BD23, "systemd: SMBIOS type 11, strings of the host, among them credentials"},
                {0x00000001, "SMBIOS tables"},
                {0x00000007, "an option ROM that was run"},
        };
        Reader reader = reader_of(event->data, event->size);
        uint32_t id = reader_le32(&reader), size = reader_le32(&reader);
        int r;

        for (size_t i = 0; i < ELEMENTSOF(tags) && !reader.failed; i++)
                if (tags[i].id == id)
                        return buffer_puts(b, tags[i].text);

        if (reader.failed || size > reader_left(&reader))
                return -EBADMSG;
        r = buffer_printf(b, "tagged event 0x%08x: ", id);
        if (r < 0)
                return r;

        return words_guess(b, reader.data + reader.offset, size);
}

/* An event of a boot loader is described by the beginning of its text (GRUB: efi/tpm.c, verifiers), or by its PCR. */
static const struct {
        const char *prefix, *text;
} event_ipl_prefixes[] = {
        {"grub_cmd: ", "GRUB command: "},
        {"kernel_cmdline: ", "kernel command line: "},
        {"module_cmdline: ", "boot module: "},
};

static const struct {
        uint32_t pcrs;
        const char *text;
} event_ipl_pcrs[] = {
        {1U << 8 | 1U << 12, "kernel command line or boot loader: "},
        {1U << PCR_GRUB_FILES, "file that the boot loader read: "},
        {1U << 11, "part of the unified kernel image: "},
        {1U << 14, "shim's Machine Owner Keys: "},
        {PCR_ALL, "boot loader: "},
};

/* Return: the length of a known prefix, or 0. */
static size_t event_ipl_prefix(const Event *event, const char **ret_text) {
        for (size_t i = 0; i < ELEMENTSOF(event_ipl_prefixes); i++) {
                size_t n = strlen(event_ipl_prefixes[i].prefix);

                if (event->size < n || memcmp(event->data, event_ipl_prefixes[i].prefix, n) != 0)
                        continue;
                *ret_text = event_ipl_prefixes[i].text;
                return n;
        }

        return 0;
}

static int event_describe_ipl(const Event *event, Buffer *b) {
        const char *text = NULL;
        size_t n = event_ipl_prefix(event, &text), start;
        int r;

        for (size_t i = 0; !text; i++)
                if (event_ipl_pcrs[i].pcrs & 1U << event->pcr)
                        text = event_ipl_pcrs[i].text;

        r = buffer_puts(b, text);
        if (r < 0)
                return r;
        start = b->size;
        r = words_guess(b, event->data + n, event->size - n);
        if (r < 0)
                return r;

        /* GRUB measures each command of its configuration, `password_pbkdf2` too. */
        secret_redact_file(b->data + start, b->size - start);
        return 0;
}

static int event_describe_partition(const Event *event, Buffer *b) {
        return buffer_printf(b, "partition data of the boot disk, %zu bytes", event->size);
}

/* "otherwise" is the answer of event_text() if the digest is not the hash of the text. */
static const struct {
        uint32_t type;
        const char *name;
        int (*describe)(const Event *event, Buffer *b);
        EventText otherwise;
} event_types[] = {
        {0x00000000, "EV_PREBOOT_CERT", NULL, EVENT_TEXT_UNPROVEN},
        {EV_POST_CODE, "EV_POST_CODE", event_describe_post_code, EVENT_TEXT_UNPROVEN},
        {EV_NO_ACTION, "EV_NO_ACTION", event_describe_no_action, EVENT_TEXT_UNPROVEN},
        {EV_SEPARATOR, "EV_SEPARATOR", event_describe_separator, EVENT_TEXT_DIFFERS},
        {EV_ACTION, "EV_ACTION", event_describe_action, EVENT_TEXT_DIFFERS},
        {EV_EVENT_TAG, "EV_EVENT_TAG", event_describe_tag, EVENT_TEXT_UNPROVEN},
        {0x00000007, "EV_S_CRTM_CONTENTS", NULL, EVENT_TEXT_UNPROVEN},
        {EV_S_CRTM_VERSION, "EV_S_CRTM_VERSION", event_describe_version, EVENT_TEXT_DIFFERS},
        {0x00000009, "EV_CPU_MICROCODE", NULL, EVENT_TEXT_UNPROVEN},
        {0x0000000A, "EV_PLATFORM_CONFIG_FLAGS", NULL, EVENT_TEXT_UNPROVEN},
        {0x0000000B, "EV_TABLE_OF_DEVICES", NULL, EVENT_TEXT_UNPROVEN},
        {0x0000000C, "EV_COMPACT_HASH", NULL, EVENT_TEXT_UNPROVEN},
        {EV_IPL, "EV_IPL", event_describe_ipl, EVENT_TEXT_UNPROVEN},
        {EV_IPL_PARTITION_DATA, "EV_IPL_PARTITION_DATA", event_describe_partition, EVENT_TEXT_UNPROVEN},
        {0x0000000F, "EV_NONHOST_CODE", NULL, EVENT_TEXT_UNPROVEN},
        {0x00000010, "EV_NONHOST_CONFIG", NULL, EVENT_TEXT_UNPROVEN},
        {0x00000011, "EV_NONHOST_INFO", NULL, EVENT_TEXT_UNPROVEN},
        {0x00000012, "EV_OMIT_BOOT_DEVICE_EVENTS", event_describe_action, EVENT_TEXT_DIFFERS},
        {EV_POST_CODE2, "EV_POST_CODE2", NULL, EVENT_TEXT_UNPROVEN},
        {EV_EFI_VARIABLE_DRIVER_CONFIG, "EV_EFI_VARIABLE_DRIVER_CONFIG", efi_describe_variable, EVENT_TEXT_DIFFERS},
        {EV_EFI_VARIABLE_BOOT, "EV_EFI_VARIABLE_BOOT", efi_describe_variable, EVENT_TEXT_UNPROVEN},
        {EV_EFI_BOOT_SERVICES_APPLICATION, "EV_EFI_BOOT_SERVICES_APPLICATION", efi_describe_image,
         EVENT_TEXT_UNPROVEN},
        {EV_EFI_BOOT_SERVICES_DRIVER, "EV_EFI_BOOT_SERVICES_DRIVER", efi_describe_image, EVENT_TEXT_UNPROVEN},
        {EV_EFI_RUNTIME_SERVICES_DRIVER, "EV_EFI_RUNTIME_SERVICES_DRIVER", efi_describe_image, EVENT_TEXT_UNPROVEN},
        {EV_EFI_GPT_EVENT, "EV_EFI_GPT_EVENT", efi_describe_gpt, EVENT_TEXT_DIFFERS},
        {EV_EFI_ACTION, "EV_EFI_ACTION", event_describe_action, EVENT_TEXT_DIFFERS},
        {EV_EFI_PLATFORM_FIRMWARE_BLOB, "EV_EFI_PLATFORM_FIRMWARE_BLOB", efi_describe_blob, EVENT_TEXT_UNPROVEN},
        {0x80000009, "EV_EFI_HANDOFF_TABLES", NULL, EVENT_TEXT_UNPROVEN},
        {EV_EFI_PLATFORM_FIRMWARE_BLOB2, "EV_EFI_PLATFORM_FIRMWARE_BLOB2", efi_describe_blob2, EVENT_TEXT_UNPROVEN},
        {0x8000000B, "EV_EFI_HANDOFF_TABLES2", NULL, EVENT_TEXT_UNPROVEN},
        {EV_EFI_VARIABLE_BOOT2, "EV_EFI_VARIABLE_BOOT2", efi_describe_variable, EVENT_TEXT_DIFFERS},
        {EV_EFI_GPT_EVENT2, "EV_EFI_GPT_EVENT2", efi_describe_gpt, EVENT_TEXT_DIFFERS},
        {EV_EFI_HCRTM_EVENT, "EV_EFI_HCRTM_EVENT", event_describe_hcrtm, EVENT_TEXT_UNPROVEN},
        {EV_EFI_VARIABLE_AUTHORITY, "EV_EFI_VARIABLE_AUTHORITY", efi_describe_variable, EVENT_TEXT_DIFFERS},
        {0x800000E1, "EV_EFI_SPDM_FIRMWARE_BLOB", NULL, EVENT_TEXT_UNPROVEN},
        {0x800000E2, "EV_EFI_SPDM_FIRMWARE_CONFIG", NULL, EVENT_TEXT_UNPROVEN},
};

static size_t event_find_type(uint32_t type) {
        size_t i = 0;

        while (i < ELEMENTSOF(event_types) && event_types[i].type != type)
                i++;

        return i;
}

const char *event_type_to_string(uint32_t type) {
        size_t i = event_find_type(type);

        return i < ELEMENTSOF(event_types) ? event_types[i].name : "unknown";
}

const char *event_type_name(const Event *event) {
        return event->kind ? "systemd" : event_type_to_string(event->type);
}

static int event_describe_userspace(const Event *event, Buffer *b) {
        int r;

        r = buffer_puts(b, "systemd ");
        if (r < 0)
                return r;
        r = words_bytes(b, (const uint8_t *) event->kind, strlen(event->kind));
        if (r < 0)
                return r;
        r = buffer_puts(b, *event->kind ? ": " : "event: ");
        if (r < 0)
                return r;

        return words_bytes(b, event->data, event->size);
}

int event_describe(const Event *event, Buffer *b) {
        size_t start = b->size, i = event_find_type(event->type);
        int r;

        assert(event);

        if (event->kind)
                r = event_describe_userspace(event, b);
        else
                r = i < ELEMENTSOF(event_types) && event_types[i].describe ? event_types[i].describe(event, b)
                                                                           : -EBADMSG;

        if (r == -EBADMSG) {
                if (b->size > start)
                        b->data[b->size = start] = 0;
                r = buffer_printf(b, "%zu bytes: ", event->size);
                if (r < 0)
                        return r;
                r = words_guess(b, event->data, event->size < 64 ? event->size : 64);
        }
        if (r < 0)
                return r;

        if (b->size > start)
                secret_redact(b->data + start, b->size - start);
        if (b->size - start > EVENT_DESCRIPTION_MAX) {
                b->size = start + EVENT_DESCRIPTION_MAX - strlen("...");
                return buffer_puts(b, "...");
        }
        return 0;
}

static int event_is_hash_of(const uint8_t *data, size_t size, Algorithm bank, const uint8_t *digest) {
        uint8_t hash[DIGEST_SIZE_MAX];
        int r = algorithm_hash(bank, &(HashPart){data, size}, 1, hash);
        if (r < 0)
                return r;

        return memcmp(hash, digest, algorithm_size(bank)) == 0;
}

/* Return: the size of UTF-16 that ends with its only NUL, in bytes without the NUL; 0 if it is something else. */
static size_t event_utf16_size(const Event *event) {
        size_t i = 0;

        while (i + 1 < event->size && (event->data[i] != 0 || event->data[i + 1] != 0))
                i += 2;

        return i + 2 == event->size ? i : 0;
}

/*
 * systemd-boot and systemd-stub log UTF-16 with its NUL. Of a command line they hash it without the NUL; of the name of a
 * section they hash the same characters in ASCII, with the NUL (systemd: docs/TPM2_PCR_MEASUREMENTS.md).
 */
static int event_utf16_is_hash_of(const Event *event, size_t size, Algorithm bank, const uint8_t *digest) {
        uint8_t name[EVENT_SECTION_NAME_MAX + 1] = {};
        int r;

        r = event_is_hash_of(event->data, size, bank, digest);
        if (r != 0 || size / 2 > EVENT_SECTION_NAME_MAX)
                return r;

        for (size_t i = 0; i < size / 2; i++) {
                if (event->data[2 * i + 1] != 0)
                        return 0;
                name[i] = event->data[2 * i];
        }

        return event_is_hash_of(name, size / 2 + 1, bank, digest);
}

static int event_ipl_is_hash_of(const Event *event, Algorithm bank, const uint8_t *digest) {
        size_t utf16_size = event_utf16_size(event), skip, size;
        const char *text;
        int r;

        if (utf16_size > 0) {
                r = event_utf16_is_hash_of(event, utf16_size, bank, digest);
                if (r != 0)
                        return r;
        }

        /* GRUB and shim log the NUL, and hash the text without it and without the prefix. */
        skip = event_ipl_prefix(event, &text);
        size = event->size - skip;
        size -= size > 0 && event->data[event->size - 1] == 0;

        return event_is_hash_of(event->data + skip, size, bank, digest);
}

int event_text(const Event *event, Algorithm bank, EventText *ret) {
        const uint8_t *digest = event->digests[bank];
        size_t i = event_find_type(event->type);
        int r;

        *ret = EVENT_TEXT_UNPROVEN;
        if (!event_extends(event) || !digest)
                return 0;

        r = event_is_hash_of(event->data, event->size, bank, digest);
        if (r == 0 && !event->kind && event->type == EV_IPL && event->size > 0)
                r = event_ipl_is_hash_of(event, bank, digest);
        if (r < 0)
                return r;

        if (r > 0)
                *ret = EVENT_TEXT_VERIFIED;
        else if (!event->kind && i < ELEMENTSOF(event_types))
                *ret = event_types[i].otherwise;
        return 0;
}

const char *event_text_to_string(EventText text) {
        static const char *const names[_EVENT_TEXT_MAX] = {
                [EVENT_TEXT_VERIFIED] = "verified",
                [EVENT_TEXT_DIFFERS] = "differs",
                [EVENT_TEXT_UNPROVEN] = "unproven",
        };

        return names[text];
}
