// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Tests of the input and output of devpubctl, with results as KTAP.  They need no device. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"
#include "array.h"
#include "ctl.h"
#include "maps.h"
#include "mover.h"
#include "pages.h"
#include "picture.h"
#include "table.h"
#include "text.h"

#include "../../tests/harness/ktap.h"

bool same(const char *is, const char *should)
{
	if (!strcmp(is, should))
		return true;
	printf("# it is '%s', not '%s'\n", is, should);
	return false;
}

static bool sizes_read(void)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {
		{ "0", 0 }, { "4096", 4096 }, { "1k", 1024 }, { "256M", 256 << 20 },
		{ "256MiB", 256 << 20 }, { "1.5G", 3ULL << 29 }, { "0.25K", 256 },
		{ "0x10000000", 0x10000000 }, { "0x10M", 16 << 20 },
		{ "18446744073709551615", UINT64_MAX }, { "15E", 15ULL << 60 },
	};
	static const char *const bad[] = {
		"", "M", "-1", "+1", " 1", "1 M", "1X", "1MB", "1.5", "1.G", "0x",
		"0x0x1", "0x-1", "16E", "18446744073709551616", "1M,", "nan", "1e3",
	};
	const char *rest;
	uint64_t bytes;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++) {
		bytes = UINT64_MAX / 2;
		if (!text_parse_size(good[i].text, "", NULL, &bytes) ||
		    bytes != good[i].bytes) {
			printf("# '%s' is not understood\n", good[i].text);
			return false;
		}
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (text_parse_size(bad[i], "", NULL, &bytes)) {
			printf("# '%s' is taken for a size\n", bad[i]);
			return false;
		}
	}
	CHECK(text_parse_size("0x40000000,256M", ",", &rest, &bytes));
	CHECK(bytes == 0x40000000 && same(rest, ",256M"));
	return true;
}

static bool sizes_written(void)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} sizes[] = {
		{ 0, "0B" }, { 1023, "1023B" }, { 1024, "1K" }, { 1536, "1.5K" },
		{ 256 << 20, "256M" }, { 3ULL << 29, "1.5G" },
		{ (1 << 20) - 1, "1M" }, { 1047552, "1023K" }, { 1048000, "1023.4K" },
		{ UINT64_MAX, "16E" }, { 1126, "1.1K" },
	};
	char buffer[TEXT_SIZE];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		CHECK(same(text_size(buffer, sizes[i].bytes), sizes[i].text));
	ctl_bytes = true;
	CHECK(same(text_size(buffer, 3ULL << 29), "1610612736"));
	ctl_bytes = false;
	return true;
}

static bool numbers_read(void)
{
	uint64_t number, start, end;
	unsigned int index;

	CHECK(text_parse_number("0", 10, &number) && number == 0);
	CHECK(text_parse_number("10", 10, &number) && number == 10);
	CHECK(!text_parse_number("11", 10, &number));
	CHECK(!text_parse_number("", 10, &number));
	CHECK(!text_parse_number("-1", 10, &number));
	CHECK(!text_parse_number("1x", 10, &number));
	CHECK(!text_parse_number("99999999999999999999", UINT64_MAX, &number));

	CHECK(text_parse_range("1000-2000", &start, &end));
	CHECK(start == 0x1000 && end == 0x2000);
	CHECK(text_parse_range("0x7fffA000-0x7fffb000", &start, &end));
	CHECK(start == 0x7fffa000 && end == 0x7fffb000);
	CHECK(!text_parse_range("2000-1000", &start, &end));
	CHECK(!text_parse_range("1000-1000", &start, &end));
	CHECK(!text_parse_range("1000", &start, &end));
	CHECK(!text_parse_range("-1000", &start, &end));
	CHECK(!text_parse_range("1000-2000 ", &start, &end));
	CHECK(!text_parse_range("1000-10000000000000000", &start, &end));

	CHECK(text_parse_device("devpub7", &index) && index == 7);
	CHECK(text_parse_device("/dev/devpub12", &index) && index == 12);
	CHECK(text_parse_device("3", &index) && index == 3);
	CHECK(!text_parse_device("devpub", &index));
	CHECK(!text_parse_device("devpub-control", &index));
	CHECK(!text_parse_device("devpub4294967296", &index));
	return true;
}

