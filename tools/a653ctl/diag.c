// SPDX-License-Identifier: GPL-2.0
/* Complaints about a configuration file, with their lines */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "liba653.h"

/* More than anybody reads; the rest is only counted */
#define DIAG_MAX	500

static bool is_known(const struct diag *diag, const struct diag_note *new)
{
	for (size_t i = 0; i < diag->nr; i++) {
		const struct diag_note *note = &diag->note[i];

		if (note->line == new->line && !strcmp(note->text, new->text))
			return true;
	}
	return false;
}

/**
 * diag_add - note a complaint
 * @diag: where
 * @severity: DIAG_ERROR or DIAG_WARNING
 * @line: line of the file; 0 if it is about the whole file
 * @other_line: a second line that is involved; 0 if there is none
 * @other: what stands there; a constant
 * @fmt: a sentence without a full stop: what is wrong, and what to do
 */
void diag_add(struct diag *diag, enum severity severity, unsigned int line,
	      unsigned int other_line, const char *other, const char *fmt, ...)
{
	struct diag_note note = {
		.severity = severity,
		.line = line,
		.other_line = other_line,
		.other = other,
	};
	va_list ap;

	if (diag->nr == DIAG_MAX) {
		diag->errors += severity == DIAG_ERROR;
		diag->left_out++;
		return;
	}
	va_start(ap, fmt);
	if (vasprintf(&note.text, fmt, ap) < 0)
		abort();
	va_end(ap);
	make_printable(note.text);
	if (is_known(diag, &note)) {
		free(note.text);
		return;
	}
	diag->note = xgrow(diag->note, diag->nr, sizeof(note));
	diag->note[diag->nr++] = note;
	diag->errors += severity == DIAG_ERROR;
}

static void print_place(const char *file, unsigned int line, FILE *out)
{
	if (line)
		fprintf(out, "%s:%u: ", file, line);
	else
		fprintf(out, "%s: ", file);
}

void diag_print(const struct diag *diag, FILE *out)
{
	for (size_t i = 0; i < diag->nr; i++) {
		const struct diag_note *note = &diag->note[i];

		print_place(diag->file, note->line, out);
		fprintf(out, "%s%s\n",
			note->severity == DIAG_WARNING ? "warning: " : "",
			note->text);
		if (!note->other_line || note->other_line == note->line)
			continue;
		print_place(diag->file, note->other_line, out);
		fprintf(out, "this is the %s\n", note->other);
	}
	if (diag->left_out)
		fprintf(out, "%s: and %zu more\n", diag->file, diag->left_out);
}

struct json_object *diag_json(const struct diag *diag, enum severity severity)
{
	struct json_object *list = json_object_new_array(), *obj;

	for (size_t i = 0; i < diag->nr; i++) {
		const struct diag_note *note = &diag->note[i];

		if (note->severity != severity)
			continue;
		obj = json_object_new_object();
		json_add_u64(obj, "line", note->line);
		if (note->other_line)
			json_add_u64(obj, "other_line", note->other_line);
		json_add_text(obj, "text", note->text);
		json_object_array_add(list, obj);
	}
	return list;
}

void diag_free(struct diag *diag)
{
	for (size_t i = 0; i < diag->nr; i++)
		free(diag->note[i].text);
	free(diag->note);
	diag->note = NULL;
	diag->nr = 0;
	diag->errors = 0;
	diag->left_out = 0;
}
