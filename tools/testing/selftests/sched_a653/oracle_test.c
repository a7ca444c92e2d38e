// SPDX-License-Identifier: GPL-2.0
/*
 * Does the trace checker see what it should see?
 *
 * A small simulator writes the events of a correct run; each test breaks one
 * thing and expects the violation of that kind, and no run without a break may
 * have any. Needs no kernel: runs anywhere.
 */
#include <stdlib.h>

#include "oracle.h"
#include "test.h"

#define BASE	(1000 * SEC)
#define FRAMES	20
#define HOG	50		/* and HOG + cpu */
#define STOP	60
/* Two spinners of each partition on each CPU: pid_of() */
#define PARTS	3

static const char *const part_name[PARTS] = { "alpha", "beta", "gamma" };

static pid_t pid_of(int part, int cpu, int i)
{
	return 100 + 20 * part + 4 * cpu + i;
}

struct sim {
	struct conf *f;
	struct evlist *l;
	int cpus;
};

static struct ev *sw(struct sim *s, uint64_t ts, int cpu, pid_t prev, int prev_prio,
		     int state, pid_t next, int next_prio)
{
	struct ev *e = ev_add(s->l, ts, cpu, EV_SWITCH);

	e->sw.prev = prev;
	e->sw.prev_prio = prev_prio;
	e->sw.prev_state = state;
	e->sw.next = next;
	e->sw.next_prio = next_prio;
	return e;
}

static struct ev *task_ev(struct sim *s, enum ev_type type, uint64_t ts, int cpu,
			  pid_t pid, int prio, int on)
{
	struct ev *e = ev_add(s->l, ts, cpu, type);

	e->task.pid = pid;
	e->task.prio = prio;
	e->task.cpu = on;
	return e;
}

static void schedule_ev(struct sim *s, int cpu, const char *name, int64_t sched)
{
	struct ev *e = ev_add(s->l, sched + 2 * US, cpu, EV_SCHEDULE);

	e->name = ev_intern(s->l, name);
	e->schedule.module = ev_intern(s->l, "m");
	e->schedule.sched = sched;
	e->schedule.now = sched + 1 * US;
}

static void window(struct sim *s, const struct a653_window *w, int64_t frame)
{
	const char *name = s->f->part[w->partition].name;
	int64_t sched = frame + w->offset_ns, end = sched + w->duration_ns;
	pid_t hi = pid_of(w->partition, w->cpu, 0);
	struct ev *e;

	e = ev_add(s->l, sched + 2 * US, w->cpu, EV_OPEN);
	e->name = ev_intern(s->l, name);
	e->open.sched = sched;
	e->open.end = end;
	e->open.now = sched + 2 * US;
	e->open.strict = w->flags & A653_WINDOW_STRICT;
	sw(s, sched + 5 * US, w->cpu, HOG + w->cpu, 120, 0, hi, 49);
	e = ev_add(s->l, end + 2 * US, w->cpu, EV_CLOSE);
	e->name = ev_intern(s->l, name);
	e->close.sched = end;
	e->close.now = end + 2 * US;
	e->close.run = w->duration_ns;
	sw(s, end + 5 * US, w->cpu, hi, 49, 0, HOG + w->cpu, 120);
}

/* One schedule from @base for @frames */
static void frames(struct sim *s, unsigned int sched, int64_t base, int n)
{
	unsigned int w, first = conf_first_win(s->f, sched);
	int k;

	for (k = 0; k < n; k++)
		for (w = first; w < first + s->f->sched[sched].nr_windows; w++)
			window(s, &s->f->win[w],
			       base + k * (int64_t)s->f->sched[sched].major_frame_ns);
}

