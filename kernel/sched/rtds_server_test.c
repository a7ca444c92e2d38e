// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit tests of the deferrable servers: their arithmetic, and admission
 *
 * A server is compared with one that is simulated tick by tick. What is free in
 * an interval is counted, interval by interval. And what admission promises is
 * tried: servers that were admitted run by EDF, between random windows, while
 * they sleep and wake up when it hurts others most; each that had work all
 * through a period must have got its budget.
 *
 * Numbers are random and repeat, see a653_rnd.h; the same source is
 * the host program. Tests that begin with "lesson" and a number keep an error
 * away that an earlier scheduler made.
 */
#include <kunit/test.h>

#ifdef __KERNEL__
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/time.h>

#define ROUNDS		200
#define SIM_EVENTS	1000
#else
#define ROUNDS		1000
#define SIM_EVENTS	2000
#endif

#include "a653_rnd.h"
#include "rtds_server.h"

#define US		1000ULL
#define MS		1000000ULL

/*
 * Tools
 */

static bool one_in(struct rnd *r, u32 n)
{
	return !rnd_in(r, 0, n - 1);
}

static void check_server(struct kunit *test, const struct rtds_server *s,
			 s64 deadline_ns, u64 left_ns, u64 late_ns, u32 level)
{
	u32 round = ((struct rnd *)test->priv)->round;

	KUNIT_ASSERT_EQ_MSG(test, s->deadline_ns, deadline_ns, "round %u\n", round);
	KUNIT_ASSERT_EQ_MSG(test, s->left_ns, left_ns, "round %u\n", round);
	KUNIT_ASSERT_EQ_MSG(test, s->late_ns, late_ns, "round %u\n", round);
	KUNIT_ASSERT_EQ_MSG(test, s->level, level, "round %u\n", round);
}

static void start(struct rtds_server *s, u64 budget_ns, u64 period_ns,
		  bool extra, s64 now)
{
	struct rtds_params par = { budget_ns, period_ns, extra };

	memset(s, 0x5a, sizeof(*s));
	rtds_start(s, &par, now);
}

static void change(struct rtds_server *s, u64 budget_ns, u64 period_ns,
		   bool extra, s64 now)
{
	struct rtds_params par = { budget_ns, period_ns, extra };

	rtds_change(s, &par, now);
}

/*
 * One server
 */

static void params(struct kunit *test)
{
	static const struct {
		u64 budget_ns, period_ns;
		int err;
	} cases[] = {
		{ 10000, 100000, 0 }, { 100000, 100000, 0 },
		{ 9999, 100000, -EINVAL }, { 0, 100000, -EINVAL },
		{ 100001, 100000, -EINVAL }, { 10000, 99999, -EINVAL },
		{ 10000, 0, -EINVAL }, { 0, 0, -EINVAL },
		{ 4000000000, 4000000000, 0 }, { 10000, 4000000000, 0 },
		{ 10000, 4000000001, -EINVAL },
		{ U64_MAX, U64_MAX, -EINVAL }, { U64_MAX, 100000, -EINVAL },
	};
	struct rtds_params par = {};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		par.budget_ns = cases[i].budget_ns;
		par.period_ns = cases[i].period_ns;
		KUNIT_ASSERT_EQ(test, rtds_params_check(&par), cases[i].err);
	}
}

static void lesson24_nothing_is_due(struct kunit *test)
{
	struct rtds_server s;

	start(&s, 3 * MS, 10 * MS, false, 5);
	check_server(test, &s, 10 * MS + 5, 3 * MS, 0, 0);
	CHECK(rtds_charge(&s, 5, 2 * MS + 5) == 0);
	CHECK(rtds_catch_up(&s, 10 * MS + 4) == 0);
	check_server(test, &s, 10 * MS + 5, 1 * MS, 0, 0);
	CHECK(rtds_catch_up(&s, 10 * MS + 5) == 1);
	check_server(test, &s, 20 * MS + 5, 3 * MS, 0, 0);
	CHECK(rtds_catch_up(&s, 10 * MS + 5) == 0);
}

/* The grid stays, however late somebody looks */
static void grid_does_not_drift(struct kunit *test)
{
	struct rtds_server s;

	start(&s, 3 * MS, 10 * MS, false, 0);
	CHECK(rtds_catch_up(&s, 10 * MS + 7) == 1);
	CHECK(rtds_catch_up(&s, 20 * MS + 3) == 1);
	CHECK(rtds_catch_up(&s, 99 * MS) == 7);
	check_server(test, &s, 100 * MS, 3 * MS, 0, 0);
	/* A year */
	CHECK(rtds_catch_up(&s, 31536000000 * MS) == 3153600000 - 9);
	check_server(test, &s, 31536000010 * MS, 3 * MS, 0, 0);
}

/* What is left decides, not what there was at first */
static void lesson25_rest_after_sleep(struct kunit *test)
{
	struct rtds_server s;

	start(&s, 4 * MS, 10 * MS, false, 0);
	CHECK(rtds_charge(&s, 0, 3 * MS) == 0);
	rtds_wake(&s, 4 * MS);
	check_server(test, &s, 10 * MS, 1 * MS, 0, 0);
	CHECK(rtds_charge(&s, 4 * MS, 5 * MS) == RTDS_DEPLETED);
	rtds_wake(&s, 6 * MS);
	CHECK(rtds_depleted(&s));
	CHECK(rtds_wake_key(&s, 10 * MS - 1) == RTDS_KEY_NONE);
	CHECK(rtds_wake_key(&s, 10 * MS) == 20 * MS);
	CHECK(rtds_depleted(&s));
}

/* The double hit: kept until too late is not promised any more */
static void wake_obeys_the_late_rule(struct kunit *test)
{
	struct rtds_server s;

	start(&s, 4 * MS, 10 * MS, false, 0);
	CHECK(rtds_wake_key(&s, 5 * MS) == 10 * MS);
	rtds_wake(&s, 5 * MS);
	check_server(test, &s, 10 * MS, 2 * MS, 2 * MS, 0);
	CHECK(rtds_charge(&s, 5 * MS, 6 * MS) == 0);
	check_server(test, &s, 10 * MS, 1 * MS, 2 * MS, 0);
	/* Again: it never becomes more */
	rtds_wake(&s, 9 * MS);
	check_server(test, &s, 10 * MS, 400 * US, 2600 * US, 0);
	CHECK(rtds_charge(&s, 9 * MS, 9 * MS + 400 * US) == RTDS_LEVELLED);
	check_server(test, &s, 10 * MS, 2600 * US, 0, RTDS_LEVEL_LATE);
	/* Nor does what is late come back */
	rtds_wake(&s, 9 * MS + 500 * US);
	check_server(test, &s, 10 * MS, 2600 * US, 0, RTDS_LEVEL_LATE);
	CHECK(rtds_charge(&s, 9 * MS + 500 * US, 11 * MS) ==
	      (RTDS_RENEWED | RTDS_LEVELLED));
	check_server(test, &s, 20 * MS, 3 * MS, 0, 0);
	/* With less than a nanosecond of its share left, all is late */
	CHECK(rtds_wake_key(&s, 20 * MS - 2) ==
	      ((u64)RTDS_LEVEL_LATE << 60 | 20 * MS));
	rtds_wake(&s, 20 * MS - 2);
	check_server(test, &s, 20 * MS, 3 * MS, 0, RTDS_LEVEL_LATE);
}

/* The share is rounded down, to the nanosecond */
static void fair_share_is_exact(struct kunit *test)
{
	struct rnd *r = test->priv;
	struct rtds_server s;
	u64 budget, period, rest;

	for (r->round = 0; r->round < 20 * ROUNDS; r->round++) {
		period = RTDS_MAX_PERIOD_NS;
		if (!one_in(r, 8))
			period = rnd_in(r, RTDS_MIN_PERIOD_NS, period);
		budget = period;
		if (!one_in(r, 8))
			budget = rnd_in(r, RTDS_MIN_BUDGET_NS, period);
		rest = rnd_in(r, 1, one_in(r, 8) ? 9 : period);
		start(&s, budget, period, false, 0);
		rtds_wake(&s, period - rest);
		CHECK(s.left_ns + s.late_ns == budget);
		if (s.level == RTDS_LEVEL_LATE) {
			CHECK(!s.late_ns && budget * rest < period);
			continue;
		}
		CHECK(s.level == RTDS_LEVEL_BUDGET && s.left_ns);
		CHECK(s.left_ns * period <= budget * rest);
		CHECK(budget * rest - s.left_ns * period < period);
	}
}

