// SPDX-License-Identifier: GPL-2.0
/*
 * Do the budgets fit into the time that a table leaves free?
 *
 * The kernel's own answer: supply against demand, CPU by CPU; see rtds_fits().
 */
#include <stdlib.h>
#include <string.h>

#include "liba653.h"

static bool stop(void *ctx, const struct a653_violation *v)
{
	(void)ctx;
	(void)v;
	return false;
}

/* Frame tables can be built only of a table that keeps the other rules */
static bool is_sound(const struct a653_conf *conf, u32 *scratch)
{
	const struct a653_limits limits = { .nr_cpus = MAX_CPUS };

	return !a653_conf_check(conf, &limits, scratch, stop, NULL);
}

/* What the servers on a CPU ask of it; how many there are */
static unsigned int count_demand(const struct table *table, unsigned int cpu,
				 struct rtds_demand *demand)
{
	unsigned int nr = 0;

	memset(demand, 0, sizeof(*demand));
	for (unsigned int i = 0; i < table->cfg.nr_budgets; i++) {
		const struct a653_budget *budget = &table->budget[i];
		const struct rtds_params par = {
			.budget_ns = budget->budget_ns,
			.period_ns = budget->period_ns,
		};

		if (budget->cpu != cpu)
			continue;
		demand->util += rtds_util(&par);
		if (!nr++ || par.period_ns < demand->shortest_ns)
			demand->shortest_ns = par.period_ns;
	}
	return nr;
}

static size_t add_fits(const struct table *table, unsigned int schedule,
		       const struct a653_conf *conf, u32 *scratch,
		       struct fit **fits)
{
	struct a653_frame *frame = table_frame();
	struct a653_limits limits;
	struct rtds_supply supply;
	struct rtds_demand demand;
	size_t nr = 0;

	limits_default(&limits);
	for (unsigned int cpu = 0; cpu < MAX_CPUS; cpu++) {
		struct fit fit = { .cpu = cpu };

		fit.nr_servers = count_demand(table, cpu, &demand);
		if (!fit.nr_servers)
			continue;
		a653_frame_build(conf, schedule, cpu, scratch, frame);
		rtds_supply_build(&supply, frame);
		fit.free = rtds_supply_util(&supply);
		fit.asked = demand.util;
		fit.fits = rtds_fits(&supply, &demand, limits.min_slack_pct,
				     &fit.margin);
		*fits = xgrow(*fits, nr, sizeof(fit));
		(*fits)[nr++] = fit;
	}
	free(frame);
	return nr;
}

/**
 * fit_count - do the budgets fit into the time that a schedule leaves free?
 * @table: the table
 * @schedule: index of the schedule
 * @fits: the answer for each CPU that has servers; the caller frees it
 *
 * Return: how many CPUs there are; 0 if the table breaks other rules.
 */
size_t fit_count(const struct table *table, unsigned int schedule,
		 struct fit **fits)
{
	struct a653_conf conf;
	size_t nr = 0;
	u32 *scratch;

	*fits = NULL;
	if (!table->cfg.nr_budgets)
		return 0;
	scratch = xcalloc(a653_conf_scratch(&table->cfg), sizeof(*scratch));
	table_conf(table, &conf);
	if (is_sound(&conf, scratch))
		nr = add_fits(table, schedule, &conf, scratch, fits);
	free(scratch);
	return nr;
}