static void simulate(struct sim *s, int cpus)
{
	int c, p, i;

	s->cpus = cpus;
	s->l = ev_new();
	s->f = conf_new("m", (1 << cpus) - 1);
	for (p = 0; p < PARTS; p++)
		conf_part(s->f, part_name[p], 0, 0);
	conf_sched(s->f, "one", 10 * MS, A653_SCHEDULE_EXCLUSIVE);
	for (c = 0; c < cpus; c++) {
		conf_win(s->f, 0, c, 0, 2 * MS, A653_WINDOW_STRICT);
		conf_win(s->f, 1, c, 3 * MS, 2 * MS, 0);
		conf_win(s->f, 0, c, 6 * MS, 1 * MS, 0);
	}
	conf_sched(s->f, "two", 5 * MS, A653_SCHEDULE_EXCLUSIVE);
	for (c = 0; c < cpus; c++)
		conf_win(s->f, 2, c, 1 * MS, 2 * MS, 0);

	ev_set_comm(s->l, STOP, "migration/0\0\0\0\0", 0);
	for (c = 0; c < cpus; c++) {
		sw(s, BASE - 10 * MS, c, 0, 120, 0, HOG + c, 120);
		for (p = 0; p < PARTS; p++)
			for (i = 0; i < 2; i++)
				task_ev(s, EV_WAKEUP, BASE - 9 * MS, c,
					pid_of(p, c, i), i ? 50 : 49, c);
		schedule_ev(s, c, "one", BASE);
		schedule_ev(s, c, "two", BASE + FRAMES * 10 * MS);
		schedule_ev(s, c, "one", BASE + 2 * FRAMES * 10 * MS);
	}
	frames(s, 0, BASE, FRAMES);
	frames(s, 1, BASE + FRAMES * 10 * MS, 2 * FRAMES);
	frames(s, 0, BASE + 2 * FRAMES * 10 * MS, FRAMES);
	ev_sort(s->l);
}

static struct ora *prepare(struct sim *s, unsigned int flags)
{
	struct ora *o = ora_new(s->l);
	int c, p, i;

	ora_module(o, s->f);
	for (p = 0; p < PARTS; p++)
		for (c = 0; c < s->cpus; c++)
			for (i = 0; i < 2; i++)
				ora_task(o, pid_of(p, c, i), part_name[p], 1 << c, flags);
	return o;
}

static void only(struct ora *o, int kind)
{
	unsigned int n = ora_run(o);
	int k;

	for (k = 0; k < NR_ORA; k++) {
		if (k == kind)
			EXPECT(ora_count(o, k), "%s was not seen", ora_kind_name(k));
		else
			EXPECT(!ora_count(o, k), "%s: %s", ora_kind_name(k), ora_first(o, k));
	}
	EXPECT(kind < 0 ? !n : n, "%u violations", n);
	if (kind >= 0)
		test_note("%s", ora_first(o, kind));
	ora_free(o);
}

/* The @n-th event of a kind on a CPU */
static struct ev *nth(struct sim *s, enum ev_type type, int cpu, int n)
{
	size_t i;

	for (i = 0; i < s->l->nr; i++)
		if (s->l->ev[i].type == type && s->l->ev[i].cpu == cpu && !n--)
			return &s->l->ev[i];
	ASSERT(0, "no such event");
	return NULL;
}

static void drop(struct sim *s, struct ev *e)
{
	size_t i = e - s->l->ev;

	memmove(e, e + 1, (s->l->nr - i - 1) * sizeof(*e));
	s->l->nr--;
}

TEST(correct_runs_pass)
{
	struct sim s;
	int c;

	for (c = 1; c <= 4; c++) {
		simulate(&s, c);
		only(prepare(&s, 0), -1);
	}
}

TEST(sums_are_right)
{
	const struct ora_part *p;
	struct sim s;
	struct ora *o;

	simulate(&s, 2);
	o = prepare(&s, 0);
	ora_share(o, "alpha", 0.99);
	EXPECT(!ora_run(o), "violations");
	p = ora_part(o, "alpha");
	EXPECT(p->windows == 8 * FRAMES, "%llu windows", (unsigned long long)p->windows);
	EXPECT(p->entitled_ns == (uint64_t)4 * FRAMES * 3 * MS, "entitled");
	EXPECT(p->run_ns == p->open_ns - p->windows * 3 * US, "ran");
	EXPECT(p->received_ns == p->entitled_ns - p->windows * 5 * US, "received");
	EXPECT(ora_quantile((struct ora_series *)&p->late, 0.5) == 2 * US, "late");
	EXPECT(ora_quantile((struct ora_series *)&p->first, 0.99) == 5 * US, "first");
}