static bool mappings_read(void)
{
	static const struct {
		const char *line;
		enum mapping_kind kind;
		const char *name;
	} lines[] = {
		{ "55d0c0a00000-55d0c0a21000 rw-p 00000000 00:00 0                          [heap]\n",
		  MAPPING_ANON, "[heap]" },
		{ "7f00-8f00 rw-p 00000000 00:00 0 \n", MAPPING_ANON, "" },
		{ "7f00-8f00 ---p 00000000 00:00 0 [anon:arena one]\n", MAPPING_ANON,
		  "[anon:arena one]" },
		{ "7f00-8f00 rw-p 00000000 00:00 0 [stack]\n", MAPPING_ANON, "[stack]" },
		{ "7f00-8f00 r-xp 00000000 00:00 0 [vdso]\n", MAPPING_SPECIAL, "[vdso]" },
		{ "7f00-8f00 r--p 00000000 00:00 0 [vvar]\n", MAPPING_SPECIAL, "[vvar]" },
		{ "7f00-8f00 rw-s 00000000 00:01 2048 /memfd:x (deleted)\n", MAPPING_SHARED,
		  "/memfd:x (deleted)" },
		{ "7f00-8f00 r-xp 00001000 fe:01 77 /usr/lib/a\033b.so\n", MAPPING_FILE,
		  "/usr/lib/a\033b.so" },
	};
	char line[256], empty[] = "", no_more[] = "7f00-8f00 rw-p\n";
	struct mapping mapping;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		snprintf(line, sizeof(line), "%s", lines[i].line);
		CHECK(maps_parse(line, &mapping));
		CHECK(mapping.kind == lines[i].kind);
		CHECK(same(mapping.name, lines[i].name));
	}
	CHECK(mapping.start == 0x7f00 && mapping.end == 0x8f00);
	CHECK(same(mapping.access, "r-xp"));
	CHECK(!maps_parse(empty, &mapping));
	CHECK(!maps_parse(no_more, &mapping));
	return true;
}

static bool mappings_chosen(void)
{
	struct mapping heap = { .kind = MAPPING_ANON, .name = "[heap]" };
	struct mapping named = { .kind = MAPPING_ANON, .name = "[anon:pool]" };
	struct mapping file = { .kind = MAPPING_FILE, .name = "/usr/lib/libc.so.6" };
	struct mapping hostile = { .kind = MAPPING_FILE, .name = "/tmp/a\x9b.so" };
	char path[4096], anon[4200];

	CHECK(maps_match(&heap, "heap") && maps_match(&heap, "anon"));
	CHECK(maps_match(&heap, "[heap]") && !maps_match(&heap, "stack"));
	CHECK(maps_match(&named, "pool") && !maps_match(&named, "poo"));
	CHECK(maps_match(&file, "libc.so.6") && maps_match(&file, file.name));
	CHECK(!maps_match(&file, "anon") && !maps_match(&file, "libc"));
	CHECK(maps_match(&hostile, "a\x9b.so") && maps_match(&hostile, "a\\x9b.so"));

	/* any length */
	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	file.name = path;
	CHECK(maps_match(&file, path) && maps_match(&file, path + 1));
	CHECK(!maps_match(&file, path + 2));
	snprintf(anon, sizeof(anon), "[anon:%s]", path);
	named.name = anon;
	CHECK(maps_match(&named, path) && !maps_match(&named, path + 2));
	path[sizeof(path) - 2] = 'y';
	CHECK(!maps_match(&named, path));
	return true;
}

static bool reasons_merged(void)
{
	CHECK(mover_merge(DEVPUB_REASON_UNSEEN, DEVPUB_REASON_BUSY) ==
	      DEVPUB_REASON_BUSY);
	CHECK(mover_merge(DEVPUB_REASON_BUSY, DEVPUB_REASON_MOVED) ==
	      DEVPUB_REASON_MOVED);
	CHECK(mover_merge(DEVPUB_REASON_MOVED, DEVPUB_REASON_ALREADY) ==
	      DEVPUB_REASON_MOVED);
	CHECK(mover_merge(DEVPUB_REASON_BUSY, DEVPUB_REASON_UNSEEN) ==
	      DEVPUB_REASON_BUSY);
	CHECK(mover_merge(DEVPUB_REASON_OTHER_DEVICE, DEVPUB_REASON_MOVED) ==
	      DEVPUB_REASON_MOVED);
	CHECK(mover_merge(DEVPUB_REASON_MOVED, DEVPUB_REASON_OTHER_DEVICE) ==
	      DEVPUB_REASON_MOVED);
	CHECK(mover_merge(DEVPUB_REASON_NO_SPACE, DEVPUB_REASON_OTHER_DEVICE) ==
	      DEVPUB_REASON_NO_SPACE);
	return true;
}

static bool draws(const struct runs *runs, const struct style *style,
		  unsigned int rows, const char *should)
{
	char *text;
	size_t size;
	FILE *file = open_memstream(&text, &size);
	bool right;

	right = picture_draw(file, runs, style, "> ") == rows;
	fclose(file);
	right = same(text, should) && right;
	right = picture_draw(NULL, runs, style, "> ") == rows && right;
	free(text);
	return right;
}

