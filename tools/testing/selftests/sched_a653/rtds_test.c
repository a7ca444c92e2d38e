// SPDX-License-Identifier: GPL-2.0
/*
 * SCHED_RTDS threads: budgets, periods, and who runs
 */
#include <stdlib.h>

#include "servers.h"

#define FRESH	(RTDS_ORA_FRESH | RTDS_ORA_PROMISED)

static unsigned int seed(void)
{
	const char *v = getenv("A653_TEST_SEED");
	unsigned int s = v ? strtoul(v, NULL, 0) : (unsigned int)time(NULL);

	test_note("seed %u", s);
	return s;
}

static int64_t span(const struct servers *v)
{
	return v->s.l->ev[v->s.l->nr - 1].ts - v->s.l->ev[0].ts;
}

static size_t count_events(const struct evlist *l, enum ev_type type, int cpu)
{
	size_t i, n = 0;

	for (i = 0; i < l->nr; i++)
		n += l->ev[i].type == type && (cpu < 0 || l->ev[i].cpu == cpu);
	return n;
}

/* Each has periods of its own, and none of them is the first to come */
TEST(lesson21_each_server_is_replenished_by_itself)
{
	static const int period[] = { 17, 7, 11 };
	struct servers v = { };
	int64_t u = server_unit();
	int c, i;

	need_rtds();
	for (c = 0; c < test_cpus(); c++)
		for (i = 0; i < 3; i++)
			servers_thread(&v, (3 - i) * u, period[i] * u, false, 1ULL << c, spinner,
				       FRESH);
	servers_run(&v, test_scale(100) * 17 * u, 0);
	for (i = 0; i < v.nr; i++) {
		const struct rtds_ora_server *r = servers_result(&v, i);

		EXPECT((int64_t)r->replenished + 3 >= span(&v) / r->period,
		       "%s was replenished %llu times in %lld periods", r->name,
		       (unsigned long long)r->replenished, (long long)(span(&v) / r->period));
		EXPECT(!r->missed || !time_is_exact(), "%s missed %llu of %llu", r->name,
		       (unsigned long long)r->missed, (unsigned long long)r->periods);
	}
}

/* The timer waits for a deadline far away when one with a near deadline comes */
TEST(lesson22_earlier_replenishment_is_in_time)
{
	const struct rtds_ora_server *r;
	struct servers v = { };
	int64_t u = server_unit();
	struct worker *later;
	int k;

	need_rtds();
	servers_thread(&v, 4 * u, 400 * u, false, 1, spinner, FRESH);
	later = servers_thread(&v, 1 * u, 5 * u, false, 1, gated, FRESH);
	servers_go(&v);
	for (k = 0; k < 1 + test_scale(4); k++) {
		WAIT_FOR(!server_stat(v.v[0].w->pid, "", 0).left_ns, "depletion");
		if (!k)
			futex_post(&later->futex);
		pass(200 * u);
	}
	servers_end(&v);
	servers_judge(&v);
	r = servers_result(&v, 1);
	EXPECT(r->replenished >= 30, "replenished %llu times", (unsigned long long)r->replenished);
}

/*
 * One that is depleted most of the time, one that runs most of the time, one
 * that sleeps: at each instant the next deadline is another one's.
 */
TEST(lesson23_running_and_depleted_servers_are_remembered)
{
	struct servers v = { };
	int64_t u = server_unit();
	int c, i;

	need_rtds();
	for (c = 0; c < test_cpus(); c++) {
		servers_thread(&v, 1 * u, 13 * u, false, 1ULL << c, spinner, FRESH);
		servers_thread(&v, 7 * u, 11 * u, false, 1ULL << c, spinner, FRESH);
		servers_thread(&v, 1 * u, 9 * u, false, 1ULL << c, waker, FRESH);
		v.v[v.nr - 1].w->period = 61 * u;
		v.v[v.nr - 1].w->work = 5 * u;
	}
	servers_run(&v, (10 + test_scale(100)) * 13 * u, 0);
	for (i = 0; i < v.nr; i++) {
		const struct rtds_ora_server *r = servers_result(&v, i);

		/* Who sleeps is seldom ready for a whole period, and wakes in another each time */
		EXPECT(r->replenished + 1 >= r->periods && r->replenished + 1 >= r->wakeups &&
		       (r->periods || r->wakeups > 1),
		       "%s was replenished %llu times in %llu periods", r->name,
		       (unsigned long long)r->replenished, (unsigned long long)r->periods);
	}
}

struct timers {
	uint64_t due, idle, budget, picked;
};

static struct timers timers(void)
{
	static struct server_list l;
	struct timers t = { };
	unsigned int i;

	servers_read(&l);
	for (i = 0; i < l.h.nr_cpus; i++) {
		t.due += l.cpu[i].due_timers;
		t.idle += l.cpu[i].due_idle;
		t.budget += l.cpu[i].budget_timers;
		t.picked += l.cpu[i].picked;
	}
	return t;
}

