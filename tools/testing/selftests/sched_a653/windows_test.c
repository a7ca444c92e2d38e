// SPDX-License-Identifier: GPL-2.0
/*
 * Who runs when: windows of partitions beside hogs of all policies
 */
#include <fcntl.h>
#include <stdlib.h>

#include "scene.h"
#include "servers.h"

#define STRICT	A653_WINDOW_STRICT
#define EXCL	A653_SCHEDULE_EXCLUSIVE

static int64_t unit(void)
{
	return MS * test_stretch();
}

static void spinners(struct scene *s, const char *part)
{
	int c;

	for (c = 0; c < test_cpus(); c++)
		scene_worker(s, part, 50, 0, spinner, 0);
}

/* The part of [t, end) that is in [from, to) of a major frame */
static int64_t within(int64_t t, int64_t end, int64_t base, int64_t major, int64_t from,
		      int64_t to)
{
	int64_t sum = 0, frame, a, b;

	for (frame = t - (t - base) % major; frame < end; frame += major) {
		a = t > frame + from ? t : frame + from;
		b = end < frame + to ? end : frame + to;
		if (b > a)
			sum += b - a;
	}
	return sum;
}

/* How much a task ran on a CPU inside [from, to) of the major frames */
static int64_t ran_within(const struct evlist *l, pid_t pid, int cpu, int64_t base,
			  int64_t major, int64_t from, int64_t to)
{
	int64_t since = 0, sum = 0;
	size_t i;

	for (i = 0; i < l->nr; i++) {
		const struct ev *e = &l->ev[i];

		if (e->type != EV_SWITCH || e->cpu != cpu)
			continue;
		if (since)
			sum += within(since, e->ts, base, major, from, to);
		since = e->sw.next == pid ? e->ts : 0;
	}
	if (since)
		sum += within(since, l->ev[l->nr - 1].ts, base, major, from, to);
	return sum;
}

/*
 * Two partitions on all CPUs, a strict window, a gap and a tail, over
 * thousands of windows beside hogs of every policy.
 */
TEST(windows_hold_beside_hogs)
{
	struct scene s = { .f = conf_new("m", all_cpus()) };
	int64_t u = unit();
	int a, b, c;

	a = conf_part(s.f, "alpha", 0, 0);
	b = conf_part(s.f, "beta", 0, 0);
	conf_sched(s.f, "one", 5 * u, EXCL);
	for (c = 0; c < test_cpus(); c++) {
		conf_win(s.f, a, c, 0, 1 * u, STRICT);
		conf_win(s.f, b, c, 2 * u, 1 * u, 0);
		conf_win(s.f, a, c, 3 * u, u / 2, 0);
	}
	scene_start(&s);
	spinners(&s, "alpha");
	spinners(&s, "beta");
	scene_go(&s);
	scene_pass(test_scale(1000) * 5 * u, HOG_OTHER | HOG_FIFO | HOG_DEADLINE);
	scene_end(&s);
	scene_expect_punctual(&s);
	scene_judge(&s);
}

/*
 * What windows leave free goes to the others, and nothing but that. The windows
 * are long: half a percent of one must be more than it takes to begin it, and
 * that takes N times as long where N virtual CPUs run in turns.
 */
TEST(lesson17_entitled_share_beside_hogs)
{
	struct scene s = { .f = conf_new("m", all_cpus()) };
	int64_t u = unit();
	double share;
	int a, b, c;

	a = conf_part(s.f, "alpha", 0, 0);
	b = conf_part(s.f, "beta", 0, 0);
	conf_sched(s.f, "one", 160 * u, 0);
	for (c = 0; c < test_cpus(); c++) {
		conf_win(s.f, a, c, 0, 60 * u, 0);
		conf_win(s.f, b, c, 80 * u, 60 * u, STRICT);
	}
	scene_start(&s);
	spinners(&s, "alpha");
	spinners(&s, "beta");
	scene_go(&s);
	scene_pass((4 + test_scale(20)) * 160 * u, HOG_OTHER | HOG_FIFO | HOG_DEADLINE);
	scene_end(&s);
	/*
	 * A slow kernel or a host that takes CPUs away: the order still holds. An
	 * emulator leaves one of many out for milliseconds, see servers.c.
	 */
	share = !time_is_exact() ? 0.97 : test_stretch() > 1 ? 0.85 :
		test_cpus() > 2 ? 0.99 : 0.995;
	ora_share(s.o, "alpha", share);
	ora_share(s.o, "beta", share);
	scene_judge(&s);
}

/*
 * The windows add up to 60 % of the frame. A hog must receive the rest, and
 * the frame must not begin again early: the checker compares every window
 * with the table.
 */