static bool pictures(void)
{
	struct style style = { .columns = 8, .scale = 1, .page_size = 4096 };
	struct runs runs = { 0 };

	runs_add(&runs, LOCATION_ABSENT, 2);
	CHECK(!runs_any(&runs));
	runs_add(&runs, LOCATION_SYSTEM, 2);
	runs_add(&runs, LOCATION_DEVICE + 1, 3);
	runs_add(&runs, LOCATION_SWAPPED, 1);
	runs_add(&runs, LOCATION_SYSTEM, 1);
	CHECK(runs_any(&runs));
	CHECK(draws(&runs, &style, 2, "..--###~\n> -\n"));
	style.scale = 2;
	CHECK(draws(&runs, &style, 1, ".-##-\n"));
	style.scale = 4;
	CHECK(draws(&runs, &style, 1, "-#-\n"));
	style.scale = 16;
	CHECK(draws(&runs, &style, 1, "*\n"));
	runs_add(&runs, LOCATION_SYSTEM, 10);
	CHECK(draws(&runs, &style, 1, "+-\n"));

	runs_free(&runs);
	style.scale = 1;
	runs_add(&runs, LOCATION_DEVICE, 1);
	runs_add(&runs, LOCATION_ABSENT, 1 << 18);
	runs_add(&runs, LOCATION_DEVICE, 1);
	CHECK(draws(&runs, &style, 1, "#..1G..#\n"));
	style.columns = 7;
	CHECK(draws(&runs, &style, 2, "#..1G..\n> #\n"));
	runs_free(&runs);
	return true;
}

/* Versions of libsmartcols differ in the position of blanks. */
static char *squeeze(char *text)
{
	size_t i, n = 0;

	for (i = 0; text[i]; i++)
		if (text[i] != ' ' && text[i] != '\n')
			text[n++] = text[i];
	text[n] = '\0';
	return text;
}

static bool tables(void)
{
	static const struct column columns[] = {
		{ .name = "NAME" },
		{ .name = "SIZE", .kind = COLUMN_SIZE },
		{ .name = "END", .kind = COLUMN_NUMBER, .json_only = true },
		{ .name = "ON", .kind = COLUMN_BOOL },
	};
	static const char people[] = "NAME    SIZE ON\na\"b\\xff   1M  1\n";
	static const char programs[] =
		"{\"list\":[{\"name\":\"a\\\"b\\\\xff\",\"size\":1048576,\"end\":7,\"on\":true}]}";
	struct table *table;
	size_t size;
	char *text;
	FILE *file;
	int json;

	for (json = 0; json < 2; json++) {
		ctl_json = json;
		file = open_memstream(&text, &size);
		table = table_new("list", columns, ARRAY_SIZE(columns));
		table_row(table);
		table_text(table, 0, "a\"b\xff");
		table_number(table, 1, 1 << 20);
		table_number(table, 2, 7);
		table_number(table, 3, 1);
		table_print_to(table, file);
		table_free(table);
		fclose(file);
		CHECK(json ? same(squeeze(text), programs) : same(text, people));
		free(text);
	}
	ctl_json = false;
	return true;
}

static const struct {
	const char *name;
	bool (*run)(void);
} cases[] = {
	{ "sizes_read", sizes_read },
	{ "sizes_written", sizes_written },
	{ "numbers_read", numbers_read },
	{ "names_shown", names_shown },
	{ "names_fitted", names_fitted },
	{ "paths_cleaned", paths_cleaned },
	{ "mappings_read", mappings_read },
	{ "mappings_chosen", mappings_chosen },
	{ "reasons_merged", reasons_merged },
	{ "pictures", pictures },
	{ "tables", tables },
	{ "values_read", values_read },
	{ "operations_read", operations_read },
	{ "keys_identified", keys_identified },
	{ "keys_numbered", keys_numbered },
	{ "keys_found", keys_found },
	{ "stat_parsed", stat_parsed },
	{ "named_to_hide", named_to_hide },
	{ "zombie_has_ended", zombie_has_ended },
	{ "main_thread_gone", main_thread_gone },
	{ "descriptors_out", descriptors_out },
	{ "storm_of_exec", storm_of_exec },
	{ "reservation_passed_over", reservation_passed_over },
	{ "reservation_by_hand", reservation_by_hand },
	{ "move_is_stopped", move_is_stopped },
	{ "deep_family", deep_family },
	{ "number_used_again", number_used_again },
};

int main(int argc, char **argv)
{
	int failed = 0;
	size_t i;

	if (argc > 1)
		return test_peer(argv);
	ktap_plan(ARRAY_SIZE(cases));
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		if (cases[i].run()) {
			ktap_ok(i + 1, cases[i].name);
		} else {
			ktap_not_ok(i + 1, cases[i].name);
			failed = 1;
		}
		stop_all();
	}
	return failed;
}
