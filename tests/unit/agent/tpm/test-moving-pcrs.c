/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/tpm/event-view.h"
#include "agent/tpm/moving-pcrs.h"
#include "tests/unit/data.h"
#include "tests/unit/make-log.h"
#include "tpm/describe.h"

#define BANKS (1U << ALGORITHM_SHA256)
#define CMDLINE "BOOT_IMAGE=/vmlinuz-6.6 root=/dev/vda2 ro quiet"
#define PCR(n) (1U << (n))

static const char *const no_path[] = {NULL};
static const char *const grub_cfg[] = {"/boot/grub2/grub.cfg", NULL};

/* The events as gtune-tpm gives them. */
static json_object *to_json(const EventLog *log) {
        json_object *events = json_object_new_array(), *event;

        for (size_t i = 0; i < log->n_events; i++) {
                assert_int_equal(event_to_json(log->events + i, i, ALGORITHM_SHA256, &event), 0);
                assert_int_equal(json_add(events, event), 0);
        }

        return events;
}

static uint32_t moving(const Buffer *b, const char *cmdline, const char *const *paths) {
        _cleanup_(eventlog_freep) EventLog *log = parse_log(b);
        _cleanup_json_ json_object *events = to_json(log);

        return moving_pcrs(events, cmdline, paths);
}

typedef struct Case {
        uint32_t pcr, type;
        const char *data;
        const char *const *paths;
        uint32_t expected;
} Case;

static const char *const bls[] = {"/boot/loader/entries/a-6.6.conf", NULL};
static const char *const two[] = {"/boot/grub2/grubenv", "/boot/efi/EFI/openEuler/grub.cfg", NULL};

static const Case cases[] = {
        /* GRUB */
        {8, EV_IPL, "grub_cmd: linux /vmlinuz-6.6 root=/dev/vda2 ro quiet", no_path, PCR(8)},
        {8, EV_IPL, "grub_cmd: linuxefi /vmlinuz-6.6 root=/dev/sda ro", no_path, PCR(8)},
        {8, EV_IPL, "kernel_cmdline: /vmlinuz-6.6 root=/dev/sda", no_path, PCR(8)},
        {8, EV_IPL, "grub_cmd: menuentry A { linux /vmlinuz-6.6 root=/dev/vda2 ro quiet }", no_path, PCR(8)},
        {8, EV_IPL, "grub_cmd: set root=hd0,gpt2", no_path, 0},
        {8, EV_IPL, "module_cmdline: /initramfs", no_path, 0},
        {9, EV_IPL, "(hd0,gpt2)/grub2/grub.cfg", grub_cfg, PCR(9)},
        {9, EV_IPL, "(hd0,gpt2)/boot/grub2/grub.cfg", grub_cfg, PCR(9)},
        {9, EV_IPL, "(hd0,gpt2)/@/boot/grub2/grub.cfg", grub_cfg, PCR(9)},
        {9, EV_IPL, "/grub2/grub.cfg", grub_cfg, PCR(9)},
        {9, EV_IPL, "(hd0,gpt2)/grub2/grub.cfg", no_path, 0},
        {9, EV_IPL, "(hd0,gpt1)/EFI/openEuler/grub.cfg", grub_cfg, 0},
        {9, EV_IPL, "(hd0,gpt1)/EFI/openEuler/grub.cfg", two, PCR(9)},
        {9, EV_IPL, "(memdisk)/boot/grub2/grub.cfg", grub_cfg, 0},
        {9, EV_IPL, "(hd0,gpt2)/old-grub2/grub.cfg", grub_cfg, 0},
        {9, EV_IPL, "(hd0,gpt2", grub_cfg, 0},
        {9, EV_IPL, "(hd0,gpt2)", grub_cfg, 0},
        {9, EV_IPL, "(hd0,gpt2)/vmlinuz-6.6", grub_cfg, 0},
        {9, EV_IPL, "(hd0,gpt2)/loader/entries/a-6.6.conf", bls, PCR(9)},
        /* others */
        {12, EV_IPL, "root=/dev/vda2 ro quiet", no_path, PCR(12)},
        {12, EV_IPL, "root=/dev/vda3 ro quiet", no_path, 0},
        {14, EV_IPL, "MokList", grub_cfg, 0},
        {5, EV_EFI_ACTION, "root=/dev/vda2 ro quiet", no_path, 0},
        {1, EV_EFI_VARIABLE_BOOT, "root=/dev/vda2 ro quiet", no_path, 0},
        /* an event that extends nothing changes no PCR */
        {9, EV_NO_ACTION, "grub_cmd: linux /vmlinuz-6.6", no_path, 0},
};

static void test_table(_unused_ void **state) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const Case *c = cases + i;
                _cleanup_buffer_ Buffer b = BUFFER_NULL;

                put_header(&b, BANKS);
                put_event(&b, BANKS, c->pcr, c->type, c->data, strlen(c->data) + 1);
                if (moving(&b, CMDLINE, c->paths) != c->expected)
                        fail_msg("%s in PCR %u: not %#x", c->data, c->pcr, c->expected);
        }
}