TEST(lesson01_idle_tail_is_real)
{
	struct scene s = { .f = conf_new("m", all_cpus()) };
	int64_t u = unit(), tail, frames = test_scale(200);
	int a, c;

	a = conf_part(s.f, "alpha", 0, 0);
	conf_sched(s.f, "one", 10 * u, 0);
	for (c = 0; c < test_cpus(); c++) {
		conf_win(s.f, a, c, 0, 4 * u, 0);
		conf_win(s.f, a, c, 4 * u, 2 * u, STRICT);
	}
	scene_start(&s);
	spinners(&s, "alpha");
	scene_go(&s);
	scene_pass(frames * 10 * u, HOG_OTHER);
	scene_end(&s);
	for (c = 0; c < test_cpus(); c++) {
		tail = ran_within(s.l, hog_on(c), c, s.base, 10 * u, 6 * u, 10 * u);
		test_note("CPU %d: the hog got %.1f %% of the tails", c,
			  100.0 * tail / (frames * 4 * u));
		/* It shares one of them with who reads the trace, which takes a slow kernel long */
		EXPECT(tail > frames * 4 * u / (test_stretch() > 1 ? 4 : 2),
		       "the tail went to nobody");
	}
	scene_judge(&s);
}

/* What ran in the slack of a window leaves a strict one that follows at once */
TEST(strict_window_throws_out_who_used_the_slack)
{
	struct servers v = { .s.f = conf_new("m", all_cpus()) };
	int64_t u = server_unit(), before, in;
	int a, c;

	need_rtds();
	a = conf_part(v.s.f, "alpha", 0, 0);
	conf_sched(v.s.f, "one", 40 * u, 0);
	for (c = 0; c < test_cpus(); c++) {
		conf_win(v.s.f, a, c, 0, 10 * u, 0);
		conf_win(v.s.f, a, c, 10 * u, 10 * u, STRICT);
	}
	scene_start(&v.s);
	for (c = 0; c < test_cpus(); c++)
		/* in another place of the frame each time */
		servers_thread(&v, 15 * u, 53 * u, false, 1ULL << c, spinner, RTDS_ORA_FRESH);
	servers_run(&v, (6 + test_scale(10)) * 40 * u, 0);
	for (c = 0; c < test_cpus(); c++) {
		before = ran_within(v.s.l, v.v[c].w->pid, c, v.s.base, 40 * u, 0, 10 * u);
		in = ran_within(v.s.l, v.v[c].w->pid, c, v.s.base, 40 * u, 11 * u, 20 * u);
		test_note("CPU %d: %lld us in the slack, %lld us in strict windows", c,
			  (long long)before / US, (long long)in / US);
		EXPECT(before, "it had no slack");
		EXPECT(!in, "it stayed");
	}
}

/* Odd numbers: an error in each frame would add up */
TEST(lesson03_no_drift)
{
	struct scene s = { .f = conf_new("m", all_cpus()) };
	int64_t u = unit(), major = 3 * u + 333337;
	int a, b, c;

	a = conf_part(s.f, "alpha", 0, 0);
	b = conf_part(s.f, "beta", 0, 0);
	conf_sched(s.f, "one", major, EXCL);
	for (c = 0; c < test_cpus(); c++) {
		conf_win(s.f, a, c, 100003, u + 17, 0);
		conf_win(s.f, b, c, 2 * u + 1, u / 2 + 13, 0);
	}
	scene_start(&s);
	scene_worker(&s, "alpha", 50, 0, spinner, 0);
	scene_worker(&s, "beta", 50, 0, spinner, 0);
	scene_go(&s);
	pass(test_scale(1000) * major);
	scene_end(&s);
	scene_expect_punctual(&s);
	scene_judge(&s);
}

/*
 * A CPU that keeps interrupts off for longer than a frame: the hwlat tracer
 * does. It must find its place again, and account for what it missed.
 */
