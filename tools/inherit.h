/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/* Attributes that a program inherits and that would disturb it. */
#ifndef DEVPUB_TOOLS_INHERIT_H
#define DEVPUB_TOOLS_INHERIT_H

/*
 * Call at the start: make children waitable, raise the limit of open files to its maximum,
 * and fill closed standard descriptors, so that no opened file becomes one of them.
 */
void inherit_adjust(void);

/* Call in a child before exec(): restore the inherited attributes. */
void inherit_restore(void);

#endif /* DEVPUB_TOOLS_INHERIT_H */
