// SPDX-License-Identifier: GPL-2.0
/*
 * A major frame as a picture of letters: a row for each CPU, a letter for each
 * partition, capital where the window is strict
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "liba653.h"

#define CHART_WIDTH	100
#define CHART_MARGIN	11		/* "  CPU 0    " */
#define LABEL_ROOM	10		/* columns between labels of the ruler */

#define SLACK		'.'
#define SEVERAL		'*'		/* more windows than columns */
#define NO_LETTER	'?'		/* more partitions than letters */
#define NO_LETTER_STRICT '!'

struct chart {
	const struct table *table;
	const struct a653_window *window;	/* of the schedule */
	size_t nr_windows;
	__u64 major_ns;
	unsigned int columns;
	char letter[A653_MAX_PARTITIONS];
	bool strict_seen;
	bool several_seen;
};

/* Columns of the terminal, if @out is one */
unsigned int chart_width(FILE *out)
{
	struct winsize size;

	if (!ioctl(fileno(out), TIOCGWINSZ, &size) && size.ws_col)
		return size.ws_col;
	return CHART_WIDTH;
}

bool chart_parse_width(const char *text, unsigned int *width)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	*width = value;
	return isdigit((unsigned char)*text) && !*end &&
	       value >= CHART_MIN && value <= CHART_MAX;
}

/* The first letter of its name that is still free, else any that is */
static char choose_letter(const char *name, bool taken[static 26])
{
	for (; *name; name++) {
		char c = tolower((unsigned char)*name);

		if (c >= 'a' && c <= 'z' && !taken[c - 'a'])
			return c;
	}
	for (int i = 0; i < 26; i++)
		if (!taken[i])
			return 'a' + i;
	return NO_LETTER;
}

/* Partitions that have no window in the schedule need no letter */
static void choose_letters(struct chart *chart)
{
	bool used[A653_MAX_PARTITIONS] = { }, taken[26] = { };

	for (size_t i = 0; i < chart->nr_windows; i++)
		used[chart->window[i].partition] = true;
	for (unsigned int i = 0; i < chart->table->cfg.nr_partitions; i++) {
		char c;

		if (!used[i])
			continue;
		c = choose_letter(chart->table->partition[i].name, taken);
		if (c != NO_LETTER)
			taken[c - 'a'] = true;
		chart->letter[i] = c;
	}
}

static unsigned int column_of(const struct chart *chart, __u64 ns)
{
	return (double)ns / chart->major_ns * chart->columns + 0.5;
}

static char window_letter(const struct chart *chart,
			  const struct a653_window *window)
{
	char c = chart->letter[window->partition];

	if (!(window->flags & A653_WINDOW_STRICT))
		return c;
	return c == NO_LETTER ? NO_LETTER_STRICT : toupper((unsigned char)c);
}

static void draw_window(struct chart *chart, const struct a653_window *window,
			char *line)
{
	unsigned int column, end;
	char letter = window_letter(chart, window);

	if (window->offset_ns >= chart->major_ns)
		return;
	/* However short it is, it is seen */
	column = min(column_of(chart, window->offset_ns), chart->columns - 1);
	end = chart->columns;
	if (window->duration_ns < chart->major_ns - window->offset_ns)
		end = column_of(chart, window->offset_ns + window->duration_ns);
	end = max(end, column + 1);
	for (; column < end; column++) {
		if (line[column] != SLACK && line[column] != letter)
			line[column] = SEVERAL;
		else
			line[column] = letter;
		chart->several_seen |= line[column] == SEVERAL;
	}
	chart->strict_seen |= window->flags & A653_WINDOW_STRICT;
}

static void draw_cpu(struct chart *chart, unsigned int cpu, FILE *out)
{
	char *line = xcalloc(chart->columns + 1, 1);

	memset(line, SLACK, chart->columns);
	for (size_t i = 0; i < chart->nr_windows; i++)
		if (chart->window[i].cpu == cpu)
			draw_window(chart, &chart->window[i], line);
	fprintf(out, "  CPU %-4u %s\n", cpu, line);
	free(line);
}

