// SPDX-License-Identifier: GPL-2.0
/*
 * Deferrable servers: the arithmetic of budgets, and what a CPU can promise
 *
 * A server may run for its budget in each of its periods. Periods lie on a grid
 * that is fixed when the server starts; where a server is in its grid follows
 * by division, however long nobody looked. What it does not run until the
 * period ends is dropped; until then it keeps it, also asleep.
 *
 * To keep it is what makes a server deferrable, and what makes it dangerous: a
 * server that sleeps until shortly before its deadline, uses its budget there
 * and then the next one at once runs twice as much as its neighbours expect.
 * Hence the late rule. When a server wakes up, only so much of its budget keeps
 * its rank as the server could still use at its own rate, budget / period, up
 * to the deadline. The rest is not lost: it comes after what others were
 * promised, at RTDS_LEVEL_LATE.
 *
 * What follows from the late rule. Cut what a server runs at RTDS_LEVEL_BUDGET
 * into jobs: one arrives when a period begins and there is work, and whenever
 * the server wakes up; its deadline is the end of the period. Jobs that arrive
 * and have their deadlines within an interval of a length L ask for U * L at
 * most, U being budget / period: the first of them for no more than U times the
 * time to its deadline, all of that period included, and each period after it
 * for U times its length.
 *
 * Theorem, for one CPU with servers of utilisation U in sum, and whatever levels
 * there are besides: if at least U * L of any interval of a length L is free, for
 * each L from the shortest period on, then a server that has work all through a
 * period gets its whole budget in it. Assume that it did not, and that the
 * period ended at d. Go back from its start to the last instant t at which no
 * job with a deadline up to d was waiting. From t to d, which is a period at
 * least, all free time went to jobs with deadlines up to d; they all came at t
 * or later, so that they asked for no more than U * (d - t); and not all of
 * that was done. So less than U * (d - t) was free, which is not so.
 *
 * This holds as long as the servers stay the same. One that is added, removed or
 * changed may take from the others once what it could have in two periods.
 */
#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sort.h>
#include <linux/string.h>
#endif

#include "rtds_server.h"

/**
 * rtds_params_check - may a server have these parameters?
 * @par: budget and period
 *
 * Context: any.
 * Return: 0, or -EINVAL if the period is shorter than RTDS_MIN_PERIOD_NS or
 * longer than RTDS_MAX_PERIOD_NS, or the budget is shorter than
 * RTDS_MIN_BUDGET_NS or longer than the period.
 */
int rtds_params_check(const struct rtds_params *par)
{
	if (par->period_ns < RTDS_MIN_PERIOD_NS ||
	    par->period_ns > RTDS_MAX_PERIOD_NS)
		return -EINVAL;
	if (par->budget_ns < RTDS_MIN_BUDGET_NS ||
	    par->budget_ns > par->period_ns)
		return -EINVAL;
	return 0;
}

static void rtds_renew(struct rtds_server *s)
{
	s->left_ns = s->par.budget_ns;
	s->late_ns = 0;
	s->level = RTDS_LEVEL_BUDGET;
}

/**
 * rtds_start - make a server
 * @s: the server; what it was before does not matter
 * @par: its parameters, which passed rtds_params_check()
 * @now: its first period starts here; CLOCK_MONOTONIC, not negative
 *
 * Context: any.
 */
void rtds_start(struct rtds_server *s, const struct rtds_params *par, s64 now)
{
	s->par = *par;
	s->deadline_ns = now + (s64)par->period_ns;
	rtds_renew(s);
}

/**
 * rtds_catch_up - begin the period in which an instant is
 * @s: the server
 * @now: the instant; if it is before the deadline, nothing happens
 *
 * The deadline is the end of a period, and the start of the next one: at that
 * instant the budget is a new one. Deadlines follow from deadlines, never from
 * @now.
 *
 * Context: any. O(1), one division.
 * Return: the number of periods that began.
 */
