// SPDX-License-Identifier: GPL-2.0
/*
 * SCHED_RTDS threads: parameters, who may have them, fork, exit, CPUs
 */
#include <stdlib.h>

#include "servers.h"

static struct worker *thread(void (*fn)(struct worker *w), uint64_t cpus)
{
	struct worker *w = worker_new("thread", fn);
	int rc;

	worker_fork(w);
	WAIT_FOR(atomic_load(&w->done), "worker");
	worker_asleep(w);
	if (cpus) {
		rc = set_cpus(w->pid, cpus);
		ASSERT(!rc, "affinity: %s", strerror(-rc));
	}
	return w;
}

static void expect_attr(pid_t pid, int64_t budget, int64_t period, uint64_t flags)
{
	struct attr a;
	int rc = get_attr(pid, &a);

	EXPECT(!rc && a.policy == SCHED_RTDS && a.runtime == (uint64_t)budget &&
	       a.period == (uint64_t)period && a.flags == flags && !a.priority &&
	       (!a.deadline || a.deadline == a.period),
	       "%lld of %lld, flags %llx, are %llu of %llu (%llu), flags %llx, policy %u, prio %u",
	       (long long)budget, (long long)period, (unsigned long long)flags,
	       (unsigned long long)a.runtime, (unsigned long long)a.period,
	       (unsigned long long)a.deadline, (unsigned long long)a.flags, a.policy, a.priority);
}

/* This one does not skip on a kernel with half of it */
TEST(rtds_params_round_trip)
{
	static const struct {
		int64_t budget, period;
		uint64_t flags;
	} good[] = {
		{ 10 * US, 100 * US, 0 },
		{ 10 * US, 4 * SEC, 0 },
		{ 90 * US, 100 * US, FLAG_RECLAIM },
		{ 3 * SEC, 4 * SEC, 0 },
		{ 2 * MS, 10 * MS, FLAG_RECLAIM | FLAG_RESET },
		{ 1234567, 76543210, FLAG_RESET },
		{ 2 * MS, 10 * MS, 0 },
	};
	struct a653_server_stat s;
	struct worker *w;
	struct attr a;
	unsigned int i;
	int rc;

	need_rtds();
	w = thread(sleeper, 0);
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		rc = set_rtds(w->pid, good[i].budget, good[i].period, good[i].flags);
		EXPECT(!rc, "%u: %s", i, strerror(-rc));
		expect_attr(w->pid, good[i].budget, good[i].period, good[i].flags);
		s = server_stat(w->pid, "", 0);
		EXPECT(s.budget_ns == (uint64_t)good[i].budget &&
		       s.period_ns == (uint64_t)good[i].period &&
		       !(s.flags & A653_SERVER_EXTRATIME) == !(good[i].flags & FLAG_RECLAIM) &&
		       !(s.flags & (A653_SERVER_READY | A653_SERVER_RUNNING)),
		       "%u: %llu of %llu, flags %x", i, (unsigned long long)s.budget_ns,
		       (unsigned long long)s.period_ns, s.flags);
		EXPECT(!strcmp(s.name, "thread"), "its name is %.31s", s.name);
	}
	/* a deadline that is the period */
	a = (struct attr) {
		.size = sizeof(a), .policy = SCHED_RTDS,
		.runtime = 3 * MS, .deadline = 20 * MS, .period = 20 * MS,
	};
	rc = set_attr(w->pid, &a);
	EXPECT(!rc, "deadline = period: %s", strerror(-rc));
	expect_attr(w->pid, 3 * MS, 20 * MS, 0);
	/* and what others know about it */
	EXPECT(!set_policy(w->pid, SCHED_OTHER, 0), "back");
	rc = get_attr(w->pid, &a);
	/* the runtime of an ordinary one is its slice */
	EXPECT(!rc && a.policy == SCHED_OTHER && !a.period, "policy %u, period %llu", a.policy,
	       (unsigned long long)a.period);
	worker_end(w);
}

