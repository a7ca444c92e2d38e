// SPDX-License-Identifier: GPL-2.0
/*
 * Budgets of partitions: deferrable servers besides windows, or instead of them
 */
#include <stdlib.h>

#include "servers.h"

#define FRESH	(RTDS_ORA_FRESH | RTDS_ORA_PROMISED)
#define STRICT	A653_WINDOW_STRICT
#define EXTRA	A653_BUDGET_EXTRATIME

/* Two partitions; windows of alpha on all CPUs, none of beta */
static struct conf *plain(int64_t u)
{
	struct conf *f = conf_new("m", all_cpus());
	int c;

	conf_part(f, "alpha", 0, 0);
	conf_part(f, "beta", 0, 0);
	conf_sched(f, "one", 10 * u, 0);
	for (c = 0; c < test_cpus(); c++)
		conf_win(f, 0, c, 0, 3 * u, 0);
	return f;
}

static struct conf *read_back(void)
{
	struct conf *g = conf_new("m", 0);
	int rc;

	g->c.nr_partitions = CONF_PARTITIONS;
	g->c.nr_schedules = CONF_SCHEDULES;
	g->c.nr_windows = CONF_WINDOWS;
	g->c.nr_cpu_words = CONF_CPU_WORDS;
	g->c.budgets = (uintptr_t)g->budget;
	g->c.budget_size = sizeof(g->budget[0]);
	g->c.nr_budgets = CONF_BUDGETS;
	rc = a653_ioctl(A653_IOC_GET, &g->c);
	ASSERT(!rc, "read back: %s (%s)", strerror(-rc), g->reason);
	return g;
}

static const struct a653_budget *budget_on(const struct conf *f, unsigned int part,
					   unsigned int cpu)
{
	unsigned int i;

	for (i = 0; i < f->c.nr_budgets; i++)
		if (f->budget[i].partition == part && f->budget[i].cpu == cpu)
			return &f->budget[i];
	return NULL;
}

/* Budget 0: there is no server */
static void expect_server(const char *part, int cpu, int64_t budget, int64_t period, bool extra)
{
	static struct server_list l;
	const struct a653_server_stat *s;
	int i;

	/* those of a load begin a little after it has come into force */
	for (i = 0; i < 500; i++) {
		servers_read(&l);
		s = server_find(&l, 0, part, cpu);
		if (!budget && !s)
			return;
		if (s && s->budget_ns == (uint64_t)budget && s->period_ns == (uint64_t)period &&
		    !(s->flags & A653_SERVER_EXTRATIME) == !extra)
			return;
		pass(MS);
	}
	EXPECT(i < 500, "%s on CPU %d: %llu of %llu, flags %x, not %lld of %lld", part, cpu,
	       s ? (unsigned long long)s->budget_ns : 0, s ? (unsigned long long)s->period_ns : 0,
	       s ? s->flags : 0, (long long)budget, (long long)period);
}

TEST(budgets_are_loaded_and_read_back)
{
	struct conf *f = plain(MS), *g;
	const struct a653_budget *b;
	unsigned int i;
	int c;

	need_rtds();
	for (c = 0; c < test_cpus(); c++)
		conf_budget(f, 1, c, 2 * MS, 10 * MS, EXTRA);
	conf_budget(f, 0, 0, 1 * MS, 20 * MS, 0);
	conf_start(f);
	for (c = 0; c < test_cpus(); c++)
		expect_server("beta", c, 2 * MS, 10 * MS, true);
	expect_server("alpha", 0, 1 * MS, 20 * MS, false);
	g = read_back();
	EXPECT(g->c.nr_budgets == f->c.nr_budgets, "%u budgets", g->c.nr_budgets);
	for (i = 0; i < f->c.nr_budgets; i++) {
		b = budget_on(g, f->budget[i].partition, f->budget[i].cpu);
		EXPECT(b && !memcmp(b, &f->budget[i], sizeof(*b)), "budget %u", i);
	}
	/* what was read can be loaded; what it does not name any more ends */
	g->c.flags = 0;
	g->c.base_ns = 0;
	conf_start(g);
	expect_server("alpha", 0, 1 * MS, 20 * MS, false);
	f->c.nr_budgets = test_cpus();
	conf_start(f);
	expect_server("alpha", 0, 0, 0, false);
	expect_server("beta", 0, 2 * MS, 10 * MS, true);
	/* a load without the array is one without budgets */
	f->c.nr_budgets = 0;
	f->c.budget_size = 0;
	f->c.budgets = 0;
	conf_start(f);
	for (c = 0; c < test_cpus(); c++)
		expect_server("beta", c, 0, 0, false);
	EXPECT(!read_back()->c.nr_budgets, "still there");
}

