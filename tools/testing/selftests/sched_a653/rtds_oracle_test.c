// SPDX-License-Identifier: GPL-2.0
/*
 * Does the checker of deferrable servers see what it should see?
 *
 * A small simulator does what the kernel should do, in steps of time, and writes
 * the events. Each test breaks one thing and expects the violation of that kind;
 * what is not broken has none. Its arithmetic is the one of the rules, and
 * not the one of the checker. Needs no kernel: runs anywhere.
 */
#include <stdlib.h>

#include "rtds_oracle.h"
#include "test.h"

#define STEP	(50 * US)
#define BASE	(1000 * SEC)
#define END	(BASE + 400 * MS)
#define HOG	50		/* and HOG + cpu */
#define SERVER	100		/* and SERVER + its number: threads, and the tasks of partitions */
#define SERVERS	8
#define CPUS	4
#define IDLE_LEVEL	99

/* What the simulator does wrong, for its first server unless said otherwise */
enum fault {
	NONE,
	NO_ENFORCEMENT,		/* it goes on with nothing left */
	FULL_TIMER,		/* enforced for a whole budget from when it starts */
	NEVER_PICKED,
	LATE_BUDGET,		/* replenished 2 ms late */
	DRIFT,			/* deadline = now + period */
	NO_BUDGET,		/* the second period is left out */
	LAST_FIRST,		/* the latest deadline is picked */
	HOG_FIRST,		/* a lower class is picked */
	NOT_OFFERED,		/* a waiting one does not get to another CPU */
	NOT_DEFERRED,		/* it wakes up with all of its budget at level 0 */
	EQUALS_DISPLACE,
	WINDOW_CHARGED,		/* its own window is at its cost */
	CHARGE_DOUBLE,
	DEPLETES_EARLY,
};

struct server {
	int64_t budget, period;
	bool extra;
	uint64_t cpus;
	const char *part;	/* or a thread */
	/* works from @from to @to of each @cycle, 0: always */
	int64_t from, to, cycle;
	/* state */
	int id;
	bool ready;
	int cpu;		/* where it is */
	bool runs;
	int64_t deadline, left, late, burn, started, renew_at;
	int level;
};

struct sim {
	struct evlist *l;
	struct server s[SERVERS];
	int nr, cpus;
	int cur[CPUS];		/* server, or -1: the hog */
	/* "alpha" has a window on CPU 0, [win_from, win_to) of each 10 ms */
	int64_t win_from, win_to;
	bool open;
	bool silent;		/* wake-ups are not told: all were before the trace */
	enum fault fault;
};

static void add(struct sim *s, int64_t budget, int64_t period, bool extra, uint64_t cpus,
		const char *part)
{
	struct server *v = &s->s[s->nr++];

	memset(v, 0, sizeof(*v));
	v->budget = budget;
	v->period = period;
	v->extra = extra;
	v->cpus = cpus;
	v->part = part;
	v->cpu = __builtin_ctzll(cpus);
}

static void works(struct sim *s, int64_t from, int64_t to, int64_t cycle)
{
	struct server *v = &s->s[s->nr - 1];

	v->from = from;
	v->to = to;
	v->cycle = cycle;
}

static struct sim *sim_new(int cpus)
{
	struct sim *s = calloc(1, sizeof(*s));

	s->cpus = cpus;
	s->l = ev_new();
	return s;
}

static pid_t pid_of(const struct sim *s, const struct server *v)
{
	return SERVER + (v - s->s);
}

static void tell(struct sim *s, struct server *v, enum ev_type type, int64_t t, int64_t ran)
{
	struct ev *e = ev_add(s->l, t + 1000, v->cpu, type);

	e->name = ev_intern(s->l, v->part ? v->part : "");
	e->server.pid = v->part ? 0 : pid_of(s, v);
	e->server.cpu = v->cpu;
	e->server.now = t;
	e->server.ran = ran;
	e->server.level = v->level;
	e->server.deadline = v->deadline;
	e->server.left = v->left;
}

static bool broken(const struct sim *s, const struct server *v, enum fault f)
{
	return s->fault == f && v == s->s && v->deadline > BASE + 50 * MS;
}

static bool in_window(const struct sim *s, const struct server *v)
{
	return s->open && v->part && !strcmp(v->part, "alpha") && v->cpu == 0;
}