static int hwlat(const char *file, const char *value)
{
	char path[128];
	int fd, rc;

	snprintf(path, sizeof(path), "/sys/kernel/tracing/%s", file);
	fd = open(path, O_WRONLY | O_TRUNC);
	if (fd < 0)
		return -errno;
	rc = write(fd, value, strlen(value)) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

TEST(lesson02_late_cpu_finds_its_place)
{
	struct scene s = { .f = conf_new("m", all_cpus()) };
	int64_t u = unit(), missed = 0;
	struct a653_stat st;
	size_t i;
	int a, b, c;

	a = conf_part(s.f, "alpha", 0, 0);
	b = conf_part(s.f, "beta", 0, 0);
	conf_sched(s.f, "one", 3 * u, EXCL);
	for (c = 0; c < test_cpus(); c++) {
		conf_win(s.f, a, c, 0, u / 2, 0);
		conf_win(s.f, b, c, u, u / 2, 0);
		conf_win(s.f, a, c, 3 * u - u / 4, u / 4, 0);
	}
	scene_start(&s);
	scene_worker(&s, "alpha", 50, 0, spinner, 0);
	scene_worker(&s, "beta", 50, 0, spinner, 0);
	/* in us: 20 ms of each 100 ms with interrupts off */
	hwlat("hwlat_detector/width", "1");
	hwlat("hwlat_detector/window", "100000");
	if (hwlat("hwlat_detector/width", "20000") || hwlat("current_tracer", "hwlat"))
		test_skip("no hwlat tracer");
	scene_go(&s);
	scene_pass((test_scale(20) + 4) * 100 * MS, 0);
	scene_end(&s);
	hwlat("current_tracer", "nop");
	for (i = 0; i < s.l->nr; i++)
		if (s.l->ev[i].type == EV_MISSED)
			missed += s.l->ev[i].missed.windows;
	test_note("%lld windows missed", (long long)missed);
	EXPECT(missed > 5, "no window was missed: the CPU was not late");
	st = get_stat("m", a, -1);
	missed -= st.missed;
	st = get_stat("m", b, -1);
	missed -= st.missed;
	EXPECT(missed <= 0, "%lld missed windows are not in the statistics", (long long)missed);
	scene_judge(&s);
}

/* Two modules with frames of their own; one goes while the other runs */
TEST_CPUS(lesson10_two_modules_at_once, 2)
{
	uint64_t mask[2] = { 1, all_cpus() & ~1ULL };
	struct scene s[2] = { };
	int64_t u = unit(), base;
	struct a653_status st;
	struct conf *f;
	int m, p, c, rc;

	for (m = 0; m < 2; m++) {
		f = conf_new(m ? "m1" : "m0", mask[m]);
		s[m].f = f;
		p = conf_part(f, m ? "beta" : "alpha", 0, 0);
		conf_sched(f, m ? "seven" : "three", (m ? 7 : 3) * u, EXCL);
		for (c = 0; c < test_cpus(); c++)
			if (mask[m] >> c & 1)
				conf_win(f, p, c, m * u, u, STRICT);
		scene_start(&s[m]);
		scene_worker(&s[m], m ? "beta" : "alpha", 50, 0, spinner, 0);
	}
	trace_begin();
	worker_go(s[0].w[0]);
	worker_go(s[1].w[0]);
	scene_pass(test_scale(200) * 7 * u, HOG_OTHER);
	base = s[0].base;
	s[0].l = trace_end();
	s[0].o = ora_new(s[0].l);
	for (m = 0; m < 2; m++) {
		c = ora_module(s[0].o, s[m].f);
		ora_start(s[0].o, c, m ? "seven" : "three", s[m].base);
		ora_worker(s[0].o, s[m].w[0], m ? "beta" : "alpha", mask[m], 0);
	}
	ora_judge(s[0].o);

	/* CPUs belong to one module, partitions too */
	f = conf_dup(s[1].f);
	set_name(f->c.module, "m2");
	rc = conf_load(f, 0);
	EXPECT(rc < 0 && f->reason[0], "CPUs given to two modules: %d", rc);
	test_note("refused: %s", f->reason);

	/* One is unloaded: the other does not notice */
	rc = unload("m1", A653_REQUEST_FORCE);
	EXPECT(!rc, "unload: %s", strerror(-rc));
	trace_begin();
	pass(20 * 3 * u);
	s[0].l = trace_end();
	s[0].o = ora_new(s[0].l);
	ora_start(s[0].o, ora_module(s[0].o, s[0].f), "three", base);
	ora_worker(s[0].o, s[0].w[0], "alpha", 1, 0);
	ora_judge(s[0].o);
	EXPECT(!get_status("m0", &st) && st.base_ns == base, "m0 was disturbed");
	worker_end(s[0].w[0]);
	worker_end(s[1].w[0]);
}

/*
 * Nobody in a partition: its window is empty, strict or not. Only somebody who
 * waits for events: it starts, and runs when one comes.
 */
TEST(lesson19_partition_without_processes)
{
	struct scene s = { .f = conf_new("m", all_cpus()) };
	int64_t u = unit(), frames = test_scale(200);
	struct worker *w;
	int a, b, c, i;
	int64_t in_a, in_b;

	a = conf_part(s.f, "alpha", 0, 0);
	b = conf_part(s.f, "beta", 0, 0);
	conf_sched(s.f, "one", 10 * u, EXCL);
	for (c = 0; c < test_cpus(); c++) {
		conf_win(s.f, a, c, 0, 4 * u, 0);
		conf_win(s.f, b, c, 5 * u, 4 * u, STRICT);
	}
	scene_start(&s);
	scene_go(&s);
	scene_pass(frames * 10 * u, HOG_OTHER);
	scene_end(&s);
	for (c = 0; c < test_cpus(); c++) {
		in_a = ran_within(s.l, hog_on(c), c, s.base, 10 * u, 0, 4 * u);
		in_b = ran_within(s.l, hog_on(c), c, s.base, 10 * u, 5 * u, 9 * u);
		test_note("CPU %d: a hog ran in %.1f %% of alpha's, %.1f %% of beta's windows",
			  c, in_a / (frames * 0.04 * u), in_b / (frames * 0.04 * u));
		EXPECT(in_a > frames * 2 * u, "an unused window is not slack");
	}
	scene_judge(&s);

	/* only aperiodic ones */
	w = scene_worker(&s, "beta", 50, 0, futex_waiter, 0);
	scene_go(&s);
	for (i = 1; i <= test_scale(100); i++) {
		futex_post(&w->futex);
		WAIT_FOR(atomic_load(&w->loops) >= (uint64_t)i, "reaction to an event");
	}
	scene_end(&s);
	scene_judge(&s);
}

/* A window whose partition nobody is bound to is slack, even if strict */
TEST(unbound_partition_is_slack)
{
	struct scene s = { .f = conf_new("m", all_cpus()) };
	int64_t u = unit(), frames = test_scale(100), in;
	struct a653_status st;
	int a, c;

	a = conf_part(s.f, "alpha", 0, 0);
	conf_sched(s.f, "one", 10 * u, 0);
	for (c = 0; c < test_cpus(); c++)
		conf_win(s.f, a, c, 0, 8 * u, STRICT);
	conf_start(s.f);
	ASSERT(!get_status("m", &st), "status");
	s.base = st.base_ns;
	scene_go(&s);
	scene_pass(frames * 10 * u, HOG_OTHER);
	scene_end(&s);
	ora_unbound(s.o, "alpha");
	for (c = 0; c < test_cpus(); c++) {
		in = ran_within(s.l, hog_on(c), c, s.base, 10 * u, 0, 8 * u);
		EXPECT(in > frames * 4 * u, "CPU %d: the hog got %lld ns", c, (long long)in);
	}
	scene_judge(&s);
}

/* The counters tell what the trace tells */
TEST(statistics_agree_with_the_trace)
{
	struct scene s = { .f = conf_new("m", all_cpus()) };
	struct a653_stat before, after, empty;
	int64_t u = unit();
	char text[4096];
	int a, b, c;

	a = conf_part(s.f, "alpha", 0, 0);
	b = conf_part(s.f, "beta", 0, 0);
	conf_sched(s.f, "one", 5 * u, EXCL);
	for (c = 0; c < test_cpus(); c++) {
		conf_win(s.f, a, c, 0, 2 * u, 0);
		conf_win(s.f, b, c, 3 * u, u, 0);
	}
	scene_start(&s);
	scene_worker(&s, "alpha", 50, 1, spinner, 0);
	scene_go(&s);
	before = get_stat("m", a, 0);
	empty = get_stat("m", b, -1);
	scene_pass(test_scale(200) * 5 * u, 0);
	after = get_stat("m", a, 0);
	scene_end(&s);
	scene_judge(&s);
	/* the trace began before and ended after */
	test_note("opened %llu, %llu ms open, %llu ms run, %llu ms slack, late %llu..%llu us",
		  (unsigned long long)(after.opened - before.opened),
		  (unsigned long long)(after.open_ns - before.open_ns) / MS,
		  (unsigned long long)(after.run_ns - before.run_ns) / MS,
		  (unsigned long long)(after.slack_ns - before.slack_ns) / MS,
		  (unsigned long long)after.late_min_ns / US,
		  (unsigned long long)after.late_max_ns / US);
	EXPECT(after.opened > before.opened, "nothing was counted");
	EXPECT(after.late_min_ns <= after.late_max_ns &&
	       after.late_sum_ns <= after.opened * after.late_max_ns &&
	       after.late_sum_ns >= after.opened * after.late_min_ns, "lateness");
	EXPECT(after.run_ns <= after.open_ns + after.opened * u, "ran longer than open");
	EXPECT(after.run_ns - before.run_ns > (after.open_ns - before.open_ns) / 10 * 9,
	       "a spinner did not use its windows");
	after = get_stat("m", b, -1);
	after.run_ns -= empty.run_ns;
	after.open_ns -= empty.open_ns;
	after.slack_ns -= empty.slack_ns;
	EXPECT(!after.run_ns && after.slack_ns > after.open_ns / 10 * 8,
	       "the empty partition ran %llu ns, left %llu of %llu",
	       (unsigned long long)after.run_ns, (unsigned long long)after.slack_ns,
	       (unsigned long long)after.open_ns);
	c = cgroup_read(cgroup_of("alpha"), "a653.stat", text, sizeof(text));
	EXPECT(!c && strlen(text), "a653.stat: %s", strerror(-c));
	printf("# a653.stat:\n");
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		printf("#   %s\n", line);
}