/* Counts since @from */
static struct timers fired(struct timers from, const char *when)
{
	struct timers t = timers();

	t.due -= from.due;
	t.idle -= from.idle;
	t.budget -= from.budget;
	t.picked -= from.picked;
	test_note("%s: %llu replenishment timers (%llu for nothing), %llu budget timers, %llu picks",
		  when, (unsigned long long)t.due, (unsigned long long)t.idle,
		  (unsigned long long)t.budget, (unsigned long long)t.picked);
	EXPECT(!t.idle, "the timer fired for nothing");
	return t;
}

/* Nothing to do, no timers: without servers, with servers asleep or depleted */
TEST(lesson24_silent_when_nothing_is_due)
{
	int64_t u = server_unit(), period = 20 * u, from;
	int c, n = test_cpus(), k = test_scale(20) + 2;
	struct timers t;
	struct servers v = { };

	need_rtds();
	/* the class is in use */
	for (c = 0; c < n; c++)
		servers_thread(&v, u, period, c % 2, 1ULL << c, spinner, 0);
	for (c = 0; c < n; c++)
		worker_go(v.v[c].w);
	pass(2 * period);
	for (c = 0; c < n; c++)
		worker_end(v.v[c].w);
	v.nr = 0;
	t = timers();
	pass(k * period);
	t = fired(t, "no servers");
	EXPECT(!t.due && !t.budget && !t.picked, "not silent");

	for (c = 0; c < n; c++)
		servers_thread(&v, u, period, c % 2, 1ULL << c, gated, 0);
	for (c = 0; c < n; c++)
		worker_go(v.v[c].w);
	for (c = 0; c < n; c++) {
		WAIT_FOR(atomic_load(&v.v[c].w->first), "start");
		worker_asleep(v.v[c].w);
	}
	/* what they were armed for when those fell asleep may still come */
	pass(2 * period);
	t = timers();
	pass(k * period);
	t = fired(t, "all asleep");
	EXPECT(!t.due && !t.budget && !t.picked, "not silent");

	/* without extratime they are depleted for 95 % of the time */
	for (c = 0; c < n; c++)
		if (!(c % 2))
			futex_post(&v.v[c].w->futex);
	pass(period);
	t = timers();
	from = now_ns();
	pass(k * period);
	t = fired(t, "depleted");
	/* this process may have waited for them */
	k = (now_ns() - from) / period + 2;
	n = (n + 1) / 2;
	EXPECT(t.due <= (uint64_t)k * n && t.due + 4 * n >= (uint64_t)k * n,
	       "%d periods of %d servers", k, n);
	EXPECT(t.budget <= (uint64_t)k * n, "%d periods of %d servers", k, n);
	for (c = 0; c < v.nr; c++)
		worker_end(v.v[c].w);
}

/* It sleeps in between: what counts is what is left, and not a whole budget */
TEST(lesson25_what_is_left_is_enforced)
{
	struct servers v = { };
	int64_t u = server_unit();
	struct worker *w;
	int c, i;

	need_rtds();
	for (c = 0; c < test_cpus(); c++) {
		w = servers_thread(&v, 4 * u, 20 * u, false, 1ULL << c, nibbler, FRESH);
		w->work = u;
		w->period = u / 4;
		servers_thread(&v, 5 * u, 13 * u, false, 1ULL << c, spinner, FRESH);
	}
	servers_run(&v, test_scale(100) * 20 * u, HOG_OTHER);
	for (i = 0; i < v.nr; i += 2)
		EXPECT(servers_result(&v, i)->depleted > 3 && servers_result(&v, i)->wakeups > 3,
		       "it was not put to the test");
}

static size_t timer_irqs(int cpu, int64_t ns)
{
	struct evlist *l;
	size_t n;

	trace_begin();
	pass(ns);
	l = trace_end();
	n = count_events(l, EV_IRQ, cpu) + count_events(l, EV_NESTED_IRQ, cpu);
	ev_free(l);
	return n;
}

/* A CPU with nothing to run, but with a depleted server and one asleep */
TEST_CPUS(lesson26_idle_cpu_is_left_alone, 2)
{
	int64_t u = server_unit(), period = 100 * u, ns;
	int cpu = test_cpus() - 1, k = 2 + test_scale(8);
	struct servers v = { };
	size_t before, after;
	struct timers t;

	need_rtds();
	set_cpus(0, 1);
	ns = k * period;
	before = timer_irqs(cpu, ns);
	servers_thread(&v, u, period, false, 1ULL << cpu, spinner, 0);
	servers_thread(&v, u, period, false, 1ULL << cpu, gated, 0);
	worker_go(v.v[0].w);
	worker_go(v.v[1].w);
	pass(period);
	t = timers();
	after = timer_irqs(cpu, ns);
	t = fired(t, "one depleted");
	test_note("interrupts of CPU %d: %zu without servers, %zu with", cpu, before, after);
	EXPECT(t.due <= (uint64_t)k + 2 && t.budget <= (uint64_t)k + 2 &&
	       t.picked <= 4 * (uint64_t)k + 8, "in %d periods", k);
	EXPECT(after <= before + 20 * (size_t)k + 50, "storm");
	worker_end(v.v[0].w);
	worker_end(v.v[1].w);
}