TEST(sees_lost_events)
{
	struct sim s;

	simulate(&s, 1);
	s.l->lost = 1;
	only(prepare(&s, 0), ORA_TRACE);
}

TEST(sees_task_outside_window)
{
	struct sim s;

	simulate(&s, 2);
	/* in the gap at 2.5 ms the hog goes and alpha comes */
	sw(&s, BASE + 2500 * US, 1, HOG + 1, 120, 0, pid_of(0, 1, 0), 49);
	sw(&s, BASE + 2600 * US, 1, pid_of(0, 1, 0), 49, 0, HOG + 1, 120);
	ev_sort(s.l);
	only(prepare(&s, 0), ORA_OUTSIDE);
}

TEST(sees_task_in_foreign_window)
{
	struct sim s;

	simulate(&s, 1);
	/* gamma's task, before beta's own */
	nth(&s, EV_OPEN, 0, 1)->ts += 2 * US;
	sw(&s, BASE + 3 * MS + 1 * US, 0, HOG, 120, 0, pid_of(2, 0, 0), 49);
	sw(&s, BASE + 3 * MS + 4500, 0, pid_of(2, 0, 0), 49, 0, HOG, 120);
	ev_sort(s.l);
	only(prepare(&s, ORA_DYNAMIC), ORA_OUTSIDE);
}

TEST(sees_task_staying)
{
	struct sim s;
	int i;

	simulate(&s, 1);
	/* the switch after the first close comes 300 us and five ticks late */
	nth(&s, EV_SWITCH, 0, 2)->ts += 300 * US;
	for (i = 0; i < 5; i++)
		ev_add(s.l, BASE + 2 * MS + (50 + i) * US, 0, EV_IRQ);
	ev_sort(s.l);
	only(prepare(&s, 0), ORA_STAYED);
}

/* A softirq that is long keeps the CPU from its switch, ticks or not */
TEST(interrupts_in_a_softirq_do_not_count)
{
	struct sim s;
	int i;

	simulate(&s, 1);
	nth(&s, EV_SWITCH, 0, 2)->ts += 300 * US;
	ev_add(s.l, BASE + 2 * MS + 40 * US, 0, EV_SOFTIRQ_ENTRY);
	for (i = 0; i < 5; i++)
		ev_add(s.l, BASE + 2 * MS + (50 + i) * US, 0, EV_IRQ);
	ev_add(s.l, BASE + 2 * MS + 60 * US, 0, EV_SOFTIRQ_EXIT);
	for (i = 0; i < 4; i++)
		ev_add(s.l, BASE + 2 * MS + (70 + i) * US, 0, EV_IRQ);
	ev_sort(s.l);
	only(prepare(&s, 0), -1);

	ev_add(s.l, BASE + 2 * MS + 75 * US, 0, EV_IRQ);
	ev_sort(s.l);
	only(prepare(&s, 0), ORA_STAYED);
}

TEST(sees_task_staying_by_time)
{
	struct sim s;
	struct ora *o;

	simulate(&s, 1);
	nth(&s, EV_SWITCH, 0, 2)->ts += 300 * US;
	ev_sort(s.l);
	only(prepare(&s, 0), -1);
	o = prepare(&s, 0);
	ora_hard_limit(o, 100 * US);
	only(o, ORA_STAYED);
}

TEST(sees_early_opening)
{
	struct sim s;

	simulate(&s, 1);
	nth(&s, EV_OPEN, 0, 3)->open.now -= 3 * US;
	only(prepare(&s, 0), ORA_EARLY);
}

