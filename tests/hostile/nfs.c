// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * An ordinary user reads a file on NFS with direct I/O while the destination pages leave the
 * device.  NFS of every kernel holds plain references to the pages until the reply arrives.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include "harness.h"
#include "nfs_server.h"
#include "reads.h"

/* About the duration of a move of the range. */
#define DELAY_US	20000

static void nfs_reads(enum reads_way way, unsigned long count)
{
	char options[256];
	int port;

	if (system("modprobe nfsv3 2>/dev/null"))
		SKIP("no module nfsv3");
	/* A mount for the case, which is removed with it. */
	CHECK_CALL(unshare(CLONE_NEWNS));
	CHECK_CALL(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
	port = nfs_server_start(DELAY_US);
	snprintf(options, sizeof(options),
		 "vers=3,proto=tcp,nolock,hard,addr=127.0.0.1,port=%d,mountvers=3,mountproto=tcp,mountaddr=127.0.0.1,mountport=%d,rsize=4096,noresvport",
		 port, port);
	CHECK_CALL(mount("127.0.0.1:/", "/mnt", "nfs", MS_RDONLY, options));
	reads_beside("/mnt/data", way, count, NULL);
}

CASE(nfs_reads_beside_migrate_from)
{
	nfs_reads(READS_FROM, 2048);
}

CASE(nfs_reads_beside_evict)
{
	nfs_reads(READS_EVICT, 2048);
}

CASE(nfs_reads_beside_unbind)
{
	nfs_reads(READS_UNBIND, 2048);
}

CASE(nfs_reads_beside_unload)
{
	nfs_reads(READS_UNLOAD, 2048);
}
