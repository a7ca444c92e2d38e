// SPDX-License-Identifier: GPL-2.0
/* Memory and messages */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "liba653.h"

static void out_of_memory(void)
{
	fputs("a653ctl: out of memory\n", stderr);
	exit(1);
}

void *xcalloc(size_t nr, size_t size)
{
	void *p = calloc(nr ?: 1, size);

	if (!p)
		out_of_memory();
	return p;
}

/* Room for one more element in an array that holds @nr, in powers of two */
void *xgrow(void *array, size_t nr, size_t size)
{
	if (nr & (nr - 1))
		return array;
	array = reallocarray(array, nr ? nr * 2 : 1, size);
	if (!array)
		out_of_memory();
	return array;
}

char *xstrdup(const char *s)
{
	char *copy = strdup(s);

	if (!copy)
		out_of_memory();
	return copy;
}

char *xasprintf(const char *fmt, ...)
{
	char *text;
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (len < 0)
		out_of_memory();
	return text;
}

void set_name(char name[static A653_NAME_LEN], const char *text)
{
	size_t len = strnlen(text, A653_NAME_LEN - 1);

	memcpy(name, text, len);
	memset(name + len, 0, A653_NAME_LEN - len);
}

void make_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

void complain(const char *fmt, ...)
{
	va_list ap;

	fputs("a653ctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}