/* From before there were budgets: a shorter structure, and nothing beyond is written */
TEST(older_structure_loads_and_reads)
{
	struct conf *f = plain(MS), *g;
	int rc;

	need_rtds();
	conf_start(f);
	g = conf_new("m", 0);
	g->c.size = offsetof(struct a653_config, budgets);
	g->c.nr_partitions = CONF_PARTITIONS;
	g->c.nr_schedules = CONF_SCHEDULES;
	g->c.nr_windows = CONF_WINDOWS;
	g->c.nr_cpu_words = CONF_CPU_WORDS;
	g->c.nr_budgets = 0x12345678;
	rc = a653_ioctl(A653_IOC_GET, &g->c);
	EXPECT(!rc && g->c.nr_budgets == 0x12345678 && g->c.nr_partitions == 2, "%s: %x budgets",
	       strerror(-rc), g->c.nr_budgets);
	g->c.nr_budgets = 0;
	g->c.flags = 0;
	g->c.base_ns = 0;
	rc = conf_load(g, A653_CONFIG_WAIT);
	EXPECT(!rc, "%s (%s)", strerror(-rc), g->reason);
	/* budgets that it would not see are not left out silently */
	conf_budget(f, 1, 0, 2 * MS, 10 * MS, 0);
	conf_start(f);
	expect_server("beta", 0, 2 * MS, 10 * MS, false);
	g->c.nr_cpu_words = CONF_CPU_WORDS;
	rc = a653_ioctl(A653_IOC_GET, &g->c);
	EXPECT(rc == -ENOSPC && *g->reason, "%s (%s)", strerror(-rc), g->reason);
}

TEST(bad_budgets_are_not_loaded)
{
	static const struct {
		const char *what;
		struct a653_budget b;
		int err;
	} bad[] = {
		{ "no budget", { .period_ns = 10 * MS }, EINVAL },
		{ "no period", { .budget_ns = MS }, EINVAL },
		{ "short budget", { .budget_ns = 9999, .period_ns = 10 * MS }, EINVAL },
		{ "short period", { .budget_ns = 50000, .period_ns = 99999 }, EINVAL },
		{ "long period", { .budget_ns = MS, .period_ns = 4 * SEC + 1 }, EINVAL },
		{ "more than the period", { .budget_ns = 2 * MS, .period_ns = MS }, EINVAL },
		{ "partition", { .budget_ns = MS, .period_ns = 10 * MS, .partition = 2 }, EINVAL },
		{ "CPU", { .budget_ns = MS, .period_ns = 10 * MS, .cpu = 4000 }, EINVAL },
		{ "flags", { .budget_ns = MS, .period_ns = 10 * MS, .flags = 1U << 31 }, EINVAL },
		{ "reserved", { .budget_ns = MS, .period_ns = 10 * MS, .reserved = 1 }, EINVAL },
		{ "too much", { .budget_ns = 96 * MS, .period_ns = 100 * MS }, EBUSY },
	};
	struct conf *f = plain(MS), *g;
	unsigned int i;
	int rc;

	need_rtds();
	conf_budget(f, 1, 0, 2 * MS, 10 * MS, 0);
	conf_start(f);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		g = conf_dup(f);
		conf_budget(g, 0, 0, 0, 0, 0);
		g->budget[1] = bad[i].b;
		rc = conf_load(g, 0);
		EXPECT(rc == -bad[i].err && *g->reason, "%s: %s (%s)", bad[i].what, strerror(-rc),
		       g->reason);
		test_note("%s: %s", bad[i].what, g->reason);
		expect_server("beta", 0, 2 * MS, 10 * MS, false);
		expect_server("alpha", 0, 0, 0, false);
		free(g);
	}
	/* twice on one CPU, and unequal ones */
	g = conf_dup(f);
	conf_budget(g, 1, 0, 2 * MS, 10 * MS, 0);
	rc = conf_load(g, 0);
	EXPECT(rc == -EEXIST && *g->reason, "twice: %s (%s)", strerror(-rc), g->reason);
	if (test_cpus() < 2)
		return;
	g = conf_dup(f);
	conf_budget(g, 1, 1, 1 * MS, 10 * MS, 0);
	rc = conf_load(g, 0);
	EXPECT(rc == -EINVAL && *g->reason, "unequal: %s (%s)", strerror(-rc), g->reason);
}