TEST(sees_early_closing)
{
	struct sim s;

	simulate(&s, 1);
	nth(&s, EV_CLOSE, 0, 3)->close.now -= 3 * US;
	only(prepare(&s, 0), ORA_EARLY);
}

TEST(sees_window_off_the_grid)
{
	struct sim s;

	simulate(&s, 1);
	/* a frame that starts 1 ns later: the error of `now + x` */
	nth(&s, EV_OPEN, 0, 3)->open.sched += 1;
	nth(&s, EV_OPEN, 0, 3)->open.now += 1;
	only(prepare(&s, 0), ORA_GRID);
}

TEST(sees_window_too_long)
{
	struct sim s;

	simulate(&s, 1);
	nth(&s, EV_OPEN, 0, 3)->open.end += 1 * US;
	only(prepare(&s, 0), ORA_GRID);
}

TEST(sees_window_cut_short)
{
	struct sim s;

	simulate(&s, 1);
	nth(&s, EV_CLOSE, 0, 3)->close.sched -= 1 * US;
	only(prepare(&s, 0), ORA_GRID);
}

TEST(sees_window_of_the_wrong_partition)
{
	struct sim s;

	simulate(&s, 1);
	nth(&s, EV_OPEN, 0, 2)->name = ev_intern(s.l, "beta");
	nth(&s, EV_CLOSE, 0, 2)->name = ev_intern(s.l, "beta");
	nth(&s, EV_SWITCH, 0, 5)->sw.next = pid_of(1, 0, 0);
	nth(&s, EV_SWITCH, 0, 6)->sw.prev = pid_of(1, 0, 0);
	only(prepare(&s, 0), ORA_GRID);
}

TEST(sees_strictness_ignored)
{
	struct sim s;

	simulate(&s, 1);
	nth(&s, EV_OPEN, 0, 0)->open.strict = false;
	only(prepare(&s, 0), ORA_GRID);
}

/* Remove the third window: open, two switches, close */
static void leave_out(struct sim *s)
{
	drop(s, nth(s, EV_OPEN, 0, 2));
	drop(s, nth(s, EV_CLOSE, 0, 2));
	drop(s, nth(s, EV_SWITCH, 0, 5));
	drop(s, nth(s, EV_SWITCH, 0, 5));
}

TEST(sees_window_left_out)
{
	struct sim s;

	simulate(&s, 1);
	leave_out(&s);
	only(prepare(&s, 0), ORA_SEQUENCE);
}

TEST(accepts_missed_window_that_is_accounted)
{
	struct sim s;
	struct ev *e;

	simulate(&s, 1);
	leave_out(&s);
	e = ev_add(s.l, BASE + 9 * MS, 0, EV_MISSED);
	e->missed.from = BASE + 6 * MS;
	e->missed.now = BASE + 9 * MS;
	e->missed.windows = 1;
	ev_sort(s.l);
	only(prepare(&s, 0), -1);
	e = nth(&s, EV_MISSED, 0, 0);
	e->missed.windows = 2;
	only(prepare(&s, 0), ORA_SEQUENCE);
}

TEST(sees_last_window_of_a_schedule_left_out)
{
	struct sim s;
	int n = 3 * FRAMES - 1;

	simulate(&s, 1);
	drop(&s, nth(&s, EV_OPEN, 0, n));
	drop(&s, nth(&s, EV_CLOSE, 0, n));
	drop(&s, nth(&s, EV_SWITCH, 0, 2 * n + 1));
	drop(&s, nth(&s, EV_SWITCH, 0, 2 * n + 1));
	only(prepare(&s, 0), ORA_SEQUENCE);
}