static void lesson28_negative_consumption(struct kunit *test)
{
	struct rtds_server s;

	start(&s, 4 * MS, 10 * MS, false, 100);
	CHECK(rtds_charge(&s, 2 * MS, 2 * MS - 1) == 0);
	check_server(test, &s, 10 * MS + 100, 4 * MS, 0, 0);
	CHECK(rtds_charge(&s, S64_MAX, 50) == 0);
	check_server(test, &s, 10 * MS + 100, 4 * MS, 0, 0);
	/* Before the server was there */
	CHECK(rtds_charge(&s, S64_MIN, 100) == 0);
	CHECK(rtds_charge(&s, 0, 50) == 0);
	check_server(test, &s, 10 * MS + 100, 4 * MS, 0, 0);
	CHECK(rtds_charge(&s, 0, 150) == 0);
	check_server(test, &s, 10 * MS + 100, 4 * MS - 50, 0, 0);
	/* A period begins all the same */
	CHECK(rtds_charge(&s, 12 * MS, 11 * MS) == RTDS_RENEWED);
	check_server(test, &s, 20 * MS + 100, 4 * MS, 0, 0);
}

/* Both at one instant; and what is over is not charged to what begins */
static void lesson29_budget_equals_period(struct kunit *test)
{
	struct rtds_server s;

	start(&s, 10 * MS, 10 * MS, false, 0);
	CHECK(rtds_charge(&s, 0, 10 * MS - 1) == 0);
	check_server(test, &s, 10 * MS, 1, 0, 0);
	CHECK(rtds_charge(&s, 10 * MS - 1, 10 * MS) == RTDS_RENEWED);
	check_server(test, &s, 20 * MS, 10 * MS, 0, 0);
	CHECK(rtds_charge(&s, 10 * MS, 23 * MS) == RTDS_RENEWED);
	check_server(test, &s, 30 * MS, 7 * MS, 0, 0);
	CHECK(rtds_charge(&s, 23 * MS, 1030 * MS) == RTDS_RENEWED);
	check_server(test, &s, 1040 * MS, 10 * MS, 0, 0);

	start(&s, 4 * MS, 10 * MS, false, 0);
	CHECK(rtds_charge(&s, 7 * MS, 12 * MS) == RTDS_RENEWED);
	check_server(test, &s, 20 * MS, 2 * MS, 0, 0);
	/* The renewal came first */
	CHECK(rtds_catch_up(&s, 20 * MS) == 1);
	CHECK(rtds_charge(&s, 12 * MS, 21 * MS) == 0);
	check_server(test, &s, 30 * MS, 3 * MS, 0, 0);
	/* Depleted again, in a later period */
	CHECK(rtds_charge(&s, 21 * MS, 24 * MS) == RTDS_DEPLETED);
	CHECK(rtds_charge(&s, 24 * MS, 29 * MS) == 0);
	CHECK(rtds_charge(&s, 24 * MS, 55 * MS) ==
	      (RTDS_RENEWED | RTDS_DEPLETED));
	check_server(test, &s, 60 * MS, 0, 0, 0);
}

/* A server that is down on some level is renewed when its own period ends */
static void lesson30_renewal_knows_no_level(struct kunit *test)
{
	struct rtds_server low, high;

	start(&low, 1 * MS, 10 * MS, true, 0);
	start(&high, 1 * MS, 20 * MS, true, 0);
	CHECK(rtds_charge(&low, 0, 5 * MS) == RTDS_LEVELLED);
	CHECK(low.level == 6 && high.level == 0);
	CHECK(low.deadline_ns < high.deadline_ns);
	CHECK(rtds_key(&low) > rtds_key(&high));
	CHECK(rtds_catch_up(&high, 10 * MS) == 0);
	CHECK(rtds_catch_up(&low, 10 * MS) == 1);
	check_server(test, &low, 20 * MS, 1 * MS, 0, 0);
}

/* ... and is as urgent then as any */
static void lesson31_renewed_is_urgent_again(struct kunit *test)
{
	struct rtds_server s;
	u64 key;

	start(&s, 1 * MS, 10 * MS, true, 0);
	key = rtds_key(&s);
	CHECK(key == 10 * MS);
	CHECK(rtds_charge(&s, 0, 1 * MS) == RTDS_LEVELLED);
	CHECK(rtds_key(&s) > RTDS_KEY_FIRST && rtds_key(&s) < RTDS_KEY_NONE);
	CHECK(rtds_key(&s) >> 60 == RTDS_LEVEL_EXTRA);
	CHECK(rtds_charge(&s, 10 * MS, 10 * MS) == (RTDS_RENEWED | RTDS_LEVELLED));
	CHECK(rtds_key(&s) == key + 10 * MS);
	/* The level decides first: whatever the deadlines are */
	s.level = RTDS_LEVEL_LATE;
	CHECK(rtds_key(&s) > (1ULL << 60) - 1);
}

/* Equal means equal: whoever asks for "less" leaves the runner alone */
static void lesson32_equal_keys(struct kunit *test)
{
	struct rtds_server a, b;

	start(&a, 1 * MS, 10 * MS, false, 10 * MS);
	start(&b, 7 * MS, 15 * MS, true, 5 * MS);
	CHECK(rtds_key(&a) == rtds_key(&b));
	CHECK(rtds_charge(&a, 10 * MS, 11 * MS - 1) == 0);
	CHECK(rtds_key(&a) == rtds_key(&b));
	/* The latest on the last level still comes before nothing */
	start(&a, RTDS_MAX_PERIOD_NS, RTDS_MAX_PERIOD_NS, true,
	      (1LL << 60) - 1 - (s64)RTDS_MAX_PERIOD_NS);
	a.level = RTDS_LEVEL_LAST;
	CHECK(rtds_key(&a) < RTDS_KEY_NONE);
	start(&a, 1 * MS, 10 * MS, false, 0);
	CHECK(rtds_key(&a) > RTDS_KEY_FIRST);
}

static void extratime_goes_down_level_by_level(struct kunit *test)
{
	struct rtds_server s;
	u32 level;

	start(&s, 1 * MS, 1000 * MS, true, 0);
	for (level = RTDS_LEVEL_EXTRA; level <= RTDS_LEVEL_LAST; level++) {
		CHECK(rtds_charge(&s, 0, 1 * MS) == RTDS_LEVELLED);
		check_server(test, &s, 1000 * MS, 1 * MS, 0, level);
	}
	CHECK(rtds_charge(&s, 0, 1 * MS) == 0);
	check_server(test, &s, 1000 * MS, 1 * MS, 0, RTDS_LEVEL_LAST);
	CHECK(rtds_charge(&s, 0, 999 * MS - 1) == 0);
	check_server(test, &s, 1000 * MS, 1, 0, RTDS_LEVEL_LAST);

	/* What is late comes first, and then two levels at once */
	start(&s, 4 * MS, 100 * MS, true, 0);
	rtds_wake(&s, 75 * MS);
	check_server(test, &s, 100 * MS, 1 * MS, 3 * MS, 0);
	CHECK(rtds_charge(&s, 75 * MS, 84 * MS) == RTDS_LEVELLED);
	check_server(test, &s, 100 * MS, 3 * MS, 0, RTDS_LEVEL_EXTRA + 1);
	/* The late rule is not for extratime */
	rtds_wake(&s, 99 * MS);
	check_server(test, &s, 100 * MS, 3 * MS, 0, RTDS_LEVEL_EXTRA + 1);
}