static int write_rtds(const char *text)
{
	return cgroup_write("t_beta", "a653.rtds", text);
}

static void expect_file(const char *text)
{
	char have[512];
	int rc = cgroup_read("t_beta", "a653.rtds", have, sizeof(have));

	ASSERT(!rc, "a653.rtds: %s", strerror(-rc));
	have[strcspn(have, "\n")] = 0;
	EXPECT(!strcmp(have, text), "a653.rtds says \"%s\", not \"%s\"", have, text);
}

/* All at once, a part of it, none; and it says what was written */
TEST(rtds_file_takes_what_it_shows)
{
	int n = test_cpus(), c, rc;
	struct conf *f = plain(MS);
	char cpus[64], text[256];

	need_rtds();
	cgroups_for(f);
	conf_start(f);
	expect_file("");
	rc = write_rtds("budget_ns=2000000 period_ns=10000000 extratime=0 cpus=0\n");
	ASSERT(!rc, "write: %s", strerror(-rc));
	expect_file("budget_ns=2000000 period_ns=10000000 extratime=0 cpus=0");
	expect_server("beta", 0, 2 * MS, 10 * MS, false);
	/* a part: the rest stays */
	EXPECT(!write_rtds("budget_ns=1000000"), "budget");
	expect_server("beta", 0, 1 * MS, 10 * MS, false);
	EXPECT(!write_rtds("extratime=1\n"), "extratime");
	expect_server("beta", 0, 1 * MS, 10 * MS, true);
	EXPECT(!write_rtds("period_ns=20000000 extratime=0"), "period");
	expect_server("beta", 0, 1 * MS, 20 * MS, false);
	snprintf(cpus, sizeof(cpus), n > 1 ? "cpus=0-%d" : "cpus=%d", n - 1);
	EXPECT(!write_rtds(cpus), "CPUs");
	for (c = 0; c < n; c++)
		expect_server("beta", c, 1 * MS, 20 * MS, false);
	snprintf(text, sizeof(text), "budget_ns=1000000 period_ns=20000000 extratime=0 %s", cpus);
	expect_file(text);
	/* in another order; only the last CPU */
	snprintf(text, sizeof(text), "cpus=%d extratime=1 period_ns=5000000 budget_ns=500000",
		 n - 1);
	EXPECT(!write_rtds(text), "order");
	for (c = 0; c < n; c++)
		expect_server("beta", c, c == n - 1 ? 500 * US : 0, 5 * MS, true);
	/* what was loaded is not changed by it */
	EXPECT(!read_back()->c.nr_budgets, "it is read back");
	EXPECT(!write_rtds("none\n"), "none");
	expect_file("");
	expect_server("beta", n - 1, 0, 0, false);
	EXPECT(!write_rtds("none"), "none, once more");
}