TEST(sees_overlap_by_scheduled_times)
{
	struct sim s;

	/* beta opens on CPU 1 while alpha is open on CPU 0 */
	simulate(&s, 2);
	conf_sched(s.f, "bad", 10 * MS, A653_SCHEDULE_EXCLUSIVE);
	conf_win(s.f, 0, 0, 0, 2 * MS, 0);
	conf_win(s.f, 1, 1, 1999 * US, 2 * MS, 0);
	schedule_ev(&s, 0, "bad", BASE + 3 * FRAMES * 10 * MS);
	schedule_ev(&s, 1, "bad", BASE + 3 * FRAMES * 10 * MS);
	frames(&s, 2, BASE + 3 * FRAMES * 10 * MS, 1);
	ev_sort(s.l);
	only(prepare(&s, 0), ORA_OVERLAP);
	s.f->sched[2].flags = 0;
	only(prepare(&s, 0), -1);
}

TEST(sees_overlap_by_actual_times)
{
	struct sim s;
	struct ora *o;

	/* CPU 1 closes alpha a little after CPU 0 opened beta */
	simulate(&s, 2);
	nth(&s, EV_CLOSE, 1, 0)->ts += 1100 * US;
	nth(&s, EV_SWITCH, 1, 2)->ts += 1100 * US;
	nth(&s, EV_OPEN, 1, 1)->ts += 110 * US;
	nth(&s, EV_SWITCH, 1, 3)->ts += 110 * US;
	ev_sort(s.l);
	o = prepare(&s, 0);
	ora_overlap_limit(o, 200 * US);
	only(o, -1);
	o = prepare(&s, 0);
	ora_overlap_limit(o, 50 * US);
	only(o, ORA_OVERLAP);
}

TEST(sees_open_window_given_away)
{
	struct sim s;

	simulate(&s, 1);
	/* in beta's window (not strict) the hog returns for a while */
	sw(&s, BASE + 4000 * US, 0, pid_of(1, 0, 0), 49, 0, HOG, 120);
	sw(&s, BASE + 4100 * US, 0, HOG, 120, 0, pid_of(1, 0, 0), 49);
	ev_sort(s.l);
	only(prepare(&s, 0), ORA_UNUSED);
}

TEST(accepts_stop_work_in_a_window)
{
	struct sim s;

	simulate(&s, 1);
	sw(&s, BASE + 1000 * US, 0, pid_of(0, 0, 0), 49, 0, STOP, -1);
	sw(&s, BASE + 1010 * US, 0, STOP, -1, 1, pid_of(0, 0, 0), 49);
	ev_sort(s.l);
	only(prepare(&s, 0), -1);
}

TEST(sees_opening_ignored)
{
	struct sim s;
	struct ev *e;
	int i;

	/* beta's window opens, the hog goes on to its end */
	simulate(&s, 1);
	drop(&s, nth(&s, EV_SWITCH, 0, 3));
	drop(&s, nth(&s, EV_SWITCH, 0, 3));
	e = nth(&s, EV_OPEN, 0, 1);
	for (i = 0; i < 5; i++)
		ev_add(s.l, e->ts + (400 + i) * US, 0, EV_IRQ);
	ev_sort(s.l);
	only(prepare(&s, 0), ORA_IGNORED);
}

TEST(sees_wakeup_ignored)
{
	struct sim s;
	struct ora *o;

	simulate(&s, 1);
	/* all of beta sleeps; a wake-up in its window is not followed */
	nth(&s, EV_SWITCH, 0, 4)->sw.prev_state = 1;
	drop(&s, nth(&s, EV_WAKEUP, 0, 3));
	drop(&s, nth(&s, EV_SWITCH, 0, 9));
	drop(&s, nth(&s, EV_SWITCH, 0, 9));
	task_ev(&s, EV_WAKEUP, BASE + 13500 * US, 0, pid_of(1, 0, 0), 49, 0);
	ev_sort(s.l);
	o = prepare(&s, 0);
	ora_hard_limit(o, 100 * US);
	only(o, ORA_IGNORED);
}

