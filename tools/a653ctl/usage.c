// SPDX-License-Identifier: GPL-2.0
/* What a schedule gives to whom */
#include <stdlib.h>
#include <string.h>

#include "liba653.h"

/*
 * A table that breaks the rules is counted too, as far as that makes sense:
 * windows end with the frame at the latest, and sums stick at their maximum.
 */
static __u64 window_start(const struct a653_window *window, __u64 major_ns)
{
	return min(window->offset_ns, major_ns);
}

static __u64 window_end(const struct a653_window *window, __u64 major_ns)
{
	__u64 end;

	if (__builtin_add_overflow(window->offset_ns, window->duration_ns,
				   &end))
		return major_ns;
	return min(end, major_ns);
}

static __u64 window_length(const struct a653_window *window, __u64 major_ns)
{
	return window_end(window, major_ns) - window_start(window, major_ns);
}

static void add_sticky(__u64 *sum, __u64 ns)
{
	if (__builtin_add_overflow(*sum, ns, sum))
		*sum = U64_MAX;
}

static void list_cpus(const struct table *table, struct usage *usage)
{
	for (unsigned int cpu = 0; cpu < MAX_CPUS; cpu++) {
		if (!cpus_test(&table->cpus, cpu))
			continue;
		usage->cpu = xgrow(usage->cpu, usage->nr_cpus,
				   sizeof(*usage->cpu));
		usage->cpu[usage->nr_cpus++] = (struct usage_cpu){ .cpu = cpu };
	}
}

static int compare_cpu(const void *key, const void *elem)
{
	const unsigned int *cpu = key;
	const struct usage_cpu *entry = elem;

	return *cpu < entry->cpu ? -1 : *cpu > entry->cpu;
}

static void count_window(const struct a653_window *window, struct usage *usage)
{
	__u64 ns = window_length(window, usage->major_ns);
	struct usage_cpu *cpu;

	usage->part[window->partition].nr_windows++;
	add_sticky(&usage->part[window->partition].cpu_ns, ns);
	if (!usage->nr_cpus)
		return;
	cpu = bsearch(&window->cpu, usage->cpu, usage->nr_cpus,
		      sizeof(*usage->cpu), compare_cpu);
	if (!cpu)
		return;
	cpu->nr_windows++;
	add_sticky(&cpu->used_ns, ns);
}

static int compare_windows(const void *a, const void *b)
{
	const struct a653_window *left = *(struct a653_window *const *)a;
	const struct a653_window *right = *(struct a653_window *const *)b;

	if (left->partition != right->partition)
		return left->partition < right->partition ? -1 : 1;
	if (left->offset_ns != right->offset_ns)
		return left->offset_ns < right->offset_ns ? -1 : 1;
	return 0;
}

/*
 * The longest time without any of the @nr windows, which are sorted by their
 * start; the frame repeats, so what is left at its end goes on at its start.
 */
static __u64 longest_blackout(const struct a653_window **sorted, size_t nr,
			      __u64 major_ns)
{
	__u64 first = window_start(sorted[0], major_ns), longest = 0;
	__u64 open_until = first, start;

	for (size_t i = 0; i < nr; i++) {
		start = window_start(sorted[i], major_ns);
		if (start > open_until)
			longest = max(longest, start - open_until);
		open_until = max(open_until, window_end(sorted[i], major_ns));
	}
	return max(longest, major_ns - open_until + first);
}

static void find_blackouts(const struct table *table, size_t first, size_t nr,
			   struct usage *usage)
{
	const struct a653_window **sorted = xcalloc(nr, sizeof(*sorted));
	size_t i, next;

	for (i = 0; i < nr; i++)
		sorted[i] = &table->window[first + i];
	qsort(sorted, nr, sizeof(*sorted), compare_windows);
	for (i = 0; i < nr; i = next) {
		u32 partition = sorted[i]->partition;

		for (next = i; next < nr; next++)
			if (sorted[next]->partition != partition)
				break;
		usage->part[partition].blackout_ns =
			longest_blackout(sorted + i, next - i, usage->major_ns);
	}
	free(sorted);
}

/**
 * usage_count - what a schedule gives to whom
 * @table: the table
 * @schedule: index of the schedule
 * @usage: the answer; the caller frees it
 */
void usage_count(const struct table *table, unsigned int schedule,
		 struct usage *usage)
{
	size_t first = table_first_window(table, schedule);
	size_t nr = table->schedule[schedule].nr_windows;

	memset(usage, 0, sizeof(*usage));
	usage->major_ns = table->schedule[schedule].major_frame_ns;
	list_cpus(table, usage);
	usage->part = xcalloc(table->cfg.nr_partitions, sizeof(*usage->part));
	for (size_t i = first; i < first + nr; i++)
		count_window(&table->window[i], usage);
	find_blackouts(table, first, nr, usage);
}

void usage_free(struct usage *usage)
{
	free(usage->cpu);
	free(usage->part);
}