TEST(bad_rtds_file_input_changes_nothing)
{
	static const char *const bad[] = {
		"", "\n", "all", "None", "budget_ns", "budget_ns=", "budget_ns=x", "budget_ns=1.5",
		"budget_ns=-1", "budget_ns=0", "budget_ns=9999", "budget_ns=10000001",
		"budget_ns=18446744073709551616", "budget_ns=2000000x", "period_ns=99999",
		"period_ns=4000000001", "extratime=2", "extratime=x", "cpus=", "cpus=x",
		"cpus=1000000", "cpus=0-", "foo=1", "budget_ns=1000000 foo=1",
		"none budget_ns=1000000",
		"budget_ns=1000000,period_ns=10000000", "budget_ns = 1000000",
	};
	struct conf *f = plain(MS);
	char large[8192];
	unsigned int i;
	int rc;

	need_rtds();
	cgroups_for(f);
	conf_start(f);
	/* not all of it, and nothing to keep */
	rc = write_rtds("budget_ns=2000000");
	EXPECT(rc == -EINVAL, "only a budget: %s", strerror(-rc));
	expect_file("");
	ASSERT(!write_rtds("budget_ns=2000000 period_ns=10000000 cpus=0"), "write");
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		rc = write_rtds(bad[i]);
		/* to ask for nothing is no mistake */
		EXPECT(rc == -EINVAL || (strlen(bad[i]) < 2 && !rc) || rc == -ERANGE, "\"%s\": %s",
		       bad[i], strerror(-rc));
		expect_server("beta", 0, 2 * MS, 10 * MS, false);
	}
	rc = write_rtds("budget_ns=9900000");
	EXPECT(rc == -EBUSY, "too much: %s", strerror(-rc));
	memset(large, ' ', sizeof(large) - 1);
	large[sizeof(large) - 1] = 0;
	rc = write_rtds(large);
	EXPECT(rc < 0, "8191 blanks are accepted");
	expect_server("beta", 0, 2 * MS, 10 * MS, false);
	expect_file("budget_ns=2000000 period_ns=10000000 extratime=0 cpus=0");
	/* a cgroup that is bound to nothing, or whose partition no module has */
	cgroup_create("t_gamma");
	rc = cgroup_write("t_gamma", "a653.rtds", "budget_ns=2000000 period_ns=10000000 cpus=0");
	EXPECT(rc < 0, "unbound: accepted");
	ASSERT(!cgroup_bind("t_gamma", "gamma"), "bind");
	rc = cgroup_write("t_gamma", "a653.rtds", "budget_ns=2000000 period_ns=10000000 cpus=0");
	test_note("without a module: %s", strerror(-rc));
}

/* Priorities inside a partition that has nothing but budgets */
TEST(partition_runs_in_its_budget)
{
	struct servers v = { .s.f = plain(server_unit()) };
	int64_t u = server_unit();
	int c, i;

	need_rtds();
	for (c = 0; c < test_cpus(); c++)
		conf_budget(v.s.f, 1, c, 3 * u, 12 * u, 0);
	scene_start(&v.s);
	servers_of(&v, "beta", FRESH);
	ASSERT(v.nr == test_cpus(), "%d servers", v.nr);
	for (c = 0; c < test_cpus(); c++) {
		for (i = 0; i < 3; i++) {
			struct worker *w = scene_worker(&v.s, "beta", 40 + i, 1ULL << c,
							i ? waker : spinner, 0);

			w->period = (9 + 4 * i) * u;
			w->work = u;
		}
	}
	servers_run(&v, (4 + test_scale(60)) * 12 * u, HOG_OTHER | HOG_FIFO);
	for (c = 0; c < v.nr; c++)
		EXPECT((int)servers_result(&v, c)->periods > test_scale(60), "%llu periods",
		       (unsigned long long)servers_result(&v, c)->periods);
}