static void lesson33_change_in_any_state(struct kunit *test)
{
	struct rtds_server s;

	/* Larger: from the next period */
	start(&s, 2 * MS, 10 * MS, false, 0);
	change(&s, 5 * MS, 10 * MS, false, 1 * MS);
	check_server(test, &s, 10 * MS, 2 * MS, 0, 0);
	CHECK(rtds_charge(&s, 1 * MS, 3 * MS) == RTDS_DEPLETED);
	change(&s, 6 * MS, 10 * MS, false, 4 * MS);
	check_server(test, &s, 10 * MS, 0, 0, 0);
	CHECK(rtds_catch_up(&s, 10 * MS) == 1);
	check_server(test, &s, 20 * MS, 6 * MS, 0, 0);
	/* One that was kept waiting keeps its right to it all */
	change(&s, 6 * MS, 10 * MS, false, 15 * MS);
	check_server(test, &s, 20 * MS, 6 * MS, 0, 0);
	change(&s, 7 * MS, 10 * MS, true, 15 * MS);
	check_server(test, &s, 20 * MS, 6 * MS, 0, 0);

	/* Smaller: at once; beyond its share it is late */
	start(&s, 6 * MS, 10 * MS, false, 0);
	change(&s, 2 * MS, 10 * MS, false, 0);
	check_server(test, &s, 10 * MS, 2 * MS, 0, 0);
	start(&s, 6 * MS, 10 * MS, false, 0);
	change(&s, 2 * MS, 10 * MS, false, 5 * MS);
	check_server(test, &s, 10 * MS, 1 * MS, 1 * MS, 0);
	/* Not for no time at all, and from the late first */
	change(&s, 1500 * US, 10 * MS, false, 5 * MS);
	check_server(test, &s, 10 * MS, 750 * US, 750 * US, 0);
	CHECK(rtds_charge(&s, 5 * MS, 6 * MS) == RTDS_LEVELLED);
	check_server(test, &s, 10 * MS, 500 * US, 0, RTDS_LEVEL_LATE);
	change(&s, 300 * US, 10 * MS, false, 6 * MS);
	check_server(test, &s, 10 * MS, 300 * US, 0, RTDS_LEVEL_LATE);

	/* A period that is over is over */
	change(&s, 9 * MS, 10 * MS, false, 10 * MS);
	check_server(test, &s, 20 * MS, 300 * US, 0, 0);

	/* A shorter period begins early, a longer one after this one */
	start(&s, 5 * MS, 100 * MS, false, 0);
	change(&s, 5 * MS, 10 * MS, false, 30 * MS);
	check_server(test, &s, 40 * MS, 5 * MS, 0, 0);
	CHECK(rtds_catch_up(&s, 40 * MS) == 1);
	change(&s, 9 * MS, 90 * MS, false, 41 * MS);
	check_server(test, &s, 50 * MS, 900 * US, 4100 * US, 0);
	CHECK(rtds_catch_up(&s, 50 * MS) == 1);
	check_server(test, &s, 140 * MS, 9 * MS, 0, 0);

	/* Extratime: given to one that has nothing left, and taken away */
	CHECK(rtds_charge(&s, 50 * MS, 60 * MS) == RTDS_DEPLETED);
	change(&s, 9 * MS, 90 * MS, true, 60 * MS);
	check_server(test, &s, 140 * MS, 9 * MS, 0, RTDS_LEVEL_EXTRA);
	change(&s, 8 * MS, 90 * MS, true, 60 * MS);
	check_server(test, &s, 140 * MS, 8 * MS, 0, RTDS_LEVEL_EXTRA);
	change(&s, 8 * MS, 90 * MS, false, 61 * MS);
	CHECK(rtds_depleted(&s) && s.deadline_ns == (s64)(140 * MS));
	/* To ask again does not bring it back as it was */
	change(&s, 8 * MS, 90 * MS, true, 62 * MS);
	check_server(test, &s, 140 * MS, 8 * MS, 0, RTDS_LEVEL_EXTRA + 1);
	change(&s, 8 * MS, 90 * MS, false, 140 * MS);
	check_server(test, &s, 230 * MS, 8 * MS, 0, 0);
	/* On a budget that is its own, extratime makes no difference yet */
	change(&s, 8 * MS, 90 * MS, true, 141 * MS);
	change(&s, 8 * MS, 90 * MS, false, 142 * MS);
	check_server(test, &s, 230 * MS, 8 * MS, 0, 0);
}

/*
 * One server, tick by tick. Events are at multiples of 24 ticks, and so are
 * budgets and periods; periods are such that all shares are whole ticks.
 */

#define TICKS		24

struct model {
	u32 budget, period, level;
	bool extra;
	u32 left, late;
	u64 now, deadline;
	u32 renewed;
};

static void model_renew(struct model *m)
{
	m->deadline += m->period;
	m->left = m->budget;
	m->late = 0;
	m->level = 0;
	m->renewed++;
}

static void model_level_down(struct model *m)
{
	if (m->level < 2)
		m->level = 2;
	else if (m->level < 14)
		m->level++;
	m->left = m->budget;
}

static void model_pass(struct model *m, u32 ticks, bool running)
{
	while (ticks--) {
		if (running && m->left) {
			m->left--;
			if (!m->left && m->late) {
				m->level = 1;
				m->left = m->late;
				m->late = 0;
			} else if (!m->left && m->extra) {
				model_level_down(m);
			}
		}
		if (++m->now == m->deadline)
			model_renew(m);
	}
}

static void model_defer(struct model *m)
{
	if (m->level)
		return;
	while (m->left * m->period > m->budget * (m->deadline - m->now)) {
		m->left--;
		m->late++;
	}
	if (!m->left && m->late) {
		m->left = m->late;
		m->late = 0;
		m->level = 1;
	}
}

static void random_params(struct rnd *r, struct model *m)
{
	static const u32 periods[] = { 1, 2, 3, 4, 6, 8, 12, 24 };
	u32 period = periods[rnd_in(r, 0, ARRAY_SIZE(periods) - 1)];

	if (one_in(r, 2))
		period = 24;
	m->period = period * TICKS;
	m->budget = rnd_in(r, 1, one_in(r, 2) ? period : 1 + period / 4) * TICKS;
	m->extra = one_in(r, 2);
}

static void model_change(struct model *m, const struct model *par)
{
	bool less = par->budget * m->period < m->budget * par->period;

	m->budget = par->budget;
	m->period = par->period;
	m->extra = par->extra;
	if (m->deadline > m->now + m->period)
		m->deadline = m->now + m->period;
	while (m->left + m->late > m->budget) {
		if (m->late)
			m->late--;
		else
			m->left--;
	}
	if (less)
		model_defer(m);
	if (m->level >= 2 && !m->extra)
		m->left = 0;
	else if (!m->left && m->extra)
		model_level_down(m);
}

struct pair {
	struct kunit *test;
	struct model m;
	struct rtds_server s;
	u64 unit;	/* of a tick */
	s64 base;
};

static s64 at(const struct pair *p, u64 tick)
{
	return p->base + (s64)(tick * p->unit);
}

static struct rtds_params scaled(const struct pair *p, const struct model *m)
{
	struct rtds_params par = {
		m->budget * p->unit, m->period * p->unit, m->extra
	};

	return par;
}

static void compare(struct pair *p)
{
	struct kunit *test = p->test;
	const struct model *m = &p->m;

	CHECK(p->s.par.budget_ns == m->budget * p->unit);
	CHECK(p->s.par.period_ns == m->period * p->unit);
	CHECK(p->s.par.extra == m->extra);
	check_server(test, &p->s, at(p, m->deadline), m->left * p->unit,
		     m->late * p->unit, m->level);
	CHECK(rtds_depleted(&p->s) == !m->left);
}

/* It runs for @ticks; what happens in between goes unnoticed, or nearly so */
static void pair_run(struct pair *p, struct rnd *r, u32 ticks)
{
	struct kunit *test = p->test;
	s64 from = at(p, p->m.now);
	struct rtds_server before;
	unsigned int what = 0;
	u32 part = 0;

	if (one_in(r, 4)) {
		/* Others look at the server while it runs */
		part = rnd_in(r, 0, ticks);
		model_pass(&p->m, part, true);
		rtds_catch_up(&p->s, at(p, p->m.now));
	}
	model_pass(&p->m, ticks - part, true);
	before = p->s;
	if (at(p, p->m.deadline) != before.deadline_ns)
		what |= RTDS_RENEWED;
	if (p->m.level != before.level)
		what |= RTDS_LEVELLED;
	if (!p->m.left && (before.left_ns || what & RTDS_RENEWED))
		what |= RTDS_DEPLETED;
	CHECK(rtds_charge(&p->s, from, at(p, p->m.now)) == what);
	compare(p);
}

static void pair_step(struct pair *p, struct rnd *r)
{
	struct kunit *test = p->test;
	struct rtds_server copy;
	struct rtds_params par;
	struct model m;
	u32 ticks;

	ticks = TICKS * rnd_in(r, 0, one_in(r, 4) ? 40 : 3);
	switch (rnd_in(r, 0, 7)) {
	case 0:
	case 1:
		pair_run(p, r, ticks);
		break;
	case 2: /* to the very end of what is left, or of the period */
		ticks = one_in(r, 2) ? p->m.left : p->m.deadline - p->m.now;
		if (ticks % TICKS)
			break;
		pair_run(p, r, ticks);
		break;
	case 3:	/* it sleeps and wakes up, maybe in the last moment */
		if (one_in(r, 3) && p->m.deadline - p->m.now > TICKS)
			ticks = (p->m.deadline - p->m.now) / TICKS * TICKS - TICKS;
		model_pass(&p->m, ticks, false);
		model_defer(&p->m);
		copy = p->s;
		CHECK(rtds_wake_key(&p->s, at(p, p->m.now)) ==
		      (p->m.left ? (u64)p->m.level << 60 |
				   (u64)at(p, p->m.deadline) : RTDS_KEY_NONE));
		CHECK(!memcmp(&copy, &p->s, sizeof(copy)));
		rtds_wake(&p->s, at(p, p->m.now));
		compare(p);
		break;
	case 4:	/* it waits, and nobody looks */
		model_pass(&p->m, ticks, false);
		break;
	case 5:	/* ... or somebody does */
		rtds_catch_up(&p->s, at(p, p->m.now));
		p->m.renewed = 0;
		model_pass(&p->m, ticks, false);
		CHECK(rtds_catch_up(&p->s, at(p, p->m.now)) == p->m.renewed);
		compare(p);
		break;
	case 6:	/* the clock was read too early */
		rtds_charge(&p->s, at(p, p->m.now) + rnd_in(r, 0, 9),
			    at(p, p->m.now));
		compare(p);
		break;
	default:
		random_params(r, &m);
		if (one_in(r, 2)) {
			m.period = p->m.period;
			m.budget = min(m.budget, m.period);
		}
		par = scaled(p, &m);
		rtds_change(&p->s, &par, at(p, p->m.now));
		model_change(&p->m, &m);
		compare(p);
		break;
	}
}

