/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>

#include "tpm/pcrs.h"

bool pcrs_bank_exists(const Pcrs *pcrs, Algorithm bank) {
        return pcrs->banks[bank].present != 0;
}

bool pcrs_equal(const Pcrs *a, const Pcrs *b, uint32_t except) {
        for (Algorithm i = 0; i < _ALGORITHM_MAX; i++) {
                const uint32_t present = a->banks[i].present & ~except;

                if (present != (b->banks[i].present & ~except))
                        return false;
                for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
                        if (present & 1U << pcr &&
                            memcmp(a->banks[i].digests[pcr], b->banks[i].digests[pcr], algorithm_size(i)) != 0)
                                return false;
        }

        return true;
}

static int pcr_bank_to_json(const PcrBank *bank, size_t size, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();
        char digest[2 * DIGEST_SIZE_MAX + 1], number[12];

        if (!o)
                return -ENOMEM;

        for (unsigned i = 0; i < PCR_COUNT; i++) {
                json_object *value;

                if (!(bank->present & 1U << i))
                        continue;

                hex_encode(bank->digests[i], size, digest);
                (void) snprintf(number, sizeof(number), "%u", i);
                value = json_object_new_string(digest);
                /* json_set() takes constant keys only, and this one is on the stack. */
                if (!value || json_object_object_add(o, number, value) < 0) {
                        json_object_put(value);
                        return -ENOMEM;
                }
        }

        *ret = TAKE_PTR(o);
        return 0;
}

int pcrs_to_json(const Pcrs *pcrs, json_object **ret) {
        _cleanup_json_ json_object *o = json_object_new_object();

        assert(pcrs);
        assert(ret);

        if (!o)
                return -ENOMEM;

        for (Algorithm i = 0; i < _ALGORITHM_MAX; i++) {
                json_object *bank;

                if (!pcrs_bank_exists(pcrs, i))
                        continue;
                if (pcr_bank_to_json(pcrs->banks + i, algorithm_size(i), &bank) < 0 ||
                    json_set(o, algorithm_to_string(i), bank) < 0)
                        return -ENOMEM;
        }

        *ret = TAKE_PTR(o);
        return 0;
}

int pcr_from_string(const char *text) {
        unsigned pcr = 0;
        size_t n = strspn(text, "0123456789");

        if (n < 1 || n > 2 || text[n] || (n == 2 && text[0] == '0'))
                return -EINVAL;

        for (size_t i = 0; i < n; i++)
                pcr = pcr * 10 + (unsigned) (text[i] - '0');

        return pcr < PCR_COUNT ? (int) pcr : -EINVAL;
}

static int pcr_bank_from_json(json_object *o, PcrBank *bank, size_t size) {
        if (!json_object_is_type(o, json_type_object))
                return -EBADMSG;

        json_object_object_foreach(o, key, value) {
                int pcr = pcr_from_string(key);

                if (pcr < 0 || !json_object_is_type(value, json_type_string) ||
                    (size_t) json_object_get_string_len(value) != 2 * size ||
                    hex_decode(json_object_get_string(value), size, bank->digests[pcr]) < 0)
                        return -EBADMSG;

                bank->present |= 1U << pcr;
        }

        return 0;
}

int pcrs_from_json(json_object *o, Pcrs *ret) {
        Pcrs pcrs = {};

        assert(ret);

        if (!json_object_is_type(o, json_type_object))
                return -EBADMSG;

        json_object_object_foreach(o, key, value) {
                Algorithm bank = algorithm_from_string(key);

                /* A bank may be there once only, and "sm3" and "sm3_256" are the same bank. */
                if (bank < 0 || pcrs_bank_exists(&pcrs, bank) ||
                    pcr_bank_from_json(value, pcrs.banks + bank, algorithm_size(bank)) < 0)
                        return -EBADMSG;
        }

        *ret = pcrs;
        return 0;
}

/* Reads a number at the beginning of the text; *p moves to the character after it. */
static int pcr_take_number(const char **p) {
        char digits[3] = {};
        size_t n = strspn(*p, "0123456789");

        if (n < 1 || n > 2)
                return -EINVAL;

        memcpy(digits, *p, n);
        *p += n;
        return pcr_from_string(digits);
}

int pcr_selection_parse(const char *text, uint32_t *ret) {
        uint32_t selection = 0;

        for (const char *p = text;; p++) {
                int first = pcr_take_number(&p), last = first;

                if (first >= 0 && *p == '-') {
                        p++;
                        last = pcr_take_number(&p);
                }
                if (first < 0 || last < first)
                        return -EINVAL;

                for (int i = first; i <= last; i++)
                        selection |= 1U << i;
                if (!*p)
                        break;
                if (*p != ',')
                        return -EINVAL;
        }

        *ret = selection;
        return 0;
}

char *pcr_selection_format(uint32_t selection) {
        _cleanup_buffer_ Buffer b = BUFFER_NULL;
        int r = buffer_puts(&b, "");

        for (unsigned i = 0; i < PCR_COUNT && r >= 0; i++) {
                unsigned last = i;

                if (!(selection & 1U << i))
                        continue;
                while (last + 1 < PCR_COUNT && selection & 1U << (last + 1))
                        last++;

                r = buffer_printf(&b, "%s%u", b.size > 0 ? "," : "", i);
                /* "0,1" is as short as "0-1", and clearer. */
                if (r >= 0 && last > i)
                        r = buffer_printf(&b, "%c%u", last == i + 1 ? ',' : '-', last);
                i = last;
        }

        return r < 0 ? NULL : TAKE_PTR(b.data);
}

int pcr_selection_to_json(uint32_t selection, json_object **ret) {
        _cleanup_json_ json_object *array = json_object_new_array();

        for (unsigned i = 0; array && i < PCR_COUNT; i++)
                if (selection & 1U << i && json_add(array, json_object_new_int((int) i)) < 0)
                        return -ENOMEM;

        if (!array)
                return -ENOMEM;

        *ret = TAKE_PTR(array);
        return 0;
}

int pcr_selection_from_json(json_object *array, uint32_t *ret) {
        uint32_t selection = 0;

        if (!json_object_is_type(array, json_type_array))
                return -EBADMSG;

        for (size_t i = 0; i < json_object_array_length(array); i++) {
                json_object *value = json_object_array_get_idx(array, i);
                int64_t pcr = json_object_is_type(value, json_type_int) ? json_object_get_int64(value) : -1;

                if (pcr < 0 || pcr >= PCR_COUNT)
                        return -EBADMSG;
                selection |= 1U << pcr;
        }

        *ret = selection;
        return 0;
}
