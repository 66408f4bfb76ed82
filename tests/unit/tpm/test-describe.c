/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/data.h"
#include "tests/unit/make-log.h"
#include "tpm/describe.h"

#define SHA256 (1U << ALGORITHM_SHA256)
#define TEXT(s) (s), sizeof(s) - 1
#define GUID "0123456789abcdef"
#define IMAGE_ADDRESSES "\0\0\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

static const struct {
        uint32_t pcr, type;
        const char *data;
        size_t size;
        const char *description;
} events[] = {
        {0, EV_SEPARATOR, TEXT("\0\0\0\0"), "end of the firmware's measurements"},
        {0, EV_SEPARATOR, TEXT("\xFF\xFF\xFF\xFF"), "end of the firmware's measurements (ffffffff)"},
        {0, EV_SEPARATOR, TEXT("\1\0\0\0"), "the firmware reports an error in place of measurements"},
        {0, EV_SEPARATOR, TEXT("WBCL"), "a separator of 4 bytes"},
        {0, EV_SEPARATOR, TEXT(""), "a separator of 0 bytes"},
        {0, EV_NO_ACTION, TEXT("StartupLocality\0\3"), "the TPM was started from locality 3"},
        {0, EV_S_CRTM_VERSION, TEXT("1\0.\0" "2\0\0\0"), "firmware version: 1.2"},
        {0, EV_POST_CODE, TEXT("ACPI DATA"), "firmware code: ACPI DATA"},
        {0, EV_EFI_HCRTM_EVENT, TEXT("HCRTM"), "hardware root of trust (H-CRTM), 5 bytes"},
        {4, EV_EFI_ACTION, TEXT("Calling EFI Application from Boot Option"),
         "Calling EFI Application from Boot Option"},
        {4, EV_EFI_ACTION, TEXT("a\x1b[31m\n\0b\x7f\xff"), "a\\x1b[31m\\x0a\\x00b\\x7f\\xff"},

        {7, EV_EFI_VARIABLE_DRIVER_CONFIG,
         TEXT(GUID "\x0a\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0S\0e\0c\0u\0r\0e\0B\0o\0o\0t\0\1"), "Secure Boot is on"},
        {7, EV_EFI_VARIABLE_DRIVER_CONFIG,
         TEXT(GUID "\x0a\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0S\0e\0c\0u\0r\0e\0B\0o\0o\0t\0\7"),
         "Secure Boot state is not readable"},
        {7, EV_EFI_VARIABLE_DRIVER_CONFIG, TEXT(GUID "\2\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0d\0b\0abc"),
         "Secure Boot keys db: 3 bytes"},
        {7, EV_EFI_VARIABLE_AUTHORITY, TEXT(GUID "\2\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0d\0b\0abc"),
         "what allowed an image to start: an entry of db, 3 bytes"},
        {7, EV_EFI_VARIABLE_AUTHORITY,
         TEXT(GUID "\x09\0\0\0\0\0\0\0\6\0\0\0\0\0\0\0S\0b\0a\0t\0L\0e\0v\0e\0l\0sbat,1"),
         "shim's SBAT level: sbat,1"},
        {1, EV_EFI_VARIABLE_BOOT, TEXT(GUID "\x09\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0B\0o\0o\0t\0O\0r\0d\0e\0r\0\1\0\x0a\0"),
         "boot order: Boot0001 Boot000A"},
        {1, EV_EFI_VARIABLE_BOOT2,
         TEXT(GUID "\x08\0\0\0\0\0\0\0\x0c\0\0\0\0\0\0\0B\0o\0o\0t\0" "0\0" "0\0" "0\0" "1\0\1\0\0\0\4\0o\0s\0\0\0"),
         "boot option Boot0001: os"},
        {1, EV_EFI_VARIABLE_BOOT2, TEXT(GUID "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xe4\0"),
         "EFI variable \\u00e4, 0 bytes"},
        /* name lengths that overflow or are beyond the end, and a size that is beyond the end */
        {7, EV_EFI_VARIABLE_DRIVER_CONFIG, TEXT(GUID "\1\0\0\0\0\0\0\x80\0\0\0\0\0\0\0\0d\0"),
         "34 bytes: 0123456789abcdef\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x80"
         "\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00d"},
        {7, EV_EFI_VARIABLE_DRIVER_CONFIG, TEXT(GUID "\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0d"),
         "33 bytes: 0123456789abcdef\\x02\\x00\\x00\\x00\\x00\\x00\\x00\\x00"
         "\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00d"},
        {7, EV_EFI_VARIABLE_DRIVER_CONFIG, TEXT(GUID), "16 bytes: 0123456789abcdef"},

        {4, EV_EFI_BOOT_SERVICES_APPLICATION,
         TEXT(IMAGE_ADDRESSES "\x12\0\0\0\0\0\0\0\4\4\x0e\0\\\0E\0F\0I\0\0\0\x7f\xff\4\0"),
         "EFI program \\EFI, 4096 bytes"},
        {4, EV_EFI_BOOT_SERVICES_DRIVER, TEXT(IMAGE_ADDRESSES "\0\0\0\0\0\0\0\0"),
         "EFI boot driver without a file name, 4096 bytes"},
        {4, EV_EFI_RUNTIME_SERVICES_DRIVER, TEXT(IMAGE_ADDRESSES "\4\0\0\0\0\0\0\0\4\4\3\0"), NULL}, /* too short */
        {4, EV_EFI_RUNTIME_SERVICES_DRIVER, TEXT(IMAGE_ADDRESSES "\4\0\0\0\0\0\0\0\4\4\xff\xff"), NULL},
        {4, EV_EFI_RUNTIME_SERVICES_DRIVER, TEXT(IMAGE_ADDRESSES "\xff\xff\xff\xff\xff\xff\xff\xff"), NULL},
        {0, EV_EFI_PLATFORM_FIRMWARE_BLOB, TEXT("\0\0\x82\0\0\0\0\0\0\0\x0e\0\0\0\0\0"),
         "firmware volume at 0x820000, 917504 bytes"},
        {0, EV_EFI_PLATFORM_FIRMWARE_BLOB2, TEXT("\3FV\1\0\1\0\0\0\0\0\0\2\0\0\0\0\0\0\0"),
         "firmware volume FV\\x01 at 0x100, 2 bytes"},

        {8, EV_IPL, TEXT("grub_cmd: linux /vmlinuz\0"), "GRUB command: linux /vmlinuz"},
        {8, EV_IPL, TEXT("kernel_cmdline: /vmlinuz quiet\0"), "kernel command line: /vmlinuz quiet"},
        {8, EV_IPL, TEXT("kernel_cmdline: /vmlinuz rd.iscsi.password=abc ro\0"),
         "kernel command line: /vmlinuz rd.iscsi.password=RED ro"},
        {8, EV_IPL, TEXT("grub_cmd: password_pbkdf2 root abc\0"), "GRUB command: password_pbkdf2 REDA CTE"},
        {12, EV_IPL, TEXT("t\0o\0k\0e\0n\0=\0a\0\0\0"), "kernel command line or boot loader: token=R"},
        /* UTF-16 that does not begin with ASCII: a secret in it is found all the same */
        {12, EV_IPL, TEXT("\xe4\0 \0t\0o\0k\0e\0n\0=\0a\0b\0\0\0"),
         "kernel command line or boot loader: \\u00e4 token=RE"},
        {12, EV_IPL, TEXT("\t\0r\0o\0\0\0"), "kernel command line or boot loader: \\u0009ro"},
        {12, EV_IPL, TEXT("r\0o\0 \0\x2d\x4e\x87\x65\x2d\x4e\x87\x65\0\0"),
         "kernel command line or boot loader: ro \\u4e2d\\u6587\\u4e2d\\u6587"},
        {12, EV_IPL, TEXT("\1\0\2\0\3\0a\0b\0"),
         "kernel command line or boot loader: \\x01\\x00\\x02\\x00\\x03\\x00a\\x00b"},
        {8, EV_IPL, TEXT("module_cmdline: x\0"), "boot module: x"},
        {9, EV_IPL, TEXT("/boot/grub/grub.cfg\0"), "file that the boot loader read: /boot/grub/grub.cfg"},
        {12, EV_IPL, TEXT("q\0u\0i\0e\0t\0\0\0"), "kernel command line or boot loader: quiet"},
        {14, EV_IPL, TEXT("MokList\0"), "shim's Machine Owner Keys: MokList"},
        {11, EV_IPL, TEXT(".linux\0"), "part of the unified kernel image: .linux"},
        {5, EV_IPL, TEXT("x"), "boot loader: x"},
        {9, EV_EVENT_TAG, TEXT("\xed\";\x8f\0\0\0\0"),
         "kernel command line, measured by the kernel's EFI stub (its text is not in the log)"},
        {9, EV_EVENT_TAG, TEXT("\xec\";\x8f\0\0\0\0"), "initrd, measured by the kernel's EFI stub"},
        {1, EV_EVENT_TAG, TEXT("\xbc\x7c\xcb\xd5\0\0\0\0"), "systemd: SMBIOS type 1, the machine"},
        {1, EV_EVENT_TAG, TEXT("\xc8\x7b\xd4\xe0\0\0\0\0"), "systemd: SMBIOS type 2, the mainboard"},
        {1, EV_EVENT_TAG, TEXT("\x23\xbd\xb3\xc0\0\0\0\0"),
         "systemd: SMBIOS type 11, strings of the host, among them credentials"},
        {9, EV_EVENT_TAG, TEXT("\x99\0\0\0\2\0\0\0hi"), "tagged event 0x00000099: hi"},
        {9, EV_EVENT_TAG, TEXT("\x99\0\0\0\xff\xff\xff\xffhi"),
         "10 bytes: \\x99\\x00\\x00\\x00\\xff\\xff\\xff\\xffhi"},
        {5, EV_EFI_GPT_EVENT, TEXT("short"), "5 bytes: short"},
        {0, 0x77777777, TEXT("what"), "4 bytes: what"},
};

