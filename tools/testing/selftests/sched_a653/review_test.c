// SPDX-License-Identifier: GPL-2.0
/*
 * What a review found: the control side when tasks are closed, fork, or stay
 */
#include <fcntl.h>
#include <stdlib.h>

#include "scene.h"

static int64_t unit(void)
{
	return MS * test_stretch();
}

/* Windows of alpha on all CPUs in "with", none of them in "without" */
static struct conf *with_and_without(int64_t u)
{
	struct conf *f = conf_new("m", all_cpus());
	int a, b, c;

	a = conf_part(f, "alpha", 0, 0);
	b = conf_part(f, "beta", 0, 0);
	conf_sched(f, "with", 2 * u, 0);
	for (c = 0; c < test_cpus(); c++)
		conf_win(f, a, c, 0, u, 0);
	conf_sched(f, "without", 2 * u, 0);
	for (c = 0; c < test_cpus(); c++)
		conf_win(f, b, c, 0, u, 0);
	return f;
}

/* Holds no lock of a file system when it is closed: files are open before */
static void looker(struct worker *w)
{
	struct a653_status st;
	char path[128], buf[4096];
	int fd;

	snprintf(path, sizeof(path), "/sys/fs/cgroup/%s/a653.stat", cgroup_of("alpha"));
	fd = open(path, O_RDONLY);
	while (!worker_should_stop(w)) {
		if (get_status("m", &st) || pread(fd, buf, sizeof(buf), 0) <= 0)
			_exit(1);
		atomic_fetch_add(&w->loops, 1);
	}
}

/* Closed in the middle of a request, for good: others can still make their own */
TEST(review02_closed_task_does_not_hold_up_requests)
{
	struct conf *f = with_and_without(unit());
	int i, n = test_scale(100), rc;
	struct worker *w[2];
	struct a653_status st;
	uint64_t loops;

	cgroups_for(f);
	conf_start(f);
	w[0] = worker_in("alpha", 50, 0, "look0", looker);
	w[1] = worker_in("alpha", 60, 0, "look1", looker);
	worker_go(w[0]);
	worker_go(w[1]);
	for (i = 0; i < n; i++) {
		loops = atomic_load(&w[0]->loops);
		WAIT_FOR(atomic_load(&w[0]->loops) > loops, "request");
		rc = switch_to("m", "without", A653_REQUEST_WAIT, 0);
		ASSERT(!rc, "switch %d: %s", i, strerror(-rc));
		ASSERT(!get_status("m", &st), "status");
		EXPECT(st.nr_tasks == 2, "%u tasks", st.nr_tasks);
		cgroup_create("t_other");
		ASSERT(!cgroup_bind("t_other", "gamma"), "binding");
		ASSERT(!cgroup_remove("t_other"), "removing");
		rc = switch_to("m", "with", A653_REQUEST_WAIT, 0);
		ASSERT(!rc, "switch back %d: %s", i, strerror(-rc));
	}
	rc = switch_to("m", "without", A653_REQUEST_WAIT, 0);
	ASSERT(!rc, "last switch: %s", strerror(-rc));
	rc = unload("m", A653_REQUEST_FORCE);
	ASSERT(!rc, "unload: %s", strerror(-rc));
	WAIT_FOR(worker_gone(w[0]) && worker_gone(w[1]), "end of the workers");
}

/* Does with its own cgroup what takes locks of the kernel */
static void binder(struct worker *w)
{
	while (!worker_should_stop(w)) {
		cgroup_create("t_own");
		if (cgroup_bind("t_own", "gamma") || cgroup_remove("t_own"))
			_exit(1);
		atomic_fetch_add(&w->loops, 1);
	}
}

TEST(review02_tasks_make_and_bind_cgroups)
{
	struct conf *f = with_and_without(unit());
	struct worker *w;

	cgroups_for(f);
	conf_start(f);
	w = worker_in("alpha", 50, 0, "binder", binder);
	worker_go(w);
	WAIT_FOR(atomic_load(&w->loops) >= (uint64_t)test_scale(50), "cgroup");
	worker_end(w);
	ASSERT(!unload("m", 0), "unload");
}

static void forking(struct worker *w)
{
	int status;
	pid_t pid;

	while (!worker_should_stop(w)) {
		pid = fork();
		if (pid < 0)
			_exit(1);
		if (!pid)
			_exit(sched_getscheduler(0) == SCHED_A653 ? 0 : 2);
		if (waitpid(pid, &status, 0) != pid)
			_exit(1);
		if (status)
			atomic_fetch_add(&w->value, 1);
		atomic_fetch_add(&w->loops, 1);
	}
}

/* A refused unload leaves everybody what he is, those who are being born as well */
TEST(review08_refused_unload_demotes_nobody)
{
	struct conf *f = with_and_without(unit());
	int i, rc, n = test_scale(300);
	struct worker *w[2];

	cgroups_for(f);
	conf_start(f);
	for (i = 0; i < 2; i++)
		w[i] = worker_in("alpha", 50, 0, i ? "fork1" : "fork0", forking);
	for (i = 0; i < 2; i++)
		worker_go(w[i]);
	WAIT_FOR(atomic_load(&w[0]->loops), "fork");
	for (i = 0; i < n || atomic_load(&w[0]->loops) < (uint64_t)n; i++) {
		rc = unload("m", 0);
		ASSERT(rc == -EBUSY, "unload %d: %s", i, strerror(-rc));
	}
	test_note("%d unloads, %llu forks", i,
		  (unsigned long long)atomic_load(&w[0]->loops));
	for (i = 0; i < 2; i++) {
		worker_end(w[i]);
		EXPECT(!atomic_load(&w[i]->value), "%lld children were demoted",
		       (long long)atomic_load(&w[i]->value));
	}
}