/*
 * Servers that wait for the end of a window, and can run nowhere else, do not disturb
 * it: they get their budgets when it is over, or while it is not used.
 */
TEST(window_is_left_alone_by_servers_that_wait)
{
	struct servers v = { .s.f = conf_new("m", all_cpus()) };
	int taken[EV_CPUS] = { }, in = 0, out = 0;
	int64_t u = server_unit();
	size_t i;
	int a, b, c;

	need_rtds();
	a = conf_part(v.s.f, "alpha", 0, 0);
	b = conf_part(v.s.f, "beta", 0, 0);
	conf_sched(v.s.f, "one", 60 * u, 0);
	for (c = 0; c < test_cpus(); c++) {
		conf_win(v.s.f, a, c, 0, 30 * u, 0);
		conf_budget(v.s.f, b, c, u, 70 * u, 0);
	}
	scene_start(&v.s);
	servers_of(&v, "beta", RTDS_ORA_FRESH);
	for (c = 0; c < test_cpus(); c++) {
		scene_worker(&v.s, "alpha", 50, 1ULL << c, c & 1 ? nibbler : spinner, 0);
		v.s.w[v.s.nr - 1]->work = 7 * u;
		v.s.w[v.s.nr - 1]->period = 2 * u;
		scene_worker(&v.s, "beta", 50, 1ULL << c, spinner, 0);
		servers_thread(&v, u, 41 * u, false, 1ULL << c, spinner, RTDS_ORA_FRESH);
		servers_thread(&v, u, 47 * u, false, 1ULL << c, spinner, RTDS_ORA_FRESH);
	}
	servers_run(&v, test_scale(20) * 60 * u, 0);
	for (i = 0; i < v.s.l->nr; i++) {
		const struct ev *e = &v.s.l->ev[i];

		if (e->type == EV_OPEN)
			taken[e->cpu] = !(e->cpu & 1);
		else if (e->type == EV_CLOSE)
			taken[e->cpu] = false;
		else if (e->type == EV_REPLENISH)
			taken[e->cpu] ? in++ : out++;
	}
	test_note("%d replenished in windows, %d outside", in, out);
	EXPECT(!in && out, "windows are disturbed");
}

/*
 * One thread more than CPUs, no pinning: whenever one of those that run is done,
 * the one that waits goes to that CPU, which is idle.
 */
TEST_CPUS(lesson27_waiting_thread_gets_to_an_idle_cpu, 2)
{
	struct servers v = { };
	int64_t u = server_unit();
	int i;

	need_rtds();
	for (i = 0; i <= test_cpus(); i++)
		servers_thread(&v, 4 * u, (10 + i) * u, false, 0, spinner, FRESH);
	servers_run(&v, test_scale(100) * 10 * u, 0);
	EXPECT(count_events(v.s.l, EV_MIGRATE, -1), "nobody moved");
}

/* The same where the CPU runs something less urgent instead */
TEST_CPUS(lesson27_preempted_thread_is_offered, 2)
{
	struct servers v = { };
	int64_t u = server_unit();
	unsigned int r = seed();
	struct worker *w;
	int i;

	need_rtds();
	for (i = 0; i < 2 * test_cpus(); i++) {
		w = servers_thread(&v, 3 * u, (12 + 5 * i) * u, false, 0, i % 2 ? waker : spinner,
				   FRESH);
		w->period = (7 + rand_r(&r) % 20) * u;
		w->work = rand_r(&r) % (4 * u);
	}
	servers_run(&v, test_scale(100) * 12 * u, HOG_OTHER | HOG_DEADLINE);
	EXPECT(count_events(v.s.l, EV_MIGRATE, -1), "nobody moved");
}

/*
 * Woken from all CPUs at once, the clock read on one and used on another: what
 * was run never gets less, nor more than the time that has passed.
 */
TEST(lesson28_time_is_never_negative)
{
	int64_t u = server_unit(), from, until, ran, last[8] = { };
	int c, i, n = test_cpus();
	struct servers v = { };
	struct worker *w;

	need_rtds();
	for (i = 0; i < 4; i++) {
		w = servers_thread(&v, u, 6 * u, i % 2, i ? 1ULL << i % n : 0,
				   i < 2 ? futex_waiter : napper, RTDS_ORA_FRESH);
		w->work = u / 8;
		w->period = u / 8;
		w->value = i;
	}
	servers_go(&v);
	from = now_ns();
	until = from + test_scale(200) * 6 * u;
	for (c = 0; now_ns() < until; c++) {
		set_cpus(0, 1ULL << c % n);
		for (i = 0; i < 2; i++)
			futex_post(&v.v[i].w->futex);
		for (i = 0; i < 4; i++) {
			ran = server_stat(v.v[i].w->pid, "", 0).run_ns;
			EXPECT(ran >= last[i] && ran <= now_ns() - from, "ran %lld, before %lld",
			       (long long)ran, (long long)last[i]);
			last[i] = ran;
		}
		pass(u / 4);
	}
	set_cpus(0, all_cpus());
	servers_end(&v);
	servers_judge(&v);
	for (i = 0; i < 4; i++)
		EXPECT(last[i] > 0, "server %d did not run", i);
}

