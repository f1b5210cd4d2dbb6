// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/*
 * A plugin for QEMU: counts the instructions that the guest executes between two marks, by
 * address.  tools/bench sets the marks with --profile.
 *
 *	-plugin profile.so,out=FILE
 *
 * The plugin writes a line "ADDRESS COUNT", in hexadecimal and decimal, to FILE for each block
 * of executed code; a block has no jumps except at its end.  The declarations are those of
 * version 1 of QEMU's plugin interface.  No package of Debian contains the header.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT	__attribute__((visibility("default")))

struct qemu_plugin_tb;
struct qemu_plugin_insn;
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
	void (*callback)(uint64_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
	void (*callback)(unsigned int cpu, void *data), int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
	void (*callback)(unsigned int cpu, void *data), int flags, void *data);
void qemu_plugin_register_atexit_cb(uint64_t id, void (*callback)(uint64_t id, void *data),
				    void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

EXPORT int qemu_plugin_version = 1;

/* nopl 0x0deb0b01(%rax) and 02: see bench_timed_begin() in tools/bench/bench_subjects.c. */
static const unsigned char mark[] = { 0x0f, 0x1f, 0x80, 0x00, 0x0b, 0xeb, 0x0d };
#define MARK_NUMBER	3

struct block {
	struct block *next;
	uint64_t address;
	uint64_t instructions;
	uint64_t runs;
};

/* Each translation of a block is counted separately; readers of the file add them up. */
static struct block *blocks;
static bool counting;
static const char *out;

static void block_runs(unsigned int cpu, void *data)
{
	struct block *block = data;

	(void)cpu;
	if (counting)
		block->runs++;
}

static void mark_runs(unsigned int cpu, void *data)
{
	(void)cpu;
	counting = data;
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t i, n = qemu_plugin_tb_n_insns(tb);
	struct block *block = calloc(1, sizeof(*block));

	(void)id;
	if (!block)
		abort();
	block->address = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0));
	block->instructions = n;
	block->next = blocks;
	blocks = block;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, block_runs, 0, block);

	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		unsigned char bytes[sizeof(mark)];
		unsigned char number;

		if (qemu_plugin_insn_size(insn) != sizeof(mark))
			continue;
		memcpy(bytes, qemu_plugin_insn_data(insn), sizeof(mark));
		number = bytes[MARK_NUMBER];
		bytes[MARK_NUMBER] = 0;
		if (!memcmp(bytes, mark, sizeof(mark)) && (number == 1 || number == 2))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, mark_runs, 0,
							       number == 1 ? (void *)1 : NULL);
	}
}

static void at_exit(uint64_t id, void *data)
{
	FILE *file = fopen(out, "w");
	struct block *block;

	(void)id;
	(void)data;
	if (!file) {
		perror(out);
		return;
	}
	for (block = blocks; block; block = block->next)
		if (block->runs)
			fprintf(file, "%016llx %llu\n", (unsigned long long)block->address,
				(unsigned long long)(block->runs * block->instructions));
	fclose(file);
}

EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);
EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "out=", 4)) {
		fprintf(stderr, "profile: out=FILE is missing\n");
		return 1;
	}
	out = argv[0] + 4;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, at_exit, NULL);
	return 0;
}
