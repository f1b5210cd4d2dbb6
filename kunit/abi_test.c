// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * abi: checks the layout and the numbers of include/uapi/linux/devpub.h against a copy.
 * They are frozen: a case that fails here has found a change that breaks programs.  Never
 * fix it by changing the number here.
 */
#include <kunit/test.h>
#include <linux/stddef.h>
#include <linux/string.h>

#include <linux/devpub.h>

#include "device/device.h"

struct abi_member {
	const char *name;
	size_t offset;
	size_t size;
	size_t want_offset;
	size_t want_size;
};

struct abi_struct {
	const char *name;
	const struct abi_member *members;
	unsigned int nr_members;
	size_t size;
	size_t size_ver0;
	size_t want_size_ver0;
};

#define MEMBER(type, member, want_offset, want_size)			\
	{ #member, offsetof(struct type, member),			\
	  sizeof_field(struct type, member), want_offset, want_size }

#define STRUCT(type, size_ver0, want_size_ver0)				\
	{ #type, type##_members, ARRAY_SIZE(type##_members),		\
	  sizeof(struct type), size_ver0, want_size_ver0 }

static const struct abi_member devpub_info_members[] = {
	MEMBER(devpub_info, flags, 0, 4),
	MEMBER(devpub_info, index, 4, 4),
	MEMBER(devpub_info, capacity, 8, 8),
	MEMBER(devpub_info, free, 16, 8),
	MEMBER(devpub_info, phys_start, 24, 8),
	MEMBER(devpub_info, page_size, 32, 4),
	MEMBER(devpub_info, window, 36, 4),
	MEMBER(devpub_info, node, 40, 4),
	MEMBER(devpub_info, provider, 44, 4),
};

static const struct abi_member devpub_migrate_members[] = {
	MEMBER(devpub_migrate, flags, 0, 4),
	MEMBER(devpub_migrate, pid, 4, 4),
	MEMBER(devpub_migrate, addr, 8, 8),
	MEMBER(devpub_migrate, length, 16, 8),
	MEMBER(devpub_migrate, reasons, 24, 8),
	MEMBER(devpub_migrate, done, 32, 8),
	MEMBER(devpub_migrate, moved, 40, 8),
	MEMBER(devpub_migrate, populated, 48, 8),
	MEMBER(devpub_migrate, already, 56, 8),
	MEMBER(devpub_migrate, absent, 64, 8),
	MEMBER(devpub_migrate, refused, 72, 8),
	MEMBER(devpub_migrate, workers, 80, 4),
	MEMBER(devpub_migrate, reserved, 84, 4),
};

static const struct abi_member devpub_query_members[] = {
	MEMBER(devpub_query, flags, 0, 4),
	MEMBER(devpub_query, pid, 4, 4),
	MEMBER(devpub_query, addr, 8, 8),
	MEMBER(devpub_query, length, 16, 8),
	MEMBER(devpub_query, locations, 24, 8),
	MEMBER(devpub_query, done, 32, 8),
	MEMBER(devpub_query, absent, 40, 8),
	MEMBER(devpub_query, system, 48, 8),
	MEMBER(devpub_query, device, 56, 8),
	MEMBER(devpub_query, other_device, 64, 8),
	MEMBER(devpub_query, other, 72, 8),
};

static const struct abi_member devpub_evict_members[] = {
	MEMBER(devpub_evict, flags, 0, 4),
	MEMBER(devpub_evict, reserved, 4, 4),
	MEMBER(devpub_evict, moved, 8, 8),
	MEMBER(devpub_evict, remaining, 16, 8),
};

static const struct abi_member devpub_create_members[] = {
	MEMBER(devpub_create, flags, 0, 4),
	MEMBER(devpub_create, provider, 4, 4),
	MEMBER(devpub_create, start, 8, 8),
	MEMBER(devpub_create, size, 16, 8),
	MEMBER(devpub_create, node, 24, 4),
	MEMBER(devpub_create, index, 28, 4),
};

static const struct abi_member devpub_destroy_members[] = {
	MEMBER(devpub_destroy, flags, 0, 4),
	MEMBER(devpub_destroy, index, 4, 4),
	MEMBER(devpub_destroy, remaining, 8, 8),
};

static const struct abi_member devpub_bind_members[] = {
	MEMBER(devpub_bind, flags, 0, 4),
	MEMBER(devpub_bind, pid, 4, 4),
};

static const struct abi_member devpub_access_members[] = {
	MEMBER(devpub_access, flags, 0, 4),
	MEMBER(devpub_access, op, 4, 4),
	MEMBER(devpub_access, addr, 8, 8),
	MEMBER(devpub_access, length, 16, 8),
	MEMBER(devpub_access, other, 24, 8),
	MEMBER(devpub_access, buffer, 32, 8),
	MEMBER(devpub_access, operand, 40, 8),
	MEMBER(devpub_access, compare, 48, 8),
	MEMBER(devpub_access, result, 56, 8),
	MEMBER(devpub_access, done, 64, 8),
	MEMBER(devpub_access, faults, 72, 8),
	MEMBER(devpub_access, migrations, 80, 8),
	MEMBER(devpub_access, fault_addr, 88, 8),
};