/*
 * All of a CPU: two timers would be due at one instant. It never waits, and what it
 * ran before the period's end must not be missing after it.
 */
TEST(lesson29_budget_is_the_period)
{
	int cpu = test_cpus() - 1, slack;
	int64_t u = server_unit(), ns;
	const struct rtds_ora_server *r;
	struct servers v = { };
	struct worker *w;

	need_rtds();
	slack = min_slack(0);
	w = servers_thread(&v, 5 * u, 5 * u, false, 1ULL << cpu, hog, FRESH);
	if (test_cpus() > 1)
		set_cpus(0, 1);
	/* on one CPU this process goes on when it has ended */
	w->until = now_ns() + 40 * 5 * u;
	servers_go(&v);
	WAIT_FOR(atomic_load(&w->done) > 0, "end");
	servers_end(&v);
	min_slack(slack);
	servers_judge(&v);
	r = servers_result(&v, 0);
	EXPECT(r->periods >= 10, "%llu periods", (unsigned long long)r->periods);
	EXPECT(r->depleted <= 1 || !time_is_exact(), "depleted %llu times",
	       (unsigned long long)r->depleted);
	ns = atomic_load(&w->last) - atomic_load(&w->first);
	EXPECT((int64_t)r->run_ns > ns / 100 * 95, "ran %llu of %lld",
	       (unsigned long long)r->run_ns, (long long)ns);
}

/* Far down in extratime with an early deadline, depleted with a late one */
TEST(lesson30_replenished_by_deadline_not_by_level)
{
	struct servers v = { };
	int64_t u = server_unit();
	int c;

	need_rtds();
	for (c = 0; c < test_cpus(); c++) {
		servers_thread(&v, 1 * u, 10 * u, true, 1ULL << c, spinner, FRESH);
		servers_thread(&v, 1 * u, 7 * u, false, 1ULL << c, spinner, FRESH);
		servers_thread(&v, 4 * u, 47 * u, true, 1ULL << c, spinner, FRESH);
		servers_thread(&v, 2 * u, 31 * u, false, 1ULL << c, spinner, FRESH);
	}
	servers_run(&v, test_scale(50) * 31 * u, HOG_OTHER);
	for (c = 0; c < v.nr; c += 2)
		EXPECT(servers_result(&v, c)->extra_ns, "no extratime was used");
}

/* In extratime it waits for one that has its budget; then it gets its own */
TEST(lesson31_replenished_while_waiting_at_a_lower_level)
{
	struct servers v = { };
	int64_t u = server_unit();
	int c;

	need_rtds();
	for (c = 0; c < test_cpus(); c++) {
		servers_thread(&v, 2 * u, 10 * u, true, 1ULL << c, spinner, FRESH);
		servers_thread(&v, 40 * u, 100 * u, false, 1ULL << c, spinner, FRESH);
	}
	servers_run(&v, test_scale(20) * 100 * u, 0);
	for (c = 0; c < v.nr; c += 2) {
		EXPECT(servers_result(&v, c)->periods > 5 && servers_result(&v, c)->extra_ns,
		       "not put to the test");
		EXPECT(!servers_result(&v, c)->missed || !time_is_exact(), "missed");
	}
}

/* Let the periods of @b, which sleeps, begin when those of @a do */
static void align(struct worker *a, struct worker *b, int64_t budget, int64_t period)
{
	int64_t grid = server_stat(a->pid, "", 0).deadline_ns, from, to, now;
	int rc;

	/* its period ends at @from, and the one after that, which is longer, at @to */
	rc = set_rtds(b->pid, budget / 4, period, 0);
	ASSERT(!rc, "%s", strerror(-rc));
	from = server_stat(b->pid, "", 0).deadline_ns;
	for (to = grid; to <= from + period; to += period)
		;
	rc = set_rtds(b->pid, budget / 4, to - from, 0);
	ASSERT(!rc, "%s", strerror(-rc));
	pass_until(to - period);
	rc = set_rtds(b->pid, budget, period, 0);
	now = now_ns();
	ASSERT(!rc && now < to, "%s", strerror(-rc));
	to = server_stat(b->pid, "", 0).deadline_ns;
	ASSERT(!((to - grid) % period), "%lld ns off", (long long)((to - grid) % period));
}