TEST(sees_foreign_task_in_strict_window)
{
	struct sim s;

	/* alpha sleeps, its strict window goes to the hog */
	simulate(&s, 1);
	drop(&s, nth(&s, EV_WAKEUP, 0, 1));
	sw(&s, BASE + 1000 * US, 0, pid_of(0, 0, 0), 49, 1, HOG, 120);
	task_ev(&s, EV_WAKEUP, BASE + 1100 * US, 0, pid_of(0, 0, 0), 49, 0);
	sw(&s, BASE + 1101 * US, 0, HOG, 120, 0, pid_of(0, 0, 0), 49);
	ev_sort(s.l);
	only(prepare(&s, 0), ORA_STRICT);
}

TEST(accepts_idle_in_strict_window)
{
	struct sim s;

	simulate(&s, 1);
	drop(&s, nth(&s, EV_WAKEUP, 0, 1));
	sw(&s, BASE + 1000 * US, 0, pid_of(0, 0, 0), 49, 1, 0, 120);
	task_ev(&s, EV_WAKEUP, BASE + 1100 * US, 0, pid_of(0, 0, 0), 49, 0);
	sw(&s, BASE + 1101 * US, 0, 0, 120, 0, pid_of(0, 0, 0), 49);
	ev_sort(s.l);
	only(prepare(&s, 0), -1);
}

TEST(sees_inversion_between_cpus)
{
	struct sim s;
	struct ora *o;
	int i;

	/*
	 * CPU 0's second alpha task may run on both CPUs and has a higher
	 * priority than what CPU 1 runs, which takes interrupts meanwhile.
	 */
	simulate(&s, 2);
	for (i = 0; i < 5; i++)
		ev_add(s.l, BASE + (100 + i) * US, 1, EV_IRQ);
	ev_sort(s.l);
	for (i = 0; i < (int)s.l->nr; i++) {
		struct ev *e = &s.l->ev[i];

		if (e->type == EV_SWITCH && e->sw.next == pid_of(0, 1, 0))
			e->sw.next_prio = 60;
		if (e->type == EV_SWITCH && e->sw.prev == pid_of(0, 1, 0))
			e->sw.prev_prio = 60;
		if (e->type == EV_WAKEUP && (e->task.pid == pid_of(0, 1, 0) ||
					     e->task.pid == pid_of(0, 1, 1)))
			e->task.prio = 60;
	}
	only(prepare(&s, 0), -1);
	o = prepare(&s, 0);
	ora_task(o, pid_of(0, 0, 1), "alpha", 3, 0);
	only(o, ORA_INVERSION);
}

TEST(sees_inversions_by_time)
{
	struct sim s;
	struct ora *o;

	/* in each window it takes 3 us to get from the opening to the task */
	simulate(&s, 1);
	o = prepare(&s, 0);
	ora_p99_limit(o, 4 * US);
	only(o, -1);
	o = prepare(&s, 0);
	ora_p99_limit(o, 2 * US);
	only(o, ORA_INVERSION);
}

TEST(sees_lower_priority_picked)
{
	struct sim s;

	simulate(&s, 1);
	nth(&s, EV_SWITCH, 0, 1)->sw.next = pid_of(0, 0, 1);
	nth(&s, EV_SWITCH, 0, 1)->sw.next_prio = 50;
	nth(&s, EV_SWITCH, 0, 2)->sw.prev = pid_of(0, 0, 1);
	nth(&s, EV_SWITCH, 0, 2)->sw.prev_prio = 50;
	only(prepare(&s, 0), ORA_ORDER);
}

static void equal_priorities(struct sim *s)
{
	size_t i;

	for (i = 0; i < s->l->nr; i++) {
		struct ev *e = &s->l->ev[i];

		if (e->type == EV_WAKEUP)
			e->task.prio = 49;
	}
}