/* systemd-stub measures UTF-16. */
static void test_utf16(_unused_ void **state) {
        static const char words[] = "root=/dev/vda2 ro quiet";
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        char text[2 * sizeof(words)] = {};

        for (size_t i = 0; i < sizeof(words); i++)
                text[2 * i] = words[i];
        put_header(&b, BANKS);
        put_event(&b, BANKS, 12, EV_IPL, text, sizeof(text));
        assert_int_equal(moving(&b, "root=/dev/vda2 ro quiet", no_path), PCR(12));
}

/* A description may be cut, and the searched text is cut too. */
static void test_long(_unused_ void **state) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        char cmdline[2048] = "BOOT_IMAGE=/v ";

        memset(cmdline + strlen(cmdline), 'x', 2000);
        put_header(&b, BANKS);
        put_event(&b, BANKS, 12, EV_IPL, cmdline + 14, strlen(cmdline + 14));
        assert_int_equal(moving(&b, cmdline, no_path), PCR(12));
}

/* A command line that is empty or too short matches by chance, and does not count. */
static void test_short(_unused_ void **state) {
        static const char *const cmdlines[] = {NULL, "", "ro", "BOOT_IMAGE=/vmlinuz", "BOOT_IMAGE=/vmlinuz ro", "\n"};
        _cleanup_buffer_ Buffer b = BUFFER_NULL;

        put_header(&b, BANKS);
        put_event(&b, BANKS, 12, EV_IPL, "error in /proc", 14);
        for (size_t i = 0; i < ELEMENTSOF(cmdlines); i++)
                assert_int_equal(moving(&b, cmdlines[i], no_path), 0);
}

/* Boots of real firmware: with OVMF the kernel's EFI stub measures its command line; with SeaBIOS nothing does. */
static void test_vectors(_unused_ void **state) {
        static const struct {
                const char *name;
                uint32_t expected;
        } vectors[] = {
                {"a", PCR(9)},
                {"e", PCR(9)},
                {"d1", PCR(9)},
                {"sea", 0},
        };

        for (size_t i = 0; i < ELEMENTSOF(vectors); i++) {
                _cleanup_buffer_ Buffer b = data_read("/eventlogs/%s.bin", vectors[i].name);

                assert_int_equal(moving(&b, CMDLINE, grub_cfg), vectors[i].expected);
        }
}

#define EVENT(pcr, name, description)                                                                          \
        "[{\"number\": 0, \"pcr\": " pcr ", \"type\": 13, \"type_name\": " name ", "                               \
        "\"description\": \"" description "\"}]"

/* An event that is not of the documented form is skipped. */
static void test_malformed(_unused_ void **state) {
        static const struct {
                const char *text;
                uint32_t expected;
        } rows[] = {
                {EVENT("8", "\"EV_IPL\"", "GRUB command: linux"), PCR(8)},
                {EVENT("-1", "\"EV_IPL\"", "GRUB command: linux"), 0},
                {EVENT("24", "\"EV_IPL\"", "GRUB command: linux"), 0},
                {EVENT("\"8\"", "\"EV_IPL\"", "GRUB command: linux"), 0},
                {EVENT("8", "null", "GRUB command: linux"), 0},
                {EVENT("8", "\"EV_IPL\"", "GRUB command: linux\\n"), 0},
                {"[]", 0}, {"[null]", 0}, {"[1]", 0}, {"[[]]", 0}, {"[{}]", 0},
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_json_ json_object *events = NULL;

                assert_int_equal(json_parse(rows[i].text, strlen(rows[i].text), &events), 0);
                assert_int_equal(moving_pcrs(events, CMDLINE, no_path), rows[i].expected);
        }
}

static void assert_row(const EventView *v, const char *expected) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;

        assert_int_equal(event_row(v, &b), 0);
        assert_string_equal(b.data, expected);
}

static void test_rows(_unused_ void **state) {
        static const char indent[] = "                            ";
        char expected[512], word[101] = {};

        assert_row(&(EventView) {.number = 7, .pcr = 8, .type = "EV_IPL", .description = "a  b "},
                   "    7    8  EV_IPL          a  b\n");
        assert_row(&(EventView) {.number = 70000, .pcr = 9, .type = "EV_EFI_GPT_EVENT", .description = "\\EFI\\a"},
                   "70000    9  EV_EFI_GPT_EVENT\n                            \\EFI\\a\n");
        assert_row(&(EventView) {.type = "unknown", .description = " "},
                   "    0    0  unknown         (nothing)\n");
        assert_row(&(EventView) {.type = "EV_IPL", .description = "a", .text = "differs"},
                   "    0    0  EV_IPL          a\n"
                   "                            (this text is not what was measured)\n");

        memset(word, 'x', 100);
        (void) snprintf(expected, sizeof(expected), "    0    0  EV_IPL          %.52s\n%s%.48s\n", word, indent,
                        word);
        assert_row(&(EventView) {.type = "EV_IPL", .description = word}, expected);
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_table), cmocka_unit_test(test_utf16),     cmocka_unit_test(test_long),
                cmocka_unit_test(test_short), cmocka_unit_test(test_vectors), cmocka_unit_test(test_malformed),
                cmocka_unit_test(test_rows),
        };

        return cmocka_run_group_tests_name("moving-pcrs", tests, NULL, NULL);
}