/* Who runs goes on until its budget is gone, also when its equal wakes up */
TEST(lesson32_equals_do_not_displace)
{
	int64_t u = server_unit(), period = 20 * u;
	size_t i, there = 0, back = 0;
	struct servers v = { };
	struct worker *w;

	need_rtds();
	servers_thread(&v, 5 * u, period, false, 1, spinner, FRESH);
	w = servers_thread(&v, 5 * u, period, false, 1, nibbler, RTDS_ORA_FRESH);
	w->work = 2 * u;
	w->period = u / 2;
	align(v.v[0].w, w, 5 * u, period);
	pass(2 * period);
	servers_run(&v, test_scale(50) * period, 0);
	for (i = 0; i < v.s.l->nr; i++) {
		const struct ev *e = &v.s.l->ev[i];

		if (e->type != EV_SWITCH)
			continue;
		there += e->sw.prev == v.v[0].w->pid && e->sw.next == w->pid;
		back += e->sw.prev == w->pid && e->sw.next == v.v[0].w->pid;
	}
	test_note("%zu and %zu switches in %d periods", there, back, test_scale(50));
	/* it is depleted, or the other one sleeps */
	EXPECT(there <= 2 * (size_t)test_scale(50) + 4, "the runner is displaced");
}

#define settle(w)							\
	WAIT_FOR(!server_stat((w)->pid, "", 0).left_ns, "depletion")

/* While it runs, who looks on may be kept from looking: so by what was counted */
static void settle_again(const struct worker *w)
{
	uint64_t was = server_stat(w->pid, "", 0).depleted;

	WAIT_FOR(server_stat(w->pid, "", 0).depleted > was, "depletion");
}

/* What a change does at once, in each state */
TEST(lesson33_parameters_change_in_every_state)
{
	int64_t u = server_unit(), now;
	struct a653_server_stat s, was;
	struct servers v = { };
	struct worker *w, *other;
	int k, rc;

	need_rtds();
	/* asleep: a smaller budget clamps, a shorter period ends earlier */
	w = servers_thread(&v, 6 * u, 400 * u, false, 1, gated, 0);
	worker_go(w);
	rc = set_rtds(w->pid, 2 * u, 100 * u, 0);
	now = now_ns();
	s = server_stat(w->pid, "", 0);
	EXPECT(!rc && s.budget_ns == (uint64_t)(2 * u) && s.period_ns == (uint64_t)(100 * u),
	       "%s: %llu of %llu", strerror(-rc), (unsigned long long)s.budget_ns,
	       (unsigned long long)s.period_ns);
	EXPECT(s.left_ns <= (uint64_t)(2 * u), "%llu left of less", (unsigned long long)s.left_ns);
	EXPECT(s.deadline_ns <= now + 100 * u, "the period became longer");

	/* depleted: a larger one counts from the next period */
	futex_post(&w->futex);
	for (k = 0; k < 5; k++) {
		settle(w);
		was = server_stat(w->pid, "", 0);
		rc = set_rtds(w->pid, (3 + k) * u, 100 * u, 0);
		s = server_stat(w->pid, "", 0);
		if (s.deadline_ns == was.deadline_ns)
			break;
	}
	EXPECT(!rc && k < 5 && !s.left_ns, "%s, %d tries, %llu left", strerror(-rc), k,
	       (unsigned long long)s.left_ns);
	settle_again(w);
	was = server_stat(w->pid, "", 0);
	settle_again(w);
	s = server_stat(w->pid, "", 0);
	now = (s.run_ns - was.run_ns) / ((s.deadline_ns - was.deadline_ns) / (100 * u));
	EXPECT(now >= (2 + k) * u && now <= (4 + k) * u, "ran %lld with a budget of %lld",
	       (long long)now, (long long)((3 + k) * u));

	/* running, now and then: clamped at once */
	worker_end(w);
	w = servers_thread(&v, 60 * u, 100 * u, false, 1, nibbler, 0);
	w->work = u / 2;
	w->period = u / 4;
	worker_go(w);
	WAIT_FOR((s = server_stat(w->pid, "", 0), s.run_ns && s.left_ns > (uint64_t)(20 * u)),
		 "a large budget");
	rc = set_rtds(w->pid, 2 * u, 100 * u, 0);
	s = server_stat(w->pid, "", 0);
	EXPECT(!rc && s.left_ns <= (uint64_t)(2 * u), "%s, %llu left", strerror(-rc),
	       (unsigned long long)s.left_ns);

	/* queued: behind one that is more urgent for a long time */
	rc = set_rtds(w->pid, 2 * u, 400 * u, 0);
	other = servers_thread(&v, 80 * u, 100 * u, false, 1, spinner, 0);
	worker_go(other);
	rc = rc ? rc : set_rtds(w->pid, 1 * u, 300 * u, 0);
	s = server_stat(w->pid, "", 0);
	EXPECT(!rc && s.left_ns <= (uint64_t)u, "%s, %llu left", strerror(-rc),
	       (unsigned long long)s.left_ns);
	/* refused: nothing changes */
	rc = set_rtds(w->pid, 90 * u, 100 * u, 0);
	was = server_stat(w->pid, "", 0);
	EXPECT(rc == -EBUSY && was.budget_ns == s.budget_ns && was.period_ns == s.period_ns,
	       "%s: %llu", strerror(-rc), (unsigned long long)was.budget_ns);
	/* extratime comes and goes */
	settle(w);
	rc = set_rtds(w->pid, 1 * u, 300 * u, FLAG_RECLAIM);
	WAIT_FOR(server_stat(w->pid, "", 0).extra_ns, "extratime");
	rc = rc ? rc : set_rtds(w->pid, 1 * u, 300 * u, 0);
	was = server_stat(w->pid, "", 0);
	settle(w);
	s = server_stat(w->pid, "", 0);
	EXPECT(!rc && s.extra_ns <= was.extra_ns + u, "%s", strerror(-rc));
	worker_end(w);
	worker_end(other);
}

