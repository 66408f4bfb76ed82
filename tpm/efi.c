/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The EFI structures in events (TCG PC Client Platform Firmware Profile 1.05, 10.2; UEFI 2.10). Tests:
 * tests/unit/tpm/test-describe.c.
 */

#include <inttypes.h>

#include "tpm/words.h"

#define EFI_GUID_SIZE 16U
#define GPT_HEADER_SIZE 92U

/* UEFI_VARIABLE_DATA */
typedef struct EfiVariable {
        const uint8_t *name; /* UTF-16 */
        size_t name_size;    /* in bytes */
        const uint8_t *data;
        size_t size;
} EfiVariable;

static int efi_variable_read(const Event *event, EfiVariable *ret) {
        Reader reader = reader_of(event->data, event->size);
        uint64_t name_length, size;

        (void) reader_take(&reader, EFI_GUID_SIZE);
        name_length = reader_le64(&reader);
        size = reader_le64(&reader);
        if (reader.failed || name_length > reader_left(&reader) / 2)
                return -EBADMSG;

        ret->name_size = (size_t) name_length * 2;
        ret->name = reader_take(&reader, ret->name_size);
        if (size > reader_left(&reader))
                return -EBADMSG;

        ret->size = (size_t) size;
        ret->data = reader_take(&reader, ret->size);
        return 0;
}

static bool efi_variable_has_name(const EfiVariable *v, const char *name) {
        if (v->name_size != 2 * strlen(name))
                return false;

        for (size_t i = 0; name[i]; i++)
                if (v->name[2 * i] != (uint8_t) name[i] || v->name[2 * i + 1] != 0)
                        return false;

        return true;
}

static int efi_describe_secure_boot(const EfiVariable *v, Buffer *b) {
        if (v->size != 1 || v->data[0] > 1)
                return buffer_puts(b, "Secure Boot state is not readable");

        return buffer_puts(b, v->data[0] == 1 ? "Secure Boot is on" : "Secure Boot is off");
}

static int efi_describe_keys(const EfiVariable *v, Buffer *b) {
        int r;

        r = buffer_puts(b, "Secure Boot keys ");
        if (r < 0)
                return r;
        r = words_utf16(b, v->name, v->name_size);
        if (r < 0)
                return r;

        return v->size == 0 ? buffer_puts(b, ": none") : buffer_printf(b, ": %zu bytes", v->size);
}

static int efi_describe_boot_order(const EfiVariable *v, Buffer *b) {
        int r = buffer_puts(b, "boot order:");

        for (size_t i = 0; i + 1 < v->size && i < 64 && r >= 0; i += 2)
                r = buffer_printf(b, " Boot%02X%02X", v->data[i + 1], v->data[i]);

        return r;
}

/* Describes an EFI_LOAD_OPTION: attributes, length of the path list, description. */
static int efi_describe_boot_option(const EfiVariable *v, Buffer *b) {
        int r;

        r = buffer_puts(b, "boot option ");
        if (r < 0)
                return r;
        r = words_utf16(b, v->name, v->name_size);
        if (r < 0)
                return r;
        r = buffer_puts(b, ": ");
        if (r < 0)
                return r;

        return v->size > 6 ? words_utf16(b, v->data + 6, v->size - 6) : buffer_puts(b, "none");
}

static int efi_describe_sbat(const EfiVariable *v, Buffer *b) {
        int r;

        r = buffer_puts(b, "shim's SBAT level: ");
        if (r < 0)
                return r;

        return words_bytes(b, v->data, v->size);
}

static int efi_describe_by_name(const char *prefix, const EfiVariable *v, Buffer *b) {
        int r;

        r = buffer_puts(b, prefix);
        if (r < 0)
                return r;
        r = words_utf16(b, v->name, v->name_size);
        if (r < 0)
                return r;

        return buffer_printf(b, ", %zu bytes", v->size);
}

static bool efi_variable_is_boot_option(const EfiVariable *v) {
        static const char prefix[] = "Boot";

        if (v->name_size != 2 * strlen("Boot0000"))
                return false;

        for (size_t i = 0; i < strlen("Boot0000"); i++)
                if (v->name[2 * i + 1] != 0 || (i < strlen(prefix) && v->name[2 * i] != (uint8_t) prefix[i]))
                        return false;

        return true;
}