static void test_descriptions(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(events); i++) {
                _cleanup_buffer_ Buffer b = BUFFER_NULL, text = BUFFER_NULL;
                _cleanup_(eventlog_freep) EventLog *log = NULL;

                put_header(&b, SHA256);
                put_event(&b, SHA256, events[i].pcr, events[i].type, events[i].data, events[i].size);
                log = parse_log(&b);
                assert_int_equal(log->n_events, 2);
                assert_int_equal(event_describe(log->events + 1, &text), 0);
                if (events[i].description)
                        assert_string_equal(text.data, events[i].description);
                else
                        assert_non_null(strstr(text.data, " bytes: "));
        }
}

static void test_limit(_unused_ void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL, text = BUFFER_NULL;
        _cleanup_(eventlog_freep) EventLog *log = NULL;
        char command[5000];

        memset(command, '\n', sizeof(command));
        memcpy(command, "grub_cmd: ", 10);
        put_header(&b, SHA256);
        put_event(&b, SHA256, 8, EV_IPL, command, sizeof(command));
        log = parse_log(&b);
        assert_int_equal(buffer_puts(&text, "before "), 0);
        assert_int_equal(event_describe(log->events + 1, &text), 0);
        assert_int_equal(text.size, strlen("before ") + EVENT_DESCRIPTION_MAX);
        assert_true(endswith(text.data, "..."));
        assert_true(startswith(text.data, "before GRUB command: \\x0a") != NULL);
}

