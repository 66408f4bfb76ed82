/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * port_holder() - who has a device open
 * @path: the device
 *
 * Only root can see that. Return: a new string like "qemu-ga (pid 123)", or NULL where it cannot be told.
 */
char *port_holder(const char *path);