static const struct abi_struct abi_structs[] = {
	STRUCT(devpub_info, DEVPUB_INFO_SIZE_VER0, 48),
	STRUCT(devpub_migrate, DEVPUB_MIGRATE_SIZE_VER0, 88),
	STRUCT(devpub_query, DEVPUB_QUERY_SIZE_VER0, 80),
	STRUCT(devpub_evict, DEVPUB_EVICT_SIZE_VER0, 24),
	STRUCT(devpub_create, DEVPUB_CREATE_SIZE_VER0, 32),
	STRUCT(devpub_destroy, DEVPUB_DESTROY_SIZE_VER0, 16),
	STRUCT(devpub_bind, DEVPUB_BIND_SIZE_VER0, 8),
	STRUCT(devpub_access, DEVPUB_ACCESS_SIZE_VER0, 96),
};

static void abi_struct_desc(const struct abi_struct *abi, char *desc)
{
	strscpy(desc, abi->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(abi_struct, abi_structs, abi_struct_desc);

static void abi_layout(struct kunit *test)
{
	const struct abi_struct *abi = test->param_value;
	unsigned int i;

	for (i = 0; i < abi->nr_members; i++) {
		const struct abi_member *member = &abi->members[i];

		KUNIT_EXPECT_EQ_MSG(test, member->offset, member->want_offset,
				    "offset of %s", member->name);
		KUNIT_EXPECT_EQ_MSG(test, member->size, member->want_size,
				    "size of %s", member->name);
	}
}

/*
 * Structs must have neither holes nor padding: these bytes would leak kernel memory or carry
 * garbage from a program, and their position may differ for 32-bit and 64-bit programs.
 */
static void abi_no_holes(struct kunit *test)
{
	const struct abi_struct *abi = test->param_value;
	size_t end = 0;
	unsigned int i;

	for (i = 0; i < abi->nr_members; i++) {
		const struct abi_member *member = &abi->members[i];

		KUNIT_EXPECT_EQ_MSG(test, member->offset, end,
				    "hole before %s", member->name);
		/* With natural alignment, the offset is the same in each ABI. */
		KUNIT_EXPECT_EQ_MSG(test, member->offset % member->size, 0UL,
				    "alignment of %s", member->name);
		end = member->offset + member->size;
	}
	KUNIT_EXPECT_EQ_MSG(test, end, abi->size, "padding at the end");
	KUNIT_EXPECT_EQ_MSG(test, abi->size % 8, 0UL,
			    "only 64-bit programs would pad it");
}

/* A struct may grow, but the size of its first version must not change. */
static void abi_first_version(struct kunit *test)
{
	const struct abi_struct *abi = test->param_value;
	unsigned int i;

	KUNIT_EXPECT_EQ(test, abi->size_ver0, abi->want_size_ver0);
	KUNIT_EXPECT_GE(test, abi->size, abi->size_ver0);
	/* The first version must end at the end of a member. */
	for (i = 0; i < abi->nr_members; i++)
		if (abi->members[i].offset + abi->members[i].size ==
		    abi->size_ver0)
			return;
	KUNIT_FAIL(test, "the first version ends inside a member");
}

struct abi_number {
	const char *name;
	u64 number;
	u64 want;
};

struct abi_command {
	const char *name;
	unsigned int command;
	size_t want_size;
};

#define SIZED(name, type)	{ #name, name, sizeof(struct type) }

static const struct abi_command abi_commands[] = {
	SIZED(DEVPUB_IOC_INFO, devpub_info),
	SIZED(DEVPUB_IOC_MIGRATE_TO, devpub_migrate),
	SIZED(DEVPUB_IOC_MIGRATE_FROM, devpub_migrate),
	SIZED(DEVPUB_IOC_QUERY, devpub_query),
	SIZED(DEVPUB_IOC_EVICT, devpub_evict),
	SIZED(DEVPUB_IOC_BIND, devpub_bind),
	SIZED(DEVPUB_IOC_ACCESS, devpub_access),
	SIZED(DEVPUB_IOC_CREATE, devpub_create),
	SIZED(DEVPUB_IOC_DESTROY, devpub_destroy),
};

static void abi_command_desc(const struct abi_command *abi, char *desc)
{
	strscpy(desc, abi->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(abi_command, abi_commands, abi_command_desc);

/* The command number contains the size of the struct that the program knows. */
static void abi_command_size(struct kunit *test)
{
	const struct abi_command *abi = test->param_value;

	KUNIT_EXPECT_EQ(test, (size_t)_IOC_SIZE(abi->command), abi->want_size);
}

#define NUMBER(name, want)	{ #name, name, want }

/* The command number for the first version of the struct, as the oldest program has it. */
#define COMMAND(name, size_ver0, want)					\
	{ #name, ((name) & ~IOCSIZE_MASK) | (size_ver0) << IOCSIZE_SHIFT, want }

static const struct abi_number abi_numbers[] = {
	NUMBER(DEVPUB_IOC_MAGIC, 0xde),
	COMMAND(DEVPUB_IOC_INFO, DEVPUB_INFO_SIZE_VER0, 0xc030de00),
	COMMAND(DEVPUB_IOC_MIGRATE_TO, DEVPUB_MIGRATE_SIZE_VER0, 0xc058de01),
	COMMAND(DEVPUB_IOC_MIGRATE_FROM, DEVPUB_MIGRATE_SIZE_VER0, 0xc058de02),
	COMMAND(DEVPUB_IOC_QUERY, DEVPUB_QUERY_SIZE_VER0, 0xc050de03),
	COMMAND(DEVPUB_IOC_EVICT, DEVPUB_EVICT_SIZE_VER0, 0xc018de04),
	COMMAND(DEVPUB_IOC_BIND, DEVPUB_BIND_SIZE_VER0, 0xc008de05),
	COMMAND(DEVPUB_IOC_ACCESS, DEVPUB_ACCESS_SIZE_VER0, 0xc060de06),
	COMMAND(DEVPUB_IOC_CREATE, DEVPUB_CREATE_SIZE_VER0, 0xc020de10),
	COMMAND(DEVPUB_IOC_DESTROY, DEVPUB_DESTROY_SIZE_VER0, 0xc010de11),

	NUMBER(DEVPUB_MIGRATE_POPULATE, 0x1),
	NUMBER(DEVPUB_MIGRATE_PID, 0x2),
	NUMBER(DEVPUB_QUERY_PID, 0x1),
	NUMBER(DEVPUB_BIND_PID, 0x1),

	NUMBER(DEVPUB_OP_READ, 0),
	NUMBER(DEVPUB_OP_WRITE, 1),
	NUMBER(DEVPUB_OP_FILL, 2),
	NUMBER(DEVPUB_OP_COPY, 3),
	NUMBER(DEVPUB_OP_COMPARE, 4),
	NUMBER(DEVPUB_OP_ADD, 5),
	NUMBER(DEVPUB_OP_EXCHANGE, 6),
	NUMBER(DEVPUB_OP_COMPARE_EXCHANGE, 7),

	NUMBER(DEVPUB_PROVIDER_CARVE, 1),
	NUMBER(DEVPUB_PROVIDER_RESERVED, 2),

	NUMBER(DEVPUB_REASON_UNSEEN, 0),
	NUMBER(DEVPUB_REASON_MOVED, 1),
	NUMBER(DEVPUB_REASON_POPULATED, 2),
	NUMBER(DEVPUB_REASON_ALREADY, 3),
	NUMBER(DEVPUB_REASON_ABSENT, 4),
	NUMBER(DEVPUB_REASON_UNMAPPED, 5),
	NUMBER(DEVPUB_REASON_SHARED, 6),
	NUMBER(DEVPUB_REASON_FILE, 7),
	NUMBER(DEVPUB_REASON_HUGETLB, 8),
	NUMBER(DEVPUB_REASON_SPECIAL, 9),
	NUMBER(DEVPUB_REASON_LARGE, 10),
	NUMBER(DEVPUB_REASON_KSM, 11),
	NUMBER(DEVPUB_REASON_SWAPCACHE, 12),
	NUMBER(DEVPUB_REASON_SWAPPED, 13),
	NUMBER(DEVPUB_REASON_PINNED, 14),
	NUMBER(DEVPUB_REASON_BUSY, 15),
	NUMBER(DEVPUB_REASON_NO_SPACE, 16),
	NUMBER(DEVPUB_REASON_OTHER_DEVICE, 17),
	/* This reason and all later ones count as refused. */
	NUMBER(DEVPUB_FIRST_REFUSAL, 5),

	NUMBER(DEVPUB_LOCATION_UNSEEN, 0),
	NUMBER(DEVPUB_LOCATION_ABSENT, 1),
	NUMBER(DEVPUB_LOCATION_SYSTEM, 2),
	NUMBER(DEVPUB_LOCATION_DEVICE, 3),
	NUMBER(DEVPUB_LOCATION_OTHER_DEVICE, 4),
	NUMBER(DEVPUB_LOCATION_OTHER, 5),
};

static void abi_number_desc(const struct abi_number *abi, char *desc)
{
	strscpy(desc, abi->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(abi_number, abi_numbers, abi_number_desc);

static void abi_numbers_frozen(struct kunit *test)
{
	const struct abi_number *abi = test->param_value;

	KUNIT_EXPECT_EQ(test, abi->number, abi->want);
}

static struct kunit_case abi_cases[] = {
	KUNIT_CASE_PARAM(abi_layout, abi_struct_gen_params),
	KUNIT_CASE_PARAM(abi_no_holes, abi_struct_gen_params),
	KUNIT_CASE_PARAM(abi_first_version, abi_struct_gen_params),
	KUNIT_CASE_PARAM(abi_command_size, abi_command_gen_params),
	KUNIT_CASE_PARAM(abi_numbers_frozen, abi_number_gen_params),
	{}
};

struct kunit_suite devpub_abi_suite = {
	.name		= "devpub_abi",
	.test_cases	= abi_cases,
};