static EventText text_of(const Buffer *b, size_t number) {
        _cleanup_(eventlog_freep) EventLog *log = parse_log(b);
        EventText text;

        assert_int_equal(event_text(log->events + number, ALGORITHM_SHA256, &text), 0);
        return text;
}

/* GRUB hashes the command without prefix and NUL. */
static void test_grub_text(_unused_ void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        uint8_t digest[32];
        size_t start;

        put_header(&b, SHA256);
        start = b.size;
        put_event(&b, SHA256, 8, EV_IPL, TEXT("grub_cmd: boot\0"));
        assert_int_equal(algorithm_hash(ALGORITHM_SHA256, &(HashPart) {"boot", 4}, 1, digest), 0);
        memcpy(b.data + start + 14, digest, sizeof(digest));
        assert_int_equal(text_of(&b, 1), EVENT_TEXT_VERIFIED);

        b.data[b.size - 2] = 'T';
        assert_int_equal(text_of(&b, 1), EVENT_TEXT_UNPROVEN);
}

/* Makes a log with an event of systemd-stub in UTF-16, whose digest is that of other bytes. */
static EventText text_of_utf16(const char *data, size_t size, const char *hashed, size_t hashed_size) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        uint8_t digest[32];
        size_t start;

        put_header(&b, SHA256);
        start = b.size;
        put_event(&b, SHA256, 12, EV_IPL, data, size);
        assert_int_equal(algorithm_hash(ALGORITHM_SHA256, &(HashPart) {hashed, hashed_size}, 1, digest), 0);
        memcpy(b.data + start + 14, digest, sizeof(digest));
        return text_of(&b, 1);
}

static void test_systemd_text(_unused_ void **state) {
        assert_int_equal(text_of_utf16(TEXT("r\0o\0\0\0"), TEXT("r\0o\0")), EVENT_TEXT_VERIFIED);
        assert_int_equal(text_of_utf16(TEXT("r\0w\0\0\0"), TEXT("r\0o\0")), EVENT_TEXT_UNPROVEN);
        assert_int_equal(text_of_utf16(TEXT(".\0l\0i\0n\0u\0x\0\0\0"), TEXT(".linux\0")), EVENT_TEXT_VERIFIED);
        assert_int_equal(text_of_utf16(TEXT(".\0l\0i\0n\0u\0x\0\0\0"), TEXT(".linux")), EVENT_TEXT_UNPROVEN);
        /* What is behind the first NUL is not shown, and is not proven either. */
        assert_int_equal(text_of_utf16(TEXT("r\0\0\0o\0\0\0"), TEXT("r\0\0\0o\0")), EVENT_TEXT_UNPROVEN);
}

