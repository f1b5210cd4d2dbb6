// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
/* Tests of the conversion of untrusted names. */
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"
#include "array.h"
#include "printable.h"
#include "shell.h"

bool names_shown(void)
{
	static const struct {
		const char *text;
		const char *unicode;
		const char *ascii;
	} names[] = {
		{ "redis server", "redis server", "redis server" },
		{ "a\033[2Jb\n\t\177", "a\\x1b[2Jb\\x0a\\x09\\x7f",
		  "a\\x1b[2Jb\\x0a\\x09\\x7f" },
		{ "\u00fc\u4e2d\U0001f600", "\u00fc\u4e2d\U0001f600",
		  "\\u00fc\\u4e2d\\U0001f600" },
		/* C1 control sequences as a byte and as a character; direction mark. */
		{ "\x9b""2J\xc2\x9b""2J", "\\x9b2J\\u009b2J", "\\x9b2J\\u009b2J" },
		{ "a\xe2\x80\xaetxt\xe2\x81\xa6", "a\\u202etxt\\u2066",
		  "a\\u202etxt\\u2066" },
		{ "\xe2\x80\x8b\xef\xbb\xbf\xee\x80\x80", "\\u200b\\ufeff\\ue000",
		  "\\u200b\\ufeff\\ue000" },
		/* Unassigned; a tag; no character. */
		{ "\xcd\xb8\xf3\xa0\x81\x81\xef\xbf\xbf", "\\u0378\\U000e0041\\uffff",
		  "\\u0378\\U000e0041\\uffff" },
		/* Too long, a surrogate, beyond the last, cut off, alone. */
		{ "\xc0\x9b\xe0\x82\x9b", "\\xc0\\x9b\\xe0\\x82\\x9b",
		  "\\xc0\\x9b\\xe0\\x82\\x9b" },
		{ "\xed\xa0\x80\xf4\x90\x80\x80", "\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80",
		  "\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80" },
		{ "\xe4\xb8", "\\xe4\\xb8", "\\xe4\\xb8" },
		{ "\xff\xfe", "\\xff\\xfe", "\\xff\\xfe" },
	};
	char *shown, little[4];
	size_t i;
	int json;

	for (i = 0; i < 3 * ARRAY_SIZE(names); i++) {
		const size_t n = i / 3;

		json = i % 3 == 2;
		setlocale(LC_CTYPE, i % 3 == 1 ? "C.UTF-8" : "C");
		shown = printable_new(names[n].text, json ? PRINTABLE_JSON :
				      PRINTABLE_TERMINAL);
		CHECK(shown && same(shown, i % 3 ? names[n].unicode : names[n].ascii));
		free(shown);
	}
	/* Truncation cuts no character and no escape. */
	CHECK(same(printable(little, sizeof(little), "ab\xc3\xbc", PRINTABLE_JSON), "ab"));
	CHECK(same(printable(little, sizeof(little), "\xff", PRINTABLE_JSON), ""));
	return true;
}

static bool in_field(const char *text, bool end, const char *should)
{
	char *shown;
	size_t size;
	FILE *file = open_memstream(&shown, &size);
	bool right;

	(end ? printable_end : printable_field)(file, text, 6);
	fclose(file);
	right = same(shown, should);
	free(shown);
	return right;
}

bool names_fitted(void)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	CHECK(in_field("ab", false, "ab    ") && in_field("abcdefgh", false, "abcdef"));
	CHECK(in_field("\u4e2d\u4e2d\u4e2d\u4e2d", false, "\u4e2d\u4e2d\u4e2d"));
	CHECK(in_field("a\u4e2d\u4e2d\u4e2d", false, "a\u4e2d\u4e2d "));
	CHECK(in_field("abc\xff", false, "abc   "));
	CHECK(in_field("abcdefgh", true, "~defgh") && in_field("abcdef", true, "abcdef"));
	CHECK(in_field("abcd\u4e2d\u4e2d\u4e2d", true, "~\u4e2d\u4e2d "));
	setlocale(LC_CTYPE, "C");
	return true;
}

bool paths_cleaned(void)
{
	static const struct {
		const char *path;
		const char *safe;
	} paths[] = {
		{ NULL, "" }, { "", "" }, { ":", "" }, { ".", "" }, { "bin:./x", "" },
		{ "/a", "/a:" }, { ":/a::b:/c:", "/a:/c:" }, { "/a:/b", "/a:/b:" },
	};
	char *safe, should[128];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		snprintf(should, sizeof(should), "%s/usr/sbin:/usr/bin:/sbin:/bin",
			 paths[i].safe);
		safe = shell_path(paths[i].path);
		CHECK(safe && same(safe, should));
		free(safe);
	}
	return true;
}