u64 rtds_catch_up(struct rtds_server *s, s64 now)
{
	u64 periods;

	if (now < s->deadline_ns)
		return 0;
	periods = div64_u64((u64)now - (u64)s->deadline_ns, s->par.period_ns) + 1;
	s->deadline_ns += (s64)(periods * s->par.period_ns);
	rtds_renew(s);
	return periods;
}

/* The late rule: what cannot be used at the server's own rate any more */
static void rtds_defer(struct rtds_server *s, s64 now)
{
	u64 fair_ns;

	if (s->level != RTDS_LEVEL_BUDGET)
		return;
	/* Neither factor is longer than a period: less than 2^64 */
	fair_ns = div64_u64(s->par.budget_ns * (u64)(s->deadline_ns - now),
			    s->par.period_ns);
	if (s->left_ns <= fair_ns)
		return;
	s->late_ns += s->left_ns - fair_ns;
	s->left_ns = fair_ns;
	if (fair_ns)
		return;
	s->level = RTDS_LEVEL_LATE;
	s->left_ns = s->late_ns;
	s->late_ns = 0;
}

/**
 * rtds_wake - a server without work gets some
 * @s: the server
 * @now: when
 *
 * Begins a period if one is due, and applies the late rule.
 *
 * Context: any. O(1), at most two divisions.
 */
void rtds_wake(struct rtds_server *s, s64 now)
{
	rtds_catch_up(s, now);
	rtds_defer(s, now);
}

/**
 * rtds_wake_key - how urgent would a server be that has no work?
 * @s: the server; stays as it is
 * @now: when it would wake up
 *
 * Context: any. O(1), at most two divisions.
 * Return: its rtds_key() after rtds_wake(), or RTDS_KEY_NONE if it would be
 * depleted.
 */
u64 rtds_wake_key(const struct rtds_server *s, s64 now)
{
	struct rtds_server awake = *s;

	rtds_wake(&awake, now);
	return rtds_depleted(&awake) ? RTDS_KEY_NONE : rtds_key(&awake);
}

/* Extratime: a level down, with as much as a budget */
static void rtds_level_down(struct rtds_server *s)
{
	s->level = max_t(u32, s->level + 1, RTDS_LEVEL_EXTRA);
	s->level = min_t(u32, s->level, RTDS_LEVEL_LAST);
	s->left_ns = s->par.budget_ns;
}

/* Within a period. Once for each level at most, with one division. */
static void rtds_consume(struct rtds_server *s, u64 ran_ns)
{
	while (s->left_ns && ran_ns >= s->left_ns) {
		ran_ns -= s->left_ns;
		s->left_ns = 0;
		if (s->late_ns) {
			s->level = RTDS_LEVEL_LATE;
			s->left_ns = s->late_ns;
			s->late_ns = 0;
		} else if (s->par.extra) {
			/* Below the last level there are more of its kind */
			if (s->level == RTDS_LEVEL_LAST)
				div64_u64_rem(ran_ns, s->par.budget_ns, &ran_ns);
			rtds_level_down(s);
		}
	}
	/* Without anything left, it ran too long: nobody is to pay for that */
	if (s->left_ns)
		s->left_ns -= ran_ns;
}

/**
 * rtds_charge - account what a server ran
 * @s: the server
 * @from: it ran since then ...
 * @to: ... until now. Where that is earlier than @from, it ran for no time.
 *
 * Begins a period if one is due at @to. What was run before that is charged to
 * periods that are over. When the budget is used up, what is late follows, then
 * extratime, level by level, then nothing.
 *
 * Context: any. At most RTDS_LEVEL_LAST + 1 steps, two divisions.
 * Return: a set of flags that compare the server with what it was before:
 *
 * - RTDS_RENEWED: at least one period began.
 * - RTDS_LEVELLED: its level is another one.
 * - RTDS_DEPLETED: it is depleted. It was not, or it is so again in a period
 *   that began.
 */
