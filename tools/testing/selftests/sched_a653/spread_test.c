// SPDX-License-Identifier: GPL-2.0
/*
 * Tasks of a partition on several CPUs: where they run, and that they do
 */
#include <stdlib.h>

#include "scene.h"

static int64_t unit(void)
{
	return MS * test_stretch();
}

static unsigned int seed(void)
{
	const char *v = getenv("A653_TEST_SEED");
	unsigned int s = v ? strtoul(v, NULL, 0) : (unsigned int)time(NULL);

	test_note("seed %u", s);
	return s;
}

/* Windows of one partition on all CPUs at once, then one after the other */
static void two_patterns(struct conf *f, int part, int64_t u)
{
	int c, n = test_cpus();

	conf_sched(f, "one", (5 + n) * u, 0);
	for (c = 0; c < n; c++)
		conf_win(f, part, c, 0, 2 * u, 0);
	for (c = 0; c < n; c++)
		conf_win(f, part, c, (3 + c) * u, u, 0);
}

/*
 * Twice as many tasks as CPUs, of different priorities, waking at random: on m
 * CPUs with open windows the m best ready tasks run. The checker judges each
 * moment.
 */
TEST(best_tasks_run_on_open_cpus)
{
	struct scene s = { .f = conf_new("m", all_cpus()) };
	int64_t u = unit();
	int a, i, n = test_cpus();
	unsigned int r = seed();
	struct worker *w;

	a = conf_part(s.f, "alpha", 0, 0);
	two_patterns(s.f, a, u);
	scene_start(&s);
	for (i = 0; i < 2 * n; i++) {
		w = scene_worker(&s, "alpha", 40 + 5 * i, 0, waker, 0);
		w->period = 2 * u + rand_r(&r) % (6 * u);
		w->work = u / 4 + rand_r(&r) % u;
	}
	scene_worker(&s, "alpha", 10, 0, spinner, 0);
	scene_go(&s);
	scene_pass(test_scale(500) * (5 + n) * u, HOG_OTHER | HOG_DEADLINE);
	scene_end(&s);
	/* CPUs that an emulator runs in turns wait for each other */
	if (time_is_exact() && test_stretch() == 1)
		ora_p99_limit(s.o, n * 400 * US);
	scene_judge(&s);
}

/*
 * More always-ready tasks than CPUs, of equal priority and of different ones.
 * Those on top run all the time; below them nobody does. (FIFO: who waits for
 * a spinner of the same priority waits for ever.) When the best ones end, the
 * next take their places.
 */
TEST(lesson13_more_tasks_than_cpus)
{
	struct scene s = { .f = conf_new("m", all_cpus()) };
	int64_t u = unit();
	int a, c, i, n = test_cpus(), total;
	uint64_t before[SCENE_WORKERS];

	a = conf_part(s.f, "alpha", 0, 0);
	conf_sched(s.f, "one", 10 * u, 0);
	for (c = 0; c < n; c++)
		conf_win(s.f, a, c, 0, 6 * u, 0);
	scene_start(&s);
	total = 3 * n;
	for (i = 0; i < total; i++)
		scene_worker(&s, "alpha", 90 - i / n * 10, 0, spinner, 0);
	scene_go(&s);
	for (i = 0; i < 3; i++) {
		int64_t until = now_ns() + (3 + test_scale(20)) * 10 * u;

		pass(10 * u);
		for (c = 0; c < total; c++)
			before[c] = atomic_load(&s.w[c]->loops);
		pass_until(until);
		for (c = 0; c < total; c++) {
			uint64_t ran = atomic_load(&s.w[c]->loops) - before[c];

			if (c / n == i)
				EXPECT(ran, "round %d: worker %d did not run", i, c);
			else
				EXPECT(!ran, "round %d: worker %d ran", i, c);
		}
		for (c = i * n; c < (i + 1) * n; c++)
			worker_stop(s.w[c]);
		for (c = i * n; c < (i + 1) * n; c++)
			WAIT_FOR(atomic_load(&s.w[c]->done) > 0, "end of a worker");
	}
	scene_end(&s);
	scene_judge(&s);
}

/*
 * Allowed CPUs change in the middle of windows and of gaps; nobody is lost:
 * each worker goes on running after each change.
 */
