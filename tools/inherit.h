/* SPDX-License-Identifier: GPL-2.0 */
/* What a program inherits from whoever starts it, and what it can't work with. */
#ifndef DEVPUB_TOOLS_INHERIT_H
#define DEVPUB_TOOLS_INHERIT_H

/*
 * At the beginning: children can be waited for, descriptors are as many as may be, and no
 * file that is opened becomes an input or output that was closed.
 */
void inherit_adjust(void);

/* In a child, before it becomes another program: as it was. */
void inherit_restore(void);

#endif /* DEVPUB_TOOLS_INHERIT_H */