/* The smallest of 1, 2, 5, 10, ... ns of which labels do not run together */
static __u64 ruler_step(const struct chart *chart)
{
	static const int next[] = { 1, 2, 5 };
	__u64 ten = 1;

	for (;; ten *= 10)
		for (int i = 0; i < 3; i++)
			if ((double)ten * next[i] / chart->major_ns *
			    chart->columns >= LABEL_ROOM)
				return ten * next[i];
}

static void draw_ruler(const struct chart *chart, FILE *out)
{
	size_t room = chart->columns + TIME_TEXT + 1;
	char *labels = xcalloc(room, 1), *ticks = xcalloc(room, 1);
	__u64 step = ruler_step(chart);

	memset(labels, ' ', room - 1);
	memset(ticks, ' ', chart->columns);
	for (__u64 ns = 0; ns < chart->major_ns; ns += step) {
		unsigned int column = column_of(chart, ns);
		char text[TIME_TEXT];

		if (column >= chart->columns)
			break;
		time_text(text, ns);
		memcpy(labels + column, ns ? text : "0", strlen(ns ? text : "0"));
		ticks[column] = '|';
	}
	while (labels[strlen(labels) - 1] == ' ')
		labels[strlen(labels) - 1] = '\0';
	while (ticks[strlen(ticks) - 1] == ' ')
		ticks[strlen(ticks) - 1] = '\0';
	fprintf(out, "  %8s %s\n  %8s %s\n", "", labels, "", ticks);
	free(labels);
	free(ticks);
}

/* Partitions that have a budget run where nothing is drawn */
static void draw_budgets(const struct table *table, FILE *out)
{
	const char *before = "  in the slack, as far as their budgets go: ";
	struct server server;

	for (unsigned int i = 0; i < table->cfg.nr_partitions; i++) {
		if (!table_server(table, i, &server))
			continue;
		fprintf(out, "%s%s", before, table->partition[i].name);
		before = ", ";
	}
	if (table->cfg.nr_budgets)
		fputc('\n', out);
}

static void draw_legend(const struct chart *chart, FILE *out)
{
	bool without = false;

	fputs("  ", out);
	for (unsigned int i = 0; i < chart->table->cfg.nr_partitions; i++) {
		if (chart->letter[i] == NO_LETTER)
			without = true;
		else if (chart->letter[i])
			fprintf(out, "%c %s, ", chart->letter[i],
				chart->table->partition[i].name);
	}
	if (without)
		fprintf(out, "%c another partition (%c strict), ", NO_LETTER,
			NO_LETTER_STRICT);
	if (chart->several_seen)
		fprintf(out, "%c several windows, ", SEVERAL);
	fprintf(out, "%c slack%s\n", SLACK,
		chart->strict_seen ? "; capital: strict" : "");
	draw_budgets(chart->table, out);
}

/**
 * chart_print - draw a schedule
 * @table: the table
 * @schedule: index of the schedule
 * @width: columns there are
 * @out: where to
 */
void chart_print(const struct table *table, unsigned int schedule,
		 unsigned int width, FILE *out)
{
	struct chart chart = {
		.table = table,
		.nr_windows = table->schedule[schedule].nr_windows,
		.major_ns = table->schedule[schedule].major_frame_ns,
		.columns = max(width, CHART_MIN) - CHART_MARGIN,
	};

	if (!chart.major_ns || chart.major_ns > A653_MAX_MAJOR_FRAME_NS)
		return;
	if (chart.nr_windows)
		chart.window = table->window +
			       table_first_window(table, schedule);
	choose_letters(&chart);
	draw_ruler(&chart, out);
	for (unsigned int cpu = 0; cpu < MAX_CPUS; cpu++)
		if (cpus_test(&table->cpus, cpu))
			draw_cpu(&chart, cpu, out);
	draw_legend(&chart, out);
}
