// SPDX-License-Identifier: GPL-2.0
/* Columns of text */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "liba653.h"

/* Add a cell, left to right, row by row; a row is printed when it is full */
void grid_add(struct grid *grid, const char *fmt, ...)
{
	char *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	grid->cell = xgrow(grid->cell, grid->nr, sizeof(*grid->cell));
	grid->cell[grid->nr++] = text;
}

static int column_width(const struct grid *grid, size_t column, size_t columns)
{
	size_t width = 0;

	for (size_t i = column; i < grid->nr; i += columns)
		if (strlen(grid->cell[i]) > width)
			width = strlen(grid->cell[i]);
	return width;
}

static void print_row(const struct grid *grid, size_t row, size_t columns,
		      const int *width, const char *indent, FILE *out)
{
	/* No blanks at the end of a line */
	while (columns && !*grid->cell[row + columns - 1])
		columns--;
	fputs(indent, out);
	for (size_t c = 0; c < columns; c++) {
		bool last = c == columns - 1;
		const char *text = grid->cell[row + c];

		if (grid->align[c] == 'r')
			fprintf(out, "%*s", width[c], text);
		else
			fprintf(out, "%-*s", last ? 0 : width[c], text);
		fputs(last ? "" : "  ", out);
	}
	fputc('\n', out);
}

/* Print the cells and forget them */
void grid_print(struct grid *grid, const char *indent, FILE *out)
{
	size_t columns = strlen(grid->align);
	int *width = xcalloc(columns, sizeof(*width));

	for (size_t c = 0; c < columns; c++)
		width[c] = column_width(grid, c, columns);
	for (size_t row = 0; row + columns <= grid->nr; row += columns)
		print_row(grid, row, columns, width, indent, out);
	free(width);
	for (size_t i = 0; i < grid->nr; i++)
		free(grid->cell[i]);
	free(grid->cell);
	grid->cell = NULL;
	grid->nr = 0;
}
