/* SPDX-License-Identifier: Apache-2.0 */

#include <assert.h>
#include <systemd/sd-bus.h>

#include "agent/credential.h"
#include "core/json.h"
#include "core/replace.h"
#include "core/service.h"

#define RECORD_SIZE_MAX (256U * 1024U)
#define BUS_TIMEOUT_USEC (2U * 1000000U)
#define VERSION_NEEDED 252U /* the first that reads SMBIOS (systemd: NEWS) */

#define OFFER "the host offers a policy by the systemd credential " CREDENTIAL_NAME
#define TAKE "`systemctl start gtuned-apply.service`"

typedef enum CredentialState {
        CREDENTIAL_ABSENT,
        CREDENTIAL_OFFERED,     /* and not accepted */
        CREDENTIAL_TAKEN,       /* it is part of the policy */
        CREDENTIAL_REFUSED,     /* accepted, and there is something wrong with it */
        CREDENTIAL_UNSUPPORTED, /* accepted, and this systemd does not pass it on */
        _CREDENTIAL_STATE_MAX,
        _CREDENTIAL_STATE_INVALID = -EINVAL,
} CredentialState;

static const char *const credential_state_names[_CREDENTIAL_STATE_MAX] = {
        [CREDENTIAL_OFFERED] = "offered",
        [CREDENTIAL_TAKEN] = "taken",
        [CREDENTIAL_REFUSED] = "refused",
        [CREDENTIAL_UNSUPPORTED] = "unsupported",
};

/* What this process was given. */
typedef struct CredentialOffer {
        CredentialState state;
        Buffer text;
        Policy *policy;   /* what the text comes to; its errors are why it is refused */
        unsigned version; /* of the service manager, where that is the reason */
} CredentialOffer;

static void offer_done(CredentialOffer *offer) {
        buffer_done(&offer->text);
        policy_free(offer->policy);
}

/*
 * Which keys the host may set. Not allow_bare_metal, because what a host offers credentials to is a virtual machine,
 * and not what lets it do more here: accept_credential, allow_apply, or anything about qemu-ga and the measured boot.
 */
