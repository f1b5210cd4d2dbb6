/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the checks share. */
#ifndef DEVPUB_LIB_CHECK_H
#define DEVPUB_LIB_CHECK_H

#include <stdio.h>

#define CHECK_EQ(a, b)							\
	do {								\
		long long a_ = (a), b_ = (b);				\
									\
		if (a_ != b_) {						\
			printf("# %s:%d: " #a " is %lld, not %lld\n",	\
			       __FILE__, __LINE__, a_, b_);		\
			return -1;					\
		}							\
	} while (0)

/* check_limits.c */
int check_arguments(void);
int check_wide_ranges(void);
int check_absent_device(void);
int check_attach(void);
int check_no_descriptors(void);

#endif /* DEVPUB_LIB_CHECK_H */
