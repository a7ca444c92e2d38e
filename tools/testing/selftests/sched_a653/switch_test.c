// SPDX-License-Identifier: GPL-2.0
/*
 * Loading and switching schedules: when, and on all CPUs at once
 */
#include <stdlib.h>

#include "scene.h"

#define EXCL	A653_SCHEDULE_EXCLUSIVE

static int64_t unit(void)
{
	return MS * test_stretch();
}

/*
 * What one schedule gives to alpha on one CPU the other gives to beta on
 * another: were two CPUs in different schedules, both would be open at once.
 */
static void opposed(struct conf *f, int64_t u)
{
	int n = test_cpus(), c, a, b;

	a = conf_part(f, "alpha", 0, 0);
	b = conf_part(f, "beta", 0, 0);
	conf_sched(f, "one", 2 * u, EXCL);
	for (c = 0; c < n; c++)
		conf_win(f, a, c, 0, u, 0);
	conf_sched(f, "two", 3 * u, EXCL);
	for (c = 0; c < n; c++)
		conf_win(f, b, c, 0, u + u / 2, A653_WINDOW_STRICT);
	conf_sched(f, "three", u, EXCL);
	for (c = 0; c < n; c++)
		conf_win(f, c % 2 ? a : b, c, u / n * c, u / n - u / (8 * n), 0);
}

static size_t count_schedules(const struct evlist *l, int cpu)
{
	size_t i, n = 0;

	for (i = 0; i < l->nr; i++)
		n += l->ev[i].type == EV_SCHEDULE && l->ev[i].cpu == cpu;
	return n;
}

/* A thousand times, at any rate, beside hogs; the checker looks for two at once */
TEST(lesson04_all_cpus_switch_at_once)
{
	static const char *const name[] = { "two", "one", "three" };
	struct scene s = { .f = conf_new("m", all_cpus()) };
	struct a653_status st, st2;
	int c, i, n = 1000 / test_divisor(), rc;
	size_t seen;

	opposed(s.f, unit());
	scene_start(&s);
	for (c = 0; c < test_cpus(); c++) {
		scene_worker(&s, "alpha", 50, 0, spinner, 0);
		scene_worker(&s, "beta", 50, 0, spinner, 0);
	}
	ASSERT(!get_status("m", &st), "status");
	scene_go(&s);
	hogs(SCHED_OTHER, 0, now_ns() + 30 * SEC);
	for (i = 0; i < n; i++) {
		/* now and then one that supersedes what is pending */
		rc = switch_to("m", name[i % 3], i % 4 ? A653_REQUEST_WAIT : 0, 0);
		ASSERT(!rc, "switch %d: %s", i, strerror(-rc));
	}
	/*
	 * Each partition needs a schedule in which its tasks can end, and an
	 * ending one may need a lock that one of the other partition holds.
	 */
	for (i = 0; i < s.nr; i++)
		worker_stop(s.w[i]);
	for (i = 0; i < s.nr; i++) {
		for (c = 0; c < 1000 && !worker_gone(s.w[i]); c++) {
			rc = switch_to("m", c % 2 ? "two" : "one", A653_REQUEST_WAIT, 0);
			ASSERT(!rc, "last switch: %s", strerror(-rc));
		}
		EXPECT(worker_gone(s.w[i]), "worker %d does not end", i);
	}
	ASSERT(!get_status("m", &st2), "status");
	scene_end(&s);
	seen = count_schedules(s.l, 0);
	test_note("%d requests, %llu switches, %zu in the trace of CPU 0", n,
		  (unsigned long long)(st2.switched - st.switched), seen);
	EXPECT(seen == st2.switched - st.switched, "the counter is wrong");
	EXPECT(seen > (size_t)n / 2, "only %zu switches", seen);
	for (c = 1; c < test_cpus(); c++)
		EXPECT(count_schedules(s.l, c) == seen, "CPU %d switched %zu times", c,
		       count_schedules(s.l, c));
	scene_judge(&s);
}