/* What systemd 262 measures: SMBIOS and loader.conf as tagged events, names of sections and then their content. */
static void test_systemd_262(_unused_ void **state) {
        static const struct {
                uint32_t pcr, type;
                const char *description;
                EventText text;
        } expected[] = {
                {1, EV_EVENT_TAG, "systemd: SMBIOS type 1, the machine", EVENT_TEXT_UNPROVEN},
                {5, EV_EVENT_TAG, "systemd-boot: loader.conf", EVENT_TEXT_UNPROVEN},
                {11, EV_IPL, "part of the unified kernel image: .linux", EVENT_TEXT_VERIFIED},
                {11, EV_IPL, "part of the unified kernel image: .linux", EVENT_TEXT_UNPROVEN},
                {11, EV_IPL, "part of the unified kernel image: .osrel", EVENT_TEXT_VERIFIED},
        };
        _cleanup_buffer_ Buffer b = data_read("/eventlogs/uki-systemd-262.bin");
        _cleanup_(eventlog_freep) EventLog *log = parse_log(&b);
        size_t n = 0;

        for (size_t i = 0; i < log->n_events && n < ELEMENTSOF(expected); i++) {
                _cleanup_buffer_ Buffer text = BUFFER_NULL;
                EventText proven;

                if (log->events[i].type != EV_EVENT_TAG && log->events[i].type != EV_IPL)
                        continue;
                assert_int_equal(event_describe(log->events + i, &text), 0);
                assert_string_equal(text.data, expected[n].description);
                assert_int_equal(log->events[i].pcr, expected[n].pcr);
                assert_int_equal(log->events[i].type, expected[n].type);
                assert_int_equal(event_text(log->events + i, ALGORITHM_SHA256, &proven), 0);
                assert_int_equal(proven, expected[n++].text);
        }
        assert_int_equal(n, ELEMENTSOF(expected));
}

static void test_text(_unused_ void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;

        put_header(&b, SHA256);
        put_event(&b, SHA256, 0, EV_SEPARATOR, TEXT("\0\0\0\0"));
        assert_int_equal(text_of(&b, 0), EVENT_TEXT_UNPROVEN); /* the header measures nothing */
        assert_int_equal(text_of(&b, 1), EVENT_TEXT_VERIFIED);
        b.data[b.size - 1] = 1;
        assert_int_equal(text_of(&b, 1), EVENT_TEXT_DIFFERS);
}

static void test_secure_boot(_unused_ void **state) {
        static const char *const names[] = {"a", "sea"};
        static const int expected[] = {0, -ENOENT};

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                _cleanup_buffer_ Buffer b = data_read("/eventlogs/%s.bin", names[i]);
                _cleanup_(eventlog_freep) EventLog *log = parse_log(&b);
                int found = -ENOENT;

                for (size_t k = 0; k < log->n_events; k++)
                        if (event_secure_boot(log->events + k) >= 0)
                                found = event_secure_boot(log->events + k);
                assert_int_equal(found, expected[i]);
        }
}

static void test_json(_unused_ void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL, text = BUFFER_NULL;
        _cleanup_(eventlog_freep) EventLog *log = NULL;
        _cleanup_json_ json_object *o = NULL, *unproven = NULL;

        put_header(&b, SHA256);
        put_event(&b, SHA256, 7, EV_SEPARATOR, TEXT("\0\0\0\0"));
        log = parse_log(&b);
        assert_int_equal(event_to_json(log->events + 1, 1, ALGORITHM_SHA256, &o), 0);
        assert_int_equal(json_format(o, &text), 0);
        assert_string_equal(text.data,
                            "{\"number\":1,\"pcr\":7,\"type\":4,\"type_name\":\"EV_SEPARATOR\","
                            "\"digests\":{\"sha256\":"
                            "\"df3f619804a92fdb4057192dc43dd748ea778adc52bc498ce80524c014b81119\"},\"size\":4,"
                            "\"description\":\"end of the firmware's measurements\",\"text\":\"verified\"}");

        assert_int_equal(event_to_json(log->events + 1, 1, _ALGORITHM_INVALID, &unproven), 0);
        assert_null(json_get_text(unproven, "text"));
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_descriptions), cmocka_unit_test(test_limit), cmocka_unit_test(test_grub_text),
                cmocka_unit_test(test_text),         cmocka_unit_test(test_secure_boot), cmocka_unit_test(test_json),
                cmocka_unit_test(test_systemd_text), cmocka_unit_test(test_systemd_262),
        };

        return cmocka_run_group_tests_name("describe", tests, NULL, NULL);
}