TEST_CPUS(lesson13_affinity_changes_in_mid_window, 2)
{
	struct scene s = { .f = conf_new("m", all_cpus()) };
	int64_t u = unit();
	unsigned int r = seed();
	int a, i, k, n = test_cpus(), rc;

	a = conf_part(s.f, "alpha", 0, 0);
	two_patterns(s.f, a, u);
	scene_start(&s);
	for (i = 0; i < n + 1; i++)
		scene_worker(&s, "alpha", 50, 0, i ? spinner : yielder,
			     ORA_DYNAMIC | ORA_YIELDS);
	scene_go(&s);
	for (k = 0; k < test_scale(300); k++) {
		uint64_t mask;

		i = rand_r(&r) % (n + 1);
		do
			mask = rand_r(&r) & all_cpus();
		while (!mask);
		rc = set_cpus(s.w[i]->pid, mask);
		ASSERT(!rc, "affinity: %s", strerror(-rc));
		pass(rand_r(&r) % (2 * u));
	}
	/* the last masks: each alone on its CPU must run */
	for (i = 0; i < n; i++) {
		uint64_t before;

		set_cpus(s.w[i]->pid, 1ULL << i);
		for (k = 0; k < n + 1; k++)
			if (k != i)
				set_cpus(s.w[k]->pid, 1ULL << (i + 1) % n);
		before = atomic_load(&s.w[i]->loops);
		WAIT_FOR(atomic_load(&s.w[i]->loops) > before, "progress");
	}
	scene_end(&s);
	scene_judge(&s);
}

/* A CPU that comes to the set while the partition runs is used */
TEST_CPUS(lesson13_added_cpu_is_used, 2)
{
	struct conf *f = conf_new("m", all_cpus()), *g;
	int64_t u = unit();
	struct worker *w[2];
	int a, i;
	uint64_t before;

	a = conf_part(f, "alpha", 0, 0);
	conf_sched(f, "one", 4 * u, 0);
	conf_win(f, a, 0, 0, 2 * u, 0);
	cgroups_for(f);
	conf_start(f);
	for (i = 0; i < 2; i++) {
		w[i] = worker_in("alpha", 60 - i, 0, "alpha", spinner);
		worker_go(w[i]);
	}
	WAIT_FOR(atomic_load(&w[0]->loops), "progress on CPU 0");
	EXPECT(!atomic_load(&w[1]->loops), "two tasks ran on one CPU");
	g = conf_dup(f);
	conf_win(g, a, 1, 0, 2 * u, 0);
	conf_start(g);
	before = atomic_load(&w[1]->loops);
	WAIT_FOR(atomic_load(&w[1]->loops) > before, "progress on the new CPU");
	worker_end(w[0]);
	worker_end(w[1]);
}

/*
 * A task is moved to a CPU whose window is open and that runs something else:
 * the CPU must take it, there and then. The checker counts interrupts. Each
 * move comes at a time of its own; the windows overlap, and this process can
 * always run on some CPU.
 */
TEST_CPUS(lesson14_new_cpu_is_told, 2)
{
	struct scene s = { .f = conf_new("m", all_cpus()) };
	int a, c, k, n = test_cpus(), rc;
	unsigned int r = seed();
	int64_t u = unit();
	struct worker *w;
	uint64_t before;

	a = conf_part(s.f, "alpha", 0, 0);
	conf_sched(s.f, "one", 12 * u, 0);
	for (c = 0; c < n; c++)
		conf_win(s.f, a, c, c % 2 * 3 * u, 6 * u, 0);
	scene_start(&s);
	w = scene_worker(&s, "alpha", 50, 1, spinner, ORA_DYNAMIC);
	hogs(SCHED_OTHER, 0, now_ns() + 30 * SEC);
	scene_go(&s);
	for (k = 1; k <= test_scale(300); k++) {
		rc = set_cpus(w->pid, 1ULL << k % n);
		ASSERT(!rc, "affinity: %s", strerror(-rc));
		before = atomic_load(&w->loops);
		WAIT_FOR(atomic_load(&w->loops) > before, "progress");
		pass(rand_r(&r) % (4 * u));
	}
	scene_end(&s);
	scene_judge(&s);
}

/*
 * Alpha runs; a storm of wake-ups for beta, whose window is closed. Alpha's
 * task must not be interrupted for it: its involuntary context switches are
 * the ends of its windows, no reschedule interrupt comes, and the trace shows
 * only beta's queue growing.
 */