/* Windows come first, and cost nothing; the budget comes on top */
TEST(windows_are_not_charged)
{
	struct servers v = { .s.f = plain(server_unit()) };
	const struct rtds_ora_server *r;
	const struct rtds_ora_cpu *sum;
	int64_t u = server_unit(), ns;
	int c;

	need_rtds();
	for (c = 0; c < test_cpus(); c++) {
		conf_win(v.s.f, 1, c, 5 * u, u, STRICT);
		conf_budget(v.s.f, 0, c, 2 * u, 20 * u, 0);
		conf_budget(v.s.f, 1, c, 1 * u, 15 * u, EXTRA);
	}
	scene_start(&v.s);
	servers_of(&v, "alpha", FRESH);
	servers_of(&v, "beta", FRESH);
	for (c = 0; c < test_cpus(); c++) {
		scene_worker(&v.s, "alpha", 50, 1ULL << c, spinner, 0);
		scene_worker(&v.s, "beta", 50, 1ULL << c, spinner, 0);
	}
	servers_run(&v, test_scale(100) * 10 * u, HOG_OTHER);
	ns = v.s.l->ev[v.s.l->nr - 1].ts - v.s.l->ev[0].ts;
	for (c = 0; c < test_cpus(); c++) {
		sum = rtds_ora_cpu(v.o, c);
		test_note("CPU %d: %.1f %% in windows, %.1f %% on budgets", c,
			  100.0 * sum->window_ns / ns, 100.0 * sum->server_ns / ns);
		EXPECT(!time_is_exact() || sum->window_ns > ns * 0.3, "windows");
		r = servers_result(&v, c);
		EXPECT(!time_is_exact() || r->run_ns > ns * 0.08, "alpha's budget: %llu",
		       (unsigned long long)r->run_ns);
	}
}

/* On all CPUs of the list, and only there */
TEST_CPUS(partition_spreads_over_its_servers, 2)
{
	struct servers v = { .s.f = plain(server_unit()) };
	int64_t u = server_unit();
	int c, i, n = test_cpus();

	need_rtds();
	for (c = 1; c < n; c++)
		conf_budget(v.s.f, 1, c, 4 * u, 10 * u, 0);
	scene_start(&v.s);
	servers_of(&v, "beta", RTDS_ORA_FRESH);
	for (i = 0; i < n - 1; i++)
		scene_worker(&v.s, "beta", 50 + i, 0, spinner, 0);
	servers_run(&v, test_scale(60) * 10 * u, HOG_OTHER);
	for (c = 0; c < v.nr; c++)
		EXPECT((int64_t)servers_result(&v, c)->run_ns > test_scale(60) * 2 * u,
		       "CPU %d: ran %llu", v.v[c].cpu,
		       (unsigned long long)servers_result(&v, c)->run_ns);
}

