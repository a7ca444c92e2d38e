// SPDX-License-Identifier: GPL-2.0
/*
 * conf_fuzz - any text as a configuration
 *
 * libFuzzer target. What is read is shown in every way there is, also if it
 * breaks rules. What keeps them must, printed as a file, be read again
 * unchanged.
 */
#include <stdlib.h>
#include <string.h>

#include "../liba653.h"

static void show_all(const struct table *table)
{
	FILE *out = fopen("/dev/null", "we");

	show_head(table, out);
	for (unsigned int i = 0; i < table->cfg.nr_schedules; i++) {
		show_usage(table, i, out);
		show_windows(table, i, out);
		chart_print(table, i, CHART_MIN, out);
	}
	fclose(out);
	json_object_put(show_json(table));
}

static void show_again(const struct table *table)
{
	struct diag diag = { .file = "printed" };
	struct table again;
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	show_conf(table, out);
	fclose(out);
	if (!conf_parse(text, &again, &diag) ||
	    memcmp(&table->cfg, &again.cfg, sizeof(again.cfg)) ||
	    (table->cfg.nr_windows &&
	     memcmp(table->window, again.window,
		    table->cfg.nr_windows * sizeof(*table->window))) ||
	    (table->cfg.nr_budgets &&
	     memcmp(table->budget, again.budget,
		    table->cfg.nr_budgets * sizeof(*table->budget)))) {
		diag_print(&diag, stderr);
		fputs(text, stderr);
		abort();
	}
	diag_free(&diag);
	table_free(&again);
	free(text);
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct a653_limits limits = { .nr_cpus = MAX_CPUS, .min_slack_pct = 5 };
	char *text = xcalloc(size + 1, 1);
	struct diag diag = { .file = "fuzz" };
	struct table table;

	memcpy(text, data, size);
	if (conf_parse(text, &table, &diag)) {
		bool ok = table_check(&table, &limits, &diag);

		show_all(&table);
		if (ok)
			show_again(&table);
	}
	json_object_put(diag_json(&diag, DIAG_ERROR));
	diag_free(&diag);
	table_free(&table);
	free(text);
	return 0;
}