TEST(lesson11_closed_wakeups_do_not_reschedule)
{
	struct scene s = { .f = conf_new("m", all_cpus()) };
	int64_t u = unit(), frames = test_scale(200);
	long switches, resched;
	size_t i, wakeups = 0, opened = 0;
	struct worker *w;
	int a, b, c, k;

	a = conf_part(s.f, "alpha", 0, 0);
	b = conf_part(s.f, "beta", 0, 0);
	conf_sched(s.f, "one", 20 * u, 0);
	for (c = 0; c < test_cpus(); c++) {
		conf_win(s.f, a, c, 0, 15 * u, 0);
		conf_win(s.f, b, c, 16 * u, 2 * u, 0);
	}
	scene_start(&s);
	w = scene_worker(&s, "alpha", 50, 1, spinner, 0);
	/* each is woken by its own timer, on CPU 0, and more urgent than alpha */
	for (k = 0; k < 24; k++) {
		struct worker *b24 = scene_worker(&s, "beta", 90, 1, waker, 0);

		b24->period = 10 * u + k * 13 * US;
		b24->work = 0;
	}
	scene_go(&s);
	WAIT_FOR(atomic_load(&w->loops), "alpha");
	switches = status_field(w->pid, "status", "nonvoluntary_ctxt_switches");
	resched = irq_count("RES", 0);
	pass(frames * 20 * u);
	switches = status_field(w->pid, "status", "nonvoluntary_ctxt_switches") - switches;
	resched = irq_count("RES", 0) - resched;
	scene_end(&s);
	for (i = 0; i < s.l->nr; i++) {
		wakeups += s.l->ev[i].type == EV_CLOSED_WAKEUP;
		opened += s.l->ev[i].type == EV_OPEN && s.l->ev[i].cpu == 0 &&
			  !strcmp(ev_name(s.l, s.l->ev[i].name), "alpha");
	}
	test_note("%zu closed wake-ups, %zu windows, %ld involuntary switches, %ld reschedule interrupts",
		  wakeups, opened, switches, resched);
	EXPECT(wakeups >= opened, "only %zu wake-ups", wakeups);
	/* one for each window's end, and a few for stop work */
	EXPECT(switches <= (long)opened + 3, "%ld switches in %zu windows", switches, opened);
	if (test_cpus() == 1)
		EXPECT(!resched, "%ld reschedule interrupts", resched);
	scene_judge(&s);
}

/* How often CPU 0 has called schedule(); -1: it does not count */
static long schedule_calls(void)
{
	FILE *f = fopen("/proc/schedstat", "r");
	char line[512];
	long n = -1;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "cpu0 %*u %*u %ld", &n) == 1)
			break;
	if (f)
		fclose(f);
	return n;
}

/*
 * An ordinary task runs, which any partition would displace: a closed wake-up
 * must not even make the CPU look. What counts are the calls of schedule()
 * after which the same task went on.
 */
TEST(lesson11_closed_wakeups_leave_others_alone)
{
	struct scene s = { .f = conf_new("m", all_cpus()) };
	int64_t u = unit(), frames = test_scale(100);
	size_t i, wakeups = 0, switches = 0;
	struct worker *w;
	long calls;
	FILE *f;
	int k;

	conf_part(s.f, "beta", 0, 0);
	conf_sched(s.f, "one", 20 * u, 0);
	conf_win(s.f, 0, 0, 0, 3 * u, 0);
	scene_start(&s);
	for (k = 0; k < 24; k++) {
		w = scene_worker(&s, "beta", 90, 1, waker, 0);
		w->period = 10 * u + k * 13 * US;
		w->work = 0;
	}
	f = fopen("/proc/sys/kernel/sched_schedstats", "w");
	if (!f || fputs("1", f) < 0 || fclose(f))
		test_skip("no schedstats");
	scene_go(&s);
	calls = schedule_calls();
	scene_pass(frames * 20 * u, HOG_OTHER);
	calls = schedule_calls() - calls;
	scene_end(&s);
	for (i = 0; i < s.l->nr; i++) {
		wakeups += s.l->ev[i].type == EV_CLOSED_WAKEUP;
		switches += s.l->ev[i].type == EV_SWITCH && s.l->ev[i].cpu == 0;
	}
	test_note("%zu closed wake-ups; %ld calls of schedule(), %zu switches", wakeups, calls,
		  switches);
	EXPECT(wakeups > (size_t)frames, "only %zu wake-ups", wakeups);
	EXPECT(calls < (long)(switches + wakeups / 4), "closed wake-ups reschedule");
	scene_judge(&s);
}