static void server_like_a_model(struct kunit *test)
{
	static const u64 units[] = { 5000, 6173, 6944444 };
	struct rnd *r = test->priv;
	struct pair p = { .test = test };
	struct rtds_params par;
	u32 step, seen[16] = {}, level;

	for (r->round = 0; r->round < 3 * ROUNDS; r->round++) {
		p.unit = units[rnd_in(r, 0, ARRAY_SIZE(units) - 1)];
		p.base = one_in(r, 2) ? 0 : (s64)(rnd64(r) >> 5);
		memset(&p.m, 0, sizeof(p.m));
		random_params(r, &p.m);
		model_renew(&p.m);
		par = scaled(&p, &p.m);
		CHECK(rtds_params_check(&par) == 0);
		memset(&p.s, 0x5a, sizeof(p.s));
		rtds_start(&p.s, &par, p.base);
		compare(&p);
		for (step = 0; step < 50; step++) {
			pair_step(&p, r);
			seen[p.m.left ? p.m.level : 15]++;
		}
		cond_resched();
	}
	kunit_info(test, "levels %u %u %u ... %u %u, depleted %u\n", seen[0],
		   seen[1], seen[2], seen[13], seen[14], seen[15]);
	/* It has been everywhere */
	for (level = 0; level < 16; level++)
		CHECK(seen[level] > ROUNDS / 50);
}

/*
 * What is free
 */

#define MAX_SEGS	24
#define MAX_MAJOR	(9 * MAX_SEGS)

static struct a653_frame *alloc_frame(struct kunit *test, u32 nr_segs)
{
	struct a653_frame *f;

	f = kunit_kzalloc(test, sizeof(*f) + nr_segs * sizeof(f->seg[0]),
			  GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f);
	f->nr_segs = nr_segs;
	return f;
}

static void add_seg(struct a653_frame *f, u64 len_ns, bool free)
{
	struct a653_seg *seg = &f->seg[f->nr_segs++];

	seg->start_ns = f->major_ns;
	seg->partition = free ? A653_GAP : 0;
	seg->flags = 0;
	seg->rank = f->nr_windows;
	f->nr_windows += !free;
	f->major_ns += len_ns;
}

/* At most @max segments of 1 to 9 units. At most 8 windows make 64 stretches. */
static void random_frame(struct rnd *r, struct a653_frame *f, u64 unit, u32 max)
{
	u32 nr = rnd_in(r, 1, max);

	f->nr_segs = 0;
	f->nr_windows = 0;
	f->major_ns = 0;
	while (nr--)
		add_seg(f, rnd_in(r, 1, one_in(r, 3) ? 9 : 3) * unit,
			one_in(r, 2) || f->nr_windows == 8);
}

struct grid {
	u32 major, sum;		/* in units */
	u8 free[MAX_MAJOR];
	u32 least[3 * MAX_MAJOR + 1];
};

/* The least free time of all intervals, by looking at each of them */
static void fill_grid(struct grid *g, const struct a653_frame *f, u64 unit)
{
	u32 seg = 0, start, len, sum;

	g->major = div64_u64(f->major_ns, unit);
	g->sum = 0;
	for (start = 0; start < g->major; start++) {
		while (seg + 1 < f->nr_segs &&
		       f->seg[seg + 1].start_ns <= start * unit)
			seg++;
		g->free[start] = f->seg[seg].partition == A653_GAP;
		g->sum += g->free[start];
	}
	for (len = 0; len <= 3 * g->major; len++)
		g->least[len] = len;
	for (start = 0; start < g->major; start++) {
		sum = 0;
		for (len = 1; len <= 3 * g->major; len++) {
			sum += g->free[(start + len - 1) % g->major];
			g->least[len] = min(g->least[len], sum);
		}
	}
}

/* By how much free time is behind, in units / @g->major, at most */
static u32 grid_lag(const struct grid *g)
{
	u32 len, lag = 0;

	for (len = 1; len <= 3 * g->major; len++)
		if (g->sum * len > g->least[len] * g->major)
			lag = max(lag, g->sum * len - g->least[len] * g->major);
	return lag;
}

static void check_points(struct kunit *test, const struct rtds_supply *sup)
{
	u32 i;

	CHECK(sup->nr >= 1 && sup->nr <= RTDS_SUPPLY_POINTS);
	for (i = 0; i < sup->nr; i++) {
		CHECK(sup->len_ns[i] > 0 && sup->len_ns[i] <= sup->major_ns);
		CHECK(sup->sum_ns[i] <= sup->free_ns);
		CHECK(rtds_supply_in(sup, sup->len_ns[i]) == sup->sum_ns[i]);
		if (!i)
			continue;
		CHECK(sup->sum_ns[i] > sup->sum_ns[i - 1]);
		CHECK(sup->len_ns[i] - sup->len_ns[i - 1] >
		      sup->sum_ns[i] - sup->sum_ns[i - 1]);
	}
	CHECK(rtds_supply_in(sup, 0) == 0);
	CHECK(rtds_supply_in(sup, sup->major_ns) == sup->free_ns);
}

static void supply_like_counting(struct kunit *test)
{
	static const u64 units[] = { 1, 1, 1, 7, 100 * US, 15 * 1000 * MS };
	struct a653_frame *f = alloc_frame(test, MAX_SEGS);
	struct grid *g = kunit_kzalloc(test, sizeof(*g), GFP_KERNEL);
	struct rnd *r = test->priv;
	struct rtds_supply sup;
	u64 unit, rem, lag;
	u32 len;

	KUNIT_ASSERT_NOT_NULL(test, g);
	for (r->round = 0; r->round < ROUNDS / 2; r->round++) {
		unit = units[rnd_in(r, 0, ARRAY_SIZE(units) - 1)];
		random_frame(r, f, unit, one_in(r, 4) ? MAX_SEGS : 8);
		fill_grid(g, f, unit);
		memset(&sup, 0x5a, sizeof(sup));
		rtds_supply_build(&sup, f);
		check_points(test, &sup);
		CHECK(sup.major_ns == f->major_ns);
		CHECK(sup.free_ns == g->sum * unit);
		for (len = 0; len <= 3 * g->major; len++)
			CHECK(rtds_supply_in(&sup, len * unit) ==
			      g->least[len] * unit);
		/* Parts of a unit: rises and flat parts are straight */
		for (len = 0; unit > 1 && len < 3 * g->major; len++)
			CHECK(rtds_supply_in(&sup, len * unit + unit / 2) ==
			      g->least[len] * unit +
			      (g->least[len + 1] - g->least[len]) * (unit / 2));
		lag = div64_u64_rem(grid_lag(g) * unit, g->major, &rem);
		CHECK(sup.lag_ns == lag + !!rem);
		/* Not a fraction more than there is */
		CHECK(rtds_supply_util(&sup) ==
		      div64_u64((u64)g->sum << RTDS_UNIT_SHIFT, g->major));
		cond_resched();
	}
}

/* As many windows as there may be: simpler than it is, but never too good */
static void supply_with_many_corners(struct kunit *test)
{
	struct a653_frame *f = alloc_frame(test, A653_MAX_SEGS);
	struct rnd *r = test->priv;
	struct rtds_supply sup;
	u64 start_ns, end_ns, sum_ns, len_ns, bound_ns, lost_ns = 0;
	u32 i, j;

	for (r->round = 0; r->round < 2; r->round++) {
		f->nr_segs = 0;
		f->nr_windows = 0;
		f->major_ns = 0;
		while (f->nr_segs < A653_MAX_SEGS)
			add_seg(f, rnd_in(r, 100000, 300000), f->nr_segs % 2 == 0);
		rtds_supply_build(&sup, f);
		check_points(test, &sup);
		CHECK(sup.nr > RTDS_SUPPLY_POINTS / 2);
		/* Intervals from and to ends of segments, in two frames */
		for (i = 0; i < f->nr_segs; i++) {
			start_ns = f->seg[i].start_ns;
			sum_ns = 0;
			for (j = i; j < 2 * f->nr_segs; j++) {
				u32 seg = j < f->nr_segs ? j : j - f->nr_segs;
				u64 base_ns = j < f->nr_segs ? 0 : f->major_ns;
				u64 add_ns = a653_seg_end(f, seg) -
					     f->seg[seg].start_ns;

				end_ns = base_ns + a653_seg_end(f, seg);
				len_ns = end_ns - start_ns;
				if (f->seg[seg].partition == A653_GAP)
					sum_ns += add_ns;
				bound_ns = rtds_supply_in(&sup, len_ns);
				CHECK(bound_ns <= sum_ns);
			}
			cond_resched();
		}
		/* What is lost is small against the frame */
		lost_ns = max(lost_ns, sup.lag_ns);
		kunit_info(test, "%u points, lag %llu of a frame of %llu\n",
			   sup.nr, sup.lag_ns, sup.major_ns);
	}
	CHECK(lost_ns < f->major_ns / 25);
}

