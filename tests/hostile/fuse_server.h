/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/*
 * A FUSE file system of an ordinary user with one file, "data", with the content of
 * reads_fill_block().  It replies to reads after a random time.
 */
#ifndef DEVPUB_TESTS_HOSTILE_FUSE_SERVER_H
#define DEVPUB_TESTS_HOSTILE_FUSE_SERVER_H

/*
 * Mount it on /mnt, for the calling process and its children only.  The server is a child that
 * is killed when the case ends.  Skip the case if users can't mount it.
 */
void fuse_server_mount(unsigned int max_delay_us);

#endif /* DEVPUB_TESTS_HOSTILE_FUSE_SERVER_H */
