/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/*
 * A server of NFS version 3 with one file, "data", with the content of reads_fill_block().  It
 * replies to reads after a random time, like a busy server.
 */
#ifndef DEVPUB_TESTS_HOSTILE_NFS_SERVER_H
#define DEVPUB_TESTS_HOSTILE_NFS_SERVER_H

/* Start the server in a child that is killed with the case.  Return its loopback port. */
int nfs_server_start(unsigned int max_delay_us);

#endif /* DEVPUB_TESTS_HOSTILE_NFS_SERVER_H */
