/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A file system of an ordinary user's own (FUSE) with one file, "data", that holds what
 * reads_fill_block() says.  Replies to reads come after a random time.
 */
#ifndef DEVPUB_TESTS_HOSTILE_FUSE_SERVER_H
#define DEVPUB_TESTS_HOSTILE_FUSE_SERVER_H

/*
 * Mount it on /mnt, for the calling process and its children only.  The server is a child
 * that dies with its case.  The case is skipped where users can't do so.
 */
void fuse_server_mount(unsigned int max_delay_us);

#endif /* DEVPUB_TESTS_HOSTILE_FUSE_SERVER_H */