int efi_describe_variable(const Event *event, Buffer *b) {
        static const struct {
                const char *name;
                int (*describe)(const EfiVariable *v, Buffer *b);
        } names[] = {
                {"SecureBoot", efi_describe_secure_boot},
                {"PK", efi_describe_keys},
                {"KEK", efi_describe_keys},
                {"db", efi_describe_keys},
                {"dbx", efi_describe_keys},
                {"BootOrder", efi_describe_boot_order},
                {"SbatLevel", efi_describe_sbat},
        };
        EfiVariable v;
        int r = efi_variable_read(event, &v);

        if (r < 0)
                return r;
        if (event->type == EV_EFI_VARIABLE_AUTHORITY && !efi_variable_has_name(&v, "SbatLevel"))
                return efi_describe_by_name("what allowed an image to start: an entry of ", &v, b);

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (efi_variable_has_name(&v, names[i].name))
                        return names[i].describe(&v, b);

        if (efi_variable_is_boot_option(&v))
                return efi_describe_boot_option(&v, b);

        return efi_describe_by_name("EFI variable ", &v, b);
}

int event_secure_boot(const Event *event) {
        EfiVariable v;

        if (event->kind || event->type != EV_EFI_VARIABLE_DRIVER_CONFIG || event->pcr != 7 ||
            efi_variable_read(event, &v) < 0 || !efi_variable_has_name(&v, "SecureBoot") || v.size != 1 ||
            v.data[0] > 1)
                return -ENOENT;

        return v.data[0];
}

/* Appends the file path nodes (type 4, subtype 4) of a device path. Return: their number, -EBADMSG, -ENOMEM. */
static int efi_describe_device_path(Reader *path, Buffer *b) {
        int n = 0;

        while (reader_left(path) >= 4) {
                uint8_t type = reader_u8(path), subtype = reader_u8(path);
                uint16_t size = reader_le16(path);
                const uint8_t *data;
                int r;

                if (type == 0x7F)
                        break;
                if (size < 4)
                        return -EBADMSG;
                data = reader_take(path, size - 4U);
                if (!data)
                        return -EBADMSG;
                if (type != 4 || subtype != 4)
                        continue;

                r = words_utf16(b, data, size - 4U);
                if (r < 0)
                        return r;
                n++;
        }

        return n;
}

/* UEFI_IMAGE_LOAD_EVENT */
int efi_describe_image(const Event *event, Buffer *b) {
        static const char *const kinds[] = {"EFI program ", "EFI boot driver ", "EFI runtime driver "};
        Reader reader = reader_of(event->data, event->size), path;
        uint64_t length, path_size;
        int r;

        (void) reader_take(&reader, 8);
        length = reader_le64(&reader);
        (void) reader_take(&reader, 8);
        path_size = reader_le64(&reader);
        if (reader.failed || path_size > reader_left(&reader))
                return -EBADMSG;

        r = buffer_puts(b, kinds[event->type - EV_EFI_BOOT_SERVICES_APPLICATION]);
        if (r < 0)
                return r;

        path = reader_of(reader_take(&reader, (size_t) path_size), (size_t) path_size);
        r = efi_describe_device_path(&path, b);
        if (r == 0)
                r = buffer_puts(b, "without a file name");
        if (r < 0)
                return r;

        return buffer_printf(b, ", %" PRIu64 " bytes", length);
}

/* UEFI_GPT_DATA: the header, a count, and the used entries */
int efi_describe_gpt(const Event *event, Buffer *b) {
        Reader reader = reader_of(event->data, event->size);
        uint64_t n;

        (void) reader_take(&reader, GPT_HEADER_SIZE);
        n = reader_le64(&reader);

        return reader.failed ? -EBADMSG : buffer_printf(b, "partition table (GPT) with %" PRIu64 " partitions", n);
}

/* UEFI_PLATFORM_FIRMWARE_BLOB */
int efi_describe_blob(const Event *event, Buffer *b) {
        Reader reader = reader_of(event->data, event->size);
        uint64_t base = reader_le64(&reader), length = reader_le64(&reader);

        if (reader.failed)
                return -EBADMSG;

        return buffer_printf(b, "firmware volume at 0x%" PRIx64 ", %" PRIu64 " bytes", base, length);
}

/* UEFI_PLATFORM_FIRMWARE_BLOB2: with a description before it */
int efi_describe_blob2(const Event *event, Buffer *b) {
        Reader reader = reader_of(event->data, event->size);
        uint8_t size = reader_u8(&reader);
        const uint8_t *text = reader_take(&reader, size);
        uint64_t base = reader_le64(&reader), length = reader_le64(&reader);
        int r;

        if (reader.failed)
                return -EBADMSG;

        r = buffer_puts(b, "firmware volume ");
        if (r < 0)
                return r;
        r = words_bytes(b, text, size);
        if (r < 0)
                return r;

        return buffer_printf(b, " at 0x%" PRIx64 ", %" PRIu64 " bytes", base, length);
}
