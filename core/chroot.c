/* SPDX-License-Identifier: Apache-2.0 */

/* Tested by tests/e2e, where apply runs in guests. No test runs apply in a chroot. */

/* Tested by tests/e2e, where apply runs in guests. No test runs apply in a chroot. */