static void supply_of_extremes(struct kunit *test)
{
	struct a653_frame *f = alloc_frame(test, 3);
	struct rtds_supply sup;

	rtds_supply_full(&sup);
	check_points(test, &sup);
	CHECK(rtds_supply_util(&sup) == RTDS_UNIT && !sup.lag_ns);
	CHECK(rtds_supply_in(&sup, 1) == 1);
	CHECK(rtds_supply_in(&sup, 4 * 3600000 * MS) == 4 * 3600000 * MS);

	f->nr_segs = 0;
	add_seg(f, A653_MAX_MAJOR_FRAME_NS, true);
	rtds_supply_build(&sup, f);
	check_points(test, &sup);
	CHECK(rtds_supply_util(&sup) == RTDS_UNIT && !sup.lag_ns);
	CHECK(rtds_supply_in(&sup, 123456789) == 123456789);

	f->nr_segs = 0;
	f->major_ns = 0;
	add_seg(f, A653_MAX_MAJOR_FRAME_NS, false);
	rtds_supply_build(&sup, f);
	CHECK(rtds_supply_util(&sup) == 0 && !sup.lag_ns);
	CHECK(rtds_supply_in(&sup, 5 * A653_MAX_MAJOR_FRAME_NS) == 0);

	/* A third of an hour: not a fraction more, and behind by two thirds */
	f->nr_segs = 0;
	f->major_ns = 0;
	add_seg(f, A653_MAX_MAJOR_FRAME_NS / 3, true);
	add_seg(f, A653_MAX_MAJOR_FRAME_NS / 3 * 2, false);
	rtds_supply_build(&sup, f);
	check_points(test, &sup);
	CHECK(rtds_supply_util(&sup) == 0x55555555);
	CHECK(sup.lag_ns == 800000 * MS);
	CHECK(rtds_supply_in(&sup, 2400001 * MS) == 1 * MS);
}

static void util_is_rounded_up(struct kunit *test)
{
	struct rtds_params par = { 1 * MS, 3 * MS, false };

	CHECK(rtds_util(&par) == 0x55555556);
	par.budget_ns = 3 * MS;
	CHECK(rtds_util(&par) == RTDS_UNIT);
	par.budget_ns = RTDS_MAX_PERIOD_NS;
	par.period_ns = RTDS_MAX_PERIOD_NS;
	CHECK(rtds_util(&par) == RTDS_UNIT);
	par.budget_ns = RTDS_MAX_PERIOD_NS - 1;
	CHECK(rtds_util(&par) == RTDS_UNIT - 1);
	par.budget_ns = RTDS_MIN_BUDGET_NS;
	CHECK(rtds_util(&par) == 10738);
}

/*
 * Admission
 */

static u32 ask_grid(u64 util, u64 burst, u32 len)
{
	return burst + (util * len >> RTDS_UNIT_SHIFT);
}

static void fits_like_counting(struct kunit *test)
{
	struct a653_frame *f = alloc_frame(test, MAX_SEGS);
	struct grid *g = kunit_kzalloc(test, sizeof(*g), GFP_KERNEL);
	u32 len, bad, fitted = 0, by_util = 0, by_interval = 0, ask;
	struct rnd *r = test->priv;
	struct rtds_margin margin;
	struct rtds_demand dem;
	struct rtds_supply sup;
	u64 limit;
	s64 spare;
	u32 pct;

	KUNIT_ASSERT_NOT_NULL(test, g);
	for (r->round = 0; r->round < 3 * ROUNDS; r->round++) {
		if (r->round % 4 == 0) {
			random_frame(r, f, 1, one_in(r, 4) ? MAX_SEGS : 8);
			fill_grid(g, f, 1);
			rtds_supply_build(&sup, f);
		}
		pct = one_in(r, 3) ? rnd_in(r, 1, 40) : 0;
		limit = rtds_supply_util(&sup);
		dem.util = limit;
		if (!one_in(r, 4))
			dem.util = div64_u64(limit * rnd_in(r, 1, 70), 64);
		dem.burst_ns = one_in(r, 3) ? rnd_in(r, 1, 5) : 0;
		dem.shortest_ns = rnd_in(r, 1, 2 * g->major - 1);

		/* The first length that has too little, or the scarcest */
		bad = 0;
		spare = S64_MAX;
		for (len = dem.shortest_ns; len <= 3 * g->major; len++) {
			ask = ask_grid(dem.util, dem.burst_ns, len);
			if (!bad && ask > g->least[len])
				bad = len;
			spare = min_t(s64, spare, (s64)g->least[len] - ask);
		}
		memset(&margin, 0x5a, sizeof(margin));
		if (!dem.util || dem.util > limit ||
		    (pct && dem.util + div64_u64(RTDS_UNIT * pct, 100) >
			    limit + 1024)) {
			CHECK(rtds_fits(&sup, &dem, pct, &margin) == !dem.util);
			CHECK(!memchr_inv(&margin, 0, sizeof(margin)));
			by_util += !!dem.util;
			continue;
		}
		CHECK(rtds_fits(&sup, &dem, pct, &margin) == !bad);
		CHECK(rtds_fits(&sup, &dem, pct, NULL) == !bad);
		CHECK(margin.len_ns >= dem.shortest_ns);
		CHECK(margin.len_ns <= 3 * g->major);
		CHECK(margin.supply_ns == g->least[margin.len_ns]);
		CHECK(margin.demand_ns ==
		      ask_grid(dem.util, dem.burst_ns, margin.len_ns));
		if (bad) {
			/* From there on nothing became free */
			CHECK(margin.len_ns >= bad);
			CHECK(margin.supply_ns == g->least[bad]);
			CHECK(margin.demand_ns > margin.supply_ns);
			by_interval++;
		} else {
			CHECK((s64)(margin.supply_ns - margin.demand_ns) == spare);
			fitted++;
		}
		cond_resched();
	}
	kunit_info(test, "%u fit, %u do not on average, %u not in some interval\n",
		   fitted, by_util, by_interval);
	CHECK(fitted > ROUNDS / 4 && by_util > ROUNDS / 4);
	CHECK(by_interval > ROUNDS / 4);
}

static void fits_with_reserve(struct kunit *test)
{
	struct rtds_demand dem = { .util = RTDS_UNIT, .shortest_ns = 1 * MS };
	struct rtds_supply sup;

	rtds_supply_full(&sup);
	CHECK(rtds_fits(&sup, &dem, 0, NULL));
	CHECK(!rtds_fits(&sup, &dem, 1, NULL));
	dem.util = RTDS_UNIT / 4 * 3;
	CHECK(rtds_fits(&sup, &dem, 25, NULL));
	/* Utilisations that were rounded up, up to a thousand of them */
	dem.util += 1024;
	CHECK(rtds_fits(&sup, &dem, 25, NULL));
	dem.util++;
	CHECK(!rtds_fits(&sup, &dem, 25, NULL));
	dem.util = RTDS_UNIT / 200;
	CHECK(rtds_fits(&sup, &dem, 99, NULL));
	CHECK(!rtds_fits(&sup, &dem, 100, NULL));
	CHECK(!rtds_fits(&sup, &dem, U32_MAX, NULL));
	dem.util = 0;
	dem.burst_ns = 5;
	CHECK(rtds_fits(&sup, &dem, U32_MAX, NULL));
}

static void fits_global(struct kunit *test)
{
	const u64 half = RTDS_UNIT / 2;

	/* Goossens, Funk and Baruah: m - (m - 1) * util_max */
	CHECK(rtds_fits_global(4 * RTDS_UNIT, 0, 5 * half, half, 4, 1));
	CHECK(!rtds_fits_global(4 * RTDS_UNIT, 0, 5 * half + 1, half, 4, 1));
	CHECK(rtds_fits_global(4 * RTDS_UNIT, 0, RTDS_UNIT, RTDS_UNIT, 4, 1));
	CHECK(!rtds_fits_global(4 * RTDS_UNIT, 0, RTDS_UNIT + 1, RTDS_UNIT, 4, 1));
	/* On one CPU, util_max does not matter */
	CHECK(rtds_fits_global(half, 0, half, half, 1, 1));
	/* Of CPUs that are not always there, some must be to spare */
	CHECK(!rtds_fits_global(half, 1, half, half, 1, U64_MAX));
	CHECK(rtds_fits_global(half, 1 * MS, half / 2, half / 2, 1, 4 * MS));
	CHECK(!rtds_fits_global(half, 1 * MS, half / 2, half / 2, 1, 4 * MS - 1));
	CHECK(!rtds_fits_global(half, 1 * MS + 1, half / 2, half / 2, 1, 4 * MS));
	CHECK(rtds_fits_global(2 * RTDS_UNIT, 1 * MS, half, half, 2, 1 * MS));
	CHECK(!rtds_fits_global(2 * RTDS_UNIT, 1 * MS, half, half, 2, 1 * MS - 1));
	CHECK(!rtds_fits_global(0, 0, 1, 1, 1, 1));
	CHECK(rtds_fits_global(0, 0, 0, 0, 1, 1));
}