unsigned int rtds_charge(struct rtds_server *s, s64 from, s64 to)
{
	bool depleted = rtds_depleted(s);
	u32 level = s->level;
	unsigned int what = 0;

	if (rtds_catch_up(s, to)) {
		what |= RTDS_RENEWED;
		depleted = false;
	}
	from = max_t(s64, from, s->deadline_ns - (s64)s->par.period_ns);
	if (from < to)
		rtds_consume(s, to - from);

	if (s->level != level)
		what |= RTDS_LEVELLED;
	if (rtds_depleted(s) && !depleted)
		what |= RTDS_DEPLETED;
	return what;
}

/**
 * rtds_change - give a server other parameters
 * @s: the server, charged for what it ran until @now
 * @par: the parameters, which passed rtds_params_check()
 * @now: when
 *
 * A larger budget counts from the next period, a smaller one clamps at once. The
 * period ends no later than one of the new length would that starts now; from
 * there on the grid is that of the new period. Extratime is given or taken away
 * at once.
 *
 * Context: any. O(1), at most two divisions.
 */
void rtds_change(struct rtds_server *s, const struct rtds_params *par, s64 now)
{
	/* Less of a CPU? Products of two periods: less than 2^64 */
	bool less = par->budget_ns * s->par.period_ns <
		    s->par.budget_ns * par->period_ns;

	rtds_catch_up(s, now);
	s->par = *par;
	s->deadline_ns = min_t(s64, s->deadline_ns, now + (s64)par->period_ns);
	s->left_ns = min_t(u64, s->left_ns, par->budget_ns);
	s->late_ns = min_t(u64, s->late_ns, par->budget_ns - s->left_ns);
	/*
	 * What it may have no more can already be another's. A server that was
	 * kept waiting has a right to more than the fair share, though, as long
	 * as its rate does not become less.
	 */
	if (less)
		rtds_defer(s, now);

	if (s->level >= RTDS_LEVEL_EXTRA && !par->extra)
		s->left_ns = 0;
	else if (rtds_depleted(s) && par->extra)
		rtds_level_down(s);
}

/*
 * Admission
 */

/**
 * rtds_util - the utilisation of a server
 * @par: its parameters
 *
 * Context: any. One division.
 * Return: budget / period in units of 2^-32, rounded up.
 */
u64 rtds_util(const struct rtds_params *par)
{
	return DIV64_U64_ROUND_UP(par->budget_ns << RTDS_UNIT_SHIFT,
				  par->period_ns);
}

/*
 * The supply bound function of a table is the least free time in any interval
 * of a length. The worst interval starts where windows start after a gap, or
 * ends where windows end before one: otherwise, shifting it in one of the two
 * directions would not make it better. Each stretch of the time line that does
 * both, with the length l and s free in it, thus gives a bound for all lengths:
 * no more than s up to l, and beyond l no more than s + L - l, since gaps can
 * lie before it or behind. The function is the lowest of these bounds.
 *
 * That makes a row of flat parts and of slopes of 1. It is kept as the ends of
 * the flat parts. Going on for a frame adds just what is free in a frame.
 */

/* The bound, for a length within one frame */
static u64 rtds_supply_at(const struct rtds_supply *sup, u64 len_ns)
{
	u32 low = 0, high = sup->nr, mid;
	u64 sum_ns = len_ns;

	/* Points before @low are at @len_ns or shorter, those from @high longer */
	while (low < high) {
		mid = low + (high - low) / 2;
		if (sup->len_ns[mid] <= len_ns)
			low = mid + 1;
		else
			high = mid;
	}
	if (low)
		sum_ns = sup->sum_ns[low - 1] + len_ns - sup->len_ns[low - 1];
	return low < sup->nr ? min_t(u64, sum_ns, sup->sum_ns[low]) : sum_ns;
}

/**
 * struct rtds_bound - a supply bound function while it is made
 * @sup: the points so far
 * @lost_ns: for each point, how much too low the bound may be around it
 */