TEST(rtds_bad_params_are_refused)
{
	static const struct {
		const char *what;
		struct attr a;
	} bad[] = {
		{ "period too short", { .runtime = 50 * US, .period = 99999 } },
		{ "period too long", { .runtime = MS, .period = 4 * SEC + 1 } },
		{ "budget too short", { .runtime = 9999, .period = 10 * MS } },
		{ "no budget", { .period = 10 * MS } },
		{ "no period", { .runtime = 1 * MS } },
		{ "only a deadline", { .runtime = 1 * MS, .deadline = 10 * MS } },
		{ "more than the period", { .runtime = 10 * MS + 1, .period = 10 * MS } },
		{ "huge", { .runtime = UINT64_MAX, .period = UINT64_MAX } },
		{ "negative", { .runtime = 1ULL << 63, .period = 1ULL << 63 | 1 } },
		{ "deadline before the period",
			{ .runtime = MS, .deadline = 5 * MS, .period = 10 * MS } },
		{ "deadline after the period",
			{ .runtime = MS, .deadline = 20 * MS, .period = 10 * MS } },
		{ "priority", { .runtime = MS, .period = 10 * MS, .priority = 1 } },
		{ "unknown flag", { .runtime = MS, .period = 10 * MS, .flags = 1ULL << 40 } },
		{ "overrun signal", { .runtime = MS, .period = 10 * MS, .flags = 4 } },
	};
	static struct server_list l;
	struct sched_param p = { };
	struct worker *w;
	struct attr a;
	unsigned int i;
	int rc, had;

	need_rtds();
	w = thread(sleeper, 0);
	for (had = 0; had < 2; had++) {
		for (i = 0; i < ARRAY_SIZE(bad); i++) {
			a = bad[i].a;
			a.size = sizeof(a);
			a.policy = SCHED_RTDS;
			rc = set_attr(w->pid, &a);
			EXPECT(rc == -EINVAL, "%s: %s", bad[i].what, strerror(-rc));
			if (had) {
				expect_attr(w->pid, 2 * MS, 10 * MS, 0);
				continue;
			}
			get_attr(w->pid, &a);
			EXPECT(a.policy == SCHED_OTHER, "%s: policy %u", bad[i].what, a.policy);
		}
		/* the old call has no parameters to give */
		rc = had ? 0 : sched_setscheduler(w->pid, SCHED_RTDS, &p);
		EXPECT(had || (rc < 0 && errno == EINVAL), "sched_setscheduler: %d", rc);
		servers_read(&l);
		EXPECT(!server_find(&l, w->pid, "", 0) == !had, "a server for nothing");
		rc = set_rtds(w->pid, 2 * MS, 10 * MS, 0);
		EXPECT(!rc, "good ones: %s", strerror(-rc));
	}
	worker_end(w);
}

/* 95 % of each CPU, and what threads that may move need besides */
TEST(rtds_admission)
{
	struct worker *w[3];
	int i, n = test_cpus(), rc;
	struct attr a;

	need_rtds();
	for (i = 0; i < 3; i++)
		w[i] = thread(sleeper, 1);
	rc = set_rtds(w[0]->pid, 96 * MS, 100 * MS, 0);
	EXPECT(rc == -EBUSY, "96 %%: %s", strerror(-rc));
	rc = set_rtds(w[0]->pid, 94 * MS, 100 * MS, 0);
	EXPECT(!rc, "94 %%: %s", strerror(-rc));
	rc = set_rtds(w[1]->pid, 2 * MS, 100 * MS, FLAG_RECLAIM);
	EXPECT(rc == -EBUSY, "2 %% more: %s", strerror(-rc));
	get_attr(w[1]->pid, &a);
	EXPECT(a.policy == SCHED_OTHER, "refused, but has policy %u", a.policy);
	/* less is always possible, and makes room */
	rc = set_rtds(w[0]->pid, 500 * US, 1 * MS, 0);
	EXPECT(!rc, "50 %%: %s", strerror(-rc));
	rc = set_rtds(w[1]->pid, 4 * MS, 10 * MS, 0);
	EXPECT(!rc, "40 %% besides: %s", strerror(-rc));
	rc = set_rtds(w[1]->pid, 5 * MS, 10 * MS, 0);
	EXPECT(rc == -EBUSY, "50 %% besides: %s", strerror(-rc));
	expect_attr(w[1]->pid, 4 * MS, 10 * MS, 0);
	/* who goes makes room too, whichever way */
	EXPECT(!set_policy(w[0]->pid, SCHED_FIFO, 1), "policy");
	rc = set_rtds(w[2]->pid, 5 * MS, 10 * MS, 0);
	EXPECT(!rc, "in the place of another: %s", strerror(-rc));
	worker_end(w[2]);
	rc = set_rtds(w[0]->pid, 5 * MS, 10 * MS, 0);
	EXPECT(!rc, "in the place of one that ended: %s", strerror(-rc));
	worker_end(w[0]);
	worker_end(w[1]);
	if (n < 2)
		return;
	/* many small ones fit better than few large ones */
	for (i = 0; i < 3; i++)
		w[i] = thread(sleeper, 3);
	EXPECT(!set_rtds(w[0]->pid, 6 * MS, 10 * MS, 0), "60 %% of two CPUs");
	rc = set_rtds(w[1]->pid, 6 * MS, 10 * MS, 0);
	EXPECT(!rc, "120 %% of two CPUs: %s", strerror(-rc));
	rc = set_rtds(w[2]->pid, 6 * MS, 10 * MS, 0);
	EXPECT(rc == -EBUSY, "180 %% of two CPUs, in three pieces: %s", strerror(-rc));
	for (i = 0; i < 3; i++)
		worker_end(w[i]);
}