/*
 * Budgets of a configuration
 */

#define NR_CPUS_CONF	2
#define NR_PARTS	3
#define NR_SCHEDS	2
#define NR_WINDOWS	8
#define NR_BUDGETS	(NR_PARTS * NR_CPUS_CONF)

struct setup {
	struct kunit *test;
	struct a653_conf conf;
	struct a653_limits limits;
	u64 cpus;
	struct a653_partition partition[NR_PARTS];
	struct a653_schedule schedule[NR_SCHEDS];
	struct a653_window window[NR_WINDOWS];
	struct a653_budget budget[NR_BUDGETS];
	u32 scratch[NR_WINDOWS + NR_BUDGETS];
	struct a653_frame *frame;
	struct rtds_supply sup;
	u32 nr, stop_after;
	struct a653_violation v[NR_SCHEDS * NR_CPUS_CONF];
};

static struct setup *alloc_setup(struct kunit *test)
{
	struct setup *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->test = test;
	t->stop_after = U32_MAX;
	t->frame = alloc_frame(test, A653_MAX_SEGS);
	t->limits.nr_cpus = NR_CPUS_CONF;
	t->limits.min_slack_pct = 5;
	t->conf.cpus = &t->cpus;
	t->conf.partitions = t->partition;
	t->conf.schedules = t->schedule;
	t->conf.windows = t->window;
	t->conf.budgets = t->budget;
	t->conf.cfg.nr_cpu_words = 1;
	t->conf.cfg.clock = CLOCK_MONOTONIC;
	t->conf.cfg.nr_partitions = NR_PARTS;
	t->cpus = (1 << NR_CPUS_CONF) - 1;
	strscpy(t->conf.cfg.module, "ima0", A653_NAME_LEN);
	for (i = 0; i < NR_PARTS; i++)
		t->partition[i].name[0] = 'a' + i;
	return t;
}

static void add_schedule(struct setup *t, const char *name, u64 major_ns)
{
	struct a653_schedule *s = &t->schedule[t->conf.cfg.nr_schedules++];

	strscpy(s->name, name, A653_NAME_LEN);
	s->major_frame_ns = major_ns;
}

static void add_window(struct setup *t, u32 cpu, u64 offset_ns, u64 duration_ns)
{
	struct a653_window *w = &t->window[t->conf.cfg.nr_windows++];

	t->schedule[t->conf.cfg.nr_schedules - 1].nr_windows++;
	w->cpu = cpu;
	w->offset_ns = offset_ns;
	w->duration_ns = duration_ns;
}

static void add_budget(struct setup *t, u32 partition, u32 cpu, u64 budget_ns,
		       u64 period_ns)
{
	struct a653_budget *b = &t->budget[t->conf.cfg.nr_budgets++];

	b->partition = partition;
	b->cpu = cpu;
	b->budget_ns = budget_ns;
	b->period_ns = period_ns;
}

static bool collect(void *ctx, const struct a653_violation *v)
{
	struct setup *t = ctx;
	struct kunit *test = t->test;
	size_t len = strnlen(v->text, sizeof(v->text));

	CHECK(len && len < sizeof(v->text) - 1);
	CHECK(!memchr_inv(v->text + len, 0, sizeof(v->text) - len));
	CHECK(t->nr < ARRAY_SIZE(t->v));
	t->v[t->nr] = *v;
	return ++t->nr < t->stop_after;
}

static u32 check_setup(struct setup *t)
{
	struct kunit *test = t->test;
	int nr;

	t->nr = 0;
	nr = a653_conf_check(&t->conf, &t->limits, t->scratch, collect, t);
	KUNIT_ASSERT_EQ_MSG(test, nr, 0, "%s\n", t->v[0].text);
	nr = rtds_conf_check(&t->conf, &t->limits, t->scratch, t->frame,
			     &t->sup, collect, t);
	KUNIT_ASSERT_EQ(test, nr, t->nr);
	return t->nr;
}

static void accepted(struct setup *t)
{
	check_setup(t);
	KUNIT_ASSERT_EQ_MSG(t->test, t->nr, 0, "%s\n", t->v[0].text);
}

static void refused(struct setup *t, u32 schedule, u32 budget, const char *text)
{
	struct kunit *test = t->test;

	check_setup(t);
	KUNIT_ASSERT_EQ_MSG(test, t->nr, 1, "%s\n", t->v[0].text);
	KUNIT_ASSERT_STREQ(test, t->v[0].text, text);
	KUNIT_ASSERT_EQ(test, t->v[0].err, EBUSY);
	KUNIT_ASSERT_EQ(test, t->v[0].schedule, schedule);
	KUNIT_ASSERT_EQ(test, t->v[0].budget, budget);
	CHECK(t->v[0].partition == A653_NOBODY);
	CHECK(t->v[0].window == A653_NOBODY && t->v[0].other == A653_NOBODY);
}

static void budgets_must_fit(struct kunit *test)
{
	struct setup *t = alloc_setup(test);

	add_schedule(t, "quiet", 10 * MS);
	/* 55 % of CPU 1, in stretches of 5.5 ms, in the second schedule */
	add_schedule(t, "full", 20 * MS);
	add_window(t, 1, 2 * MS, 5 * MS + 500 * US);
	add_window(t, 1, 12 * MS, 5 * MS + 500 * US);
	/* No budgets: nothing to look at, nothing to work in */
	CHECK(rtds_conf_check(&t->conf, &t->limits, NULL, NULL, NULL, collect,
			      t) == 0);
	accepted(t);
	add_budget(t, 0, 1, 100 * MS, 500 * MS);
	add_budget(t, 1, 1, 200 * MS, 1000 * MS);
	accepted(t);
	add_budget(t, 2, 1, 30 * MS, 1000 * MS);
	refused(t, 1, 0,
		"schedule \"full\" leaves 45.0% of CPU 1 free, of which 40.0% may be promised: budgets ask for 43.0%");
	t->limits.min_slack_pct = 1;
	accepted(t);
	t->limits.min_slack_pct = 46;
	t->conf.cfg.nr_budgets = 2;
	/* Budgets may be refused that windows left room for */
	t->conf.cfg.nr_windows = 0;
	t->schedule[1].nr_windows = 0;
	t->budget[1].budget_ns = 360 * MS;
	check_setup(t);
	KUNIT_ASSERT_EQ(test, t->nr, 2);
	KUNIT_ASSERT_STREQ(test, t->v[0].text,
			   "schedule \"quiet\" leaves 100.0% of CPU 1 free, of which 54.0% may be promised: budgets ask for 56.0%");
	t->stop_after = 1;
	CHECK(check_setup(t) == 1);
	t->stop_after = U32_MAX;
	t->budget[1].budget_ns = 200 * MS;
	t->limits.min_slack_pct = 5;
	accepted(t);

	/* On average it is enough, but not in each interval */
	t->conf.cfg.nr_windows = 2;
	t->schedule[1].nr_windows = 2;
	add_budget(t, 2, 0, 1 * MS, 20 * MS);
	add_budget(t, 2, 1, 1 * MS, 20 * MS);
	t->budget[0].budget_ns = 50 * MS;
	t->budget[1].budget_ns = 150 * MS;
	accepted(t);
	t->budget[2].period_ns = 6 * MS;
	t->budget[3].period_ns = 6 * MS;
	t->budget[2].budget_ns = 500 * US;
	t->budget[3].budget_ns = 500 * US;
	refused(t, 1, 0,
		"schedule \"full\" is too coarse for the budgets on CPU 1: in 6.000ms it may have only 0.500ms free of windows, they can ask for 2.000ms");
	/* The other CPU has no windows */
	t->budget[0].cpu = 0;
	t->budget[1].cpu = 0;
	t->budget[2].budget_ns = 1600 * US;
	t->budget[3].budget_ns = 1600 * US;
	refused(t, 1, 3,
		"schedule \"full\" is too coarse for the budgets on CPU 1: in 6.000ms it may have only 0.500ms free of windows, they can ask for 1.600ms");
}

/* The longest sentences: collect() sees that nothing was cut off */
static void longest_sentences(struct kunit *test)
{
	struct setup *t = alloc_setup(test);
	char name[A653_NAME_LEN];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	add_schedule(t, name, A653_MAX_MAJOR_FRAME_NS);
	add_window(t, 0, 1, A653_MAX_MAJOR_FRAME_NS - 1000 * 1000 * MS);
	add_budget(t, 0, 0, RTDS_MAX_PERIOD_NS / 5, RTDS_MAX_PERIOD_NS);
	CHECK(check_setup(t) == 1);
	add_budget(t, 1, 0, RTDS_MAX_PERIOD_NS, RTDS_MAX_PERIOD_NS);
	CHECK(check_setup(t) == 1);
}

