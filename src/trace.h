/* SPDX-License-Identifier: GPL-2.0 */
/* Copyright (C) 2026 The devpub developers */
/*
 * The module's trace events, in the system "devpub", for perf, ftrace and bpftrace.  Scripts
 * use their names and fields, so these must not change.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM devpub

#if !defined(DEVPUB_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define DEVPUB_TRACE_H

#include <linux/tracepoint.h>

/*
 * The number of reasons.  It must be a plain number, because readers of the events' formats
 * can't evaluate an expression.  engine/reason.c compares it with DEVPUB_NR_REASONS.
 */
#define DEVPUB_TRACE_REASONS	18

/* The steps of a window whose duration is traced, in order. */
#ifndef DEVPUB_TRACE_STEP_NUMBERS
#define DEVPUB_TRACE_STEP_NUMBERS
enum devpub_step {
	DEVPUB_STEP_SETUP,
	DEVPUB_STEP_FILL,
	DEVPUB_STEP_PAGES,
	DEVPUB_STEP_FINALIZE,
};
#endif

#define DEVPUB_TRACE_STEPS			\
	{ DEVPUB_STEP_SETUP,	 "setup" },	\
	{ DEVPUB_STEP_FILL,	 "fill" },	\
	{ DEVPUB_STEP_PAGES,	 "pages" },	\
	{ DEVPUB_STEP_FINALIZE, "finalize" }

/* Export the numbers: perf reads them from the events' formats, and knows no C names. */
TRACE_DEFINE_ENUM(DEVPUB_STEP_SETUP);
TRACE_DEFINE_ENUM(DEVPUB_STEP_FILL);
TRACE_DEFINE_ENUM(DEVPUB_STEP_PAGES);
TRACE_DEFINE_ENUM(DEVPUB_STEP_FINALIZE);

/* DEVPUB_IOC_MIGRATE_TO or _FROM begins; pid is the process whose pages move. */
TRACE_EVENT(devpub_migrate_begin,
	TP_PROTO(unsigned int index, pid_t pid, bool to, u64 addr, u64 length),
	TP_ARGS(index, pid, to, addr, length),
	TP_STRUCT__entry(
		__field(unsigned int, index)
		__field(pid_t, pid)
		__field(bool, to)
		__field(u64, addr)
		__field(u64, length)
	),
	TP_fast_assign(
		__entry->index = index;
		__entry->pid = pid;
		__entry->to = to;
		__entry->addr = addr;
		__entry->length = length;
	),
	TP_printk("devpub%u pid=%d %s addr=%#llx length=%llu",
		  __entry->index, __entry->pid, __entry->to ? "to" : "from",
		  __entry->addr, __entry->length)
);

/* DEVPUB_IOC_MIGRATE_TO or _FROM ends; pages[] counts pages by enum devpub_reason. */
TRACE_EVENT(devpub_migrate_end,
	TP_PROTO(unsigned int index, pid_t pid, bool to, u64 done,
		 const u64 *pages, int ret),
	TP_ARGS(index, pid, to, done, pages, ret),
	TP_STRUCT__entry(
		__field(unsigned int, index)
		__field(pid_t, pid)
		__field(bool, to)
		__field(int, ret)
		__field(u64, done)
		__array(u64, pages, DEVPUB_TRACE_REASONS)
	),
	TP_fast_assign(
		__entry->index = index;
		__entry->pid = pid;
		__entry->to = to;
		__entry->ret = ret;
		__entry->done = done;
		memcpy(__entry->pages, pages, sizeof(__entry->pages));
	),
	TP_printk("devpub%u pid=%d %s done=%llu ret=%d pages=%s",
		  __entry->index, __entry->pid, __entry->to ? "to" : "from",
		  __entry->done, __entry->ret,
		  __print_array(__entry->pages, DEVPUB_TRACE_REASONS, 8))
);