struct rtds_bound {
	struct rtds_supply *sup;
	u64 lost_ns[RTDS_SUPPLY_POINTS];
};

static void rtds_bound_set(struct rtds_bound *b, u32 point, u64 len_ns,
			   u64 sum_ns, u64 lost_ns)
{
	b->sup->len_ns[point] = len_ns;
	b->sup->sum_ns[point] = sum_ns;
	b->lost_ns[point] = lost_ns;
}

static void rtds_bound_copy(struct rtds_bound *b, u32 to, u32 from)
{
	rtds_bound_set(b, to, b->sup->len_ns[from], b->sup->sum_ns[from],
		       b->lost_ns[from]);
}

static void rtds_bound_drop(struct rtds_bound *b, u32 point)
{
	for (b->sup->nr--; point < b->sup->nr; point++)
		rtds_bound_copy(b, point, point + 1);
}

/*
 * Make room for a point: a flat part goes, and the one before it becomes longer,
 * up to where the slope leads to its end. The one that goes is the one after
 * which least is lost in sum, so that losses do not gather in one place.
 */
static void rtds_bound_thin(struct rtds_bound *b)
{
	u64 rise_ns, flat_ns, lost_ns, least_ns = U64_MAX;
	const struct rtds_supply *sup = b->sup;
	u32 i, at = 1;

	for (i = 1; i < sup->nr; i++) {
		rise_ns = sup->sum_ns[i] - sup->sum_ns[i - 1];
		flat_ns = sup->len_ns[i] - sup->len_ns[i - 1] - rise_ns;
		lost_ns = max(b->lost_ns[i - 1], b->lost_ns[i]) +
			  min(rise_ns, flat_ns);
		if (lost_ns < least_ns) {
			least_ns = lost_ns;
			at = i;
		}
	}
	rise_ns = sup->sum_ns[at] - sup->sum_ns[at - 1];
	rtds_bound_set(b, at - 1, sup->len_ns[at] - rise_ns,
		       sup->sum_ns[at - 1], least_ns);
	rtds_bound_drop(b, at);
}

/* Some interval of this length has no more than @sum_ns free. O(points). */
static void rtds_bound_add(struct rtds_bound *b, u64 len_ns, u64 sum_ns)
{
	struct rtds_supply *sup = b->sup;
	u32 i;

	if (rtds_supply_at(sup, len_ns) <= sum_ns)
		return;
	/* Points that say less than this one */
	for (i = sup->nr; i--;)
		if (sum_ns <= sup->sum_ns[i] &&
		    (sup->len_ns[i] <= len_ns || sup->len_ns[i] - len_ns <=
						 sup->sum_ns[i] - sum_ns))
			rtds_bound_drop(b, i);
	if (sup->nr == RTDS_SUPPLY_POINTS) {
		rtds_bound_thin(b);
		/* It may have got so low that this one says nothing new */
		if (rtds_supply_at(sup, len_ns) <= sum_ns)
			return;
	}
	for (i = sup->nr++; i && sup->len_ns[i - 1] > len_ns; i--)
		rtds_bound_copy(b, i, i - 1);
	rtds_bound_set(b, i, len_ns, sum_ns, 0);
}

static bool rtds_seg_free(const struct a653_frame *f, u32 seg)
{
	return f->seg[seg].partition == A653_GAP;
}

static u64 rtds_seg_len(const struct a653_frame *f, u32 seg)
{
	return a653_seg_end(f, seg) - f->seg[seg].start_ns;
}

/* Each stretch from the start of @seg, shorter than a frame, to a window's end */
static void rtds_bound_from(struct rtds_bound *b, const struct a653_frame *f,
			    u32 seg)
{
	u64 len_ns = 0, sum_ns = 0;
	u32 nr, next;

	for (nr = 0; nr < f->nr_segs; nr++, seg = next) {
		next = seg + 1 < f->nr_segs ? seg + 1 : 0;
		len_ns += rtds_seg_len(f, seg);
		if (rtds_seg_free(f, seg))
			sum_ns += rtds_seg_len(f, seg);
		else if (rtds_seg_free(f, next))
			rtds_bound_add(b, len_ns, sum_ns);
	}
}