static void burn(struct sim *s, struct server *v, int64_t t)
{
	if (v->burn)
		tell(s, v, EV_BURN, t, broken(s, v, CHARGE_DOUBLE) ? 2 * v->burn : v->burn);
	v->burn = 0;
}

static void charge(struct sim *s, struct server *v, int64_t t)
{
	int64_t ran = STEP;

	if (!v->runs || (in_window(s, v) && !broken(s, v, WINDOW_CHARGED)))
		return;
	v->burn += ran;
	while (v->left && ran >= v->left) {
		ran -= v->left;
		v->left = 0;
		if (v->late) {
			v->level = 1;
			v->left = v->late;
			v->late = 0;
		} else if (v->extra) {
			v->level = v->level < 2 ? 2 : v->level < 14 ? v->level + 1 : 14;
			v->left = v->budget;
		} else {
			burn(s, v, t);
			tell(s, v, EV_DEPLETE, t, 0);
			return;
		}
		burn(s, v, t);
		tell(s, v, EV_LEVEL, t, 0);
	}
	if (v->left)
		v->left -= ran;
	if (broken(s, v, DEPLETES_EARLY) && v->left == v->budget / 2) {
		burn(s, v, t);
		v->left = 0;
		tell(s, v, EV_DEPLETE, t, 0);
	}
}

static void renew(struct sim *s, struct server *v, int64_t t)
{
	int64_t n;

	if (t < v->deadline || !v->ready)
		return;
	if (broken(s, v, LATE_BUDGET) && t < v->deadline + 2 * MS)
		return;
	burn(s, v, t);
	n = (t - v->deadline) / v->period + 1;
	v->deadline += n * v->period;
	if (broken(s, v, DRIFT))
		v->deadline = t + v->period + 3 * US;
	v->left = v->budget;
	v->late = 0;
	v->level = 0;
	if (broken(s, v, NO_BUDGET) && v->deadline < BASE + 80 * MS)
		v->left = 0;
	else
		tell(s, v, EV_REPLENISH, t, 0);
}

static bool has_work(const struct server *v, int64_t t)
{
	int64_t at;

	if (!v->cycle)
		return t > BASE + MS;
	at = (t - BASE) % v->cycle;
	return t > BASE + MS && at >= v->from && at < v->to;
}

static void wake(struct sim *s, struct server *v, int64_t t)
{
	int64_t fair;
	struct ev *e;

	v->ready = true;
	renew(s, v, t);
	fair = v->budget * ((v->deadline - t) / US) / (v->period / US);
	if (!v->level && v->left > fair && !broken(s, v, NOT_DEFERRED)) {
		v->late += v->left - fair;
		v->left = fair;
		if (!fair) {
			v->level = 1;
			v->left = v->late;
			v->late = 0;
		}
	}
	if (s->silent)
		return;
	e = ev_add(s->l, t + 1100, v->cpu, EV_WAKEUP);
	e->task.pid = pid_of(s, v);
	e->task.prio = v->part ? 49 : 98;
	e->task.cpu = v->cpu;
}

static bool before(const struct server *a, const struct server *b)
{
	if (a->level != b->level)
		return a->level < b->level;
	return a->deadline < b->deadline;
}

/* The one on @cpu goes, @next comes: a server or the hog */
static void switch_to(struct sim *s, int cpu, int next, int64_t t)
{
	struct server *p = s->cur[cpu] < 0 ? NULL : &s->s[s->cur[cpu]];
	struct server *n = next < 0 ? NULL : &s->s[next];
	struct ev *e;

	if (n && n->cpu != cpu) {
		e = ev_add(s->l, t + 1500, cpu, EV_MIGRATE);
		e->task.pid = pid_of(s, n);
		e->task.prio = 98;
		e->task.cpu = cpu;
		n->cpu = cpu;
	}
	if (p)
		burn(s, p, t);
	if (n && !in_window(s, n))
		tell(s, n, EV_PICK, t, 0);
	e = ev_add(s->l, t + 2000, cpu, EV_SWITCH);
	e->sw.prev = p ? pid_of(s, p) : HOG + cpu;
	e->sw.prev_prio = p ? p->part ? 49 : 98 : 120;
	e->sw.prev_state = p ? !p->ready : 0;
	e->sw.next = n ? pid_of(s, n) : HOG + cpu;
	e->sw.next_prio = n ? n->part ? 49 : 98 : 120;
	if (p)
		p->runs = false;
	if (n) {
		n->runs = true;
		n->started = t;
	}
	s->cur[cpu] = next;
}