TEST(sees_fifo_order_broken)
{
	struct sim s;

	simulate(&s, 1);
	equal_priorities(&s);
	only(prepare(&s, 0), -1);
	nth(&s, EV_SWITCH, 0, 1)->sw.next = pid_of(0, 0, 1);
	nth(&s, EV_SWITCH, 0, 2)->sw.prev = pid_of(0, 0, 1);
	only(prepare(&s, 0), ORA_ORDER);
	only(prepare(&s, ORA_YIELDS), -1);
}

TEST(sees_share_not_received)
{
	struct sim s;
	struct ora *o;

	simulate(&s, 1);
	/* 3 us of each window are lost: 0.2 % */
	o = prepare(&s, 0);
	ora_share(o, "alpha", 0.995);
	only(o, -1);
	o = prepare(&s, 0);
	ora_share(o, "alpha", 0.999);
	only(o, ORA_SHARE);
	o = prepare(&s, 0);
	ora_share(o, "delta", 0.5);
	only(o, ORA_SHARE);
}

TEST(sees_lateness)
{
	struct sim s;
	struct ora *o;

	simulate(&s, 1);
	o = prepare(&s, 0);
	ora_late_limit(o, 2 * US);
	ora_missed_limit(o, "alpha", 0.01);
	only(o, -1);
	o = prepare(&s, 0);
	ora_late_limit(o, 1 * US);
	only(o, ORA_LATE);
}

TEST(sees_too_many_missed)
{
	struct sim s;
	struct ora *o;
	struct ev *e;

	simulate(&s, 1);
	leave_out(&s);
	e = ev_add(s.l, BASE + 9 * MS, 0, EV_MISSED);
	e->missed.from = BASE + 6 * MS;
	e->missed.now = BASE + 9 * MS;
	e->missed.windows = 1;
	ev_sort(s.l);
	o = prepare(&s, 0);
	ora_missed_limit(o, "alpha", 0.02);
	only(o, -1);
	o = prepare(&s, 0);
	ora_missed_limit(o, "alpha", 0.01);
	only(o, ORA_LATE);
}

TEST(sees_two_schedules_at_one_instant)
{
	struct sim s;

	simulate(&s, 2);
	/* CPU 1 does not hear of the second change */
	drop(&s, nth(&s, EV_SCHEDULE, 1, 2));
	ASSERT(ora_run(prepare(&s, 0)), "nothing seen");

	/* a frame late: its windows before are of the old schedule */
	simulate(&s, 2);
	nth(&s, EV_SCHEDULE, 1, 1)->schedule.sched += 1;
	struct ora *o = prepare(&s, 0);

	ora_run(o);
	EXPECT(ora_count(o, ORA_SPLIT), "split not seen");
}

TEST(sees_different_schedules_at_one_boundary)
{
	struct sim s;
	struct ora *o;

	simulate(&s, 2);
	nth(&s, EV_SCHEDULE, 1, 1)->name = ev_intern(s.l, "one");
	o = prepare(&s, 0);
	ora_run(o);
	EXPECT(ora_count(o, ORA_SPLIT), "split not seen");
}

TEST(sees_closed_wakeup_in_open_window)
{
	struct sim s;

	simulate(&s, 1);
	task_ev(&s, EV_CLOSED_WAKEUP, BASE + 3 * MS, 0, pid_of(0, 0, 0), 49, 0);
	ev_sort(s.l);
	only(prepare(&s, 0), -1);
	task_ev(&s, EV_CLOSED_WAKEUP, BASE + 1 * MS, 0, pid_of(0, 0, 0), 49, 0);
	ev_sort(s.l);
	only(prepare(&s, 0), ORA_WAKEUP);
}

TEST(sees_contradictions)
{
	struct sim s;

	simulate(&s, 1);
	drop(&s, nth(&s, EV_SWITCH, 0, 3));
	ASSERT(ora_run(prepare(&s, 0)), "nothing seen");
	simulate(&s, 1);
	drop(&s, nth(&s, EV_CLOSE, 0, 3));
	ASSERT(ora_run(prepare(&s, 0)), "nothing seen");
}

int main(int argc, char **argv)
{
	return test_main(argc, argv);
}
