/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A server of NFS version 3 that has one file, "data", with what reads_fill_block() says.
 * Replies to reads come after a random time, as from a busy server.
 */
#ifndef DEVPUB_TESTS_HOSTILE_NFS_SERVER_H
#define DEVPUB_TESTS_HOSTILE_NFS_SERVER_H

/* Listen on a port of the loopback, which is returned, in a child that dies with its case. */
int nfs_server_start(unsigned int max_delay_us);

#endif /* DEVPUB_TESTS_HOSTILE_NFS_SERVER_H */