/* The same from another CPU: no interrupt crosses while beta is closed */
TEST_CPUS(lesson11_closed_wakeups_from_another_cpu, 2)
{
	struct scene s = { .f = conf_new("m", all_cpus()) };
	size_t i, wakeups = 0, resched = 0, calls = 0;
	int64_t u = unit(), until;
	struct worker *w[8];
	bool open = false;
	long posts = 0;
	int a, b, k;

	a = conf_part(s.f, "alpha", 0, 0);
	b = conf_part(s.f, "beta", 0, 0);
	conf_sched(s.f, "one", 20 * u, 0);
	conf_win(s.f, a, 0, 0, 15 * u, 0);
	/* next to the start of alpha's */
	conf_win(s.f, b, 0, 17 * u, 3 * u, 0);
	scene_start(&s);
	scene_worker(&s, "alpha", 50, 1, spinner, 0);
	for (k = 0; k < 8; k++) {
		w[k] = scene_worker(&s, "beta", 90, 1, futex_waiter, 0);
		w[k]->work = 0;
	}
	set_cpus(0, all_cpus() & ~1ULL);
	scene_go(&s);
	WAIT_FOR(atomic_load(&s.w[0]->loops), "alpha");
	until = now_ns() + test_scale(100) * 20 * u;
	while (now_ns() < until) {
		for (k = 0; k < 8; k++, posts++)
			futex_post(&w[k]->futex);
		pass(u / 2);
	}
	scene_end(&s);
	for (i = 0; i < s.l->nr; i++) {
		const struct ev *e = &s.l->ev[i];

		if (e->type == EV_OPEN)
			open = !strcmp(ev_name(s.l, e->name), "alpha");
		else if (e->type == EV_CLOSE)
			open = false;
		if (!open)
			continue;
		wakeups += e->type == EV_CLOSED_WAKEUP;
		if ((e->type == EV_IRQ || e->type == EV_NESTED_IRQ) && !e->cpu) {
			resched += !strcmp(ev_name(s.l, e->name), "reschedule_entry");
			calls += !strcmp(ev_name(s.l, e->name), "call_function_single_entry");
		}
	}
	test_note("%ld posts; while alpha ran %zu closed wake-ups, %zu reschedule and %zu call interrupts",
		  posts, wakeups, resched, calls);
	EXPECT(wakeups > (size_t)test_scale(100), "only %zu closed wake-ups", wakeups);
	/* others have reasons of their own, now and then */
	EXPECT(resched <= 2 + wakeups / 20, "closed wake-ups reschedule");
	EXPECT(calls <= 2 + wakeups / 20, "closed wake-ups send interrupts");
	scene_judge(&s);
}

/* Priorities, and first come first among equals, with everybody on one CPU */
TEST(priority_and_fifo_order)
{
	struct scene s = { .f = conf_new("m", all_cpus()) };
	unsigned int r = seed();
	int64_t u = unit();
	struct worker *w;
	int a, c, i;

	a = conf_part(s.f, "alpha", 0, 0);
	conf_sched(s.f, "one", 10 * u, 0);
	for (c = 0; c < test_cpus(); c++)
		conf_win(s.f, a, c, 0, 4 * u, 0);
	scene_start(&s);
	for (i = 0; i < 12; i++) {
		w = scene_worker(&s, "alpha", 50 + i / 4, 1, waker, 0);
		w->period = 3 * u + rand_r(&r) % (10 * u);
		w->work = rand_r(&r) % (u / 4);
	}
	scene_run(&s, test_scale(300) * 10 * u, HOG_OTHER);
}

/* Yield: to the end of those with the same priority, never to lower ones */
TEST(yield_goes_behind_equals)
{
	struct scene s = { .f = conf_new("m", all_cpus()) };
	int64_t u = unit();
	uint64_t n[4], sum = 0;
	int a, i;

	a = conf_part(s.f, "alpha", 0, 0);
	conf_sched(s.f, "one", 10 * u, 0);
	conf_win(s.f, a, 0, 0, 5 * u, 0);
	scene_start(&s);
	for (i = 0; i < 3; i++)
		scene_worker(&s, "alpha", 50, 1, yielder, ORA_YIELDS);
	scene_worker(&s, "alpha", 49, 1, spinner, 0);
	scene_go(&s);
	pass(test_scale(20) * 10 * u);
	scene_end(&s);
	for (i = 0; i < 4; i++) {
		n[i] = atomic_load(&s.w[i]->loops);
		sum += n[i];
	}
	for (i = 0; i < 3; i++)
		EXPECT(n[i] > sum / 4, "yielder %d came %llu of %llu times", i,
		       (unsigned long long)n[i], (unsigned long long)sum);
	scene_judge(&s);
}