static void without_rights(struct worker *w)
{
	struct attr a = {
		.size = sizeof(a), .policy = SCHED_RTDS, .runtime = 2 * MS, .period = 10 * MS,
	};

	if (setresuid(65534, 65534, 65534))
		_exit(1);
	atomic_store(&w->value, set_attr(0, &a));
	/* what it has it may read, and give back */
	if (get_attr(0, &a))
		_exit(2);
	futex_post(&w->go);
	while (!worker_should_stop(w))
		futex_wait(&w->futex, 0, 0);
	atomic_store(&w->loops, -set_policy(0, SCHED_OTHER, 0));
}

TEST(rtds_needs_cap_sys_nice)
{
	struct worker *w;
	int had;

	need_rtds();
	for (had = 0; had < 2; had++) {
		w = thread(without_rights, 0);
		if (had)
			ASSERT(!set_rtds(w->pid, MS, 10 * MS, 0), "policy");
		worker_go(w);
		WAIT_FOR(atomic_load(&w->go) > 1, "verdict");
		EXPECT(atomic_load(&w->value) == -EPERM, "%s: %s",
		       had ? "more for itself" : "for itself",
		       strerror(-(int)atomic_load(&w->value)));
		if (had)
			expect_attr(w->pid, MS, 10 * MS, 0);
		worker_end(w);
		EXPECT(!atomic_load(&w->loops), "to SCHED_OTHER: %s",
		       strerror((int)atomic_load(&w->loops)));
	}
}

static void fork_once(struct worker *w)
{
	struct attr a = { };
	int status;
	pid_t pid = fork();

	if (pid < 0) {
		atomic_store(&w->value, -errno);
		return;
	}
	if (!pid)
		_exit(get_attr(0, &a) || a.period ? 255 : a.policy);
	waitpid(pid, &status, 0);
	atomic_store(&w->value, WIFEXITED(status) ? WEXITSTATUS(status) : 254);
}

/* Nobody has promised anything to a child */
TEST(rtds_fork)
{
	static const uint64_t flags[] = { 0, FLAG_RESET, FLAG_RECLAIM, FLAG_RECLAIM | FLAG_RESET };
	struct worker *w;
	unsigned int i;

	need_rtds();
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		w = thread(fork_once, 0);
		ASSERT(!set_rtds(w->pid, 2 * MS, 10 * MS, flags[i]), "policy");
		worker_go(w);
		WAIT_FOR(atomic_load(&w->done) > 0, "end");
		EXPECT(atomic_load(&w->value) == (flags[i] & FLAG_RESET ? SCHED_OTHER : -EAGAIN),
		       "flags %llx: %lld", (unsigned long long)flags[i],
		       (long long)atomic_load(&w->value));
		worker_end(w);
	}
}

/* Killed in each state: nothing of it stays */
TEST(rtds_exit_in_every_state)
{
	int64_t u = server_unit();
	static struct server_list l;
	struct a653_server_stat s;
	struct worker *w, *other;
	int i, rc;

	need_rtds();
	for (i = 0; i < 4 * (1 + test_scale(4)); i++) {
		w = thread(i % 4 ? spinner : sleeper, 1);
		ASSERT(!set_rtds(w->pid, i % 4 == 1 ? u : 20 * u, 90 * u, i & 4 ? FLAG_RECLAIM : 0),
		       "policy");
		other = thread(spinner, 1);
		if (i % 4 == 3)
			/* it waits for this one */
			ASSERT(!set_rtds(other->pid, 15 * u, 30 * u, 0), "policy");
		worker_go(other);
		worker_go(w);
		if (i % 4 == 1)
			WAIT_FOR((s = server_stat(w->pid, "", 0), !s.left_ns || s.extra_ns),
				 "depletion");
		else if (i % 4)
			WAIT_FOR(server_stat(w->pid, "", 0).flags & A653_SERVER_READY, "start");
		kill(w->pid, SIGKILL);
		WAIT_FOR(worker_gone(w), "death");
		waitpid(w->pid, NULL, 0);
		servers_read(&l);
		EXPECT(!server_find(&l, w->pid, "", 0), "state %d: its server is still there",
		       i % 4);
		worker_end(other);
		/* the promise too goes: when it has run for the last time, after its burial */
		w = thread(sleeper, 1);
		WAIT_FOR(!(rc = set_rtds(w->pid, 94 * MS, 100 * MS, 0)), "room after its death");
		worker_end(w);
	}
}