/* The pages of a window that are in one mapping have completed a step. */
TRACE_EVENT(devpub_migrate_step,
	TP_PROTO(unsigned int index, int step, unsigned long addr,
		 unsigned long pages, u64 ns),
	TP_ARGS(index, step, addr, pages, ns),
	TP_STRUCT__entry(
		__field(unsigned int, index)
		__field(int, step)
		__field(unsigned long, addr)
		__field(unsigned long, pages)
		__field(u64, ns)
	),
	TP_fast_assign(
		__entry->index = index;
		__entry->step = step;
		__entry->addr = addr;
		__entry->pages = pages;
		__entry->ns = ns;
	),
	TP_printk("devpub%u %s addr=%#lx pages=%lu ns=%llu", __entry->index,
		  __print_symbolic(__entry->step, DEVPUB_TRACE_STEPS),
		  __entry->addr, __entry->pages, __entry->ns)
);

/* Pages were allocated from the pool; got is less than wanted if it has become empty. */
TRACE_EVENT(devpub_alloc,
	TP_PROTO(unsigned int index, unsigned long wanted, unsigned long got,
		 unsigned long first_pfn),
	TP_ARGS(index, wanted, got, first_pfn),
	TP_STRUCT__entry(
		__field(unsigned int, index)
		__field(unsigned long, wanted)
		__field(unsigned long, got)
		__field(unsigned long, first_pfn)
	),
	TP_fast_assign(
		__entry->index = index;
		__entry->wanted = wanted;
		__entry->got = got;
		__entry->first_pfn = first_pfn;
	),
	TP_printk("devpub%u wanted=%lu got=%lu first_pfn=%#lx", __entry->index,
		  __entry->wanted, __entry->got, __entry->first_pfn)
);

/* The kernel freed a page, in the context of the task that dropped the last reference. */
TRACE_EVENT(devpub_free,
	TP_PROTO(unsigned int index, unsigned long pfn),
	TP_ARGS(index, pfn),
	TP_STRUCT__entry(
		__field(unsigned int, index)
		__field(unsigned long, pfn)
	),
	TP_fast_assign(
		__entry->index = index;
		__entry->pfn = pfn;
	),
	TP_printk("devpub%u pfn=%#lx", __entry->index, __entry->pfn)
);

/* An eviction begins or ends; pages is the number of pages on the device. */
DECLARE_EVENT_CLASS(devpub_evict,
	TP_PROTO(unsigned int index, u64 moved, u64 pages, int ret),
	TP_ARGS(index, moved, pages, ret),
	TP_STRUCT__entry(
		__field(unsigned int, index)
		__field(int, ret)
		__field(u64, moved)
		__field(u64, pages)
	),
	TP_fast_assign(
		__entry->index = index;
		__entry->ret = ret;
		__entry->moved = moved;
		__entry->pages = pages;
	),
	TP_printk("devpub%u moved=%llu pages=%llu ret=%d", __entry->index,
		  __entry->moved, __entry->pages, __entry->ret)
);

DEFINE_EVENT(devpub_evict, devpub_evict_begin,
	TP_PROTO(unsigned int index, u64 moved, u64 pages, int ret),
	TP_ARGS(index, moved, pages, ret)
);

DEFINE_EVENT(devpub_evict, devpub_evict_end,
	TP_PROTO(unsigned int index, u64 moved, u64 pages, int ret),
	TP_ARGS(index, moved, pages, ret)
);

/* Pages that must leave got memory of nodes that their owner's policy may not allow. */
TRACE_EVENT(devpub_evict_elsewhere,
	TP_PROTO(unsigned int index, unsigned long addr, unsigned long pages),
	TP_ARGS(index, addr, pages),
	TP_STRUCT__entry(
		__field(unsigned int, index)
		__field(unsigned long, addr)
		__field(unsigned long, pages)
	),
	TP_fast_assign(
		__entry->index = index;
		__entry->addr = addr;
		__entry->pages = pages;
	),
	TP_printk("devpub%u addr=%#lx pages=%lu", __entry->index,
		  __entry->addr, __entry->pages)
);

#endif /* DEVPUB_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
