/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/tpm/event-view.h"
#include "agent/tpm/ask.h"

/**
 * tpm_events() - get the events of all logs from gtune-tpm, page by page
 * @c: the context
 * @ret: takes {"logs", "events", "total"}, where event_view() accepts each event; the caller puts it
 * @ret_error: as tpm_ask()
 *
 * Return: as tpm_ask().
 */
int tpm_events(const Context *c, json_object **ret, char **ret_error);