/* To other policies and back, while it runs */
TEST(rtds_to_other_policies_and_back)
{
	struct conf *f = conf_new("m", all_cpus());
	static struct server_list l;
	struct worker *w;
	uint64_t before;
	int i, rc;

	need_rtds();
	conf_part(f, "alpha", 0, 0);
	conf_sched(f, "one", 10 * MS, 0);
	conf_win(f, 0, 0, 0, 5 * MS, 0);
	cgroups_for(f);
	conf_start(f);
	w = thread(spinner, 1);
	worker_go(w);
	for (i = 0; i < 4 * (1 + test_scale(10)); i++) {
		rc = set_rtds(w->pid, 3 * MS, 10 * MS, i & 4 ? FLAG_RECLAIM : 0);
		ASSERT(!rc, "SCHED_RTDS: %s", strerror(-rc));
		before = atomic_load(&w->loops);
		WAIT_FOR(atomic_load(&w->loops) > before, "progress");
		if (i % 4 == 0) {
			ASSERT(!set_policy(w->pid, SCHED_FIFO, 10), "SCHED_FIFO");
		} else if (i % 4 == 1) {
			/* the class is the same one */
			ASSERT(!cgroup_move("t_alpha", w->pid), "move");
			rc = set_policy(w->pid, SCHED_A653, 10);
			ASSERT(!rc, "SCHED_A653: %s", strerror(-rc));
		} else if (i % 4 == 2) {
			ASSERT(!set_policy(w->pid, SCHED_OTHER, 0), "SCHED_OTHER");
			ASSERT(!cgroup_move("", w->pid), "move");
		} else {
			ASSERT(!set_policy(w->pid, SCHED_BATCH, 0), "SCHED_BATCH");
		}
		before = atomic_load(&w->loops);
		WAIT_FOR(atomic_load(&w->loops) > before, "progress");
		servers_read(&l);
		EXPECT(!server_find(&l, w->pid, "", 0), "a server that is not");
	}
	worker_end(w);
}

/* Where it may run is part of what was promised */
TEST_CPUS(rtds_affinity, 2)
{
	int n = test_cpus(), i, rc;
	struct worker *w, *full;
	uint64_t mask, before;
	struct a653_server_stat s;

	need_rtds();
	full = thread(sleeper, 1);
	ASSERT(!set_rtds(full->pid, 70 * MS, 100 * MS, 0), "policy");
	w = thread(spinner, 2);
	ASSERT(!set_rtds(w->pid, 4 * MS, 10 * MS, 0), "policy");
	worker_go(w);
	rc = set_cpus(w->pid, 1);
	EXPECT(rc == -EBUSY, "to a CPU that is full: %s", strerror(-rc));
	ASSERT(syscall(SYS_sched_getaffinity, w->pid, sizeof(mask), &mask) > 0, "affinity");
	EXPECT(mask == 2, "refused, but the mask is %llx", (unsigned long long)mask);
	expect_attr(w->pid, 4 * MS, 10 * MS, 0);
	worker_end(full);
	for (i = 0; i < 1 + test_scale(40); i++) {
		rc = set_cpus(w->pid, 1ULL << i % n);
		EXPECT(!rc, "to CPU %d: %s", i % n, strerror(-rc));
		before = atomic_load(&w->loops);
		WAIT_FOR(atomic_load(&w->loops) > before, "progress");
		s = server_stat(w->pid, "", 0);
		EXPECT(s.cpu == (uint32_t)(i % n), "it is on CPU %u", s.cpu);
		rc = set_cpus(w->pid, all_cpus());
		EXPECT(!rc, "to all: %s", strerror(-rc));
	}
	worker_end(w);
}

