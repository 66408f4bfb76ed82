/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/**
 * port_holder() - find the process that has a device open
 * @path: the device
 *
 * Only root sees the descriptors of other processes. Return: a new string like "qemu-ga (pid 123)"; NULL if no process
 * is found, or without memory.
 */
char *port_holder(const char *path);