/*
 * Does admission keep its promise? EDF, from event to event. Time is in
 * nanoseconds, and jumps to the next instant at which something happens.
 */

#define SIM_CPUS	4
#define SIM_SERVERS	64

enum habit {
	ALWAYS,		/* has work */
	SOMETIMES,	/* has work, and for some time */
	LURKING,	/* until shortly before its deadline; works beyond it */
	WORKING,	/* on jobs of some length */
	FLAPPING,	/* sleeps for nearly no time */
	NR_HABITS
};

struct sim_cpu {
	const struct a653_frame *f;
	u32 seg;
	s64 end;
};

struct sim_server {
	struct rtds_server s;
	enum habit habit;
	bool ready, running;
	bool whole;		/* had work since this period began */
	s64 deadline;		/* counted here once more */
	s64 toggle;		/* when it falls asleep, or wakes up */
	u64 work;		/* it falls asleep when it ran this long */
	u64 ran;		/* in this period on its own budget */
	u64 extra;		/* in this period beyond it */
};

struct sim {
	struct kunit *test;
	struct rnd *r;
	s64 now;
	u32 nr_cpus, nr;
	struct sim_cpu cpu[SIM_CPUS];
	struct sim_server server[SIM_SERVERS];
	u32 kept, missed;
};

#define SIM_NEVER	(S64_MAX / 2)

static u64 rnd_upto(struct rnd *r, u64 max)
{
	u64 rem;

	div64_u64_rem(rnd64(r) >> 8, max + 1, &rem);
	return rem;
}

static void sim_sleep(struct sim *sim, struct sim_server *v)
{
	const struct rtds_params *par = &v->s.par;
	s64 before;

	v->ready = false;
	v->running = false;
	v->whole = false;
	v->work = U64_MAX;
	switch (v->habit) {
	case LURKING:
		/* A deadline still to come, and how much before it to wake up */
		switch (rnd_in(sim->r, 0, 3)) {
		case 0:
			before = rnd_in(sim->r, 0, 3);
			break;
		case 1:
			before = par->budget_ns + rnd_in(sim->r, -1, 1);
			break;
		default:
			before = rnd_upto(sim->r, par->period_ns);
			break;
		}
		v->toggle = v->deadline + rnd_in(sim->r, 0, 2) *
					  (s64)par->period_ns - before;
		v->toggle = max(v->toggle, sim->now);
		break;
	case FLAPPING:
		v->toggle = sim->now + (one_in(sim->r, 2) ? 0 :
			    rnd_upto(sim->r, par->period_ns / 16));
		break;
	default:
		v->toggle = sim->now + rnd_upto(sim->r, par->period_ns * 2);
		break;
	}
}

static void sim_wake(struct sim *sim, struct sim_server *v)
{
	const struct rtds_params *par = &v->s.par;
	struct kunit *test = sim->test;

	while (v->deadline <= sim->now) {
		v->deadline += par->period_ns;
		v->ran = 0;
		v->extra = 0;
	}
	rtds_wake(&v->s, sim->now);
	CHECK(v->s.deadline_ns == v->deadline);
	v->ready = true;
	v->whole = sim->now == v->deadline - (s64)par->period_ns;
	v->toggle = SIM_NEVER;
	switch (v->habit) {
	case LURKING:
		v->toggle = v->deadline +
			    rnd_in(sim->r, 1, 2) * (s64)par->period_ns;
		break;
	case WORKING:
		v->work = 1 + rnd_upto(sim->r, par->budget_ns * 2);
		break;
	case ALWAYS:
		break;
	default:
		v->toggle = sim->now + rnd_upto(sim->r, par->period_ns * 3);
		break;
	}
}

static void sim_end_period(struct sim *sim, struct sim_server *v)
{
	struct kunit *test = sim->test;

	/* Never more than its budget, whatever it did */
	CHECK(v->ran <= v->s.par.budget_ns);
	CHECK(!v->extra || v->s.par.extra);
	if (v->whole && v->ran < v->s.par.budget_ns)
		sim->missed++;
	else if (v->whole)
		sim->kept++;
	v->deadline += v->s.par.period_ns;
	v->ran = 0;
	v->extra = 0;
	v->whole = true;
}

static s64 sim_next(const struct sim *sim)
{
	const struct sim_server *v;
	s64 next = SIM_NEVER;
	u32 i;

	for (i = 0; i < sim->nr_cpus; i++)
		next = min(next, sim->cpu[i].end);
	for (i = 0; i < sim->nr; i++) {
		v = &sim->server[i];
		next = min(next, v->toggle);
		if (v->ready)
			next = min(next, v->deadline);
		if (v->running)
			next = min_t(s64, next, sim->now +
				     min_t(u64, v->s.left_ns, v->work));
	}
	return next;
}

/* All servers from @sim->now to @next */
static void sim_advance(struct sim *sim, s64 next)
{
	struct kunit *test = sim->test;
	u64 ran = next - sim->now;
	struct sim_server *v;
	u32 i;

	for (i = 0; i < sim->nr; i++) {
		v = &sim->server[i];
		if (!v->ready)
			continue;
		if (v->running) {
			if (v->s.level < RTDS_LEVEL_EXTRA)
				v->ran += ran;
			else
				v->extra += ran;
			v->work -= ran;
		}
		if (next == v->deadline)
			sim_end_period(sim, v);
		if (v->running)
			rtds_charge(&v->s, sim->now, next);
		else
			rtds_catch_up(&v->s, next);
		CHECK(v->s.deadline_ns == v->deadline);
	}
	sim->now = next;
}

static void sim_events(struct sim *sim)
{
	struct sim_server *v;
	struct sim_cpu *c;
	u32 i;

	for (i = 0; i < sim->nr_cpus; i++) {
		c = &sim->cpu[i];
		if (c->end > sim->now)
			continue;
		c->seg = c->seg + 1 < c->f->nr_segs ? c->seg + 1 : 0;
		c->end += a653_seg_end(c->f, c->seg) -
			  c->f->seg[c->seg].start_ns;
	}
	for (i = 0; i < sim->nr; i++) {
		v = &sim->server[i];
		if (v->ready && (v->toggle <= sim->now || !v->work))
			sim_sleep(sim, v);
		if (!v->ready && v->toggle <= sim->now)
			sim_wake(sim, v);
	}
}

/* As many servers as there are CPUs without a window, the most urgent ones */
static void sim_pick(struct sim *sim)
{
	struct kunit *test = sim->test;
	bool was[SIM_SERVERS], extra = false, waiting = false;
	struct sim_server *v, *best;
	u32 i, nr = 0;

	for (i = 0; i < sim->nr_cpus; i++)
		nr += sim->cpu[i].f->seg[sim->cpu[i].seg].partition == A653_GAP;
	for (i = 0; i < sim->nr; i++) {
		was[i] = sim->server[i].running;
		sim->server[i].running = false;
	}
	for (; nr; nr--) {
		best = NULL;
		for (i = 0; i < sim->nr; i++) {
			v = &sim->server[i];
			if (!v->ready || v->running || rtds_depleted(&v->s))
				continue;
			if (!best || rtds_key(&v->s) < rtds_key(&best->s) ||
			    (rtds_key(&v->s) == rtds_key(&best->s) && was[i]))
				best = v;
		}
		if (!best)
			break;
		best->running = true;
	}
	for (i = 0; i < sim->nr; i++) {
		v = &sim->server[i];
		extra |= v->running && v->s.level >= RTDS_LEVEL_EXTRA;
		waiting |= v->ready && !v->running && v->s.left_ns &&
			   v->s.level < RTDS_LEVEL_EXTRA;
	}
	CHECK(!extra || !waiting);
}

static void sim_run(struct sim *sim, u32 events)
{
	sim->kept = 0;
	sim->missed = 0;
	while (events--) {
		sim_events(sim);
		sim_pick(sim);
		sim_advance(sim, sim_next(sim));
	}
}

/* Somewhere in their frames and periods */
static void sim_start(struct sim *sim)
{
	bool together = one_in(sim->r, 2);
	struct sim_server *v;
	struct sim_cpu *c;
	u32 i;

	sim->now = rnd_upto(sim->r, 1000 * MS);
	for (i = 0; i < sim->nr_cpus; i++) {
		c = &sim->cpu[i];
		c->seg = rnd_in(sim->r, 0, c->f->nr_segs - 1);
		c->end = sim->now + 1 + rnd_upto(sim->r, a653_seg_end(c->f, c->seg) -
						 c->f->seg[c->seg].start_ns - 1);
	}
	for (i = 0; i < sim->nr; i++) {
		v = &sim->server[i];
		rtds_start(&v->s, &v->s.par, sim->now - (together ? 0 :
			   (s64)rnd_upto(sim->r, v->s.par.period_ns - 1)));
		v->deadline = v->s.deadline_ns;
		v->ran = 0;
		v->extra = 0;
		v->habit = one_in(sim->r, 3) ? ALWAYS :
			   rnd_in(sim->r, 0, NR_HABITS - 1);
		sim_sleep(sim, v);
		if (v->habit == ALWAYS)
			v->toggle = sim->now;
	}
}