#define KEEP_PARAMS	0x10	/* SCHED_FLAG_KEEP_PARAMS */

/* What was promised in all, in parts of a CPU */
static double promised(void)
{
	static struct server_list l;
	uint64_t sum = 0, global = 0;
	unsigned int i;

	servers_read(&l);
	for (i = 0; i < l.h.nr_cpus; i++) {
		sum += l.cpu[i].util;
		/* a thread that may use all of them is told on each */
		if (l.cpu[i].global_util > global)
			global = l.cpu[i].global_util;
	}
	return (sum + global) / 4294967296.0;
}

/* One that is dead, but not buried, can be given parameters: they go with it */
TEST(rtds_zombie_leaves_no_promise)
{
	int rc, i, promises = 0;
	double before;
	siginfo_t si;
	pid_t pid;

	need_rtds();
	before = promised();
	/* until one has run for the last time before it got its promise */
	for (i = 0; i < 50 && !promises; i++) {
		pid = fork();
		if (!pid)
			_exit(0);
		ASSERT(pid > 0 && !waitid(P_PID, pid, &si, WEXITED | WNOWAIT), "fork");
		pass(200 * US);
		rc = set_rtds(pid, 5 * MS, 10 * MS, 0);
		ASSERT(!rc, "a zombie: %s", strerror(-rc));
		promises += promised() > before;
		waitpid(pid, NULL, 0);
		WAIT_FOR(promised() <= before, "end of the promise");
	}
	EXPECT(promises, "no zombie was promised anything");
}

/* A change of policy that keeps the parameters is none: nor is the promise gone */
TEST(rtds_promise_stays_with_the_policy)
{
	struct attr a = { .size = sizeof(a), .policy = SCHED_OTHER, .flags = KEEP_PARAMS };
	double before, with;
	struct worker *w;
	int rc;

	need_rtds();
	before = promised();
	w = thread(sleeper, 0);
	ASSERT(!set_rtds(w->pid, 5 * MS, 10 * MS, 0), "policy");
	rc = set_attr(w->pid, &a);
	with = promised();
	ASSERT(!get_attr(w->pid, &a), "getattr");
	test_note("SCHED_OTHER with the parameters: %s, policy %u", strerror(-rc), a.policy);
	EXPECT((a.policy == SCHED_RTDS) == (with > before + 0.4), "policy %u, %.2f promised",
	       a.policy, with - before);
	worker_end(w);
	WAIT_FOR(promised() <= before, "end of the promise");
}

/* Refused before anything is promised */
TEST(rtds_not_to_cpus_that_are_not_there)
{
	double before, with;
	struct worker *w;
	int rc;

	need_rtds();
	before = promised();
	w = thread(sleeper, 0);
	ASSERT(!set_rtds(w->pid, 5 * MS, 10 * MS, 0), "policy");
	with = promised();
	rc = set_cpus(w->pid, 1ULL << 63);
	EXPECT(rc == -EINVAL, "CPU 63: %s", strerror(-rc));
	EXPECT(promised() == with, "%.2f instead of %.2f promised", promised(), with);
	worker_end(w);
	WAIT_FOR(promised() <= before, "end of the promise");
}

/* Also where what was promised does not fit any more */
TEST(rtds_less_is_never_refused)
{
	struct worker *w;
	int rc;

	need_rtds();
	w = thread(sleeper, 1);
	ASSERT(!set_rtds(w->pid, 70 * MS, 100 * MS, 0), "policy");
	min_slack(50);
	rc = set_rtds(w->pid, 80 * MS, 100 * MS, 0);
	EXPECT(rc == -EBUSY, "more: %s", strerror(-rc));
	expect_attr(w->pid, 70 * MS, 100 * MS, 0);
	rc = set_rtds(w->pid, 60 * MS, 100 * MS, 0);
	EXPECT(!rc, "less, though too much: %s", strerror(-rc));
	expect_attr(w->pid, 60 * MS, 100 * MS, 0);
	rc = set_rtds(w->pid, 60 * MS, 120 * MS, 0);
	EXPECT(!rc, "less often: %s", strerror(-rc));
	/* all of the CPU: nobody may have any */
	min_slack(100);
	rc = set_rtds(w->pid, 10 * MS, 120 * MS, FLAG_RECLAIM);
	EXPECT(!rc, "less, with extratime: %s", strerror(-rc));
	worker_end(w);
}
