// SPDX-License-Identifier: GPL-2.0
// Copyright (C) 2026 The devpub developers
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "array.h"
#include "term.h"

/* Sequences to use the alternate screen without cursor and line wrap, and to restore it. */
#define ENTER	"\033[?1049h\033[?25l\033[?7l"
#define LEAVE	"\033[?7h\033[?25h\033[?1049l"

static struct termios before;
static volatile sig_atomic_t entered;

/* This is also called in signal handlers. */
static void put(const char *text, size_t size)
{
	ssize_t n;

	while (size) {
		n = write(STDOUT_FILENO, text, size);
		if (n < 0) {
			if (errno == EINTR)
				continue;
			return;
		}
		text += n;
		size -= n;
	}
}

void term_leave(void)
{
	if (!entered)
		return;
	entered = 0;
	put(LEAVE, strlen(LEAVE));
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

static void crash(int signal)
{
	term_leave();
	/* The handler is no longer installed. */
	raise(signal);
}

static void watch_for_crashes(void)
{
	static const int signals[] = {
		SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT
	};
	struct sigaction action = {
		.sa_handler = crash,
		.sa_flags = SA_RESETHAND,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, NULL);
}

int term_enter(void)
{
	static bool registered;
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &before))
		return -errno;
	if (!registered) {
		atexit(term_leave);
		watch_for_crashes();
		registered = true;
	}
	raw = before;
	raw.c_lflag &= ~(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw))
		return -errno;
	entered = 1;
	put(ENTER, strlen(ENTER));
	return 0;
}

void term_size(unsigned int *rows, unsigned int *columns)
{
	struct winsize size;

	*rows = 24;
	*columns = 80;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_row && size.ws_col) {
		*rows = size.ws_row;
		*columns = size.ws_col;
	}
}

void term_show(const char *text, size_t size)
{
	unsigned int rows, columns, row;
	const char *end = text + size, *next;
	char *screen;
	size_t length;
	FILE *file;

	term_size(&rows, &columns);
	file = open_memstream(&screen, &length);
	if (!file)
		return;
	fputs("\033[H", file);
	for (row = 1; text < end && row <= rows; row++) {
		next = memchr(text, '\n', end - text);
		if (!next)
			next = end;
		fwrite(text, 1, next - text, file);
		/* A newline after the last line would scroll. */
		fputs(row < rows ? "\033[K\r\n" : "\033[K", file);
		text = next + 1;
	}
	fputs("\033[J", file);
	if (!fclose(file))
		put(screen, length);
	free(screen);
}