static bool eligible(struct sim *s, struct server *v, int64_t t)
{
	if (!v->ready)
		return false;
	if (broken(s, v, NEVER_PICKED) && v->deadline < BASE + 100 * MS)
		return false;
	if (v->runs && broken(s, v, NO_ENFORCEMENT))
		return true;
	if (v->runs && broken(s, v, FULL_TIMER) && t - v->started < v->budget)
		return true;
	return v->left > 0 || in_window(s, v);
}

static void schedule(struct sim *s, int64_t t)
{
	bool placed[SERVERS] = { }, none;
	int next[CPUS], c, i, best;

	for (c = 0; c < s->cpus; c++)
		next[c] = -1;
	/* the window first, then by urgency */
	for (;;) {
		best = -1;
		for (i = 0; i < s->nr; i++) {
			struct server *v = &s->s[i];

			if (placed[i] || !eligible(s, v, t))
				continue;
			if (best < 0 || in_window(s, v) ||
			    (!in_window(s, &s->s[best]) &&
			     (s->fault == LAST_FIRST && t > BASE + 50 * MS ?
			      before(&s->s[best], v) :
			      before(v, &s->s[best]) ||
			      (!before(&s->s[best], v) &&
			       (s->fault == EQUALS_DISPLACE ? t / (2 * MS) % 2 == i % 2 :
				v->runs)))))
				best = i;
		}
		if (best < 0)
			break;
		placed[best] = true;
		none = true;
		if (next[s->s[best].cpu] < 0) {
			next[s->s[best].cpu] = best;
			none = false;
		}
		for (c = 0; c < s->cpus && none; c++) {
			if (s->fault == NOT_OFFERED && t > BASE + 50 * MS)
				break;
			if (next[c] >= 0 || !(s->s[best].cpus >> c & 1))
				continue;
			next[c] = best;
			none = false;
		}
	}
	for (c = 0; c < s->cpus; c++)
		if (s->fault == HOG_FIRST && t > BASE + 50 * MS && t % (10 * MS) == 0)
			next[c] = -1;
	/* from where another CPU gets its next, that one is first: nobody runs twice */
	for (i = 0; i < s->cpus; i++)
		for (c = 0; c < s->cpus; c++)
			if (next[c] != s->cur[c] &&
			    (next[c] < 0 || !s->s[next[c]].runs))
				switch_to(s, c, next[c], t + i);
}

static void window(struct sim *s, int64_t t)
{
	bool open = s->win_to && (t - BASE) % (10 * MS) >= s->win_from &&
		    (t - BASE) % (10 * MS) < s->win_to;
	struct ev *e;
	int i;

	if (open == s->open)
		return;
	for (i = 0; i < s->nr; i++)
		if (s->s[i].cpu == 0)
			burn(s, &s->s[i], t);
	s->open = open;
	e = ev_add(s->l, t + 1200, 0, open ? EV_OPEN : EV_CLOSE);
	e->name = ev_intern(s->l, "alpha");
	if (open) {
		e->open.sched = t;
		e->open.now = t;
		e->open.end = t + s->win_to - s->win_from;
	} else {
		e->close.sched = t;
		e->close.now = t;
	}
}

static struct rtds_ora *simulate(struct sim *s, enum fault fault)
{
	struct rtds_ora *o;
	struct server *v;
	int64_t t;
	int i, c;