/* Random servers that ask for nearly @util in sum, each for @max at most */
static void sim_servers(struct sim *sim, u64 util, u64 max, u64 unit)
{
	u32 kind = rnd_in(sim->r, 0, 3), weight[SIM_SERVERS], sum = 0, i;
	u64 period = unit * rnd_in(sim->r, 1, 12), share;
	struct rtds_params *par;

	sim->nr = rnd_in(sim->r, 1, one_in(sim->r, 8) ? SIM_SERVERS : 7);
	for (i = 0; i < sim->nr; i++)
		sum += weight[i] = rnd_in(sim->r, 1, one_in(sim->r, 4) ? 50 : 10);
	for (i = 0; i < sim->nr; i++) {
		par = &sim->server[i].s.par;
		if (kind == 0)
			par->period_ns = period;
		else if (kind == 1)
			par->period_ns = period << rnd_in(sim->r, 0, 4);
		else
			par->period_ns = unit * rnd_in(sim->r, 4, 60);
		share = min(div64_u64(util * weight[i], sum), max);
		par->budget_ns = mul_u64_u64_shr(par->period_ns, share,
						 RTDS_UNIT_SHIFT);
		par->budget_ns = max_t(u64, par->budget_ns, RTDS_MIN_BUDGET_NS);
		par->extra = one_in(sim->r, 3);
	}
}

struct sum {
	struct rtds_demand dem;
	u64 util_max;
};

static struct sum sim_sum(const struct sim *sim)
{
	struct sum sum = { .dem.shortest_ns = U64_MAX };
	const struct rtds_params *par;
	u32 i;

	for (i = 0; i < sim->nr; i++) {
		par = &sim->server[i].s.par;
		sum.dem.util += rtds_util(par);
		sum.util_max = max(sum.util_max, rtds_util(par));
		sum.dem.shortest_ns = min_t(u64, sum.dem.shortest_ns,
					    par->period_ns);
	}
	return sum;
}

/* A little less for all; false if there is no less */
static bool sim_shrink(struct sim *sim)
{
	struct rtds_params *par;
	bool less = false;
	u32 i;

	for (i = 0; i < sim->nr; i++) {
		par = &sim->server[i].s.par;
		if (par->budget_ns == RTDS_MIN_BUDGET_NS)
			continue;
		less = true;
		par->budget_ns -= par->budget_ns >> 6;
		par->budget_ns = max_t(u64, par->budget_ns, RTDS_MIN_BUDGET_NS);
	}
	return less;
}

static struct sim *alloc_sim(struct kunit *test)
{
	struct sim *sim = kunit_kzalloc(test, sizeof(*sim), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, sim);
	sim->test = test;
	sim->r = test->priv;
	return sim;
}

struct tally {
	u32 sets, refused, kept, overloads;
};

static void check_tally(struct kunit *test, const struct tally *t, u32 rounds)
{
	kunit_info(test, "%u sets kept %u promises, %u overloads were seen, %u cases without a set\n",
		   t->sets, t->kept, t->overloads, t->refused);
	CHECK(t->sets > rounds / 2);
	/* A promise that is never put to the test proves little */
	CHECK(t->kept > 10 * t->sets);
	CHECK(t->overloads > rounds / 200);
}

static void admitted_servers_get_their_budgets(struct kunit *test)
{
	static const u64 units[] = { 10 * US, 100 * US, 33333 };
	struct a653_frame *f = alloc_frame(test, MAX_SEGS);
	struct sim *sim = alloc_sim(test);
	struct rnd *r = test->priv;
	struct tally t = {};
	struct rtds_supply sup;
	struct sum sum;
	bool fits;

	sim->nr_cpus = 1;
	sim->cpu[0].f = f;
	for (r->round = 0; r->round < ROUNDS; r->round++) {
		do {
			random_frame(r, f, units[rnd_in(r, 0, 2)],
				     one_in(r, 3) ? MAX_SEGS : 5);
			rtds_supply_build(&sup, f);
		} while (!sup.free_ns);
		sim_servers(sim, rtds_supply_util(&sup), RTDS_UNIT, 100 * US);

		/* Too much is seen to be too much */
		if (one_in(r, 4)) {
			sim_start(sim);
			sim_run(sim, SIM_EVENTS);
			t.overloads += sim->missed > 0;
		}
		do {
			sum = sim_sum(sim);
			fits = rtds_fits(&sup, &sum.dem, 0, NULL);
		} while (!fits && sim_shrink(sim));
		if (!fits) {
			t.refused++;
			continue;
		}
		sim_start(sim);
		sim_run(sim, SIM_EVENTS);
		CHECK(!sim->missed);
		t.sets++;
		t.kept += sim->kept;
		cond_resched();
	}
	check_tally(test, &t, ROUNDS);
}

static void admitted_global_servers_get_their_budgets(struct kunit *test)
{
	struct a653_frame *f[SIM_CPUS];
	struct sim *sim = alloc_sim(test);
	struct rnd *r = test->priv;
	struct rtds_supply sup;
	struct tally t = {};
	u64 util, lag_ns;
	struct sum sum;
	bool fits;
	u32 i;

	for (i = 0; i < SIM_CPUS; i++) {
		f[i] = alloc_frame(test, MAX_SEGS);
		sim->cpu[i].f = f[i];
	}
	for (r->round = 0; r->round < ROUNDS; r->round++) {
		sim->nr_cpus = rnd_in(r, 2, SIM_CPUS);
		util = 0;
		lag_ns = 0;
		for (i = 0; i < sim->nr_cpus; i++) {
			random_frame(r, f[i], 10 * US, one_in(r, 3) ? MAX_SEGS : 3);
			rtds_supply_build(&sup, f[i]);
			util += rtds_supply_util(&sup);
			lag_ns += sup.lag_ns;
		}
		if (!util) {
			t.refused++;
			continue;
		}
		sim_servers(sim, util, RTDS_UNIT / 4 * rnd_in(r, 1, 4), 100 * US);
		if (one_in(r, 4)) {
			sim_start(sim);
			sim_run(sim, SIM_EVENTS);
			t.overloads += sim->missed > 0;
		}
		do {
			sum = sim_sum(sim);
			fits = rtds_fits_global(util, lag_ns, sum.dem.util,
						sum.util_max, sim->nr_cpus,
						sum.dem.shortest_ns);
		} while (!fits && sim_shrink(sim));
		if (!fits) {
			t.refused++;
			continue;
		}
		sim_start(sim);
		sim_run(sim, SIM_EVENTS);
		CHECK(!sim->missed);
		t.sets++;
		t.kept += sim->kept;
		cond_resched();
	}
	check_tally(test, &t, ROUNDS);
}

/*
 * The suite
 */

static struct kunit_case rtds_server_test_cases[] = {
	KUNIT_CASE(params),
	KUNIT_CASE(grid_does_not_drift),
	KUNIT_CASE(wake_obeys_the_late_rule),
	KUNIT_CASE(fair_share_is_exact),
	KUNIT_CASE(extratime_goes_down_level_by_level),
	KUNIT_CASE(lesson24_nothing_is_due),
	KUNIT_CASE(lesson25_rest_after_sleep),
	KUNIT_CASE(lesson28_negative_consumption),
	KUNIT_CASE(lesson29_budget_equals_period),
	KUNIT_CASE(lesson30_renewal_knows_no_level),
	KUNIT_CASE(lesson31_renewed_is_urgent_again),
	KUNIT_CASE(lesson32_equal_keys),
	KUNIT_CASE(lesson33_change_in_any_state),
	KUNIT_CASE(server_like_a_model),
	KUNIT_CASE(supply_like_counting),
	KUNIT_CASE(supply_of_extremes),
	KUNIT_CASE(supply_with_many_corners),
	KUNIT_CASE(util_is_rounded_up),
	KUNIT_CASE(fits_like_counting),
	KUNIT_CASE(fits_with_reserve),
	KUNIT_CASE(fits_global),
	KUNIT_CASE(budgets_must_fit),
	KUNIT_CASE(longest_sentences),
	KUNIT_CASE(admitted_servers_get_their_budgets),
	KUNIT_CASE(admitted_global_servers_get_their_budgets),
	{}
};

static struct kunit_suite rtds_server_test_suite = {
	.name = "a653_rtds_server",
	.suite_init = rnd_suite_init,
	.init = rnd_test_init,
	.test_cases = rtds_server_test_cases,
};

kunit_test_suite(rtds_server_test_suite);