/* Changed by the file while it is queued, running, depleted, asleep */
TEST(lesson33_budgets_change_in_a_storm)
{
	struct servers v = { .s.f = plain(server_unit()) };
	int64_t u = server_unit(), until;
	unsigned int r = time(NULL), done = 0;
	uint64_t mask, all = all_cpus();
	char text[128];
	int c, k, rc;

	need_rtds();
	test_note("seed %u", r);
	for (c = 0; c < test_cpus(); c++)
		conf_budget(v.s.f, 1, c, u, 20 * u, 0);
	scene_start(&v.s);
	servers_of(&v, "beta", 0);
	v.nr = 0;
	for (c = 0; c < test_cpus(); c++) {
		scene_worker(&v.s, "alpha", 50, 1ULL << c, spinner, 0);
		scene_worker(&v.s, "beta", 50, 1ULL << c, napper, 0);
		v.s.w[v.s.nr - 1]->work = 2 * u;
		v.s.w[v.s.nr - 1]->period = 2 * u;
		scene_worker(&v.s, "beta", 40, 0, spinner, 0);
	}
	for (k = 0; k < v.s.nr; k++)
		worker_go(v.s.w[k]);
	until = now_ns() + test_scale(300) * 4 * u;
	while (now_ns() < until) {
		int64_t period = u + rand_r(&r) % (20 * u);

		mask = 1 + rand_r(&r) % all;
		k = snprintf(text, sizeof(text), "budget_ns=%lld period_ns=%lld extratime=%d cpus=",
			     (long long)(u / 2 + rand_r(&r) % (period / 2)), (long long)period,
			     rand_r(&r) % 2);
		for (c = 0; c < test_cpus(); c++)
			if (mask >> c & 1)
				k += snprintf(text + k, sizeof(text) - k, "%d,", c);
		text[k - 1] = 0;
		rc = cgroup_write(rand_r(&r) & 1 ? "t_alpha" : "t_beta", "a653.rtds",
				  rand_r(&r) % 8 ? text : "none");
		/* it does not fit; tasks need what is taken away; a load is under way */
		EXPECT(!rc || rc == -EBUSY || rc == -ENOTEMPTY || rc == -EAGAIN, "\"%s\": %s",
		       text, strerror(-rc));
		done += !rc;
		if (!(rand_r(&r) % 16))
			EXPECT(!conf_load(v.s.f, 0), "load: %s", v.s.f->reason);
		pass(rand_r(&r) % u);
	}
	test_note("%u changes", done);
	/* now in order again; beta's own tasks must run */
	v.s.f->c.nr_budgets = 0;
	for (c = 0; c < test_cpus(); c++)
		conf_budget(v.s.f, 1, c, 3 * u, 20 * u, 0);
	conf_start(v.s.f);
	servers_of(&v, "beta", RTDS_ORA_PROMISED);
	ASSERT(v.nr == test_cpus(), "%d servers", v.nr);
	for (k = 2; k < v.s.nr; k += 3)
		set_cpus(v.s.w[k]->pid, 1ULL << k / 3);
	servers_run(&v, test_scale(40) * 20 * u, HOG_OTHER);
}

/* The module goes while its servers sleep, wait, run; and comes again */
TEST(unload_with_servers)
{
	struct conf *f = plain(MS);
	static struct server_list l;
	struct worker *w[EV_CPUS];
	struct attr a;
	int c, k, rc;

	need_rtds();
	for (c = 0; c < test_cpus(); c++) {
		conf_budget(f, 1, c, 4 * MS, 10 * MS, EXTRA);
		conf_budget(f, 0, c, 1 * MS, 10 * MS, 0);
	}
	cgroups_for(f);
	for (k = 0; k < 1 + test_scale(20); k++) {
		conf_start(f);
		for (c = 0; c < test_cpus(); c++) {
			w[c] = worker_in("beta", 50, 1ULL << c, "beta", k & 1 ? spinner : sleeper);
			worker_go(w[c]);
		}
		pass(k % 8 * MS);
		rc = unload("m", 0);
		EXPECT(rc == -EBUSY, "with tasks: %s", strerror(-rc));
		rc = unload("m", A653_REQUEST_FORCE);
		ASSERT(!rc, "forced: %s", strerror(-rc));
		servers_read(&l);
		EXPECT(!l.h.nr_servers, "%u servers are left", l.h.nr_servers);
		for (c = 0; c < (int)l.h.nr_cpus; c++)
			EXPECT(!l.cpu[c].util, "CPU %u has promised %llx", l.cpu[c].cpu,
			       (unsigned long long)l.cpu[c].util);
		for (c = 0; c < test_cpus(); c++) {
			EXPECT(!get_attr(w[c]->pid, &a) && a.policy == SCHED_OTHER, "policy");
			worker_end(w[c]);
		}
	}
}

