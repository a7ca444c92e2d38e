// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the frame tables and of the rules on configurations
 *
 * Where there is something to compute, it is computed a second time in the
 * simplest way there is (walking from segment to segment, marking each tick of
 * a frame, comparing each pair of windows), for random tables. The numbers
 * come from a generator of our own with a fixed seed, so that the kernel and
 * the host program, which is built from this file too, see the same cases.
 *
 * Tests that begin with "lesson" and a number keep an error away that an
 * earlier scheduler made.
 */
#include <kunit/test.h>

#ifdef __KERNEL__
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/string.h>
#include <linux/time.h>

#define ROUNDS		200
#else
#define ROUNDS		3000
#endif

#include "a653_frame.h"
#include "a653_rnd.h"
#include "rtds_server.h"

#define US		1000ULL
#define MS		1000000ULL

/*
 * Tools
 */

static u64 rem_of(u64 dividend, u64 divisor)
{
	u64 rem;

	div64_u64_rem(dividend, divisor, &rem);
	return rem;
}

/* @t + @by, as near to it as the clock can tell */
static s64 shift(s64 t, s64 by)
{
	s64 sum;

	if (check_add_overflow(t, by, &sum))
		return by < 0 ? S64_MIN : S64_MAX;
	return sum;
}

static bool can_shift(s64 t, s64 by)
{
	s64 sum;

	return !check_add_overflow(t, by, &sum);
}

static bool same_pos(const struct a653_pos *a, const struct a653_pos *b)
{
	return a->frame_ns == b->frame_ns && a->start_ns == b->start_ns &&
	       a->end_ns == b->end_ns && a->seg == b->seg;
}

/*
 * The arithmetic
 */

#define MAX_SEGS	40

static struct a653_frame *alloc_frame(struct kunit *test, u32 nr_segs)
{
	struct a653_frame *f;

	f = kunit_kzalloc(test, sizeof(*f) + nr_segs * sizeof(f->seg[0]),
			  GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f);
	f->nr_segs = nr_segs;
	return f;
}

/* Segments of 1 to 9 units, windows and gaps as it happens */
static void random_frame(struct rnd *r, struct a653_frame *f, u64 unit)
{
	u32 i;

	f->nr_segs = rnd_in(r, 1, rnd_in(r, 0, 3) ? 6 : MAX_SEGS);
	f->nr_windows = 0;
	f->major_ns = 0;
	for (i = 0; i < f->nr_segs; i++) {
		f->seg[i].start_ns = f->major_ns;
		f->seg[i].partition = A653_GAP;
		f->seg[i].flags = 0;
		f->seg[i].rank = f->nr_windows;
		if (rnd_in(r, 0, 2)) {
			f->seg[i].partition = rnd_in(r, 0, 3);
			f->nr_windows++;
		}
		f->major_ns += rnd_in(r, 1, 9) * unit;
	}
}

/* Two windows with gaps before, between and behind: 2, 3 and 1 ms of 10 */
static struct a653_frame *small_frame(struct kunit *test)
{
	static const struct a653_seg seg[] = {
		{ 0 * MS, A653_GAP, 0, 0 }, { 1 * MS, 0, 0, 0 },
		{ 3 * MS, A653_GAP, 0, 1 }, { 4 * MS, 1, 0, 1 },
		{ 7 * MS, A653_GAP, 0, 2 },
	};
	struct a653_frame *f = alloc_frame(test, ARRAY_SIZE(seg));

	f->major_ns = 10 * MS;
	f->nr_windows = 2;
	memcpy(f->seg, seg, sizeof(seg));
	return f;
}

/* Where @t is, by walking there from the base; for small numbers */
static void walk(const struct a653_frame *f, s64 base, s64 t,
		 struct a653_pos *pos)
{
	s64 major = f->major_ns;
	u32 seg = 0;

	while (base > t)
		base -= major;
	while (base + major <= t)
		base += major;
	while (seg + 1 < f->nr_segs && base + (s64)f->seg[seg + 1].start_ns <= t)
		seg++;
	pos->frame_ns = base;
	pos->seg = seg;
	pos->start_ns = base + f->seg[seg].start_ns;
	pos->end_ns = base + (seg + 1 < f->nr_segs ?
			      f->seg[seg + 1].start_ns : f->major_ns);
}

static void shift_pos(struct a653_pos *pos, s64 by)
{
	pos->frame_ns = shift(pos->frame_ns, by);
	pos->start_ns = shift(pos->start_ns, by);
	pos->end_ns = shift(pos->end_ns, by);
}

/* The origin, somewhere, or so near an end of the clock that times fall off */
static s64 random_anchor(struct rnd *r)
{
	switch (rnd_in(r, 0, 3)) {
	case 0:
		return 0;
	case 1:
		return S64_MAX - rnd_in(r, 0, 800);
	case 2:
		return S64_MIN + rnd_in(r, 0, 800);
	default:
		return (s64)rnd64(r) / 2;
	}
}

static void locate_each_instant(struct kunit *test)
{
	struct a653_frame *f = alloc_frame(test, MAX_SEGS);
	struct rnd *r = test->priv;
	struct a653_pos pos, want;
	s64 base, t;

	for (r->round = 0; r->round < ROUNDS / 4; r->round++) {
		random_frame(r, f, 1);
		base = rnd_in(r, -100, 100);
		for (t = base - 2 * (s64)f->major_ns - 1;
		     t <= base + 2 * (s64)f->major_ns + 1; t++) {
			walk(f, base, t, &want);
			a653_frame_locate(f, base, t, &pos);
			CHECK(same_pos(&pos, &want));
			CHECK(pos.start_ns <= t && t < pos.end_ns);
		}
	}
}

static void locate_near_the_ends_of_time(struct kunit *test)
{
	struct a653_frame *f = alloc_frame(test, MAX_SEGS);
	struct rnd *r = test->priv;
	struct a653_pos pos, want;
	s64 anchor, base, t;
	u32 hits = 0;

	for (r->round = 0; r->round < 50 * ROUNDS; r->round++) {
		random_frame(r, f, 1);
		anchor = random_anchor(r);
		base = rnd_in(r, -800, 800);
		t = rnd_in(r, -800, 800);
		if (!can_shift(base, anchor) || !can_shift(t, anchor))
			continue;
		walk(f, base, t, &want);
		shift_pos(&want, anchor);
		a653_frame_locate(f, base + anchor, t + anchor, &pos);
		CHECK(same_pos(&pos, &want));
		hits += pos.end_ns == S64_MAX || pos.frame_ns == S64_MIN;
	}
	/* ... and they did fall off */
	CHECK(hits > ROUNDS / 20);
}

/* Base and instant as far from each other as it comes: one bit at a time */
static void locate_over_any_distance(struct kunit *test)
{
	struct a653_frame *f = alloc_frame(test, MAX_SEGS);
	static const u64 units[] = { 1, US, MS, 10000 * MS };
	struct rnd *r = test->priv;
	struct a653_pos pos;
	s64 base, t;
	u64 d, off;
	int bit;

	for (r->round = 0; r->round < ROUNDS; r->round++) {
		random_frame(r, f, units[rnd_in(r, 0, 3)]);
		base = rnd_in(r, 0, 1) ? (s64)rnd64(r) : random_anchor(r);
		t = rnd_in(r, 0, 1) ? (s64)rnd64(r) : random_anchor(r);
		d = t < base ? (u64)base - (u64)t : (u64)t - (u64)base;
		off = 0;
		for (bit = 63; bit >= 0; bit--) {
			off = off << 1 | (d >> bit & 1);
			if (off >= f->major_ns)
				off -= f->major_ns;
		}
		if (t < base && off)
			off = f->major_ns - off;

		a653_frame_locate(f, base, t, &pos);
		CHECK(pos.start_ns <= t);
		CHECK(t < pos.end_ns || t == S64_MAX);
		CHECK(f->seg[pos.seg].start_ns <= off);
		CHECK(off < (pos.seg + 1 < f->nr_segs ?
			     f->seg[pos.seg + 1].start_ns : f->major_ns));
		if (pos.frame_ns != S64_MIN) {
			CHECK((u64)t - (u64)pos.frame_ns == off);
			CHECK((u64)pos.start_ns - (u64)pos.frame_ns ==
			      f->seg[pos.seg].start_ns);
		}
	}
}

static void next_follows_the_walk(struct kunit *test)
{
	struct a653_frame *f = alloc_frame(test, MAX_SEGS);
	struct a653_pos pos, small, want;
	struct rnd *r = test->priv;
	s64 anchor, base, t;
	u32 step;

	for (r->round = 0; r->round < ROUNDS; r->round++) {
		random_frame(r, f, 1);
		anchor = random_anchor(r);
		base = rnd_in(r, -800, 800);
		t = rnd_in(r, -800, 800);
		if (!can_shift(base, anchor) || !can_shift(t, anchor))
			continue;
		walk(f, base, t, &small);
		a653_frame_locate(f, base + anchor, t + anchor, &pos);
		for (step = 0; step < 3 * f->nr_segs; step++) {
			walk(f, base, small.end_ns, &small);
			want = small;
			shift_pos(&want, anchor);
			a653_frame_next(f, &pos);
			CHECK(same_pos(&pos, &want));
		}
	}
}

static void skipped_counts_like_walking(struct kunit *test)
{
	struct a653_frame *f = alloc_frame(test, MAX_SEGS);
	struct a653_pos from, to, pos;
	struct rnd *r = test->priv;
	u32 count[MAX_SEGS], seg;
	s64 anchor, base, t, u;

	for (r->round = 0; r->round < ROUNDS; r->round++) {
		random_frame(r, f, 1);
		anchor = random_anchor(r);
		base = rnd_in(r, -800, 800);
		t = rnd_in(r, -800, 800);
		u = t + rnd_in(r, 0, rnd_in(r, 0, 1) ? 20 : 800);
		if (!can_shift(base, anchor) || !can_shift(t, anchor) ||
		    !can_shift(u, anchor))
			continue;
		walk(f, base, t, &from);
		walk(f, base, u, &to);
		memset(count, 0, sizeof(count));
		pos = from;
		while (pos.start_ns < to.start_ns) {
			walk(f, base, pos.end_ns, &pos);
			if (pos.start_ns < to.start_ns)
				count[pos.seg]++;
		}
		a653_frame_locate(f, base + anchor, t + anchor, &from);
		a653_frame_locate(f, base + anchor, u + anchor, &to);
		for (seg = 0; seg < f->nr_segs; seg++)
			CHECK(a653_frame_skipped(f, &from, &to, seg) == count[seg]);
	}
}