/* The old schedule's next boundary is far away; a new base time is not */
TEST(lesson05_change_does_not_wait_for_the_old_timer)
{
	struct conf *f = conf_new("m", all_cpus()), *g;
	int64_t u = unit(), base, before;
	struct a653_status st;
	struct evlist *l;
	size_t i;
	int a, c, rc, seen = 0;

	a = conf_part(f, "alpha", 0, 0);
	conf_sched(f, "slow", 3600 * SEC, 0);
	for (c = 0; c < test_cpus(); c++) {
		conf_win(f, a, c, 0, SEC, 0);
		conf_win(f, a, c, 1800 * SEC, SEC, 0);
	}
	conf_start(f);

	g = conf_new("m", all_cpus());
	conf_part(g, "alpha", 0, 0);
	conf_sched(g, "fast", 10 * u, 0);
	for (c = 0; c < test_cpus(); c++)
		conf_win(g, a, c, 0, 5 * u, 0);
	g->c.flags = A653_CONFIG_BASE;
	trace_begin();
	before = now_ns();
	base = before + 40 * u + 7;
	g->c.base_ns = base;
	rc = conf_load(g, A653_CONFIG_WAIT);
	ASSERT(!rc, "load: %s (%s)", strerror(-rc), g->reason);
	EXPECT(now_ns() < before + 10 * SEC, "it took %lld ms",
	       (long long)(now_ns() - before) / MS);
	ASSERT(!get_status("m", &st), "status");
	EXPECT(!(st.flags & A653_STATUS_PENDING) && (st.base_ns - base) % (10 * u) == 0,
	       "base %lld instead of %lld", (long long)st.base_ns, (long long)base);
	l = trace_end();
	for (i = 0; i < l->nr; i++)
		if (l->ev[i].type == EV_SCHEDULE) {
			EXPECT(l->ev[i].schedule.sched == base, "CPU %d went over at %lld",
			       l->ev[i].cpu, (long long)l->ev[i].schedule.sched);
			seen++;
		}
	EXPECT(seen == test_cpus(), "%d CPUs", seen);
	ev_free(l);

	/* And a first load is in force at once, whatever its frame */
	ASSERT(!unload("m", 0), "unload");
	before = now_ns();
	f->c.flags = 0;
	conf_start(f);
	EXPECT(now_ns() < before + 10 * SEC, "the first load waited");
	EXPECT(get_stat("m", a, 0).opened, "the first window did not open");
}

