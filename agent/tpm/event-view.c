/* SPDX-License-Identifier: Apache-2.0 */

#include <inttypes.h>

#include "agent/tpm/event-view.h"
#include "core/text.h"
#include "tpm/eventlog.h"

#define EVENT_ROW_WIDTH 80U
#define EVENT_TYPE_WIDTH 14U
#define EVENT_DESCRIPTION_COLUMN 28U

static int event_view_get_number(json_object *o, const char *key, uint64_t *ret) {
        json_object *value;

        if (!json_object_object_get_ex(o, key, &value) || !json_object_is_type(value, json_type_int) ||
            json_object_get_int64(value) < 0)
                return -EBADMSG;

        *ret = (uint64_t) json_object_get_int64(value);
        return 0;
}

/* gtune-tpm has escaped the firmware's bytes. It is checked here, so that no control character reaches a terminal. */
static bool event_view_is_printable(const char *text) {
        for (; text && *text; text++)
                if (*text < 0x20 || *text >= 0x7F)
                        return false;

        return text;
}

int event_view(json_object *o, EventView *ret) {
        uint64_t type;
        EventView v = {
                .type = json_get_text(o, "type_name"),
                .description = json_get_text(o, "description"),
                .text = json_get_text(o, "text"),
        };

        if (!event_view_is_printable(v.type) || !event_view_is_printable(v.description) ||
            event_view_get_number(o, "number", &v.number) < 0 || event_view_get_number(o, "pcr", &v.pcr) < 0 ||
            event_view_get_number(o, "type", &type) < 0)
                return -EBADMSG;

        v.extends = type != EV_NO_ACTION && v.pcr < PCR_COUNT;
        *ret = v;
        return 0;
}

/*
 * As text_wrap(), with two differences: the text is escaped already, so that its backslashes (EFI paths) are printed as
 * they are, and a word that is longer than a line is broken, because the firmware chooses its length.
 */
static int event_view_wrap(const char *s, size_t indent, size_t width, Buffer *b) {
        size_t room = width - indent;
        int r = 0;

        for (bool first = true; r >= 0 && *(s += strspn(s, " ")); first = false) {
                size_t n = strlen(s), end = n < room ? n : room;

                while (n > room && end > 0 && s[end] != ' ')
                        end--;
                end = end > 0 ? end : room;

                if (!first)
                        r = text_printf(b, "%*s", (int) indent, "");
                for (size_t i = end; i > 0 && s[i - 1] == ' '; i--)
                        end = i - 1;
                if (r >= 0)
                        r = text_printf(b, "%.*s\n", (int) end, s);
                s += end;
        }

        return r;
}

int event_header(Buffer *b) {
        return text_printf(b, "%5s %4s  %-*s  %s\n", "#", "PCR", (int) EVENT_TYPE_WIDTH, "TYPE", "DESCRIPTION");
}

int event_row(const EventView *v, Buffer *b) {
        bool blank = v->description[strspn(v->description, " ")] == 0;
        int r;

        r = text_printf(b, "%5" PRIu64 " %4" PRIu64 "  %-*s", v->number, v->pcr, (int) EVENT_TYPE_WIDTH, v->type);
        if (r < 0)
                return r;
        if (strlen(v->type) > EVENT_TYPE_WIDTH) {
                r = text_printf(b, "\n%*s", (int) EVENT_DESCRIPTION_COLUMN - 2, "");
                if (r < 0)
                        return r;
        }
        r = buffer_puts(b, "  ");
        if (r < 0)
                return r;
        r = event_view_wrap(blank ? "(nothing)" : v->description, EVENT_DESCRIPTION_COLUMN, EVENT_ROW_WIDTH, b);
        if (r < 0)
                return r;
        if (streq_ptr(v->text, "differs"))
                return text_printf(b, "%*s(this text is not what was measured)\n", (int) EVENT_DESCRIPTION_COLUMN,
                                     "");

        return 0;
}
