// SPDX-License-Identifier: GPL-2.0
/*
 * Who ran when, by the switches in the trace and the table that is loaded
 *
 * On purpose without the events of windows: what the kernel says about its
 * windows is compared with the table by the selftests' checker.
 */
#include <stdlib.h>

#include "demo.h"

struct running {
	bool known;
	int owner;
	int64_t since;
};

int planned(const struct demo *d, int cpu, int64_t t, int64_t *end)
{
	int64_t frame = d->base + (t - d->base) / d->major * d->major;
	unsigned int w = conf_first_win(d->f, d->sched), i;
	int64_t next = frame + d->major;

	for (i = 0; i < d->f->sched[d->sched].nr_windows; i++, w++) {
		const struct a653_window *win = &d->f->win[w];
		int64_t open = frame + win->offset_ns;
		int64_t close = open + win->duration_ns;

		if (win->cpu != (unsigned int)cpu)
			continue;
		if (t >= open && t < close) {
			*end = close;
			return win->partition;
		}
		if (open > t && open < next)
			next = open;
	}
	*end = next;
	return -1;
}

static int owner_of(const struct demo *d, pid_t pid)
{
	int i;

	if (!pid)
		return OWNER_IDLE;
	for (i = 0; i < d->nr_tasks; i++)
		if (d->task[i].pid == pid)
			return d->task[i].owner;
	for (i = 0; i < d->cpus; i++) {
		if (d->fifo[i]->pid == pid)
			return OWNER_FIFO;
		if (d->hog[i]->pid == pid)
			return OWNER_HOG;
	}
	return OWNER_OTHER;
}

/* Close the periods that end up to @to */
static void end_periods(const struct demo *d, struct account *a, int server, int64_t to)
{
	int64_t period = d->server[server].stat.period_ns;

	for (; a->server[server].end <= to; a->server[server].end += period) {
		if (a->server[server].end - period >= d->from)
			ora_series_add(&a->server[server].got, a->server[server].used);
		a->server[server].used = 0;
	}
}

static void served(const struct demo *d, struct account *a, int server, int64_t from, int64_t to)
{
	int64_t end;

	for (; from < to; from = end) {
		end_periods(d, a, server, from);
		end = a->server[server].end < to ? a->server[server].end : to;
		a->server[server].used += end - from;
		a->server[server].ran += end - from;
	}
}

static int64_t column_start(const struct demo *d, const struct account *a, int column)
{
	return a->frame + d->major * column / DEMO_COLUMNS;
}

static void ran(const struct demo *d, struct account *a, int cpu, int owner,
		int64_t from, int64_t to)
{
	int server = server_of(d, owner, cpu), i;
	int64_t t, end, stretch = 0;

	for (t = from; t < to; t = end) {
		bool inside = planned(d, cpu, t, &end) == owner;

		end = end < to ? end : to;
		if (!inside && server >= 0) {
			served(d, a, server, t, end);
			continue;
		}
		a->ran[owner] += end - t;
		stretch = inside ? 0 : stretch + end - t;
		if (owner < A653_MAX_PARTITIONS && stretch > a->outside[owner])
			a->outside[owner] = stretch;
	}
	for (i = 0; i < DEMO_COLUMNS; i++) {
		t = column_start(d, a, i);
		end = column_start(d, a, i + 1);
		t = t > from ? t : from;
		end = end < to ? end : to;
		if (end > t)
			a->column[cpu][i][owner] += end - t;
	}
}

/* For how long did several partitions run at once, other than on budgets? */
static int64_t overlap(const struct demo *d, const struct running *on, int64_t from, int64_t to)
{
	int64_t t, end, next, sum = 0;
	bool several;
	int c, part;

	for (t = from; t < to; t = end) {
		end = to;
		part = -1;
		several = false;
		for (c = 0; c < d->cpus; c++) {
			int owner = on[c].owner;
			bool inside;

			if (!on[c].known || owner >= A653_MAX_PARTITIONS)
				continue;
			inside = planned(d, c, t, &next) == owner;
			end = next < end ? next : end;
			if (!inside && server_of(d, owner, c) >= 0)
				continue;
			several |= part >= 0 && part != owner;
			part = owner;
		}
		if (several)
			sum += end - t;
	}
	return sum;
}

/* The one in which a window opened latest */
static int64_t worst_frame(const struct demo *d)
{
	int64_t frame = d->from, worst = 0;
	size_t i;

	for (i = 0; i < d->l->nr; i++) {
		const struct ev *e = &d->l->ev[i];

		if (e->type != EV_OPEN || e->open.now - e->open.sched <= worst)
			continue;
		worst = e->open.now - e->open.sched;
		frame = d->from + (e->open.sched - d->from) / d->major * d->major;
	}
	return frame;
}

struct account *account(const struct demo *d)
{
	struct account *a = calloc(1, sizeof(*a));
	struct running on[EV_CPUS] = { };
	int64_t last = d->from;
	size_t i;
	int c;

	if (!a)
		abort();
	a->frame = worst_frame(d);
	for (c = 0; c < d->nr_servers; c++) {
		a->server[c].end = d->server[c].stat.deadline_ns;
		while (a->server[c].end <= d->from)
			a->server[c].end += d->server[c].stat.period_ns;
	}
	/* who ran at the beginning is seen when it stops */
	for (i = 0; i < d->l->nr; i++) {
		const struct ev *e = &d->l->ev[i];

		if (e->type != EV_SWITCH || on[e->cpu].known)
			continue;
		on[e->cpu].known = true;
		on[e->cpu].owner = owner_of(d, e->sw.prev);
		on[e->cpu].since = d->from;
	}
	for (i = 0; i < d->l->nr; i++) {
		const struct ev *e = &d->l->ev[i];
		struct running *r = &on[e->cpu];

		if (e->type != EV_SWITCH)
			continue;
		a->overlap += overlap(d, on, last, e->ts);
		last = e->ts;
		ran(d, a, e->cpu, r->owner, r->since, e->ts);
		r->owner = owner_of(d, e->sw.next);
		r->since = e->ts;
	}
	a->overlap += overlap(d, on, last, d->to);
	for (c = 0; c < d->cpus; c++)
		if (on[c].known)
			ran(d, a, c, on[c].owner, on[c].since, d->to);
	for (c = 0; c < d->nr_servers; c++)
		end_periods(d, a, c, d->to);
	return a;
}