/* Nothing happens before a base time; the first window is as long as planned */
TEST(lesson06_base_time_in_the_future)
{
	struct scene s = { .f = conf_new("m", all_cpus()) };
	int64_t u = unit(), base;
	struct a653_status st;
	struct worker *w;
	size_t i, opened = 0;
	int a, c, rc, early = 0;
	uint64_t ran;

	a = conf_part(s.f, "alpha", 0, 0);
	conf_sched(s.f, "one", 7 * u, 0);
	for (c = 0; c < test_cpus(); c++) {
		conf_win(s.f, a, c, 0, u, 0);
		conf_win(s.f, a, c, 4 * u, 2 * u, 0);
	}
	cgroups_for(s.f);
	/* not a multiple of anything; more than one frame ahead */
	base = now_ns() + 400 * u + 12345;
	s.f->c.flags = A653_CONFIG_BASE;
	s.f->c.base_ns = base;
	trace_begin();
	rc = conf_load(s.f, 0);
	ASSERT(!rc, "load: %s (%s)", strerror(-rc), s.f->reason);
	ASSERT(!get_status("m", &st), "status");
	EXPECT(st.flags & A653_STATUS_IDLE && st.flags & A653_STATUS_PENDING &&
	       st.next_ns == base, "flags %x, next %lld", st.flags, (long long)st.next_ns);
	/* a task may come before */
	w = worker_in("alpha", 50, 0, "alpha", spinner);
	worker_go(w);
	pass_until(base - 20 * u);
	ran = atomic_load(&w->loops);
	/* the trace tells even if getting here took too long */
	EXPECT(!ran || now_ns() >= base, "it ran before the base time");
	pass_until(base + 50 * 7 * u);
	ASSERT(!get_status("m", &st), "status");
	EXPECT(!(st.flags & A653_STATUS_IDLE) && st.base_ns == base, "flags %x, base %lld",
	       st.flags, (long long)st.base_ns);
	EXPECT(atomic_load(&w->loops), "it did not run");
	s.l = trace_end();
	worker_end(w);
	for (i = 0; i < s.l->nr; i++) {
		const struct ev *e = &s.l->ev[i];

		if (e->type != EV_OPEN)
			continue;
		early += e->open.sched < base;
		opened++;
	}
	EXPECT(opened && !early, "%zu windows, %d before the base time", opened, early);
	s.o = ora_new(s.l);
	ora_module(s.o, s.f);
	ora_worker(s.o, w, "alpha", all_cpus(), 0);
	scene_judge(&s);

	/* long ago: the same grid; in the far future: not in this life */
	ASSERT(!unload("m", 0), "unload");
	s.f->c.base_ns = 12345;
	conf_start(s.f);
	ASSERT(!get_status("m", &st), "status");
	EXPECT((st.base_ns - 12345) % (7 * u) == 0, "base %lld", (long long)st.base_ns);
	ASSERT(!unload("m", 0), "unload");
	s.f->c.base_ns = now_ns() + 1000000 * SEC;
	rc = conf_load(s.f, 0);
	EXPECT(!rc, "load: %s (%s)", strerror(-rc), s.f->reason);
	ASSERT(!get_status("m", &st) && st.flags & A653_STATUS_IDLE, "status");
	rc = unload("m", 0);
	EXPECT(!rc, "unload of what never began: %s", strerror(-rc));
}

/* A switch at a given time takes the first boundary that is not earlier */
TEST(switch_at_a_given_time)
{
	struct conf *f = conf_new("m", all_cpus());
	struct a653_status st;
	int64_t u = unit(), at, due;
	int i, rc;

	opposed(f, u);
	conf_start(f);
	for (i = 0; i < test_scale(50); i++) {
		ASSERT(!get_status("m", &st), "status");
		at = st.now_ns + 20 * u + i * 77777;
		due = st.base_ns + (at - st.base_ns + 2 * u - 1) / (2 * u) * (2 * u);
		rc = switch_to("m", "two", A653_REQUEST_AT | A653_REQUEST_WAIT, at);
		ASSERT(!rc, "switch: %s", strerror(-rc));
		ASSERT(!get_status("m", &st), "status");
		EXPECT(st.base_ns == due && st.schedule == 1, "schedule %u from %lld, not %lld",
		       st.schedule, (long long)st.base_ns, (long long)due);
		rc = switch_to("m", "one", A653_REQUEST_WAIT, 0);
		ASSERT(!rc, "switch: %s", strerror(-rc));
	}
	/* far ahead it is pending, and the next request takes its place */
	ASSERT(!get_status("m", &st), "status");
	rc = switch_to("m", "two", A653_REQUEST_AT, st.now_ns + 1000 * SEC);
	ASSERT(!rc, "switch: %s", strerror(-rc));
	ASSERT(!get_status("m", &st) && st.flags & A653_STATUS_PENDING && st.next == 1, "status");
	rc = switch_to("m", "three", A653_REQUEST_WAIT, 0);
	ASSERT(!rc, "switch: %s", strerror(-rc));
	ASSERT(!get_status("m", &st) && !(st.flags & A653_STATUS_PENDING) && st.schedule == 2,
	       "the switch that was pending is not superseded");
	/* unloading forgets what is pending */
	rc = switch_to("m", "two", A653_REQUEST_AT, st.now_ns + 1000 * SEC);
	EXPECT(!rc && !unload("m", 0), "unload with a switch pending");
}