/*
 * All depleted on one CPU, with periods that begin at one instant: then each has a
 * CPU at once.
 */
TEST_CPUS(lesson31_replenished_at_once_run_at_once, 2)
{
	int64_t u = server_unit(), period = 40 * u, from, first;
	int i, round, n = test_cpus();
	struct servers v = { };
	struct evlist *l;
	struct worker *w;
	size_t k;

	need_rtds();
	for (i = 0; i < n; i++) {
		w = servers_thread(&v, 2 * u, period, false, 1, spinner, 0);
		if (i)
			align(v.v[0].w, w, 2 * u, period);
		worker_go(w);
	}
	for (round = 0; round < 4; round++) {
		trace_begin();
		for (i = 0; i < n; i++)
			ASSERT(!set_cpus(v.v[i].w->pid, 1), "affinity");
		WAIT_FOR(({
			for (i = 0; i < n; i++)
				if (server_stat(v.v[i].w->pid, "", 0).left_ns)
					break;
			i == n;
		}), "depletion");
		from = server_stat(v.v[0].w->pid, "", 0).deadline_ns;
		for (i = 0; i < n; i++)
			ASSERT(!set_cpus(v.v[i].w->pid, all_cpus()), "affinity");
		EXPECT(now_ns() < from, "too late to say anything");
		pass_until(from + 10 * u);
		l = trace_end();
		for (i = 0; i < n; i++) {
			first = 0;
			for (k = 0; k < l->nr && !first; k++)
				if (l->ev[k].type == EV_SWITCH && (int64_t)l->ev[k].ts >= from &&
				    l->ev[k].sw.next == v.v[i].w->pid)
					first = l->ev[k].ts - from;
			EXPECT(first && (first < u || !time_is_exact()),
			       "server %d ran %lld ns after it had its budget", i,
			       (long long)first);
		}
		ev_free(l);
	}
}

/* At random times, whatever the state; then all must be in order */
TEST(lesson33_storm_of_changes)
{
	static void (*const what[])(struct worker *w) = { spinner, nibbler, waker, napper };
	int64_t u = server_unit(), until;
	unsigned int r = seed(), done = 0, refused = 0;
	struct servers v = { };
	struct worker *w;
	int i, rc, n = test_cpus(), policy;

	need_rtds();
	for (i = 0; i < 3 * n; i++) {
		w = servers_thread(&v, u / 2, 20 * u, i & 1, 0, what[i % 4], 0);
		w->work = u / 2;
		w->period = 3 * u;
		w->value = i;
	}
	for (i = 0; i < v.nr; i++)
		worker_go(v.v[i].w);
	until = now_ns() + test_scale(400) * 5 * u;
	while (now_ns() < until) {
		int64_t period = u + rand_r(&r) % (30 * u);
		int64_t budget = u / 4 + rand_r(&r) % (period / 2);

		i = rand_r(&r) % v.nr;
		policy = rand_r(&r) % 16;
		if (policy == 0)
			rc = set_policy(v.v[i].w->pid, SCHED_OTHER, 0);
		else if (policy == 1)
			rc = set_policy(v.v[i].w->pid, SCHED_FIFO, 1);
		else if (policy == 2)
			rc = set_cpus(v.v[i].w->pid, 1 + rand_r(&r) % all_cpus());
		else
			rc = set_rtds(v.v[i].w->pid, budget, period,
				      policy & 1 ? FLAG_RECLAIM : 0);
		EXPECT(!rc || rc == -EBUSY, "change: %s", strerror(-rc));
		done += !rc;
		refused += !!rc;
		pass(rand_r(&r) % (u / 2));
	}
	test_note("%u changes, %u refused", done, refused);
	EXPECT(done > refused / 4, "too few");
	/* give back, take anew */
	for (i = 0; i < v.nr; i++) {
		ASSERT(!set_policy(v.v[i].w->pid, SCHED_OTHER, 0), "policy");
		ASSERT(!set_cpus(v.v[i].w->pid, 1ULL << i % n), "affinity");
	}
	for (i = 0; i < v.nr; i++) {
		struct server *s = &v.v[i];

		s->cpus = 1ULL << i % n;
		s->budget = 2 * u;
		s->period = (10 + i) * u;
		s->extra = false;
		s->flags = RTDS_ORA_PROMISED;
		rc = set_rtds(s->w->pid, s->budget, s->period, 0);
		ASSERT(!rc, "after the storm: %s", strerror(-rc));
	}
	servers_run(&v, test_scale(50) * 10 * u, HOG_OTHER);
}