	s->fault = fault;
	for (i = 0; i < s->nr; i++) {
		v = &s->s[i];
		v->deadline = BASE + v->period;
		v->left = v->budget;
	}
	for (c = 0; c < s->cpus; c++) {
		struct ev *e = ev_add(s->l, BASE + 1, c, EV_SWITCH);

		e->sw.next = HOG + c;
		e->sw.next_prio = 120;
		s->cur[c] = -1;
	}
	for (t = BASE + STEP; t < END; t += STEP) {
		for (i = 0; i < s->nr; i++) {
			v = &s->s[i];
			charge(s, v, t);
			renew(s, v, t);
			if (v->runs && !has_work(v, t)) {
				burn(s, v, t);
				v->ready = false;
			} else if (!v->ready && has_work(v, t)) {
				wake(s, v, t);
			}
		}
		window(s, t);
		schedule(s, t);
	}
	ev_sort(s->l);
	o = rtds_ora_new(s->l);
	rtds_ora_tolerance(o, 60 * US);
	rtds_ora_limit(o, 150 * US);
	rtds_ora_miss_limit(o, 150 * US);
	if (s->win_to)
		rtds_ora_windows(o, 1);
	for (i = 0; i < s->nr; i++) {
		v = &s->s[i];
		if (!v->part) {
			v->id = rtds_ora_thread(o, SERVER + i, v->cpus, v->budget, v->period,
						v->extra, BASE,
						RTDS_ORA_FRESH | RTDS_ORA_PROMISED);
			continue;
		}
		v->id = rtds_ora_budget(o, v->part, v->cpu, v->budget, v->period, v->extra, BASE,
					RTDS_ORA_FRESH | RTDS_ORA_PROMISED);
		rtds_ora_task(o, SERVER + i, v->part, 0);
	}
	return o;
}

/* Of these kinds there must be some, of others none */
static void only(struct rtds_ora *o, uint64_t kinds, uint64_t maybe)
{
	unsigned int n = rtds_ora_run(o);
	int k;

	for (k = 0; k < NR_RTDS_ORA; k++) {
		if (kinds >> k & 1)
			EXPECT(rtds_ora_count(o, k), "%s was not seen", rtds_ora_kind_name(k));
		else if (!(maybe >> k & 1))
			EXPECT(!rtds_ora_count(o, k), "%s: %s", rtds_ora_kind_name(k),
			       rtds_ora_first(o, k));
		if (kinds >> k & 1)
			test_note("%s", rtds_ora_first(o, k));
	}
	EXPECT(kinds || maybe ? n : !n, "%u violations", n);
}

#define K(kind)	(1ULL << RTDS_ORA_##kind)

/* Two threads on one CPU, one of which sleeps; and one in extratime */
static struct sim *one_cpu(void)
{
	struct sim *s = sim_new(1);

	add(s, 2 * MS, 10 * MS, false, 1, NULL);
	add(s, 8 * MS, 25 * MS, false, 1, NULL);
	add(s, 3 * MS, 20 * MS, false, 1, NULL);
	works(s, 5 * MS, 11 * MS, 19 * MS);
	return s;
}

static struct sim *three_cpus(void)
{
	struct sim *s = sim_new(3);

	add(s, 4 * MS, 10 * MS, false, 7, NULL);
	add(s, 5 * MS, 13 * MS, false, 7, NULL);
	add(s, 6 * MS, 20 * MS, false, 7, NULL);
	add(s, 6 * MS, 30 * MS, false, 7, NULL);
	works(s, 0, 20 * MS, 33 * MS);
	add(s, 2 * MS, 12 * MS, false, 2, NULL);
	return s;
}

static struct sim *with_window(void)
{
	struct sim *s = sim_new(2);

	s->win_from = 3 * MS;
	s->win_to = 6 * MS;
	add(s, 1 * MS, 20 * MS, false, 1, "alpha");
	add(s, 2 * MS, 20 * MS, false, 1, "beta");
	add(s, 2 * MS, 10 * MS, false, 3, NULL);
	add(s, 3 * MS, 10 * MS, false, 2, "beta");
	return s;
}

TEST(rtds_correct_runs_pass)
{
	struct sim *s;

	only(simulate(one_cpu(), NONE), 0, 0);
	only(simulate(three_cpus(), NONE), 0, 0);
	only(simulate(with_window(), NONE), 0, 0);
	s = one_cpu();
	add(s, 1 * MS, 10 * MS, true, 1, NULL);
	add(s, 1 * MS, 15 * MS, true, 1, NULL);
	only(simulate(s, NONE), 0, 0);
}

TEST(rtds_sums_are_right)
{
	struct sim *s = one_cpu();
	const struct rtds_ora_server *v;
	struct rtds_ora *o;

	add(s, 1 * MS, 10 * MS, true, 1, NULL);
	o = simulate(s, NONE);
	only(o, 0, 0);
	v = rtds_ora_server(o, s->s[0].id);
	EXPECT(v->periods == 38 && !v->missed, "%llu periods", (unsigned long long)v->periods);
	/* all that is not promised goes to the one with extratime */
	EXPECT(llabs((int64_t)v->run_ns - 80 * MS) < 2 * MS, "ran %llu",
	       (unsigned long long)v->run_ns);
	EXPECT(!v->extra_ns, "extratime");
	v = rtds_ora_server(o, s->s[3].id);
	EXPECT(llabs((int64_t)(v->run_ns - v->extra_ns) - 40 * MS) < 2 * MS, "ran %llu, %llu extra",
	       (unsigned long long)v->run_ns, (unsigned long long)v->extra_ns);
	EXPECT(rtds_ora_cpu(o, 0)->lower_ns < 2 * MS, "others had %llu",
	       (unsigned long long)rtds_ora_cpu(o, 0)->lower_ns);
}