/* What is skipped on the way from a to c over b is what is skipped on both */
static void skipped_adds_up(struct kunit *test)
{
	struct a653_frame *f = alloc_frame(test, MAX_SEGS);
	struct rnd *r = test->priv;
	struct a653_pos a, b, c;
	s64 base, t;
	u64 sum;
	u32 seg;

	for (r->round = 0; r->round < ROUNDS; r->round++) {
		random_frame(r, f, 1 + rnd_in(r, 0, 1) * 100 * US);
		base = (s64)rnd64(r) >> 2;
		t = (s64)rnd64(r) >> 2;
		a653_frame_locate(f, base, t, &a);
		t += rnd64(r) >> rnd_in(r, 2, 60);
		a653_frame_locate(f, base, t, &b);
		t += rnd64(r) >> rnd_in(r, 2, 60);
		a653_frame_locate(f, base, t, &c);
		for (seg = 0; seg < f->nr_segs; seg++) {
			sum = a653_frame_skipped(f, &a, &b, seg) +
			      a653_frame_skipped(f, &b, &c, seg);
			if (b.seg == seg && b.start_ns != a.start_ns &&
			    b.start_ns != c.start_ns)
				sum++;
			CHECK(a653_frame_skipped(f, &a, &c, seg) == sum);
		}
	}
}

static void boundary_like_walking(struct kunit *test)
{
	struct rnd *r = test->priv;
	s64 anchor, base, t, want;
	u64 major;

	for (r->round = 0; r->round < 10 * ROUNDS; r->round++) {
		major = rnd_in(r, 1, 300);
		anchor = random_anchor(r);
		base = rnd_in(r, -800, 800);
		t = rnd_in(r, -800, 800);
		if (!can_shift(base, anchor) || !can_shift(t, anchor))
			continue;
		for (want = base; want < t;)
			want += major;
		CHECK(a653_frame_boundary(major, base + anchor, t + anchor) ==
		      shift(want, anchor));
	}
}

static void boundary_over_any_distance(struct kunit *test)
{
	struct rnd *r = test->priv;
	s64 base, t, at;
	u64 major;

	for (r->round = 0; r->round < ROUNDS; r->round++) {
		major = 1 + (rnd64(r) >> rnd_in(r, 22, 63));
		base = rnd64(r);
		t = rnd64(r);
		at = a653_frame_boundary(major, base, t);
		CHECK(at >= t && at >= base);
		if (t <= base) {
			CHECK(at == base);
		} else if (at == S64_MAX) {
			CHECK((u64)S64_MAX - (u64)t < major);
		} else {
			CHECK((u64)at - (u64)t < major);
			CHECK(!rem_of((u64)at - (u64)base, major));
		}
	}
	CHECK(a653_frame_boundary(2, 0, S64_MAX - 1) == S64_MAX - 1);
	CHECK(a653_frame_boundary(2, 0, S64_MAX) == S64_MAX);
	CHECK(a653_frame_boundary(1, S64_MIN, S64_MAX) == S64_MAX);
	CHECK(a653_frame_boundary(1, S64_MAX, S64_MIN) == S64_MAX);
	CHECK(a653_frame_boundary(7, S64_MIN, S64_MIN) == S64_MIN);
}

static void lesson01_idle_tail_is_real(struct kunit *test)
{
	struct a653_frame *f = small_frame(test);
	struct a653_pos pos;
	s64 frame;

	/* The windows are 5 ms in sum; the frame is 10 ms long all the same */
	a653_frame_locate(f, 0, 0, &pos);
	for (frame = 0; frame < 100; frame++) {
		CHECK(pos.seg == 0 && pos.start_ns == frame * 10 * (s64)MS);
		a653_frame_next(f, &pos);
		a653_frame_next(f, &pos);
		a653_frame_next(f, &pos);
		a653_frame_next(f, &pos);
		CHECK(f->seg[pos.seg].partition == A653_GAP);
		CHECK(pos.end_ns - pos.start_ns == 3 * MS);
		CHECK(pos.end_ns == (frame + 1) * 10 * (s64)MS);
		a653_frame_next(f, &pos);
	}
}

static void lesson02_late_cpu_lands_right(struct kunit *test)
{
	struct a653_frame *f = small_frame(test);
	s64 base = 123456789, frame = base + 1000000000LL * 10 * MS;
	struct a653_pos pos;

	/* On a boundary: the segment that starts there */
	a653_frame_locate(f, base, frame + 4 * MS, &pos);
	CHECK(pos.seg == 3 && pos.start_ns == frame + (s64)(4 * MS));
	CHECK(pos.end_ns == frame + (s64)(7 * MS));
	a653_frame_locate(f, base, frame + 4 * MS - 1, &pos);
	CHECK(pos.seg == 2 && pos.end_ns == frame + (s64)(4 * MS));
	/* In the tail, to its last instant */
	a653_frame_locate(f, base, frame + 7 * MS, &pos);
	CHECK(pos.seg == 4 && pos.end_ns == frame + (s64)(10 * MS));
	a653_frame_locate(f, base, frame + 10 * MS - 1, &pos);
	CHECK(pos.seg == 4 && pos.end_ns == frame + (s64)(10 * MS));
	CHECK(pos.frame_ns == frame);
	a653_frame_locate(f, base, frame + 10 * MS, &pos);
	CHECK(pos.seg == 0 && pos.frame_ns == frame + (s64)(10 * MS));
}

static void lesson02_missed_windows_by_division(struct kunit *test)
{
	struct a653_frame *f = small_frame(test);
	struct a653_pos from, to;

	/* From the first window to the second one of a thousand years later */
	a653_frame_locate(f, 0, 1 * MS, &from);
	a653_frame_locate(f, 0, 900000000000LL * 10 * MS + 5 * MS, &to);
	CHECK(a653_frame_skipped(f, &from, &to, 1) == 900000000000ULL);
	CHECK(a653_frame_skipped(f, &from, &to, 3) == 900000000000ULL);
	CHECK(a653_frame_skipped(f, &from, &to, 4) == 900000000000ULL);
	CHECK(a653_frame_skipped(f, &from, &to, 2) == 900000000001ULL);
	CHECK(a653_frame_skipped(f, &from, &from, 1) == 0);
	/* One after the other: nothing is between them */
	to = from;
	a653_frame_next(f, &to);
	CHECK(a653_frame_skipped(f, &from, &to, 1) == 0);
	CHECK(a653_frame_skipped(f, &from, &to, 2) == 0);
	CHECK(a653_frame_skipped(f, &from, &to, 3) == 0);
}

static void lesson03_boundaries_do_not_drift(struct kunit *test)
{
	struct a653_frame *f = small_frame(test);
	struct rnd *r = test->priv;
	struct a653_pos pos;
	s64 base = 777;
	u32 late;

	/* Each boundary is handled late; none moves for it */
	a653_frame_locate(f, base, base, &pos);
	for (r->round = 0; r->round < 10 * ROUNDS; r->round++) {
		late = rnd_in(r, 0, MS - 1);
		a653_frame_locate(f, base, pos.end_ns + late, &pos);
		CHECK(!rem_of(pos.end_ns - base, MS));
	}
	CHECK(pos.seg == rem_of(10 * ROUNDS, 5));
	CHECK(pos.frame_ns == base + (s64)(10 * MS * (10 * ROUNDS / 5)));
}

static void lesson06_base_in_future(struct kunit *test)
{
	struct a653_frame *f = small_frame(test);
	s64 base = 3600000000000LL;
	struct a653_pos pos;

	/* An ordinary frame before the base, not a window up to it */
	a653_frame_locate(f, base, base - 1, &pos);
	CHECK(pos.seg == 4 && pos.end_ns == base);
	CHECK(pos.start_ns == base - (s64)(3 * MS));
	a653_frame_locate(f, base, base - 9 * MS, &pos);
	CHECK(pos.seg == 1 && pos.frame_ns == base - (s64)(10 * MS));
	CHECK(pos.end_ns - pos.start_ns == 2 * MS);
	a653_frame_locate(f, base, base - 10 * MS, &pos);
	CHECK(pos.seg == 0 && pos.start_ns == base - (s64)(10 * MS));
	a653_frame_locate(f, base, 2 * MS, &pos);
	CHECK(pos.seg == 1 && pos.start_ns == 1 * MS && pos.end_ns == 3 * MS);
	CHECK(a653_frame_boundary(f->major_ns, base, 0) == base);
}

/*
 * The rules
 */

#define NR_PARTS	4
#define NR_SCHEDS	3
#define NR_WINDOWS	24
#define NR_BUDGETS	12
#define NR_REPORTS	64

/**
 * struct table - a configuration with its arrays, and what was found in it
 * @test: the test
 * @conf: the configuration; points to what follows
 * @limits: what the machine is made to allow
 * @cpus: the module's CPUs
 * @partition: the partitions
 * @schedule: the schedules
 * @window: the windows
 * @budget: the budgets
 * @scratch: for the check
 * @nr: violations that were reported
 * @stop_after: how many of them are wanted
 * @v: the first of them
 */
struct table {
	struct kunit *test;
	struct a653_conf conf;
	struct a653_limits limits;
	u64 cpus[2];
	struct a653_partition partition[NR_PARTS];
	struct a653_schedule schedule[NR_SCHEDS];
	struct a653_window window[NR_WINDOWS];
	struct a653_budget budget[NR_BUDGETS];
	u32 scratch[NR_WINDOWS + NR_BUDGETS];
	u32 nr;
	u32 stop_after;
	struct a653_violation v[NR_REPORTS];
};