static bool credential_is_offered_by_host(const PolicyKey *key) {
        static const struct {
                const char *section, *name; /* NULL: every key of the section */
        } rows[] = {
                {"guest", "vcpu"},
                {"haltpoll", NULL},
                {"pvspin", NULL},
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (streq(key->section, rows[i].section) && (!rows[i].name || streq(key->name, rows[i].name)))
                        return true;

        return false;
}

static int credential_check_keys(Policy *policy) {
        for (size_t i = 0; i < policy->n_settings; i++) {
                const PolicySetting *s = policy->settings + i;
                int r;

                if (credential_is_offered_by_host(s->key))
                        continue;

                r = policy_error(policy, CREDENTIAL_ERROR_FILE, s->line,
                                 "%s in [%s] may not come from the host, only vcpu in [guest], [haltpoll] and "
                                 "[pvspin] may: set it in /etc/gtuned instead",
                                 s->key->name, s->key->section);
                if (r < 0)
                        return r;
        }

        return 0;
}

static int credential_check_text(const Side *side, CredentialOffer *offer) {
        int r;

        r = side_read_policy_text(side, strempty(offer->text.data), offer->text.size, &offer->policy);
        return r < 0 ? r : credential_check_keys(offer->policy);
}

static const char *credential_explain_read_error(int r) {
        switch (r) {
        case -EFBIG:
                return "it is larger than 64 KiB";
        case -EISDIR:
        case -EOPNOTSUPP:
                return "it is not a regular file";
        default:
                return error_text(-r);
        }
}

static int credential_refuse_unread(CredentialOffer *offer, int error) {
        offer->policy = calloc(1, sizeof(*offer->policy));
        if (!offer->policy)
                return -ENOMEM;

        return policy_error(offer->policy, CREDENTIAL_ERROR_FILE, 0, "cannot be read: %s",
                            credential_explain_read_error(error));
}

/* Below a systemd that is too old nobody would ever learn why nothing arrives. */
static void credential_examine_absence(unsigned (*manager_version)(void), bool accepted, CredentialOffer *offer) {
        if (!accepted)
                return;

        offer->version = manager_version();
        if (offer->version > 0 && offer->version < VERSION_NEEDED)
                offer->state = CREDENTIAL_UNSUPPORTED;
}

static int credential_examine_offer(const Side *side, CredentialOffer *offer, int error, bool accepted) {
        int r;

        offer->state = CREDENTIAL_OFFERED;
        if (!accepted)
                return 0;

        r = error < 0 ? credential_refuse_unread(offer, error) : credential_check_text(side, offer);
        if (r < 0)
                return r;

        offer->state = offer->policy->n_errors > 0 ? CREDENTIAL_REFUSED : CREDENTIAL_TAKEN;
        return 0;
}

static int credential_examine(const Side *side, const Root *root, const char *directory,
                              unsigned (*manager_version)(void), bool accepted, CredentialOffer *offer) {
        _cleanup_free_ char *path = xasprintf("%s/" CREDENTIAL_NAME, strempty(directory));
        int r;

        if (!path)
                return -ENOMEM;

        r = directory ? root_read(root, path, CREDENTIAL_SIZE_MAX, &offer->text) : -ENOENT;
        if (r == -ENOMEM)
                return r;
        if (r != -ENOENT && !(r >= 0 && streq_ptr(offer->text.data, CREDENTIAL_NONE)))
                return credential_examine_offer(side, offer, r, accepted);

        credential_examine_absence(manager_version, accepted, offer);
        return 0;
}

static int credential_remove_file(const Root *root, const char *path) {
        _cleanup_close_ int directory = -EBADF;
        const char *name;
        int r;

        r = root_open_parent(root, path, false, &directory, &name);
        if (r == -ENOENT || r == ROOT_FOREIGN)
                return 0;
        if (r >= 0)
                r = unlinkat(directory, name, 0) < 0 && errno != ENOENT ? negative_errno() : 0;

        return r;
}

/* With no content it goes. Return: 0 or -errno, and then a sentence. */
static int credential_keep_file(const Root *root, const char *path, const Buffer *content, char **ret_error) {
        int r;

        r = content ? update_file(root, path, content, 0644) : credential_remove_file(root, path);
        if (r < 0 && r != -ENOMEM)
                *ret_error = xasprintf("%s cannot be %s: %s", path, content ? "written" : "removed", error_text(-r));

        return r < 0 ? r : 0;
}

static int credential_errors_to_json(const Policy *policy, json_object *array) {
        for (size_t i = 0; policy && i < policy->n_errors; i++) {
                json_object *o = json_object_new_object();

                if (json_add(array, o) < 0 || json_set(o, "line", json_object_new_int64(policy->errors[i].line)) < 0 ||
                    json_set_text(o, "reason", policy->errors[i].reason) < 0)
                        return -ENOMEM;
        }

        return 0;
}

static int credential_format_record(const CredentialOffer *offer, Buffer *text) {
        _cleanup_json_ json_object *o = json_object_new_object();
        json_object *errors = json_object_new_array();

        if (!o || json_set(o, "errors", errors) < 0 ||
            json_set_text(o, "state", credential_state_names[offer->state]) < 0 ||
            credential_errors_to_json(offer->policy, errors) < 0 ||
            json_set(o, "manager_version", json_object_new_int64(offer->version)) < 0)
                return -ENOMEM;

        return json_format_pretty(o, text);
}

static int credential_keep(const Side *side, const Root *root, const CredentialOffer *offer, char **ret_error) {
        _cleanup_free_ char *policy_path = side_run_path(side, CREDENTIAL_POLICY_NAME);
        _cleanup_free_ char *record_path = side_run_path(side, CREDENTIAL_RECORD_NAME);
        _cleanup_buffer_ Buffer record = BUFFER_NULL;
        int r;

        if (!policy_path || !record_path)
                return -ENOMEM;

        if (offer->state != CREDENTIAL_ABSENT) {
                r = credential_format_record(offer, &record);
                if (r < 0)
                        return r;
        }

        r = credential_keep_file(root, policy_path, offer->state == CREDENTIAL_TAKEN ? &offer->text : NULL, ret_error);
        if (r < 0)
                return r;

        return credential_keep_file(root, record_path, record.size > 0 ? &record : NULL, ret_error);
}

/* What was kept by a process that was given it stays, unless the policy has ceased to accept it. */
static bool credential_stays(const Policy *policy, bool accepted) {
        return policy->credential && !(streq(policy->credential, credential_state_names[CREDENTIAL_TAKEN]) && !accepted);
}

int credential_take(const Side *side, const Root *root, const Policy *policy, const char *directory,
                    unsigned (*manager_version)(void), char **ret_error) {
        bool accepted = policy_bool(policy, "guest", "accept_credential", false);
        _cleanup_(offer_done) CredentialOffer offer = {};
        int r;

        assert(root && manager_version && ret_error);

        if (!directory && credential_stays(policy, accepted))
                return 0;

        r = credential_examine(side, root, directory, manager_version, accepted, &offer);
        if (r < 0)
                return r;
        if (!directory && policy->credential && offer.state == CREDENTIAL_ABSENT)
                offer.state = CREDENTIAL_OFFERED; /* as it was when it was taken */

        return credential_keep(side, root, &offer, ret_error);
}

/* What was recorded, and what it comes to now: the policy may have changed since. */
static const struct {
        CredentialState recorded;
        bool accepted;
        CredentialState state;
        const char *note;
} notes[] = {
        {CREDENTIAL_OFFERED, false, CREDENTIAL_OFFERED,
         OFFER ", and this guest's policy does not accept it; to take it, set accept_credential = yes in [guest] in "
         "/etc/gtuned/gtuned.conf and run " TAKE},
        {CREDENTIAL_REFUSED, false, CREDENTIAL_OFFERED,
         OFFER ", which has errors, and this guest's policy does not accept it"},
        {CREDENTIAL_OFFERED, true, CREDENTIAL_OFFERED, OFFER ", which is accepted and not taken yet: run " TAKE},
        {CREDENTIAL_TAKEN, true, CREDENTIAL_TAKEN, NULL},
        {CREDENTIAL_TAKEN, false, CREDENTIAL_TAKEN,
         OFFER ", which was taken and is not accepted any more: run `gtune apply` to drop it"},
        {CREDENTIAL_REFUSED, true, CREDENTIAL_REFUSED, NULL},
        {CREDENTIAL_UNSUPPORTED, true, CREDENTIAL_UNSUPPORTED,
         "accept_credential = yes has no effect: only systemd 252 and newer pass on what the host offers, and this "
         "one is older; use a file in /etc/gtuned/gtuned.conf.d instead"},
};

static CredentialState credential_state_from_string(const char *s) {
        for (size_t i = 0; s && i < ELEMENTSOF(credential_state_names); i++)
                if (streq_ptr(credential_state_names[i], s))
                        return (CredentialState) i;

        return _CREDENTIAL_STATE_INVALID;
}

static int credential_add_errors(json_object *record, Policy *policy) {
        json_object *errors = json_get_array(record, "errors");
        size_t n = errors ? json_object_array_length(errors) : 0;

        for (size_t i = 0; i < n; i++) {
                json_object *o = json_object_array_get_idx(errors, i), *line = NULL;
                int64_t number;
                int r;

                (void) json_object_object_get_ex(o, "line", &line);
                number = json_object_get_int64(line);
                number = number > 0 && number <= UINT32_MAX ? number : 0;
                r = policy_error(policy, CREDENTIAL_ERROR_FILE, (unsigned) number, "%s",
                                 strempty(json_get_text(o, "reason")));
                if (r < 0)
                        return r;
        }

        return 0;
}

/* What was taken counts only where it is read. */
static int credential_note_masked(const Side *side, Policy *policy) {
        _cleanup_free_ char *path = side_run_path(side, CREDENTIAL_POLICY_NAME);

        if (!path)
                return -ENOMEM;

        for (char **file = policy->files; file && *file; file++)
                if (streq(*file, path))
                        return 0;

        return free_and_strdup(&policy->credential_note, OFFER ", which was taken, and does not count: a file of the same "
                               "name in /etc/gtuned/gtuned.conf.d masks it");
}

static int credential_note_record(const Side *side, json_object *record, Policy *policy) {
        CredentialState state = credential_state_from_string(json_get_text(record, "state"));
        bool accepted = policy_bool(policy, "guest", "accept_credential", false);

        for (size_t i = 0; i < ELEMENTSOF(notes); i++) {
                if (notes[i].recorded != state || notes[i].accepted != accepted)
                        continue;

                policy->credential = credential_state_names[notes[i].state];
                if (notes[i].note && free_and_strdup(&policy->credential_note, notes[i].note) < 0)
                        return -ENOMEM;
                if (state == CREDENTIAL_TAKEN && accepted)
                        return credential_note_masked(side, policy);
                return notes[i].state == CREDENTIAL_REFUSED ? credential_add_errors(record, policy) : 0;
        }

        return 0;
}

int credential_note(const Side *side, const Root *root, Policy *policy) {
        _cleanup_free_ char *path = side_run_path(side, CREDENTIAL_RECORD_NAME);
        _cleanup_buffer_ Buffer text = BUFFER_NULL;
        _cleanup_json_ json_object *record = NULL;
        int r;

        if (!path)
                return -ENOMEM;

        r = root_read(root, path, RECORD_SIZE_MAX, &text);
        if (r >= 0)
                r = json_parse(text.data, text.size, &record);
        if (r == -ENOMEM)
                return r;

        return r >= 0 && json_object_is_type(record, json_type_object) ? credential_note_record(side, record, policy) : 0;
}

unsigned credential_parse_version(const char *text) {
        unsigned long number;

        text += *text == 'v';
        number = strtoul(text, NULL, 10);
        return number <= 9999 ? (unsigned) number : 0;
}

unsigned credential_manager_version(void) {
        _cleanup_(sd_bus_flush_close_unrefp) sd_bus *bus = NULL;
        _cleanup_(sd_bus_error_free) sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_free_ char *text = NULL;

        if (service_manager_open(&bus) < 0 || sd_bus_set_method_call_timeout(bus, BUS_TIMEOUT_USEC) < 0 ||
            sd_bus_get_property_string(bus, "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                                       "org.freedesktop.systemd1.Manager", "Version", &error, &text) < 0)
                return 0;

        return credential_parse_version(text);
}