static bool all_looped(struct servers *v, uint64_t *loops)
{
	int i;

	for (i = 0; i < v->nr; i++) {
		if (atomic_load(&v->v[i].w->loops) == loops[i])
			return false;
	}
	return true;
}

/*
 * A CPU that goes offline gets none of the threads that wait elsewhere: it would not
 * get rid of them. It may stay, as there is one on it; and when it is back, it helps.
 */
TEST_CPUS(cpu_goes_and_comes_beside_threads, 2)
{
	int n = test_cpus(), last = n - 1, i, k, rc, went = 0, r = seed();
	uint64_t loops[SERVERS_MAX];
	int64_t u = server_unit();
	struct servers v = { };
	struct worker *w;

	need_rtds();
	for (i = 0; i < 5 * n; i++) {
		/* those that keep the others waiting stay where they are */
		w = servers_thread(&v, i < last ? 4 * u : u / 4, 10 * u, false,
				   i < last ? 1ULL << i : 0, i < last ? spinner : napper, 0);
		w->work = u / 2;
		w->period = 10 * u;
		w->value = r + i;
	}
	for (i = 0; i < v.nr; i++)
		worker_go(v.v[i].w);
	for (k = 0; k < 2000 && went < 1 + test_scale(8); k++) {
		rc = set_online(last, false);
		ASSERT(!rc || rc == -EBUSY, "CPU %d goes: %s", last, strerror(-rc));
		for (i = 0; i < v.nr; i++)
			loops[i] = atomic_load(&v.v[i].w->loops);
		if (!rc) {
			went++;
			WAIT_FOR(all_looped(&v, loops), "all go on without the CPU");
			ASSERT(!set_online(last, true), "CPU %d comes", last);
		}
		pass(u / 2);
	}
	test_note("CPU %d went %d times of %d", last, went, k);
	EXPECT(went, "CPU %d never went", last);
	for (i = 0; i < v.nr; i++)
		loops[i] = atomic_load(&v.v[i].w->loops);
	WAIT_FOR(all_looped(&v, loops), "all go on");
	for (i = 0; i < v.nr; i++)
		worker_end(v.v[i].w);
}

/* On each CPU, between windows, and beside hogs of all policies */
TEST(servers_get_their_budgets_beside_hogs)
{
	struct servers v = { };
	int64_t u = server_unit();
	int c, i;

	need_rtds();
	for (c = 0; c < test_cpus(); c++) {
		servers_thread(&v, 2 * u, 10 * u, false, 1ULL << c, spinner, FRESH);
		servers_thread(&v, 9 * u, 30 * u, false, 1ULL << c, spinner, FRESH);
		servers_thread(&v, 10 * u, 70 * u, false, 1ULL << c, spinner, FRESH);
	}
	servers_run(&v, test_scale(60) * 30 * u, HOG_OTHER | HOG_FIFO | HOG_DEADLINE);
	for (i = 0; i < v.nr; i++) {
		const struct rtds_ora_server *r = servers_result(&v, i);
		double n = r->periods, got = (double)r->run_ns / r->budget;

		/* it may begin and end in the middle of a period */
		EXPECT(got >= (time_is_exact() ? 0.95 : 0.7) * n && got < 1.05 * (n + 3),
		       "%s got its budget %.1f times in %.1f periods", r->name, got, n);
	}
}

/*
 * Who wants more than its budget gets what is left, but not all of it: ordinary
 * tasks have their share; and others have their budgets in time.
 */
TEST(extratime_leaves_some_to_others)
{
	struct servers v = { };
	int64_t u = server_unit(), others, extra;
	int c;

	need_rtds();
	for (c = 0; c < test_cpus(); c++) {
		servers_thread(&v, 1 * u, 10 * u, true, 1ULL << c, spinner, FRESH);
		servers_thread(&v, 1 * u, 17 * u, true, 1ULL << c, spinner, FRESH);
		servers_thread(&v, 6 * u, 25 * u, false, 1ULL << c, spinner, FRESH);
	}
	servers_run(&v, test_scale(100) * 20 * u, HOG_OTHER);
	for (c = 0; c < test_cpus(); c++) {
		/* the hogs end a little earlier than the trace */
		others = rtds_ora_cpu(v.o, c)->lower_ns + rtds_ora_cpu(v.o, c)->idle_ns;
		extra = rtds_ora_cpu(v.o, c)->extra_ns;
		test_note("CPU %d: extratime %.1f %%, others %.1f %%", c, 100.0 * extra / span(&v),
			  100.0 * others / span(&v));
		EXPECT(others > (extra + others) / 100 * 4, "others starve");
		EXPECT(extra > span(&v) / 4, "slack is not used");
	}
}