static struct table *alloc_table(struct kunit *test)
{
	struct table *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->test = test;
	return t;
}

static void empty_table(struct table *t)
{
	struct kunit *test = t->test;

	memset(t, 0, sizeof(*t));
	t->test = test;
	t->stop_after = INT_MAX;
	t->limits.nr_cpus = 128;
	t->limits.min_slack_pct = 5;
	t->conf.cpus = t->cpus;
	t->conf.partitions = t->partition;
	t->conf.schedules = t->schedule;
	t->conf.windows = t->window;
	t->conf.budgets = t->budget;
	t->conf.cfg.size = sizeof(t->conf.cfg);
	strscpy(t->conf.cfg.module, "ima0", A653_NAME_LEN);
	t->conf.cfg.clock = CLOCK_MONOTONIC;
	t->conf.cfg.nr_cpu_words = ARRAY_SIZE(t->cpus);
}

static struct a653_partition *add_partition(struct table *t, const char *name,
					    u64 period_ns, u64 duration_ns)
{
	struct a653_partition *p;

	p = &t->partition[t->conf.cfg.nr_partitions++];
	strscpy(p->name, name, A653_NAME_LEN);
	p->period_ns = period_ns;
	p->duration_ns = duration_ns;
	return p;
}

static struct a653_schedule *add_schedule(struct table *t, const char *name,
					  u64 major_ns, u32 flags)
{
	struct a653_schedule *s = &t->schedule[t->conf.cfg.nr_schedules++];

	strscpy(s->name, name, A653_NAME_LEN);
	s->major_frame_ns = major_ns;
	s->flags = flags;
	return s;
}

/* To the schedule that was added last */
static struct a653_window *add_window(struct table *t, u32 partition, u32 cpu,
				      u64 offset_ns, u64 duration_ns)
{
	struct a653_window *w = &t->window[t->conf.cfg.nr_windows++];

	t->schedule[t->conf.cfg.nr_schedules - 1].nr_windows++;
	memset(w, 0, sizeof(*w));
	w->partition = partition;
	w->cpu = cpu;
	w->offset_ns = offset_ns;
	w->duration_ns = duration_ns;
	return w;
}

static struct a653_budget *add_budget(struct table *t, u32 partition, u32 cpu,
				      u64 budget_ns, u64 period_ns)
{
	struct a653_budget *b = &t->budget[t->conf.cfg.nr_budgets++];

	b->partition = partition;
	b->cpu = cpu;
	b->budget_ns = budget_ns;
	b->period_ns = period_ns;
	return b;
}

/* A sound configuration, for tests to spoil */
static void demo_table(struct table *t)
{
	empty_table(t);
	t->cpus[0] = 3;
	add_partition(t, "flight", 10 * MS, 3 * MS);
	add_partition(t, "display", 0, 0);
	add_partition(t, "logger", 0, 0);
	add_schedule(t, "cruise", 10 * MS, A653_SCHEDULE_EXCLUSIVE);
	add_window(t, 0, 0, 0, 3 * MS)->flags = A653_WINDOW_STRICT;
	add_window(t, 0, 1, 0, 3 * MS)->flags = A653_WINDOW_STRICT;
	add_window(t, 1, 0, 4 * MS, 2500 * US);
	add_schedule(t, "ground", 25 * MS, 0);
	add_window(t, 1, 1, 10 * MS, 10 * MS);
	add_window(t, 2, 0, 12 * MS, 1 * MS);
	add_budget(t, 2, 0, 2 * MS, 10 * MS)->flags = A653_BUDGET_EXTRATIME;
	add_budget(t, 1, 1, 1 * MS, 20 * MS);
	add_budget(t, 2, 1, 2 * MS, 10 * MS)->flags = A653_BUDGET_EXTRATIME;
}

static bool collect(void *ctx, const struct a653_violation *v)
{
	struct table *t = ctx;
	struct kunit *test = t->test;
	size_t len = strnlen(v->text, sizeof(v->text)), i;

	CHECK(v->err > 0);
	CHECK(v->partition == A653_NOBODY ||
	      v->partition < t->conf.cfg.nr_partitions);
	CHECK(v->schedule == A653_NOBODY ||
	      v->schedule < t->conf.cfg.nr_schedules);
	CHECK(v->window == A653_NOBODY || v->window < t->conf.cfg.nr_windows);
	CHECK(v->other == A653_NOBODY || v->other < t->conf.cfg.nr_windows);
	CHECK(v->budget == A653_NOBODY || v->budget < t->conf.cfg.nr_budgets);
	/* One byte to spare: nothing was cut off */
	CHECK(len && len < sizeof(v->text) - 1);
	for (i = 0; i < len; i++)
		CHECK(v->text[i] >= ' ' && v->text[i] <= '~');
	for (; i < sizeof(v->text); i++)
		CHECK(!v->text[i]);

	if (t->nr < NR_REPORTS)
		t->v[t->nr] = *v;
	return ++t->nr < t->stop_after;
}

static int check_table(struct table *t)
{
	struct kunit *test = t->test;
	u32 nr;

	t->nr = 0;
	nr = a653_conf_check(&t->conf, &t->limits, t->scratch, collect, t);
	CHECK(nr == t->nr);
	return nr;
}

static void accepted(struct table *t)
{
	check_table(t);
	KUNIT_ASSERT_EQ_MSG(t->test, t->nr, 0, "%s\n", t->v[0].text);
	demo_table(t);
}

/* Refused for this reason and no other; a sound table is put back */
static void refused_place(struct table *t, int err, u32 partition, u32 schedule,
			  u32 window, u32 other, u32 budget, const char *text)
{
	struct kunit *test = t->test;

	check_table(t);
	KUNIT_ASSERT_STREQ(test, t->v[0].text, text);
	KUNIT_ASSERT_EQ_MSG(test, t->nr, 1, "%s\n", t->v[1].text);
	KUNIT_ASSERT_EQ(test, t->v[0].err, err);
	KUNIT_ASSERT_EQ(test, t->v[0].partition, partition);
	KUNIT_ASSERT_EQ(test, t->v[0].schedule, schedule);
	KUNIT_ASSERT_EQ(test, t->v[0].window, window);
	KUNIT_ASSERT_EQ(test, t->v[0].other, other);
	KUNIT_ASSERT_EQ(test, t->v[0].budget, budget);
	demo_table(t);
}

static void refused(struct table *t, int err, u32 partition, u32 schedule,
		    u32 window, u32 other, const char *text)
{
	refused_place(t, err, partition, schedule, window, other, A653_NOBODY,
		      text);
}

static void refused_module(struct table *t, int err, const char *text)
{
	refused(t, err, A653_NOBODY, A653_NOBODY, A653_NOBODY, A653_NOBODY,
		text);
}

static void refused_partition(struct table *t, int err, u32 partition,
			      const char *text)
{
	refused(t, err, partition, A653_NOBODY, A653_NOBODY, A653_NOBODY, text);
}

static void refused_schedule(struct table *t, int err, u32 schedule,
			     const char *text)
{
	refused(t, err, A653_NOBODY, schedule, A653_NOBODY, A653_NOBODY, text);
}

static void refused_window(struct table *t, int err, u32 schedule, u32 window,
			   const char *text)
{
	refused(t, err, A653_NOBODY, schedule, window, A653_NOBODY, text);
}

static void refused_pair(struct table *t, u32 schedule, u32 window, u32 other,
			 const char *text)
{
	refused(t, EINVAL, A653_NOBODY, schedule, window, other, text);
}

static void refused_budget(struct table *t, int err, u32 partition, u32 budget,
			   const char *text)
{
	refused_place(t, err, partition, A653_NOBODY, A653_NOBODY, A653_NOBODY,
		      budget, text);
}

static void head_refusals(struct kunit *test)
{
	struct table *t = alloc_table(test);
	struct a653_config *cfg = &t->conf.cfg;

	demo_table(t);
	accepted(t);

	cfg->flags = A653_CONFIG_BASE | A653_CONFIG_WAIT | A653_CONFIG_DRY_RUN;
	cfg->base_ns = S64_MAX;
	cfg->clock = CLOCK_TAI;
	cfg->initial = 1;
	accepted(t);

	cfg->flags = 8;
	refused_module(t, EINVAL, "unknown flags 0x8");
	cfg->module[0] = 0;
	cfg->module[1] = 0;
	cfg->module[2] = 0;
	cfg->module[3] = 0;
	refused_module(t, EINVAL, "name of the module is empty");
	cfg->clock = 0;
	refused_module(t, EINVAL,
		       "clock 0 is neither CLOCK_MONOTONIC (1) nor CLOCK_TAI (11)");
	cfg->flags = A653_CONFIG_BASE;
	cfg->base_ns = -1;
	refused_module(t, EINVAL, "base time -1ns is negative");
	cfg->base_ns = 5;
	refused_module(t, EINVAL,
		       "base time 5ns is set, but A653_CONFIG_BASE is not");
	cfg->initial = 2;
	refused_module(t, EINVAL,
		       "initial schedule #2 does not exist: there are 2");

	cfg->nr_partitions = 0;
	refused_module(t, EINVAL, "the module has no partition");
	cfg->nr_partitions = 257;
	refused_module(t, E2BIG, "257 partitions are more than 256");
	cfg->nr_schedules = 0;
	cfg->nr_windows = 0;
	refused_module(t, EINVAL, "the module has no schedule");
	cfg->nr_schedules = 17;
	refused_module(t, E2BIG, "17 schedules are more than 16");
	cfg->nr_cpu_words = U32_MAX;
	refused_module(t, E2BIG, "4294967295 words of CPUs are more than 1024");
	t->limits.nr_cpus = 4;
	cfg->nr_windows = 4097;
	refused_module(t, E2BIG,
		       "4097 windows are more than 512 on each of 4 CPUs in 2 schedules");
	t->limits.nr_cpus = 4;
	cfg->nr_budgets = 13;
	refused_module(t, E2BIG,
		       "13 budgets are more than one for each of 3 partitions on each of 4 CPUs");
	cfg->nr_windows = 4;
	refused_module(t, EINVAL,
		       "the schedules have 5 windows in sum, but 4 are given");
	cfg->nr_windows = 6;
	refused_module(t, EINVAL,
		       "the schedules have 5 windows in sum, but 6 are given");
	/* A sum that is right in 32 bits */
	t->schedule[0].nr_windows = U32_MAX;
	t->schedule[1].nr_windows = 6;
	refused_module(t, EINVAL,
		       "the schedules have 4294967301 windows in sum, but 5 are given");

	cfg->nr_windows = 0;
	cfg->nr_budgets = 0;
	t->schedule[0].nr_windows = 0;
	t->schedule[1].nr_windows = 0;
	t->cpus[0] = 0;
	refused_module(t, EINVAL, "the module has no CPU");
	cfg->nr_windows = 0;
	cfg->nr_budgets = 0;
	t->schedule[0].nr_windows = 0;
	t->schedule[1].nr_windows = 0;
	cfg->nr_cpu_words = 0;
	refused_module(t, EINVAL, "the module has no CPU");
	t->limits.nr_cpus = 100;
	t->cpus[1] = 3ULL << (100 - 64);
	refused_module(t, EINVAL,
		       "CPU 100 of the module does not exist: numbers are below 100");
	t->limits.nr_cpus = 100;
	t->cpus[1] = 1ULL << (99 - 64);
	accepted(t);

	/* A module with nothing but slack does no harm */
	cfg->nr_windows = 0;
	t->schedule[0].nr_windows = 0;
	t->schedule[1].nr_windows = 0;
	accepted(t);
}