/* A load that leaves too little for what was promised is refused, and the reverse */
TEST(windows_and_budgets_do_not_take_from_each_other)
{
	struct conf *f = plain(MS), *g;
	struct worker *w;
	int rc, c;

	need_rtds();
	w = worker_new("thread", sleeper);
	worker_fork(w);
	worker_asleep(w);
	set_cpus(w->pid, 1);
	/* 30 % are alpha's */
	conf_start(f);
	rc = set_rtds(w->pid, 70 * MS, 100 * MS, 0);
	EXPECT(rc == -EBUSY, "70 %% besides 30 %%: %s", strerror(-rc));
	rc = set_rtds(w->pid, 40 * MS, 100 * MS, 0);
	EXPECT(!rc, "40 %% besides 30 %%: %s", strerror(-rc));
	/* half of the time, but never soon enough */
	rc = set_rtds(w->pid, 1 * MS, 2 * MS, 0);
	EXPECT(rc == -EBUSY, "1 ms of 2 ms beside a window of 3 ms: %s", strerror(-rc));
	g = conf_dup(f);
	for (c = 0; c < test_cpus(); c++)
		conf_win(g, 1, c, 4 * MS, 4 * MS, 0);
	rc = conf_load(g, 0);
	EXPECT(rc == -EBUSY && *g->reason, "70 %% windows: %s (%s)", strerror(-rc), g->reason);
	test_note("refused: %s", g->reason);
	worker_end(w);
	rc = conf_load(g, A653_CONFIG_WAIT);
	EXPECT(!rc, "when the thread is gone: %s (%s)", strerror(-rc), g->reason);
}

/*
 * Any set that the kernel admits: threads on one CPU or on several, budgets of
 * partitions, windows, beside hogs. All get what was promised. Periods and frame
 * divide 40 units, or 160: many begin at one instant, and it repeats soon.
 */
TEST(random_sets_get_what_was_promised)
{
	static const int part[] = { 4, 5, 8, 10, 20, 40 };
	const char *env = getenv("A653_TEST_SEED");
	unsigned int r = env ? strtoul(env, NULL, 0) : (unsigned int)time(NULL);
	int64_t u = server_unit(), budget, period, major;
	struct servers v = { };
	struct worker *w;
	int round, i, c, k, n = test_cpus(), want, rc;
	uint64_t cpus;

	need_rtds();
	for (round = 0; round < 1 + test_scale(1); round++) {
		unsigned int start = r;

		memset(&v, 0, sizeof(v));
		major = part[3 + rand_r(&r) % 3] * u;
		if (rand_r(&r) % 4) {
			v.s.f = conf_new("m", all_cpus());
			conf_part(v.s.f, "alpha", 0, 0);
			conf_part(v.s.f, "beta", 0, 0);
			conf_sched(v.s.f, "one", major, 0);
			for (c = 0; c < n; c++)
				conf_win(v.s.f, c & 1, c, rand_r(&r) % 5 * u,
					 u + rand_r(&r) % (4 * u), rand_r(&r) & 1 ? STRICT : 0);
			period = part[3 + rand_r(&r) % 3] * u;
			for (c = 0; c < n; c++)
				conf_budget(v.s.f, 1, c, period / 8, period, 0);
			scene_start(&v.s);
			servers_of(&v, "beta", FRESH);
			for (c = 0; c < n; c++) {
				/* its windows are on every other CPU */
				if (!(c & 1))
					scene_worker(&v.s, "alpha", 50, 1ULL << c, spinner, 0);
				scene_worker(&v.s, "beta", 50, 1ULL << c, spinner, 0);
				w = scene_worker(&v.s, "beta", 60, 1ULL << c, napper, 0);
				w->work = u;
				w->period = 3 * u;
				w->value = rand_r(&r);
			}
		}
		/* up to 64 on the last round; a slow kernel takes its time to fork them */
		want = 1 << rand_r(&r) % (test_divisor() > 1 ? 4 : 6);
		if (round == test_scale(1))
			want = test_divisor() > 1 ? 16 : 64;
		for (i = 0; i < want + 8 && v.nr < want; i++) {
			period = part[rand_r(&r) % 6] * u;
			budget = u / 2 + rand_r(&r) % (period / (1 + want / 2));
			if (want > 8) {
				period *= 4;
				budget = u / 8 + rand_r(&r) % (period / (1 + want));
			}
			cpus = rand_r(&r) % 3 ? 1ULL << rand_r(&r) % n : 0;
			k = rand_r(&r) % 4;
			rc = servers_try(&v, budget, period, rand_r(&r) % 4 == 0, cpus,
					 k < 2 ? spinner : k == 2 ? napper : nibbler, FRESH);
			ASSERT(!rc || rc == -EBUSY, "%s", strerror(-rc));
			if (rc)
				continue;
			w = v.v[v.nr - 1].w;
			w->work = 1 + rand_r(&r) % (2 * budget);
			w->period = 1 + rand_r(&r) % period;
			w->value = rand_r(&r);
		}
		test_note("seed %u: %d servers%s", start, v.nr, v.s.f ? ", windows" : "");
		servers_run(&v, (2 + test_scale(want > 8 ? 20 : 40)) * 60 * u,
			    round & 1 ? HOG_OTHER | HOG_FIFO : 0);
		servers_free(&v);
		unload_all();
		cgroup_remove_all();
	}
}