/* Those who leave while it looks at them: the kernel survives it */
TEST(review04_tasks_come_and_go_beside_unload)
{
	struct conf *f = with_and_without(unit());
	int i, rc, n = test_scale(300), done = 0;
	struct worker *w;
	pid_t pid;

	cgroups_for(f);
	cgroup_create("t_none");
	conf_start(f);
	w = worker_in("alpha", 50, 0, "sleeper", sleeper);
	pid = fork();
	ASSERT(pid >= 0, "fork");
	if (!pid) {
		for (;;) {
			set_policy(w->pid, SCHED_OTHER, 0);
			cgroup_move("t_none", w->pid);
			cgroup_move(cgroup_of("alpha"), w->pid);
			set_policy(w->pid, SCHED_A653, 50);
		}
	}
	for (i = 0; i < n; i++) {
		rc = unload("m", 0);
		ASSERT(!rc || rc == -EBUSY, "unload %d: %s", i, strerror(-rc));
		if (rc)
			continue;
		done++;
		rc = conf_load(f, A653_CONFIG_WAIT);
		ASSERT(!rc, "load %d: %s (%s)", i, strerror(-rc), f->reason);
	}
	test_note("%d of %d unloads were possible", done, n);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	worker_go(w);
	ASSERT(!unload("m", A653_REQUEST_FORCE), "unload");
	worker_end(w);
}

/* What is refused has changed nothing: who may run there only, still may */
TEST_CPUS(review03_cpu_that_stays_throws_nobody_out, 2)
{
	int cpu = test_cpus() - 1, i, rc;
	struct conf *f = with_and_without(unit());
	struct worker *w;
	uint64_t loops;
	cpu_set_t set;

	cgroups_for(f);
	conf_start(f);
	w = worker_in("alpha", 50, 1ULL << cpu, "pinned", spinner);
	worker_go(w);
	WAIT_FOR(atomic_load(&w->loops), "loop");
	for (i = 0; i < test_scale(20); i++) {
		rc = set_online(cpu, false);
		ASSERT(rc == -EBUSY, "CPU %d went: %s", cpu, strerror(-rc));
		ASSERT(!sched_getaffinity(w->pid, sizeof(set), &set), "affinity");
		EXPECT(CPU_COUNT(&set) == 1 && CPU_ISSET(cpu, &set),
		       "%d CPUs after %d attempts", CPU_COUNT(&set), i + 1);
		loops = atomic_load(&w->loops);
		WAIT_FOR(atomic_load(&w->loops) > loops, "loop");
	}
	worker_end(w);
}

/* The flag tells whether what is pending brings another configuration with it */
TEST(reload_flag_is_of_another_configuration)
{
	struct conf *f = with_and_without(unit()), *g;
	struct a653_status st;
	int rc;

	cgroups_for(f);
	f->sched[0].major_frame_ns = 3600 * SEC;
	conf_start(f);
	ASSERT(!get_status("m", &st), "status");
	EXPECT(!(st.flags & (A653_STATUS_PENDING | A653_STATUS_RELOAD)),
	       "flags %#x", st.flags);
	rc = switch_to("m", "without", 0, 0);
	ASSERT(!rc, "switch: %s", strerror(-rc));
	ASSERT(!get_status("m", &st), "status");
	EXPECT((st.flags & A653_STATUS_PENDING) && !(st.flags & A653_STATUS_RELOAD),
	       "flags %#x", st.flags);
	g = conf_dup(f);
	rc = conf_load(g, 0);
	ASSERT(!rc, "load: %s (%s)", strerror(-rc), g->reason);
	ASSERT(!get_status("m", &st), "status");
	EXPECT((st.flags & A653_STATUS_PENDING) && (st.flags & A653_STATUS_RELOAD),
	       "flags %#x", st.flags);
}

/* A cgroup that stays bound does not make the numbers go on in the next module */
TEST(counters_begin_with_the_module)
{
	struct conf *f = with_and_without(unit());
	struct a653_stat before, after;

	cgroups_for(f);
	conf_start(f);
	WAIT_FOR(get_stat("m", 0, -1).opened >= 50, "window");
	before = get_stat("m", 0, -1);
	ASSERT(!unload("m", 0), "unload");
	f->sched[0].major_frame_ns = 3600 * SEC;
	conf_start(f);
	after = get_stat("m", 0, -1);
	EXPECT(after.opened < before.opened && after.open_ns < before.open_ns,
	       "%llu windows, %llu before", (unsigned long long)after.opened,
	       (unsigned long long)before.opened);
}

TEST(get_refuses_flags_that_it_does_not_know)
{
	struct conf *f = with_and_without(unit());
	struct a653_config c = f->c;
	int rc;

	conf_start(f);
	c.flags = 1U << 31;
	c.nr_partitions = 0;
	rc = a653_ioctl(A653_IOC_GET, &c);
	EXPECT(rc == -EINVAL, "%s", strerror(-rc));
	c.flags = A653_CONFIG_BASE;
	rc = a653_ioctl(A653_IOC_GET, &c);
	EXPECT(rc == -ENOSPC, "%s", strerror(-rc));
}