/* The device refuses a head before it has allocated anything for it */
static void head_needs_no_arrays(struct kunit *test)
{
	struct table *t = alloc_table(test);

	demo_table(t);
	CHECK(a653_config_check(&t->conf.cfg, &t->limits, collect, t) == 0);
	t->conf.cfg.nr_windows = U32_MAX;
	t->conf.cfg.nr_partitions = U32_MAX;
	t->conf.cfg.nr_schedules = U32_MAX;
	t->conf.cfg.nr_cpu_words = U32_MAX;
	t->conf.cfg.nr_budgets = U32_MAX;
	t->limits.nr_cpus = U32_MAX;
	t->nr = 0;
	CHECK(a653_config_check(&t->conf.cfg, &t->limits, collect, t) == 3);
	t->limits.nr_cpus = 8192;
	t->nr = 0;
	CHECK(a653_config_check(&t->conf.cfg, &t->limits, collect, t) == 5);
	t->nr = 0;
	CHECK(a653_conf_check(&t->conf, &t->limits, NULL, collect, t) == 5);
}

static void names(struct kunit *test)
{
	static const char good[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
	struct table *t = alloc_table(test);
	char exact[A653_NAME_LEN];
	int i;

	CHECK(!a653_name_ok(""));
	CHECK(a653_name_ok("a"));
	CHECK(a653_name_ok("Az09_.-"));
	CHECK(!a653_name_ok("a b"));
	CHECK(!a653_name_ok("a/b"));
	CHECK(!a653_name_ok("a\n"));
	CHECK(!a653_name_ok("\xe4"));
	for (i = 1; i < 256; i++) {
		exact[0] = i;
		exact[1] = 0;
		CHECK(a653_name_ok(exact) == !!strchr(good, exact[0]));
	}
	/* Nothing behind the array is read to find its end */
	memset(exact, 'x', sizeof(exact));
	CHECK(!a653_name_ok(exact));
	exact[A653_NAME_LEN - 1] = 0;
	CHECK(a653_name_ok(exact));

	demo_table(t);
	memset(t->partition[1].name, 'x', A653_NAME_LEN);
	refused_partition(t, EINVAL, 1, "name of partition #1 is too long");
	memset(t->partition[2].name, 0, A653_NAME_LEN);
	refused_partition(t, EINVAL, 2, "name of partition #2 is empty");
	t->partition[0].name[2] = '\n';
	refused_partition(t, EINVAL, 0,
			  "name of partition #0 has a character other than A-Z a-z 0-9 _ . -");
	t->partition[0].name[A653_NAME_LEN - 1] = 'x';
	refused_partition(t, EINVAL, 0,
			  "name of partition #0 is followed by bytes that are not zero");
	t->schedule[1].name[0] = ' ';
	refused_schedule(t, EINVAL, 1,
			 "name of schedule #1 has a character other than A-Z a-z 0-9 _ . -");
	memset(t->conf.cfg.module, 'y', A653_NAME_LEN);
	refused_module(t, EINVAL, "name of the module is too long");
	/* What has no name has a number */
	t->partition[1].name[0] = '"';
	t->window[2].offset_ns = 2 * MS;
	CHECK(check_table(t) == 2);
	KUNIT_ASSERT_STREQ(test, t->v[1].text,
			   "window of #1 on CPU 0 at 2ms (2500us) overlaps window of \"flight\" at 0ms in schedule \"cruise\"");
}

static void lesson12_names_are_unique(struct kunit *test)
{
	struct table *t = alloc_table(test);

	demo_table(t);
	strscpy(t->partition[2].name, "flight", A653_NAME_LEN);
	refused_partition(t, EEXIST, 2, "there are two partitions \"flight\"");
	strscpy(t->schedule[1].name, "cruise", A653_NAME_LEN);
	refused_schedule(t, EEXIST, 1, "there are two schedules \"cruise\"");
	/* The beginning of another one is another one */
	strscpy(t->partition[2].name, "fligh", A653_NAME_LEN);
	accepted(t);
}

static void partition_refusals(struct kunit *test)
{
	struct table *t = alloc_table(test);

	demo_table(t);
	t->partition[1].flags = 2;
	refused_partition(t, EINVAL, 1,
			  "partition \"display\" has unknown flags 0x2");
	t->partition[1].reserved = 4;
	refused_partition(t, EINVAL, 1,
			  "partition \"display\" has unknown flags 0x4");
	t->partition[0].period_ns = 0;
	refused_partition(t, EINVAL, 0,
			  "partition \"flight\" has a duration (3ms), but no period");
	t->partition[0].duration_ns = 0;
	refused_partition(t, EINVAL, 0,
			  "partition \"flight\" has a period (10ms), but no duration");
	t->partition[0].period_ns = 3 * MS - 1;
	refused_partition(t, EINVAL, 0,
			  "duration of partition \"flight\" (3ms) is longer than its period (2999999ns)");
	t->partition[0].period_ns = A653_MIN_WINDOW_NS - 1;
	t->partition[0].duration_ns = 1;
	refused_partition(t, EINVAL, 0,
			  "period of partition \"flight\" (99999ns) is shorter than 100us");
	t->partition[0].period_ns = U64_MAX;
	refused_partition(t, EINVAL, 0,
			  "period of partition \"flight\" (18446744073709551615ns) is longer than 3600s");
	/* Without a window it may declare anything that makes sense */
	t->partition[2].period_ns = A653_MAX_MAJOR_FRAME_NS;
	t->partition[2].duration_ns = A653_MAX_MAJOR_FRAME_NS;
	t->schedule[1].nr_windows = 1;
	t->conf.cfg.nr_windows = 4;
	accepted(t);
}

static void schedule_refusals(struct kunit *test)
{
	struct table *t = alloc_table(test);

	demo_table(t);
	t->schedule[0].flags = 3;
	refused_schedule(t, EINVAL, 0,
			 "schedule \"cruise\" has unknown flags 0x2");
	t->schedule[1].major_frame_ns = 0;
	refused_schedule(t, EINVAL, 1,
			 "major frame of schedule \"ground\" has no length");
	t->schedule[1].major_frame_ns = A653_MAX_MAJOR_FRAME_NS + 1;
	refused_schedule(t, EINVAL, 1,
			 "major frame of schedule \"ground\" (3600000000001ns) is longer than 3600s");
	t->schedule[1].major_frame_ns = U64_MAX;
	refused_schedule(t, EINVAL, 1,
			 "major frame of schedule \"ground\" (18446744073709551615ns) is longer than 3600s");
	t->schedule[1].major_frame_ns = A653_MAX_MAJOR_FRAME_NS;
	accepted(t);
}

static void window_refusals(struct kunit *test)
{
	struct table *t = alloc_table(test);

	demo_table(t);
	t->window[2].partition = 3;
	refused_window(t, EINVAL, 0, 2,
		       "window #2 of schedule \"cruise\" is of partition #3: there are 3");
	t->window[2].partition = U32_MAX;
	refused_window(t, EINVAL, 0, 2,
		       "window #2 of schedule \"cruise\" is of partition #4294967295: there are 3");
	t->window[4].cpu = 2;
	refused_window(t, EINVAL, 1, 4,
		       "window of \"logger\" at 12ms in schedule \"ground\" is on CPU 2, which is not of the module");
	t->window[4].cpu = U32_MAX;
	refused_window(t, EINVAL, 1, 4,
		       "window of \"logger\" at 12ms in schedule \"ground\" is on CPU 4294967295, which is not of the module");
	t->window[3].flags = 0x80000001;
	refused_window(t, EINVAL, 1, 3,
		       "window of \"display\" at 10ms in schedule \"ground\" has unknown flags 0x80000000");
	t->window[3].reserved = 1;
	refused_window(t, EINVAL, 1, 3,
		       "window of \"display\" at 10ms in schedule \"ground\" has unknown flags 0x1");
	t->window[3].duration_ns = 15 * MS + 1;
	refused_window(t, EINVAL, 1, 3,
		       "window of \"display\" on CPU 1 at 10ms (15000001ns) ends after the major frame of schedule \"ground\" (25ms)");
	t->window[3].duration_ns = 15 * MS;
	accepted(t);
}

static void lesson07_overflowing_durations(struct kunit *test)
{
	struct table *t = alloc_table(test);

	demo_table(t);
	/* Modulo 2^64, it ends at 1 ms */
	t->window[3].duration_ns = 0 - 9 * MS;
	refused_window(t, EOVERFLOW, 1, 3,
		       "window of \"display\" on CPU 1 at 10ms (18446744073700551616ns) in schedule \"ground\" ends after the end of time");
	t->window[3].offset_ns = U64_MAX;
	t->window[3].duration_ns = 200 * US;
	refused_window(t, EOVERFLOW, 1, 3,
		       "window of \"display\" on CPU 1 at 18446744073709551615ns (200us) in schedule \"ground\" ends after the end of time");
	/* Two of them have a small sum */
	t->window[3].offset_ns = 0;
	t->window[3].duration_ns = 1ULL << 63;
	t->window[4].offset_ns = 0;
	t->window[4].duration_ns = (1ULL << 63) + MS;
	t->window[4].cpu = 1;
	CHECK(check_table(t) == 2);
	CHECK(t->v[0].window == 3 && t->v[1].window == 4);
	KUNIT_ASSERT_STREQ(test, t->v[1].text,
			   "window of \"logger\" on CPU 1 at 0ms (9223372036855775808ns) ends after the major frame of schedule \"ground\" (25ms)");
}

static void lesson08_window_of_a_nanosecond(struct kunit *test)
{
	struct table *t = alloc_table(test);

	demo_table(t);
	t->window[3].duration_ns = 1;
	refused_window(t, EINVAL, 1, 3,
		       "window of \"display\" on CPU 1 at 10ms (1ns) in schedule \"ground\" is shorter than 100us");
	t->window[3].duration_ns = A653_MIN_WINDOW_NS - 1;
	refused_window(t, EINVAL, 1, 3,
		       "window of \"display\" on CPU 1 at 10ms (99999ns) in schedule \"ground\" is shorter than 100us");
	t->window[3].duration_ns = 0;
	refused_window(t, EINVAL, 1, 3,
		       "window of \"display\" on CPU 1 at 10ms (0ms) in schedule \"ground\" is shorter than 100us");
	t->window[3].duration_ns = A653_MIN_WINDOW_NS;
	accepted(t);
}

/* Memory of exactly the size that is promised to be enough */
static void lesson09_full_table(struct kunit *test)
{
	const u32 nr = A653_MAX_WINDOWS + 1;
	struct table *t = alloc_table(test);
	struct a653_window *window;
	struct a653_frame *f;
	u32 *scratch, i;

	window = kunit_kzalloc(test, nr * sizeof(*window), GFP_KERNEL);
	scratch = kunit_kzalloc(test, nr * sizeof(*scratch), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, window);
	KUNIT_ASSERT_NOT_NULL(test, scratch);

	demo_table(t);
	t->schedule[0].major_frame_ns = 600 * MS;
	t->schedule[0].nr_windows = nr;
	t->partition[0].period_ns = 0;
	t->partition[0].duration_ns = 0;
	t->conf.cfg.nr_schedules = 1;
	t->conf.cfg.nr_windows = nr;
	t->conf.windows = window;
	for (i = 0; i < nr; i++) {
		/* From the last to the first: the order is none */
		window[i].offset_ns = (nr - i) * MS;
		window[i].duration_ns = 500 * US;
		window[i].partition = i % 3;
	}
	CHECK(a653_conf_check(&t->conf, &t->limits, scratch, collect, t) == 1);
	CHECK(t->v[0].err == E2BIG && t->v[0].schedule == 0);
	KUNIT_ASSERT_STREQ(test, t->v[0].text,
			   "schedule \"cruise\" has 513 windows on CPU 0: 512 are the most");

	t->schedule[0].nr_windows = nr - 1;
	t->conf.cfg.nr_windows = nr - 1;
	t->nr = 0;
	CHECK(a653_conf_check(&t->conf, &t->limits, scratch, collect, t) == 0);
	CHECK(a653_frame_max_segs(&t->conf, 0, 0) == 2 * A653_MAX_WINDOWS + 1);
	f = alloc_frame(test, 2 * A653_MAX_WINDOWS + 1);
	a653_frame_build(&t->conf, 0, 0, scratch, f);
	CHECK(f->nr_segs == 2 * A653_MAX_WINDOWS + 1);
	CHECK(f->nr_windows == A653_MAX_WINDOWS);
	for (i = 0; i < A653_MAX_WINDOWS; i++) {
		CHECK(f->seg[2 * i].partition == A653_GAP);
		CHECK(f->seg[2 * i].rank == i);
		CHECK(f->seg[2 * i + 1].start_ns == (i + 2) * MS);
		CHECK(f->seg[2 * i + 1].partition == (nr - 2 - i) % 3);
		CHECK(f->seg[2 * i + 1].rank == i);
	}
}

static void lesson16_report_has_no_stack_contents(struct kunit *test)
{
	struct table *t = alloc_table(test);

	/* collect() wants zeroes behind each text; here a short follows a long */
	demo_table(t);
	t->window[0].partition = 3;
	t->window[1].cpu = 77;
	t->window[2].duration_ns = U64_MAX;
	t->schedule[1].major_frame_ns = 0;
	CHECK(check_table(t) == 4);
	CHECK(t->v[0].err == EINVAL && t->v[3].err == EOVERFLOW);
}

static void lesson19_partition_without_windows(struct kunit *test)
{
	struct table *t = alloc_table(test);
	struct a653_frame *f = alloc_frame(test, 1);

	demo_table(t);
	t->schedule[1].nr_windows = 1;
	t->conf.cfg.nr_windows = 4;
	CHECK(check_table(t) == 0);
	/* A CPU without windows has a frame like any other */
	CHECK(a653_frame_max_segs(&t->conf, 1, 0) == 1);
	a653_frame_build(&t->conf, 1, 0, t->scratch, f);
	CHECK(f->major_ns == 25 * MS);
	CHECK(f->nr_segs == 1 && f->nr_windows == 0);
	CHECK(f->seg[0].start_ns == 0 && f->seg[0].partition == A653_GAP);
}

static void lesson20_overlap(struct kunit *test)
{
	struct table *t = alloc_table(test);

	demo_table(t);
	t->window[2].offset_ns = 3 * MS;
	accepted(t);
	t->window[2].offset_ns = 3 * MS - 1;
	t->schedule[0].flags = 0;
	refused_pair(t, 0, 2, 0,
		     "window of \"display\" on CPU 0 at 2999999ns (2500us) overlaps window of \"flight\" at 0ms in schedule \"cruise\"");
	/* Of the same partition */
	t->window[2].partition = 0;
	t->window[2].offset_ns = 2900 * US;
	refused_pair(t, 0, 2, 0,
		     "window of \"flight\" on CPU 0 at 2900us (2500us) overlaps window of \"flight\" at 0ms in schedule \"cruise\"");
	/* Behind the shadow of a long one, and twice the same */
	empty_table(t);
	t->cpus[1] = 2;
	add_partition(t, "a", 0, 0);
	add_partition(t, "b", 0, 0);
	add_schedule(t, "s", 100 * MS, 0);
	add_window(t, 0, 65, 10 * MS, 50 * MS);
	add_window(t, 0, 65, 11 * MS, 1 * MS);
	add_window(t, 1, 65, 40 * MS, 1 * MS);
	add_window(t, 1, 65, 70 * MS, 1 * MS);
	add_window(t, 1, 65, 70 * MS, 1 * MS);
	CHECK(check_table(t) == 3);
	CHECK(t->v[0].window == 1 && t->v[0].other == 0);
	CHECK(t->v[1].window == 2 && t->v[1].other == 0);
	CHECK(t->v[2].window == 4 && t->v[2].other == 3);
	/* Other schedules and other CPUs are none of it */
	t->window[1].cpu = 64;
	t->window[2].cpu = 64;
	t->cpus[1] = 3;
	t->schedule[0].nr_windows = 4;
	add_schedule(t, "t", 100 * MS, 0)->nr_windows = 1;
	accepted(t);
}

static void exclusive_refusals(struct kunit *test)
{
	struct table *t = alloc_table(test);

	demo_table(t);
	t->window[2].cpu = 1;
	t->window[1].duration_ns = 1 * MS;
	t->window[2].offset_ns = 3 * MS;
	accepted(t);
	t->window[2].cpu = 1;
	t->window[1].duration_ns = 1 * MS;
	t->window[2].offset_ns = 3 * MS - 1;
	refused_pair(t, 0, 2, 0,
		     "window of \"display\" on CPU 1 at 2999999ns (2500us) meets window of \"flight\" on CPU 0 at 0ms in exclusive schedule \"cruise\"");
	t->window[2].cpu = 1;
	t->window[1].duration_ns = 1 * MS;
	t->window[2].offset_ns = 3 * MS - 1;
	t->schedule[0].flags = 0;
	accepted(t);
	/* The one to meet is hidden behind a longer one of the same partition */
	t->window[0].duration_ns = 9 * MS;
	t->window[1].offset_ns = 1 * MS;
	t->window[1].duration_ns = 4 * MS;
	t->window[1].partition = 1;
	t->window[2].partition = 0;
	t->window[2].offset_ns = 2 * MS;
	t->window[2].cpu = 64;
	t->cpus[1] = 1;
	CHECK(check_table(t) == 2);
	CHECK(t->v[0].window == 1 && t->v[0].other == 0);
	CHECK(t->v[1].window == 2 && t->v[1].other == 1);
}

static void slack_refusals(struct kunit *test)
{
	struct table *t = alloc_table(test);

	demo_table(t);
	t->window[3].duration_ns = 15 * MS;
	t->window[3].offset_ns = 10 * MS;
	t->limits.min_slack_pct = 40;
	CHECK(check_table(t) == 0);
	t->window[3].duration_ns++;
	t->window[3].offset_ns--;
	refused_schedule(t, EBUSY, 1,
			 "windows fill 15000001ns of the major frame (25ms) on CPU 1 in schedule \"ground\": 40% must stay free");
	t->window[3].offset_ns = 0;
	t->window[3].duration_ns = 25 * MS;
	refused_schedule(t, EBUSY, 1,
			 "windows fill 25ms of the major frame (25ms) on CPU 1 in schedule \"ground\": 5% must stay free");
	t->window[3].offset_ns = 0;
	t->window[3].duration_ns = 25 * MS;
	t->limits.min_slack_pct = 0;
	accepted(t);
	/* Each window is too much then, and nothing worse happens */
	t->limits.min_slack_pct = U32_MAX;
	CHECK(check_table(t) == 4);
}

static void supply_refusals(struct kunit *test)
{
	struct table *t = alloc_table(test);

	demo_table(t);
	t->partition[0].period_ns = 4 * MS;
	refused(t, EINVAL, 0, 0, A653_NOBODY, A653_NOBODY,
		"major frame of schedule \"cruise\" (10ms) is no multiple of the period of partition \"flight\" (4ms)");
	t->partition[0].period_ns = 5 * MS;
	refused(t, EINVAL, 0, 0, A653_NOBODY, A653_NOBODY,
		"partition \"flight\" has windows of 0ms in the period from 5ms to 10ms of schedule \"cruise\": its duration is 3ms");
	/* On two CPUs at once is not twice */
	t->partition[0].duration_ns = 3 * MS + 1;
	refused(t, EINVAL, 0, 0, A653_NOBODY, A653_NOBODY,
		"partition \"flight\" has windows of 3ms in the period from 0ms to 10ms of schedule \"cruise\": its duration is 3000001ns");
	t->partition[0].duration_ns = 3 * MS + 1;
	t->window[1].offset_ns = 1;
	accepted(t);
	/* What is missing may be the window that is wrong: that one is told */
	t->window[0].cpu = 9;
	t->window[1].cpu = 9;
	CHECK(check_table(t) == 2);

	/* As many periods as there can be, most of them within one window */
	demo_table(t);
	t->schedule[1].major_frame_ns = A653_MAX_MAJOR_FRAME_NS;
	t->partition[1].period_ns = A653_MIN_WINDOW_NS;
	t->partition[1].duration_ns = A653_MIN_WINDOW_NS;
	t->schedule[0].nr_windows = 2;
	t->schedule[1].nr_windows = 3;
	t->window[2].cpu = 1;
	t->window[2].offset_ns = 0;
	t->window[2].duration_ns = A653_MAX_MAJOR_FRAME_NS / 2;
	t->window[3].cpu = 0;
	t->window[3].offset_ns = A653_MAX_MAJOR_FRAME_NS / 2;
	t->window[3].duration_ns = A653_MAX_MAJOR_FRAME_NS / 2 - MS;
	refused(t, EINVAL, 1, 1, A653_NOBODY, A653_NOBODY,
		"partition \"display\" has windows of 0ms in the period from 3599999ms to 3599999100us of schedule \"ground\": its duration is 100us");
}

/* Names of full length, and the largest numbers that get that far */
static void budget_refusals(struct kunit *test)
{
	struct table *t = alloc_table(test);
	struct a653_budget *b = t->budget;

	demo_table(t);
	/* The shortest and the longest, and all of a CPU */
	b[1].budget_ns = RTDS_MIN_BUDGET_NS;
	b[1].period_ns = RTDS_MIN_PERIOD_NS;
	accepted(t);
	b[1].budget_ns = RTDS_MAX_PERIOD_NS;
	b[1].period_ns = RTDS_MAX_PERIOD_NS;
	accepted(t);
	t->conf.cfg.nr_budgets = 0;
	t->conf.budgets = NULL;
	accepted(t);

	b[1].partition = 3;
	refused_budget(t, EINVAL, A653_NOBODY, 1,
		       "budget #1 is of partition #3: there are 3");
	b[0].cpu = 2;
	refused_budget(t, EINVAL, 2, 0,
		       "budget of \"logger\" is on CPU 2, which is not of the module");
	b[1].flags = A653_BUDGET_EXTRATIME | 2;
	refused_budget(t, EINVAL, 1, 1,
		       "budget of \"display\" on CPU 1 has unknown flags 0x2");
	b[1].reserved = 16;
	refused_budget(t, EINVAL, 1, 1,
		       "budget of \"display\" on CPU 1 has unknown flags 0x10");
	b[1].period_ns = 99999;
	b[1].budget_ns = 10000;
	refused_budget(t, EINVAL, 1, 1,
		       "period of the budget of \"display\" on CPU 1 (99999ns) is shorter than 100us");
	b[1].period_ns = 4000000001;
	refused_budget(t, EINVAL, 1, 1,
		       "period of the budget of \"display\" on CPU 1 (4000000001ns) is longer than 4s");
	b[1].budget_ns = 20 * MS + 1;
	refused_budget(t, EINVAL, 1, 1,
		       "budget of \"display\" on CPU 1 (20000001ns) is longer than its period (20ms)");
	b[1].budget_ns = 9999;
	refused_budget(t, EINVAL, 1, 1,
		       "budget of \"display\" on CPU 1 (9999ns) is shorter than 10us");
	b[1].budget_ns = 0;
	refused_budget(t, EINVAL, 1, 1,
		       "budget of \"display\" on CPU 1 (0ms) is shorter than 10us");
	/* Nothing to compare a wrong one with, and a wrong sum is no news */
	b[0].budget_ns = 0;
	refused_budget(t, EINVAL, 2, 0,
		       "budget of \"logger\" on CPU 0 (0ms) is shorter than 10us");

	b[2].cpu = 0;
	refused_budget(t, EEXIST, 2, 2,
		       "partition \"logger\" has two budgets on CPU 0");
	b[2].budget_ns = 1 * MS;
	refused_budget(t, EINVAL, 2, 2,
		       "budgets of \"logger\" on CPU 0 and on CPU 1 are not the same");
	b[2].period_ns = 20 * MS;
	refused_budget(t, EINVAL, 2, 2,
		       "budgets of \"logger\" on CPU 0 and on CPU 1 are not the same");
	b[0].flags = 0;
	refused_budget(t, EINVAL, 2, 2,
		       "budgets of \"logger\" on CPU 0 and on CPU 1 are not the same");
	/* Each is measured by that of the first CPU, wherever it stands */
	add_budget(t, 1, 0, 1 * MS, 20 * MS);
	accepted(t);
	add_budget(t, 1, 0, 1 * MS, 40 * MS);
	refused_budget(t, EINVAL, 1, 1,
		       "budgets of \"display\" on CPU 0 and on CPU 1 are not the same");
}

/* Any number of budgets, against each pair of them */
static void budgets_like_pairs(struct kunit *test)
{
	u32 i, j, two, differ, first, seen_two = 0, seen_differ = 0;
	struct table *t = alloc_table(test);
	struct rnd *r = test->priv;
	struct a653_budget *b;

	for (r->round = 0; r->round < ROUNDS; r->round++) {
		demo_table(t);
		t->conf.cfg.nr_budgets = 0;
		t->cpus[0] = 15;
		b = t->budget;
		for (i = rnd_in(r, 0, NR_BUDGETS); i; i--)
			add_budget(t, rnd_in(r, 0, 2), rnd_in(r, 0, 3), 1 * MS,
				   10 * MS + (rnd_in(r, 0, 20) ? 0 : 1))->flags =
				!rnd_in(r, 0, 20);
		two = 0;
		differ = 0;
		for (i = 0; i < t->conf.cfg.nr_budgets; i++) {
			first = i;
			for (j = 0; j < t->conf.cfg.nr_budgets; j++)
				if (b[j].partition == b[i].partition &&
				    (b[j].cpu < b[first].cpu ||
				     (b[j].cpu == b[first].cpu && j < first)))
					first = j;
			for (j = 0; j < i; j++)
				if (b[j].partition == b[i].partition &&
				    b[j].cpu == b[i].cpu)
					break;
			if (j < i)
				two++;
			else if (b[i].period_ns != b[first].period_ns ||
				 b[i].flags != b[first].flags)
				differ++;
		}
		check_table(t);
		CHECK(t->nr == two + differ);
		for (i = 0; i < min_t(u32, t->nr, NR_REPORTS); i++) {
			CHECK(t->v[i].budget < t->conf.cfg.nr_budgets);
			two -= t->v[i].err == EEXIST;
			differ -= t->v[i].err == EINVAL;
		}
		CHECK(t->nr > NR_REPORTS || (!two && !differ));
		seen_two += t->nr && t->v[0].err == EEXIST;
		seen_differ += t->nr && t->v[0].err == EINVAL;
	}
	CHECK(seen_two > ROUNDS / 20 && seen_differ > ROUNDS / 20);
}

static void longest_sentences(struct kunit *test)
{
	struct table *t = alloc_table(test);
	u32 i;

	demo_table(t);
	for (i = 0; i < 3; i++)
		memset(t->partition[i].name, 'a' + i, A653_NAME_LEN - 1);
	for (i = 0; i < 2; i++)
		memset(t->schedule[i].name, 'x' + i, A653_NAME_LEN - 1);
	t->conf.cfg.nr_cpu_words = 1;
	t->schedule[0].major_frame_ns = A653_MAX_MAJOR_FRAME_NS;
	t->partition[0].period_ns = A653_MAX_MAJOR_FRAME_NS - 1;
	t->window[0].offset_ns = 1000000000001ULL;
	t->window[0].duration_ns = 2500000000001ULL;
	t->window[1].offset_ns = 1000000000003ULL;
	t->window[1].duration_ns = 2500000000001ULL;
	t->window[2].offset_ns = 1000000000005ULL;
	t->window[2].duration_ns = 2500000000001ULL;
	t->limits.min_slack_pct = 99;
	t->window[3].duration_ns = U64_MAX;
	t->window[4].offset_ns = U64_MAX;
	t->window[4].duration_ns = 0;
	t->window[4].cpu = U32_MAX;
	/* collect() sees that nothing was cut off */
	check_table(t);
	CHECK(t->nr == 8);

	demo_table(t);
	memset(t->partition[1].name, 'p', A653_NAME_LEN - 1);
	memset(t->schedule[1].name, 's', A653_NAME_LEN - 1);
	t->window[3].cpu = U32_MAX;
	t->window[3].offset_ns = U64_MAX - 1;
	t->window[3].duration_ns = 99999;
	t->window[3].reserved = U32_MAX;
	t->partition[1].period_ns = 99999;
	t->partition[1].duration_ns = U64_MAX;
	t->partition[0].period_ns = U64_MAX - 1;
	t->partition[0].duration_ns = U64_MAX;
	check_table(t);
	CHECK(t->nr == 6);

	demo_table(t);
	memset(t->partition[1].name, 'p', A653_NAME_LEN - 1);
	memset(t->partition[2].name, 'q', A653_NAME_LEN - 1);
	t->budget[0].period_ns = U64_MAX;
	t->budget[0].flags = U32_MAX;
	t->budget[1].cpu = U32_MAX;
	t->budget[1].budget_ns = U64_MAX;
	t->budget[1].reserved = U32_MAX;
	t->budget[2].period_ns = 99999;
	t->budget[2].budget_ns = 9999;
	check_table(t);
	CHECK(t->nr == 7);
}

static void report_can_stop(struct kunit *test)
{
	struct table *t = alloc_table(test);
	int all, i;

	demo_table(t);
	t->conf.cfg.clock = 5;
	t->partition[0].flags = 1;
	t->schedule[0].flags |= 2;
	t->window[0].duration_ns = 1;
	t->window[1].duration_ns = 1;
	t->window[2].duration_ns = 1;
	t->window[4].offset_ns = 24500 * US;
	t->budget[0].flags = 2;
	t->budget[1].reserved = 1;
	all = check_table(t);
	CHECK(all == 9);
	for (i = 1; i <= all; i++) {
		t->stop_after = i;
		CHECK(check_table(t) == i);
	}
}

/*
 * Rules on windows together, against a grid: each tick is one bit on one CPU
 */

#define GRID_CPUS	3
#define GRID_TICKS	24
#define TICK		A653_MIN_WINDOW_NS

static const u32 grid_cpu[GRID_CPUS] = { 0, 2, 65 };

struct grid {
	u8 nr_windows[GRID_CPUS][GRID_TICKS];
	u8 partitions[GRID_TICKS];
};

static u32 grid_cpu_index(u32 cpu)
{
	return cpu == grid_cpu[0] ? 0 : cpu == grid_cpu[1] ? 1 : 2;
}

static u32 ticks(u64 ns)
{
	return div64_u64(ns, TICK);
}

static u32 first_window(const struct table *t, u32 schedule)
{
	u32 first = 0, i;

	for (i = 0; i < schedule; i++)
		first += t->schedule[i].nr_windows;
	return first;
}

static bool window_fits(const struct table *t, u32 schedule,
			const struct a653_window *w)
{
	return w->offset_ns + w->duration_ns <=
	       t->schedule[schedule].major_frame_ns;
}

static void mark(struct grid *g, const struct a653_window *w)
{
	u32 cpu = grid_cpu_index(w->cpu), tick = ticks(w->offset_ns), i;

	for (i = 0; i < ticks(w->duration_ns); i++, tick++) {
		g->nr_windows[cpu][tick]++;
		g->partitions[tick] |= 1 << w->partition;
	}
}

static bool is_free(const struct grid *g, const struct a653_window *w)
{
	u32 cpu = grid_cpu_index(w->cpu), tick = ticks(w->offset_ns), i;

	for (i = 0; i < ticks(w->duration_ns); i++, tick++)
		if (tick < GRID_TICKS && g->nr_windows[cpu][tick])
			return false;
	return true;
}

static void random_table(struct rnd *r, struct table *t)
{
	static const u8 majors[] = { 6, 8, 12, 12, 16, 18, 20, 24, 24, 24 };
	static const u8 slacks[] = { 0, 0, 5, 60 };
	bool tidy = rnd_in(r, 0, 3);
	char name[2] = "a";
	struct a653_window w = {};
	struct grid g;
	u32 period, ticks, nr, i, s;

	empty_table(t);
	t->limits.min_slack_pct = slacks[rnd_in(r, 0, ARRAY_SIZE(slacks) - 1)];
	for (i = 0; i < GRID_CPUS; i++)
		t->cpus[grid_cpu[i] / 64] |= 1ULL << (grid_cpu[i] % 64);
	nr = rnd_in(r, 1, NR_PARTS);
	for (i = 0; i < nr; i++, name[0]++) {
		period = rnd_in(r, 0, 2) ? 0 : rnd_in(r, 1, 4) * rnd_in(r, 1, 4);
		ticks = period ? rnd_in(r, 1, 1 + period / 4) : 0;
		add_partition(t, name, period * TICK, ticks * TICK);
	}
	nr = rnd_in(r, 1, NR_SCHEDS);
	for (s = 0; s < nr; s++, name[0]++) {
		memset(&g, 0, sizeof(g));
		ticks = majors[rnd_in(r, 0, ARRAY_SIZE(majors) - 1)];
		add_schedule(t, name, ticks * TICK, rnd_in(r, 0, 3) ? 0 :
			     A653_SCHEDULE_EXCLUSIVE);
		for (i = rnd_in(r, 0, NR_WINDOWS / NR_SCHEDS); i > 0; i--) {
			w.partition = rnd_in(r, 0, t->conf.cfg.nr_partitions - 1);
			w.cpu = grid_cpu[rnd_in(r, 0, GRID_CPUS - 1)];
			w.offset_ns = rnd_in(r, 0, ticks - 1) * TICK;
			w.duration_ns = rnd_in(r, 1, 1 + ticks / 4) * TICK;
			if (tidy && (!is_free(&g, &w) || !window_fits(t, s, &w)))
				continue;
			add_window(t, w.partition, w.cpu, w.offset_ns,
				   w.duration_ns)->flags = rnd_in(r, 0, 1);
			if (tidy)
				mark(&g, &w);
		}
	}
}

/* Violations of each kind */
struct verdict {
	u32 misfit;
	u32 overlap;
	u32 meet;
	u32 slack;
	u32 multiple;
	u32 duration;
};

static bool windows_overlap(const struct a653_window *a,
			    const struct a653_window *b)
{
	return a->offset_ns < b->offset_ns + b->duration_ns &&
	       b->offset_ns < a->offset_ns + a->duration_ns;
}

/* Windows that overlap one that starts before them, or has a lower index */
static void judge_pairs(const struct table *t, u32 schedule, struct verdict *v)
{
	u32 nr = t->schedule[schedule].nr_windows, i, j;
	const struct a653_window *w, *a, *b;
	bool overlap, meet;

	w = t->window + first_window(t, schedule);
	for (i = 0; i < nr; i++) {
		overlap = false;
		meet = false;
		for (j = 0; j < nr; j++) {
			a = &w[j];
			b = &w[i];
			if (a->offset_ns > b->offset_ns ||
			    (a->offset_ns == b->offset_ns && j >= i))
				continue;
			if (!window_fits(t, schedule, a) ||
			    !window_fits(t, schedule, b) ||
			    !windows_overlap(a, b))
				continue;
			overlap |= a->cpu == b->cpu;
			meet |= a->cpu != b->cpu && a->partition != b->partition;
		}
		v->overlap += overlap;
		if (t->schedule[schedule].flags & A653_SCHEDULE_EXCLUSIVE)
			v->meet += meet;
	}
}

static void judge_slack(const struct table *t, u32 schedule,
			const struct grid *g, struct verdict *v)
{
	u32 major = ticks(t->schedule[schedule].major_frame_ns);
	u32 cpu, tick, used;
	bool overlap;

	for (cpu = 0; cpu < GRID_CPUS; cpu++) {
		overlap = false;
		used = 0;
		for (tick = 0; tick < major; tick++) {
			used += !!g->nr_windows[cpu][tick];
			overlap |= g->nr_windows[cpu][tick] > 1;
		}
		if (!overlap && used &&
		    (major - used) * 100 < major * t->limits.min_slack_pct)
			v->slack++;
	}
}

static void judge_supply(const struct table *t, u32 schedule,
			 const struct grid *g, struct verdict *v)
{
	u32 major = ticks(t->schedule[schedule].major_frame_ns);
	u32 part, period, duration, tick, open;
	bool any, shortage;

	for (part = 0; part < t->conf.cfg.nr_partitions; part++) {
		any = false;
		for (tick = 0; tick < major; tick++)
			any |= g->partitions[tick] >> part & 1;
		period = ticks(t->partition[part].period_ns);
		duration = ticks(t->partition[part].duration_ns);
		if (!any || !period)
			continue;
		if (major % period) {
			v->multiple++;
			continue;
		}
		shortage = false;
		open = 0;
		for (tick = 0; tick < major; tick++) {
			open += g->partitions[tick] >> part & 1;
			if ((tick + 1) % period)
				continue;
			shortage |= open < duration;
			open = 0;
		}
		v->duration += shortage;
	}
}

static void judge(const struct table *t, struct verdict *v)
{
	const struct a653_window *w = t->window;
	struct grid g;
	u32 s, i, misfit;

	memset(v, 0, sizeof(*v));
	for (s = 0; s < t->conf.cfg.nr_schedules; s++) {
		memset(&g, 0, sizeof(g));
		misfit = 0;
		for (i = 0; i < t->schedule[s].nr_windows; i++, w++) {
			if (window_fits(t, s, w))
				mark(&g, w);
			else
				misfit++;
		}
		judge_pairs(t, s, v);
		judge_slack(t, s, &g, v);
		if (!misfit)
			judge_supply(t, s, &g, v);
		v->misfit += misfit;
	}
}

/* What was reported, by its words; and that it is true of what it names */
static void sort_reports(struct table *t, struct verdict *got)
{
	const struct a653_window *a = NULL, *b = NULL;
	struct kunit *test = t->test;
	u32 i;

	memset(got, 0, sizeof(*got));
	CHECK(t->nr <= NR_REPORTS);
	for (i = 0; i < t->nr; i++) {
		const struct a653_violation *v = &t->v[i];

		CHECK(v->schedule < t->conf.cfg.nr_schedules);
		if (v->window != A653_NOBODY) {
			a = &t->window[v->window];
			CHECK(v->window >= first_window(t, v->schedule));
			CHECK(v->window < first_window(t, v->schedule + 1));
		}
		if (v->other != A653_NOBODY) {
			b = &t->window[v->other];
			CHECK(v->other >= first_window(t, v->schedule));
			CHECK(v->other < first_window(t, v->schedule + 1));
			CHECK(windows_overlap(a, b));
		}
		if (strstr(v->text, " ends after the major frame ")) {
			CHECK(!window_fits(t, v->schedule, a));
			got->misfit++;
		} else if (strstr(v->text, " overlaps window ")) {
			CHECK(a->cpu == b->cpu);
			got->overlap++;
		} else if (strstr(v->text, " meets window ")) {
			CHECK(a->cpu != b->cpu && a->partition != b->partition);
			got->meet++;
		} else if (strstr(v->text, " must stay free")) {
			got->slack++;
		} else if (strstr(v->text, " is no multiple ")) {
			CHECK(v->partition < t->conf.cfg.nr_partitions);
			got->multiple++;
		} else if (strstr(v->text, ": its duration is ")) {
			CHECK(v->partition < t->conf.cfg.nr_partitions);
			got->duration++;
		} else {
			KUNIT_FAIL(test, "unexpected: %s\n", v->text);
		}
	}
}

/* A frame that was built says of each tick what the windows say */
static void compare_frame(struct table *t, struct a653_frame *f, u32 schedule,
			  u32 cpu)
{
	u32 first = first_window(t, schedule), nr_windows = 0, rank, i, seg;
	struct kunit *test = t->test;
	const struct a653_window *w;
	struct a653_pos pos;
	u64 tick_ns;

	memset(f, 0x5a, sizeof(*f) + MAX_SEGS * sizeof(f->seg[0]));
	f->nr_segs = MAX_SEGS;
	a653_frame_build(&t->conf, schedule, cpu, t->scratch, f);
	CHECK(f->nr_segs <= a653_frame_max_segs(&t->conf, schedule, cpu));
	CHECK(f->nr_segs && f->seg[0].start_ns == 0);
	CHECK(f->major_ns == t->schedule[schedule].major_frame_ns);
	for (seg = 1; seg < f->nr_segs; seg++) {
		CHECK(f->seg[seg].start_ns > f->seg[seg - 1].start_ns);
		/* No gap is cut in two */
		CHECK(f->seg[seg].partition != A653_GAP ||
		      f->seg[seg - 1].partition != A653_GAP);
	}
	CHECK(f->seg[f->nr_segs - 1].start_ns < f->major_ns);
	for (i = 0; i < t->schedule[schedule].nr_windows; i++)
		nr_windows += t->window[first + i].cpu == cpu;
	CHECK(f->nr_windows == nr_windows);

	for (tick_ns = 0; tick_ns < f->major_ns; tick_ns += TICK) {
		rank = 0;
		w = NULL;
		for (i = 0; i < t->schedule[schedule].nr_windows; i++) {
			const struct a653_window *x = &t->window[first + i];

			if (x->cpu != cpu || x->offset_ns > tick_ns)
				continue;
			if (x->offset_ns + x->duration_ns > tick_ns)
				w = x;
			else
				rank++;
		}
		a653_frame_locate(f, 0, tick_ns, &pos);
		CHECK(f->seg[pos.seg].rank == rank);
		if (w) {
			CHECK(f->seg[pos.seg].partition == w->partition);
			CHECK(f->seg[pos.seg].flags == w->flags);
			CHECK(pos.start_ns == (s64)w->offset_ns);
			CHECK(pos.end_ns == (s64)(w->offset_ns + w->duration_ns));
		} else {
			CHECK(f->seg[pos.seg].partition == A653_GAP);
			CHECK(f->seg[pos.seg].flags == 0);
		}
	}
}

static void check_judges_like_a_grid(struct kunit *test)
{
	struct a653_frame *f = alloc_frame(test, MAX_SEGS);
	struct table *t = alloc_table(test);
	struct rnd *r = test->priv;
	struct verdict want, got, seen;
	u32 valid = 0, rounds = 5 * ROUNDS, s, cpu;

	memset(&seen, 0, sizeof(seen));
	for (r->round = 0; r->round < rounds; r->round++) {
		random_table(r, t);
		judge(t, &want);
		check_table(t);
		sort_reports(t, &got);
		CHECK(got.misfit == want.misfit);
		CHECK(got.overlap == want.overlap);
		/* Of windows that overlap anyway, not all is told */
		if (want.overlap)
			CHECK(got.meet <= want.meet);
		else
			CHECK(got.meet == want.meet);
		CHECK(got.slack == want.slack);
		CHECK(got.multiple == want.multiple);
		CHECK(got.duration == want.duration);
		CHECK(!memchr_inv(&want, 0, sizeof(want)) == !t->nr);

		seen.misfit += !!want.misfit;
		seen.overlap += !!want.overlap;
		seen.meet += got.meet && got.meet == t->nr;
		seen.slack += got.slack && got.slack == t->nr;
		seen.multiple += got.multiple && got.multiple == t->nr;
		seen.duration += got.duration && got.duration == t->nr;
		if (t->nr)
			continue;
		valid++;
		for (s = 0; s < t->conf.cfg.nr_schedules; s++)
			for (cpu = 0; cpu < 70; cpu += cpu == 2 ? 63 : 1)
				compare_frame(t, f, s, cpu);
	}
	kunit_info(test, "%u tables, %u valid; by what alone the others fail: exclusive %u, slack %u, multiple %u, duration %u\n",
		   rounds, valid, seen.meet, seen.slack, seen.multiple,
		   seen.duration);
	/* Tables of one kind only would prove little */
	CHECK(valid > rounds / 10 && valid < rounds * 9 / 10);
	CHECK(seen.misfit > rounds / 100 && seen.overlap > rounds / 100);
	CHECK(seen.meet > rounds / 100 && seen.slack > rounds / 100);
	CHECK(seen.multiple > rounds / 100 && seen.duration > rounds / 100);
}

/* Whatever bytes there are: an answer, and nothing worse */
static void check_survives_noise(struct kunit *test)
{
	struct table *t = alloc_table(test);
	struct rnd *r = test->priv;
	u32 i, byte, nr;
	u8 *bytes;

	for (r->round = 0; r->round < 5 * ROUNDS; r->round++) {
		demo_table(t);
		nr = rnd_in(r, 1, 12);
		for (i = 0; i < nr; i++) {
			switch (rnd_in(r, 0, 4)) {
			case 4:
				bytes = (u8 *)t->budget;
				byte = rnd_in(r, 0, 3 * sizeof(t->budget[0]) - 1);
				break;
			case 0:
				bytes = (u8 *)t->partition;
				byte = rnd_in(r, 0, sizeof(t->partition) - 1);
				break;
			case 1:
				bytes = (u8 *)t->schedule;
				byte = rnd_in(r, 0, sizeof(t->schedule) - 1);
				break;
			case 2:
				bytes = (u8 *)t->window;
				byte = rnd_in(r, 0, sizeof(t->window) - 1);
				break;
			default:
				bytes = (u8 *)t->cpus;
				byte = rnd_in(r, 0, sizeof(t->cpus) - 1);
				break;
			}
			bytes[byte] = rnd64(r) & (rnd_in(r, 0, 1) ? 255 : 3);
		}
		check_table(t);
	}
}

/*
 * The suite
 */

static struct kunit_case a653_frame_test_cases[] = {
	KUNIT_CASE(locate_each_instant),
	KUNIT_CASE(locate_near_the_ends_of_time),
	KUNIT_CASE(locate_over_any_distance),
	KUNIT_CASE(next_follows_the_walk),
	KUNIT_CASE(skipped_counts_like_walking),
	KUNIT_CASE(skipped_adds_up),
	KUNIT_CASE(boundary_like_walking),
	KUNIT_CASE(boundary_over_any_distance),
	KUNIT_CASE(lesson01_idle_tail_is_real),
	KUNIT_CASE(lesson02_late_cpu_lands_right),
	KUNIT_CASE(lesson02_missed_windows_by_division),
	KUNIT_CASE(lesson03_boundaries_do_not_drift),
	KUNIT_CASE(lesson06_base_in_future),
	KUNIT_CASE(head_refusals),
	KUNIT_CASE(head_needs_no_arrays),
	KUNIT_CASE(names),
	KUNIT_CASE(partition_refusals),
	KUNIT_CASE(schedule_refusals),
	KUNIT_CASE(window_refusals),
	KUNIT_CASE(lesson07_overflowing_durations),
	KUNIT_CASE(lesson08_window_of_a_nanosecond),
	KUNIT_CASE(lesson09_full_table),
	KUNIT_CASE(lesson12_names_are_unique),
	KUNIT_CASE(lesson16_report_has_no_stack_contents),
	KUNIT_CASE(lesson19_partition_without_windows),
	KUNIT_CASE(lesson20_overlap),
	KUNIT_CASE(exclusive_refusals),
	KUNIT_CASE(slack_refusals),
	KUNIT_CASE(supply_refusals),
	KUNIT_CASE(budget_refusals),
	KUNIT_CASE(budgets_like_pairs),
	KUNIT_CASE(longest_sentences),
	KUNIT_CASE(report_can_stop),
	KUNIT_CASE(check_judges_like_a_grid),
	KUNIT_CASE(check_survives_noise),
	{}
};

static struct kunit_suite a653_frame_test_suite = {
	.name = "a653_frame",
	.suite_init = rnd_suite_init,
	.init = rnd_test_init,
	.test_cases = a653_frame_test_cases,
};

kunit_test_suite(a653_frame_test_suite);