/* How far the bound is behind the average where it is furthest: at a point */
static u64 rtds_supply_lag(const struct rtds_supply *sup)
{
	u64 due_ns, lag_ns = 0;
	u32 i;

	for (i = 0; i < sup->nr; i++) {
		due_ns = mul_u64_u64_div_u64(sup->free_ns, sup->len_ns[i],
					     sup->major_ns);
		/* The remainder is shorter than the frame: 64 bits tell it */
		due_ns += due_ns * sup->major_ns != sup->free_ns * sup->len_ns[i];
		/* The least is not more than the average */
		lag_ns = max_t(u64, lag_ns, due_ns - sup->sum_ns[i]);
	}
	return lag_ns;
}

/* One point, at the end of the frame: all is free, or nothing */
static void rtds_supply_even(struct rtds_supply *sup)
{
	sup->lag_ns = 0;
	sup->nr = 1;
	sup->len_ns[0] = sup->major_ns;
	sup->sum_ns[0] = sup->free_ns;
}

/**
 * rtds_supply_full - what a CPU without a table leaves to servers
 * @sup: filled in; its frame has some length or other
 *
 * Context: any.
 */
void rtds_supply_full(struct rtds_supply *sup)
{
	sup->major_ns = RTDS_MAX_PERIOD_NS;
	sup->free_ns = sup->major_ns;
	rtds_supply_even(sup);
}

/**
 * rtds_supply_build - what a CPU with a table leaves to servers
 * @sup: filled in
 * @f: the frame table. Time of its gaps is free, time of windows is not, also if
 *	it remains unused.
 *
 * Exact with up to RTDS_SUPPLY_POINTS corners, and a little too low with more.
 *
 * Context: process context. O(n^2 * points) for n segments at the worst, and
 * mostly O(n^2 * log points).
 */
void rtds_supply_build(struct rtds_supply *sup, const struct a653_frame *f)
{
	u32 seg, before = f->nr_segs - 1;
	struct rtds_bound b = { .sup = sup };

	sup->major_ns = f->major_ns;
	sup->free_ns = 0;
	for (seg = 0; seg < f->nr_segs; seg++)
		if (rtds_seg_free(f, seg))
			sup->free_ns += rtds_seg_len(f, seg);
	if (!sup->free_ns || sup->free_ns == sup->major_ns) {
		rtds_supply_even(sup);
		return;
	}

	sup->nr = 0;
	for (seg = 0; seg < f->nr_segs; before = seg++) {
		if (!rtds_seg_free(f, seg) && rtds_seg_free(f, before))
			rtds_bound_from(&b, f, seg);
		cond_resched();
	}
	sup->lag_ns = rtds_supply_lag(sup);
}

/**
 * rtds_supply_util - the share of a CPU that is free
 * @sup: what it leaves to servers
 *
 * Context: any. One division.
 * Return: the share in units of 2^-32, rounded down.
 */
u64 rtds_supply_util(const struct rtds_supply *sup)
{
	return mul_u64_u64_div_u64(sup->free_ns, RTDS_UNIT, sup->major_ns);
}

/**
 * rtds_supply_in - so much of any interval is free
 * @sup: what the CPU leaves to servers
 * @len_ns: length of the interval
 *
 * Context: any. O(log points), one division.
 * Return: a time; no interval of this length has less.
 */
u64 rtds_supply_in(const struct rtds_supply *sup, u64 len_ns)
{
	u64 frames, rem_ns;

	frames = div64_u64_rem(len_ns, sup->major_ns, &rem_ns);
	return frames * sup->free_ns + rtds_supply_at(sup, rem_ns);
}

/*
 * By so much the sum of a thousand utilisations may be too large, as each is
 * rounded up. What is not promised stands in for it: budgets that fit exactly
 * do fit.
 */