TEST(rtds_sees_lost_events)
{
	struct rtds_ora *o;
	struct sim *s = one_cpu();

	o = simulate(s, NONE);
	s->l->lost = 1;
	only(o, K(TRACE), 0);
}

TEST(rtds_sees_overrun)
{
	struct sim *s = sim_new(1);

	add(s, 2 * MS, 10 * MS, false, 1, NULL);
	only(simulate(s, NO_ENFORCEMENT), K(OVERRUN), 0);
}

TEST(rtds_sees_overrun_by_interrupts)
{
	struct sim *s = sim_new(1);
	struct rtds_ora *o;
	int64_t t;

	add(s, 2 * MS, 10 * MS, false, 1, NULL);
	o = simulate(s, NO_ENFORCEMENT);
	for (t = BASE; t < END; t += MS)
		ev_add(s->l, t, 0, EV_IRQ);
	ev_sort(s->l);
	rtds_ora_limit(o, INT64_MAX);
	only(o, K(OVERRUN), 0);
}

TEST(rtds_lesson25_sees_full_budget_after_a_sleep)
{
	struct sim *s = sim_new(1);

	add(s, 4 * MS, 20 * MS, false, 1, NULL);
	works(s, 0, 8 * MS, 11 * MS);
	add(s, 4 * MS, 10 * MS, false, 1, NULL);
	only(simulate(s, FULL_TIMER), K(OVERRUN), 0);
}

TEST(rtds_sees_starved_server)
{
	only(simulate(one_cpu(), NEVER_PICKED), K(MISS), K(ORDER) | K(LOWER) | K(IGNORED) |
	     K(INVERSION) | K(TIE));
}

TEST(rtds_lesson22_sees_late_replenishment)
{
	struct sim *s = sim_new(1);

	add(s, 9 * MS, 10 * MS, false, 1, NULL);
	only(simulate(s, LATE_BUDGET), K(LATE) | K(MISS) | K(IGNORED), K(EARLY));
}

/* It has been ready all the time, but is seen for the first time as it is picked */
TEST(rtds_first_seen_is_not_woken_up)
{
	struct sim *s = sim_new(1);
	size_t i;

	/* the second comes to run after 6 ms, and again after 16 */
	add(s, 6 * MS, 10 * MS, false, 1, NULL);
	add(s, 3800 * US, 35 * MS, false, 1, NULL);
	s->silent = true;
	only(simulate(s, NONE), 0, 0);
	for (i = 0; i < s->l->nr; i++)
		EXPECT(s->l->ev[i].type != EV_WAKEUP, "a wake-up");
}

/* The periods begin with a window, which takes CPU 0 until @win_to */
static struct sim *in_others_window(int64_t win_to, uint64_t cpus)
{
	struct sim *s = sim_new(2);

	s->win_to = win_to;
	add(s, 1 * MS, 10 * MS, false, cpus, NULL);
	add(s, 1 * MS, 20 * MS, false, 1, "alpha");
	return s;
}

/* While it could not have run anyway it needs no budget; after that it does */
TEST(rtds_replenished_when_the_window_is_over)
{
	only(simulate(in_others_window(2 * MS, 1), LATE_BUDGET), 0, 0);
	only(simulate(in_others_window(1 * MS, 1), LATE_BUDGET), K(LATE),
	     K(INVERSION) | K(IGNORED));
	only(simulate(in_others_window(2 * MS, 3), LATE_BUDGET), K(LATE),
	     K(IGNORED));
}

TEST(rtds_lesson23_sees_forgotten_server)
{
	struct sim *s = sim_new(1);

	add(s, 2 * MS, 10 * MS, false, 1, NULL);
	only(simulate(s, NO_BUDGET), K(LATE) | K(MISS) | K(IGNORED), 0);
}