/* Of two that want more, at the same rate, each has some */
TEST(extratime_is_shared)
{
	struct servers v = { };
	int64_t u = server_unit();
	uint64_t a, b;

	need_rtds();
	servers_thread(&v, 1 * u, 10 * u, true, 1, spinner, FRESH);
	servers_thread(&v, 1 * u, 10 * u, true, 1, spinner, FRESH);
	servers_run(&v, test_scale(100) * 10 * u, 0);
	a = servers_result(&v, 0)->extra_ns;
	b = servers_result(&v, 1)->extra_ns;
	EXPECT(a > (a + b) / 4 && b > (a + b) / 4, "%llu and %llu", (unsigned long long)a,
	       (unsigned long long)b);
}

/* A CPU that has to pay before there is extratime again gets no extratime from others */
TEST_CPUS(extratime_is_not_sent_to_and_fro, 2)
{
	struct servers v = { };
	int64_t u = server_unit();
	size_t tickles;
	int i;

	need_rtds();
	for (i = 0; i <= test_cpus(); i++)
		servers_thread(&v, 1 * u, 10 * u, true, 0, spinner, FRESH);
	servers_run(&v, test_scale(100) * 10 * u, HOG_OTHER);
	tickles = count_events(v.s.l, EV_TICKLE, -1);
	test_note("%zu tickles, %zu changes of a level", tickles,
		  count_events(v.s.l, EV_LEVEL, -1));
	EXPECT(tickles < count_events(v.s.l, EV_LEVEL, -1) / 2, "to and fro");
}

/* The lower classes are to have all: promises are kept, but there is no extratime */
TEST(extratime_ends_where_nothing_is_left)
{
	struct servers v = { };
	int64_t u = server_unit();
	int slack;

	need_rtds();
	servers_thread(&v, 1 * u, 10 * u, true, 1, spinner, FRESH);
	slack = min_slack(100);
	servers_run(&v, test_scale(50) * 10 * u, HOG_OTHER);
	min_slack(slack);
	EXPECT((int64_t)servers_result(&v, 0)->extra_ns < span(&v) / 20, "%llu of %lld ns",
	       (unsigned long long)servers_result(&v, 0)->extra_ns, (long long)span(&v));
}

static void global_edf(int threads, unsigned int with)
{
	struct servers v = { };
	int64_t u = server_unit();
	unsigned int r = seed();
	struct worker *w;
	int i, n = 0, rc;

	for (i = 0; i < 8 * threads && n < threads; i++) {
		int64_t period = (8 + rand_r(&r) % 30) * u;
		int64_t budget = u + rand_r(&r) % (period / 3);

		rc = servers_try(&v, budget, period, false, 0, rand_r(&r) % 3 ? spinner : napper,
				 FRESH);
		ASSERT(!rc || rc == -EBUSY, "%s", strerror(-rc));
		if (rc)
			continue;
		w = v.v[n++].w;
		w->work = budget;
		w->period = period / 2;
		w->value = i;
	}
	test_note("%d threads", n);
	servers_run(&v, test_scale(200) * 10 * u, with);
}

TEST_CPUS(global_edf_alone, 2)
{
	need_rtds();
	global_edf(2 * test_cpus(), 0);
}

TEST_CPUS(global_edf_beside_hogs, 2)
{
	need_rtds();
	global_edf(3 * test_cpus(), HOG_OTHER | HOG_FIFO);
}

/* Its CPU is taken by a window: it goes on elsewhere */
TEST_CPUS(window_sends_a_thread_to_another_cpu, 2)
{
	struct servers v = { .s.f = conf_new("m", all_cpus()) };
	int64_t u = server_unit();
	size_t moved;
	int a, c, i;

	need_rtds();
	a = conf_part(v.s.f, "alpha", 0, 0);
	conf_sched(v.s.f, "one", 24 * u, 0);
	for (c = 0; c < test_cpus(); c++)
		conf_win(v.s.f, a, c, c % 2 * 12 * u, 6 * u, c & 2 ? A653_WINDOW_STRICT : 0);
	scene_start(&v.s);
	for (c = 0; c < test_cpus(); c++)
		scene_worker(&v.s, "alpha", 50, 1ULL << c, spinner, 0);
	for (i = 0; i < test_cpus() / 2; i++) {
		/* in another place of the frame each time */
		servers_thread(&v, 15 * u, 47 * u, false, 0, spinner, RTDS_ORA_FRESH);
	}
	servers_run(&v, test_scale(50) * 24 * u, HOG_OTHER);
	moved = count_events(v.s.l, EV_MIGRATE, -1);
	EXPECT(moved > (size_t)test_scale(50) / 5, "%zu migrations", moved);
}