#define RTDS_ROUNDING	1024

/* Utilisation that is not to be promised */
static u64 rtds_reserve(u32 pct)
{
	if (!pct)
		return 0;
	return div64_u64((u64)pct << RTDS_UNIT_SHIFT, 100) - RTDS_ROUNDING;
}

/* Utilisation that may be promised */
static u64 rtds_promised(const struct rtds_supply *sup, u32 reserve_pct)
{
	u64 util = rtds_supply_util(sup), reserve = rtds_reserve(reserve_pct);

	return util > reserve ? util - reserve : 0;
}

/**
 * rtds_fits - can a CPU give servers what they ask for?
 * @sup: what it leaves to them
 * @dem: what they ask for
 * @reserve_pct: so much of the CPU, in percent, is not to be promised
 * @margin: the first interval found that has too little; or, if there is none,
 *	that in which least is to spare. All of it is 0 if there was no need to
 *	look: nothing is asked for, or more than what may be promised on
 *	average. May be NULL.
 *
 * The utilisations must fit, and no interval from the shortest period on may
 * have less free time than what the servers can ask for in it: see the top of
 * the file. They ask for whole nanoseconds, so that a fraction of one that the
 * product has need not be free.
 *
 * Of all these lengths, few must be looked at. What is free minus what is asked
 * for falls only in flat parts of the bound, and rises or stays on its slopes,
 * as the utilisation is not more than 1: it is least at the first length, or
 * where a flat part ends. From one frame to the next it never becomes less, as
 * a frame brings all that is free in it, and the utilisation is not more than
 * that: one frame is enough.
 *
 * Context: any. O(points), three divisions.
 * Return: true if they fit.
 */
bool rtds_fits(const struct rtds_supply *sup, const struct rtds_demand *dem,
	       u32 reserve_pct, struct rtds_margin *margin)
{
	u64 frames, rem_ns, spare_ns, least_ns = U64_MAX;
	struct rtds_margin look, least = {};
	bool fits = true;
	u32 i, nr, first;

	if (margin)
		*margin = least;
	if (!dem->util)
		return true;
	if (dem->util > rtds_promised(sup, reserve_pct))
		return false;

	frames = div64_u64_rem(dem->shortest_ns, sup->major_ns, &rem_ns);
	for (first = 0; first < sup->nr; first++)
		if (sup->len_ns[first] > rem_ns)
			break;
	look.len_ns = dem->shortest_ns;
	look.supply_ns = frames * sup->free_ns + rtds_supply_at(sup, rem_ns);
	for (nr = 0;; nr++) {
		look.demand_ns = mul_u64_u64_shr(dem->util, look.len_ns,
						 RTDS_UNIT_SHIFT) +
				 dem->burst_ns;
		fits = look.demand_ns <= look.supply_ns;
		spare_ns = look.supply_ns - look.demand_ns;
		if (!fits || spare_ns < least_ns) {
			least = look;
			least_ns = spare_ns;
		}
		if (!fits || nr == sup->nr)
			break;
		/* The points from the first on, and the others a frame later */
		i = first + nr;
		if (i >= sup->nr)
			i -= sup->nr;
		if (first + nr == sup->nr)
			frames++;
		look.len_ns = frames * sup->major_ns + sup->len_ns[i];
		look.supply_ns = frames * sup->free_ns + sup->sum_ns[i];
	}
	if (margin)
		*margin = least;
	return fits;
}