TEST(rtds_sees_drift)
{
	struct sim *s = sim_new(1);

	add(s, 2 * MS, 10 * MS, false, 1, NULL);
	only(simulate(s, DRIFT), K(GRID), K(LATE) | K(LEVEL) | K(IGNORED));
}

TEST(rtds_sees_wrong_order)
{
	struct sim *s = sim_new(1);

	add(s, 2 * MS, 10 * MS, false, 1, NULL);
	add(s, 20 * MS, 50 * MS, false, 1, NULL);
	only(simulate(s, LAST_FIRST), K(MISS), K(ORDER) | K(INVERSION));
}

TEST(rtds_sees_lower_class_picked)
{
	only(simulate(one_cpu(), HOG_FIRST), K(LOWER), K(IGNORED));
}

TEST(rtds_lesson27_sees_server_that_is_not_offered)
{
	struct sim *s = sim_new(2);

	add(s, 7 * MS, 10 * MS, false, 3, NULL);
	add(s, 8 * MS, 20 * MS, false, 3, NULL);
	add(s, 6 * MS, 15 * MS, false, 3, NULL);
	only(simulate(s, NOT_OFFERED), K(IGNORED), K(MISS));
}

TEST(rtds_sees_what_was_kept_too_long)
{
	struct sim *s = sim_new(1);

	add(s, 5 * MS, 10 * MS, false, 1, NULL);
	works(s, 6 * MS, 10 * MS, 10 * MS);
	add(s, 9 * MS, 15 * MS, false, 1, NULL);
	only(simulate(s, NOT_DEFERRED), 0, K(ORDER) | K(INVERSION) | K(LEVEL) | K(MISS));
}

TEST(rtds_lesson32_sees_equals_that_displace)
{
	struct sim *s = sim_new(1);

	add(s, 8 * MS, 20 * MS, false, 1, NULL);
	add(s, 8 * MS, 20 * MS, false, 1, NULL);
	only(simulate(s, EQUALS_DISPLACE), K(TIE), 0);
}

TEST(rtds_sees_window_charged)
{
	only(simulate(with_window(), WINDOW_CHARGED), K(CHARGE), K(EARLY) | K(MISS) | K(IGNORED) |
	     K(INVERSION) | K(ORDER) | K(LOWER));
}

TEST(rtds_lesson28_sees_wrong_charge)
{
	only(simulate(one_cpu(), CHARGE_DOUBLE), K(CHARGE), 0);
}

TEST(rtds_sees_early_depletion)
{
	struct sim *s = sim_new(1);

	add(s, 2 * MS, 10 * MS, false, 1, NULL);
	only(simulate(s, DEPLETES_EARLY), K(EARLY), K(MISS) | K(IGNORED) | K(LOWER));
}

TEST(rtds_sees_unpaid_task)
{
	struct sim *s = sim_new(1);
	struct rtds_ora *o;

	add(s, 2 * MS, 10 * MS, false, 1, "beta");
	o = simulate(s, NO_ENFORCEMENT);
	/* at its end the hog gets the CPU and gives it back */
	rtds_ora_limit(o, INT64_MAX);
	for (int i = 0; i < 2; i++) {
		struct ev *e;

		tell(s, &s->s[0], i ? EV_PICK : EV_BURN, BASE + 109 * MS + i * 10000, 7 * MS);
		e = ev_add(s->l, BASE + 109 * MS + i * 10000 + 2000, 0, EV_SWITCH);
		e->sw.prev = i ? HOG : SERVER;
		e->sw.prev_prio = i ? 120 : 49;
		e->sw.next = i ? SERVER : HOG;
		e->sw.next_prio = i ? 49 : 120;
	}
	ev_sort(s->l);
	only(o, K(UNPAID), K(GRID) | K(CHARGE));
}

TEST(rtds_sees_lower_priority_in_a_partition)
{
	struct sim *s = sim_new(1);
	struct rtds_ora *o;
	struct ev *e;

	add(s, 2 * MS, 10 * MS, false, 1, "beta");
	o = simulate(s, NONE);
	e = ev_add(s->l, BASE + 2 * MS, 0, EV_WAKEUP);
	e->task.pid = 200;
	e->task.prio = 10;
	rtds_ora_task(o, 200, "beta", 0);
	ev_sort(s->l);
	only(o, K(PRIORITY), 0);
}