/* A configuration is replaced under its tasks, over and over */
TEST(reload_under_load)
{
	struct scene s = { .f = conf_new("m", all_cpus()) };
	struct conf *g;
	int64_t u = unit();
	int a, b, c, i, rc;

	a = conf_part(s.f, "alpha", 0, 0);
	b = conf_part(s.f, "beta", 0, 0);
	conf_sched(s.f, "one", 4 * u, EXCL);
	for (c = 0; c < test_cpus(); c++) {
		conf_win(s.f, a, c, 0, u, 0);
		conf_win(s.f, b, c, 2 * u, u, 0);
	}
	g = conf_new("m", all_cpus());
	/* the same partitions in another order, other windows */
	conf_part(g, "beta", 0, 0);
	conf_part(g, "alpha", 0, 0);
	conf_part(g, "gamma", 0, 0);
	conf_sched(g, "other", 3 * u, EXCL);
	for (c = 0; c < test_cpus(); c++) {
		conf_win(g, 0, c, 0, u, A653_WINDOW_STRICT);
		conf_win(g, 1, c, u, u, 0);
	}
	scene_start(&s);
	for (c = 0; c < test_cpus(); c++) {
		scene_worker(&s, "alpha", 50, 0, spinner, 0);
		scene_worker(&s, "beta", 50, 0, spinner, 0);
	}
	scene_go(&s);
	for (i = 0; i < test_scale(100); i++) {
		rc = conf_load(i % 2 ? s.f : g, A653_CONFIG_WAIT);
		ASSERT(!rc, "load %d: %s", i, strerror(-rc));
	}
	scene_end(&s);
	ora_reload(s.o, s.mod, g);
	scene_judge(&s);

	/* not while somebody is in a partition that it drops */
	c = (scene_worker(&s, "alpha", 50, 0, sleeper, 0))->pid;
	g = conf_new("m", all_cpus());
	conf_part(g, "beta", 0, 0);
	conf_sched(g, "one", 4 * u, 0);
	conf_win(g, 0, 0, 0, u, 0);
	rc = conf_load(g, 0);
	EXPECT(rc == -EBUSY && strstr(g->reason, "alpha"), "%s (%s)", strerror(-rc), g->reason);
	worker_end(s.w[0]);
	rc = conf_load(g, A653_CONFIG_WAIT);
	EXPECT(!rc, "%s (%s)", strerror(-rc), g->reason);
}

/* TAI is monotonic plus an offset */
TEST(clock_tai)
{
	struct scene s = { .f = conf_new("m", all_cpus()) };
	struct timespec ts;
	struct a653_status st;
	int64_t u = unit(), tai;
	int a, c;

	a = conf_part(s.f, "alpha", 0, 0);
	conf_sched(s.f, "one", 5 * u, 0);
	for (c = 0; c < test_cpus(); c++)
		conf_win(s.f, a, c, 0, 2 * u, 0);
	s.f->c.clock = CLOCK_TAI;
	s.f->c.flags = A653_CONFIG_BASE;
	scene_start(&s);
	ASSERT(!get_status("m", &st), "status");
	clock_gettime(CLOCK_TAI, &ts);
	tai = ts.tv_sec * SEC + ts.tv_nsec;
	EXPECT(st.clock == CLOCK_TAI && llabs(tai - st.now_ns) < SEC && st.base_ns % (5 * u) == 0,
	       "clock %u, now %lld, base %lld", st.clock, (long long)st.now_ns,
	       (long long)st.base_ns);
	scene_worker(&s, "alpha", 50, 0, spinner, 0);
	scene_run(&s, test_scale(100) * 5 * u, HOG_OTHER);
}