/**
 * rtds_fits_global - can CPUs give servers what they ask for that use them all?
 * @supply_util: what the CPUs leave to them on average, as a sum
 * @lag_ns: in an interval of any length, the CPUs together are never more than
 *	this behind that
 * @util: sum of the servers' utilisations
 * @util_max: the largest of them
 * @nr_cpus: number of CPUs
 * @shortest_ns: shortest period of the servers
 *
 * The bound of Goossens, Funk and Baruah, for CPUs that are not always there:
 *
 *	shortest * (A - V) >= lag,  V = util + (nr_cpus - 1) * util_max
 *
 * With it, a server that has work all through a period gets its budget in it.
 * Assume that it did not, and that the period ended at d. Compare with fluid
 * servers, each of which does its jobs (see the top of the file; those with
 * deadlines up to d, as far as they were done, and all of the one that was
 * not) one by one, at the rate of its utilisation: with the late rule they end
 * in time. So at d EDF is behind the fluid in sum. Whenever EDF is behind, it
 * is so with some job; go back to when that one arrived, and if EDF was behind
 * even then, on to the next job, until it was not, at t. In between always one
 * of these jobs was waiting or running. While it waited, all CPUs that were
 * there ran jobs with deadlines up to d; while it ran, at most nr_cpus - 1 did
 * not, and as it fell behind the fluid, that was for less than util_max of the
 * time. So EDF did at least A * (d - t) - lag - (nr_cpus - 1) * util_max *
 * (d - t), and the fluid at most util * (d - t). The first job is the one that
 * was not done, so that d - t is at least a period, and EDF is not behind.
 *
 * Context: any.
 * Return: true if they fit.
 */
bool rtds_fits_global(u64 supply_util, u64 lag_ns, u64 util, u64 util_max,
		      u32 nr_cpus, u64 shortest_ns)
{
	u64 need = util + (nr_cpus - 1) * util_max;

	return supply_util >= need &&
	       mul_u64_u64_shr(shortest_ns, supply_util - need,
			       RTDS_UNIT_SHIFT) >= lag_ns;
}

/*
 * The budgets of a configuration
 */

#define RTDS_TIME_LEN	32	/* 2^64 - 1, a point and a unit */
#define RTDS_PCT_LEN	32

/* Milliseconds, to the microsecond */
static const char *rtds_time(char buf[static RTDS_TIME_LEN], u64 us)
{
	u64 ms, rem;

	ms = div64_u64_rem(us, 1000, &rem);
	snprintf(buf, RTDS_TIME_LEN, "%llu.%03llums", ms, rem);
	return buf;
}

/* A percentage that is given in tenths */
static const char *rtds_pct(char buf[static RTDS_PCT_LEN], u64 tenths)
{
	u64 pct, rem;

	pct = div64_u64_rem(tenths, 10, &rem);
	snprintf(buf, RTDS_PCT_LEN, "%llu.%llu%%", pct, rem);
	return buf;
}

/* Why budgets do not fit: free time is rounded down, demand up */
static void rtds_explain(char text[static A653_REASON_LEN], const char *schedule,
			 u32 cpu, const struct rtds_supply *sup,
			 const struct rtds_demand *dem, u32 reserve_pct,
			 const struct rtds_margin *margin)
{
	char p1[RTDS_PCT_LEN], p2[RTDS_PCT_LEN], p3[RTDS_PCT_LEN];
	char t1[RTDS_TIME_LEN], t2[RTDS_TIME_LEN], t3[RTDS_TIME_LEN];
	u64 free, promised, asked;

	if (margin->len_ns) {
		snprintf(text, A653_REASON_LEN,
			 "schedule \"%s\" is too coarse for the budgets on CPU %u: in %s it may have only %s free of windows, they can ask for %s",
			 schedule, cpu,
			 rtds_time(t1, div64_u64(margin->len_ns, 1000)),
			 rtds_time(t2, div64_u64(margin->supply_ns, 1000)),
			 rtds_time(t3, DIV64_U64_ROUND_UP(margin->demand_ns, 1000)));
		return;
	}
	free = rtds_supply_util(sup) + RTDS_ROUNDING;
	promised = rtds_promised(sup, reserve_pct);
	asked = dem->util - min_t(u64, dem->util, RTDS_ROUNDING);
	snprintf(text, A653_REASON_LEN,
		 "schedule \"%s\" leaves %s of CPU %u free, of which %s may be promised: budgets ask for %s",
		 schedule, rtds_pct(p1, free * 1000 >> RTDS_UNIT_SHIFT), cpu,
		 rtds_pct(p2, promised * 1000 >> RTDS_UNIT_SHIFT),
		 rtds_pct(p3, (asked * 1000 + RTDS_UNIT - 1) >> RTDS_UNIT_SHIFT));
}

