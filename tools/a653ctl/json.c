// SPDX-License-Identifier: GPL-2.0
/* Values of JSON objects */
#include <stdio.h>
#include <stdlib.h>

#include "liba653.h"

/* NULL is null */
void json_add_text(struct json_object *obj, const char *key, const char *text)
{
	json_object_object_add(obj, key,
			       text ? json_object_new_string(text) : NULL);
}

void json_add_u64(struct json_object *obj, const char *key, __u64 value)
{
	json_object_object_add(obj, key, json_object_new_uint64(value));
}

void json_add_s64(struct json_object *obj, const char *key, __s64 value)
{
	json_object_object_add(obj, key, json_object_new_int64(value));
}

void json_add_bool(struct json_object *obj, const char *key, bool value)
{
	json_object_object_add(obj, key, json_object_new_boolean(value));
}

void json_add_share(struct json_object *obj, const char *key, double share)
{
	char text[32];

	/* Six digits are enough, and the same everywhere */
	snprintf(text, sizeof(text), "%.6f", share);
	json_object_object_add(obj, key,
			       json_object_new_double_s(strtod(text, NULL),
							text));
}

/* Print and forget */
void json_print(struct json_object *obj)
{
	puts(json_object_to_json_string_ext(obj, JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(obj);
}