/* A task goes where its partition has a budget, wherever it waits */
TEST_CPUS(budget_moves_and_its_tasks_follow, 2)
{
	struct conf *f = conf_new("m", all_cpus());
	int64_t u = server_unit();
	struct worker *w;
	char text[96];
	uint64_t before;
	int i, n = test_cpus();

	need_rtds();
	/* each boundary is a reason to look: none comes for a long time */
	conf_part(f, "alpha", 0, 0);
	conf_part(f, "beta", 0, 0);
	conf_sched(f, "one", 100 * SEC, 0);
	conf_win(f, 0, 0, 0, 3 * u, 0);
	conf_budget(f, 1, 0, 2 * u, 10 * u, 0);
	cgroups_for(f);
	conf_start(f);
	/* it may wake up on any CPU */
	w = worker_in("beta", 50, 0, "follower", spinner);
	worker_go(w);
	for (i = 1; i < 4 * n; i++) {
		/* running, and when it waits for the next period */
		before = atomic_load(&w->loops);
		WAIT_FOR(atomic_load(&w->loops) > before, "progress");
		if (i > n)
			WAIT_FOR(!server_stat(0, "beta", (i - 1) % n).left_ns, "depletion");
		snprintf(text, sizeof(text), "cpus=%d", i % n);
		EXPECT(!cgroup_write(cgroup_of("beta"), "a653.rtds", text), "%s", text);
		before = server_stat(0, "beta", i % n).run_ns;
		WAIT_FOR(server_stat(0, "beta", i % n).run_ns > before, "run on the new CPU");
	}
	worker_end(w);
	EXPECT(!unload("m", 0), "unload");
}

/* It becomes the partition's where that has neither windows nor a budget */
TEST_CPUS(task_finds_the_budget_of_its_partition, 2)
{
	struct conf *f = conf_new("m", all_cpus());
	int64_t u = server_unit();
	int last = test_cpus() - 1;
	struct worker *w, *other;
	uint64_t before;

	need_rtds();
	conf_part(f, "alpha", 0, 0);
	conf_part(f, "beta", 0, 0);
	conf_sched(f, "one", 100 * SEC, 0);
	conf_win(f, 0, 0, 0, 3 * u, 0);
	conf_budget(f, 1, last, 2 * u, 10 * u, 0);
	cgroups_for(f);
	conf_start(f);
	w = worker_new("newcomer", spinner);
	worker_fork(w);
	cgroup_move(cgroup_of("beta"), w->pid);
	ASSERT(!set_cpus(w->pid, 1), "affinity");
	worker_go(w);
	WAIT_FOR(atomic_load(&w->loops), "progress");
	other = worker_in("beta", 60, 0, "other", spinner);
	worker_go(other);
	WAIT_FOR(atomic_load(&other->loops) && !server_stat(0, "beta", last).left_ns, "depletion");
	ASSERT(!set_cpus(w->pid, all_cpus()), "affinity");
	ASSERT(!set_policy(w->pid, SCHED_A653, 50), "policy");
	/* gone without having been picked there again */
	ASSERT(!set_policy(other->pid, SCHED_OTHER, 0), "policy");
	before = atomic_load(&w->loops);
	WAIT_FOR(atomic_load(&w->loops) > before + 1000, "run on the budget");
	worker_end(w);
	worker_end(other);
	EXPECT(!unload("m", 0), "unload");
}