static int rtds_cmp_cpu(const void *a, const void *b, const void *budgets)
{
	const struct a653_budget *l = budgets;
	u32 x = *(const u32 *)a, y = *(const u32 *)b;

	if (l[x].cpu != l[y].cpu)
		return l[x].cpu < l[y].cpu ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* What the budgets ask of the CPU of the first one; returns how many they are */
static u32 rtds_conf_demand(const struct a653_conf *conf, const u32 *index,
			    u32 nr, struct rtds_demand *dem)
{
	const struct a653_budget *b, *first = &conf->budgets[index[0]];
	struct rtds_params par = {};
	u32 i;

	memset(dem, 0, sizeof(*dem));
	dem->shortest_ns = first->period_ns;
	for (i = 0; i < nr; i++) {
		b = &conf->budgets[index[i]];
		if (b->cpu != first->cpu)
			break;
		par.budget_ns = b->budget_ns;
		par.period_ns = b->period_ns;
		dem->util += rtds_util(&par);
		dem->shortest_ns = min_t(u64, dem->shortest_ns, b->period_ns);
	}
	return i;
}

/**
 * rtds_conf_check - do the budgets of a configuration fit between its windows?
 * @conf: a configuration that passed a653_conf_check()
 * @limits: what the machine allows; its slack is not promised to servers
 * @scratch: a653_conf_scratch() elements to work in; may be NULL without budgets
 * @frame: room for a frame table of A653_MAX_SEGS segments, to work in; likewise
 * @sup: to work in; likewise
 * @report: is called with each violation, EBUSY; returns false to end the check
 * @ctx: first argument of @report
 *
 * On each CPU, in each schedule, by rtds_fits(), as if no other server were there.
 * A violation names the schedule and the first of the budgets on the CPU.
 *
 * Context: process context; long tables may take long: rtds_supply_build() once
 * for each CPU with budgets and each schedule.
 * Return: the number of violations; 0: none.
 */
int rtds_conf_check(const struct a653_conf *conf,
		    const struct a653_limits *limits, u32 *scratch,
		    struct a653_frame *frame, struct rtds_supply *sup,
		    a653_report_fn report, void *ctx)
{
	u32 total = conf->cfg.nr_budgets, schedule, cpu, first, nr, i, *index;
	struct a653_violation v;
	struct rtds_margin margin;
	struct rtds_demand dem;
	int found = 0;

	if (!total)
		return 0;
	index = scratch + conf->cfg.nr_windows;
	for (i = 0; i < total; i++)
		index[i] = i;
	sort_r(index, total, sizeof(*index), rtds_cmp_cpu, NULL, conf->budgets);
	for (first = 0; first < total; first += nr) {
		nr = rtds_conf_demand(conf, index + first, total - first, &dem);
		cpu = conf->budgets[index[first]].cpu;
		for (schedule = 0; schedule < conf->cfg.nr_schedules; schedule++) {
			a653_frame_build(conf, schedule, cpu, scratch, frame);
			rtds_supply_build(sup, frame);
			if (rtds_fits(sup, &dem, limits->min_slack_pct, &margin))
				continue;
			memset(&v, 0, sizeof(v));
			v.err = EBUSY;
			v.partition = A653_NOBODY;
			v.schedule = schedule;
			v.window = A653_NOBODY;
			v.other = A653_NOBODY;
			v.budget = index[first];
			rtds_explain(v.text, conf->schedules[schedule].name, cpu,
				     sup, &dem, limits->min_slack_pct, &margin);
			found++;
			if (!report(ctx, &v))
				return found;
		}
	}
	return found;
}
