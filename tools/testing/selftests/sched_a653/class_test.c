// SPDX-License-Identifier: GPL-2.0
/*
 * SCHED_A653 as a policy: who may have it, what is read back, children,
 * inheritance of priorities
 */
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "scene.h"

static int64_t unit(void)
{
	return MS * test_stretch();
}

/* One or two partitions with windows on all CPUs, closed most of the time */
static struct conf *plain(int parts)
{
	static const char *const name[] = { "alpha", "beta" };
	struct conf *f = conf_new("m", all_cpus());
	int c, p;

	for (p = 0; p < parts; p++)
		conf_part(f, name[p], 0, 0);
	conf_sched(f, "one", 10 * unit(), A653_SCHEDULE_EXCLUSIVE);
	for (c = 0; c < test_cpus(); c++)
		for (p = 0; p < parts; p++)
			conf_win(f, p, c, 5 * p * unit(), 2 * unit(), A653_WINDOW_STRICT);
	return f;
}

static void start(struct conf *f)
{
	cgroups_for(f);
	conf_start(f);
}

/* A child of this process, asleep, ordinary */
static struct worker *a_child(void (*fn)(struct worker *w))
{
	struct worker *w = worker_new("child", fn);

	worker_fork(w);
	WAIT_FOR(atomic_load(&w->done), "child");
	return w;
}

TEST(policy_is_read_back)
{
	struct sched_param sp;
	struct timespec ts;
	struct worker *w;
	struct attr a;
	int prio;

	EXPECT(sched_get_priority_min(SCHED_A653) == 1 &&
	       sched_get_priority_max(SCHED_A653) == 99, "priorities %d..%d",
	       sched_get_priority_min(SCHED_A653), sched_get_priority_max(SCHED_A653));
	start(plain(1));
	w = worker_in("alpha", 50, 0, "alpha", spinner);
	for (prio = 1; prio <= 99; prio += 49) {
		EXPECT(!set_policy(w->pid, SCHED_A653, prio), "priority %d", prio);
		EXPECT(!get_attr(w->pid, &a) && a.policy == SCHED_A653 &&
		       a.priority == (unsigned int)prio, "getattr: %u, %u", a.policy, a.priority);
		EXPECT(sched_getscheduler(w->pid) == SCHED_A653, "getscheduler");
		EXPECT(!sched_getparam(w->pid, &sp) && sp.sched_priority == prio, "getparam: %d",
		       sp.sched_priority);
		EXPECT(status_field(w->pid, "sched", "policy") == SCHED_A653, "proc: policy %ld",
		       status_field(w->pid, "sched", "policy"));
		EXPECT(status_field(w->pid, "sched", "prio") == 99 - prio, "proc: prio %ld",
		       status_field(w->pid, "sched", "prio"));
	}
	EXPECT(!sched_rr_get_interval(w->pid, &ts), "interval");
	sp.sched_priority = 7;
	EXPECT(!sched_setparam(w->pid, &sp), "setparam");
	EXPECT(!get_attr(w->pid, &a) && a.policy == SCHED_A653 && a.priority == 7,
	       "after setparam: %u, %u", a.policy, a.priority);
	/* by the old call too */
	sp.sched_priority = 8;
	EXPECT(!sched_setscheduler(w->pid, SCHED_A653, &sp), "setscheduler");
	EXPECT(!sched_getparam(w->pid, &sp) && sp.sched_priority == 8, "priority");
	worker_go(w);
	WAIT_FOR(atomic_load(&w->loops), "progress");
	/* running and closed */
	for (prio = 0; prio < 50; prio++) {
		EXPECT(status_field(w->pid, "sched", "policy") == SCHED_A653, "proc");
		pass(unit() / 3);
	}
	worker_end(w);
}

TEST(policy_needs_a_partition_and_a_priority)
{
	struct conf *f = plain(1);
	struct worker *w = a_child(spinner);
	struct attr a;
	int rc;

	rc = set_policy(w->pid, SCHED_A653, 50);
	EXPECT(rc == -EPERM, "no partition: %s", strerror(-rc));
	cgroup_create("t_other");
	EXPECT(!cgroup_bind("t_other", "other"), "bind");
	EXPECT(!cgroup_move("t_other", w->pid), "move");
	rc = set_policy(w->pid, SCHED_A653, 50);
	EXPECT(rc == -EPERM, "not loaded: %s", strerror(-rc));
	start(f);
	rc = set_policy(w->pid, SCHED_A653, 50);
	EXPECT(rc == -EPERM, "not in the module: %s", strerror(-rc));
	EXPECT(!cgroup_move(cgroup_of("alpha"), w->pid), "move");
	rc = set_policy(w->pid, SCHED_A653, 0);
	EXPECT(rc == -EINVAL, "priority 0: %s", strerror(-rc));
	rc = set_policy(w->pid, SCHED_A653, 100);
	EXPECT(rc == -EINVAL, "priority 100: %s", strerror(-rc));
	EXPECT(!get_attr(w->pid, &a) && a.policy == SCHED_OTHER, "policy %u", a.policy);
	rc = set_policy(w->pid, SCHED_A653, 50);
	EXPECT(!rc, "in the partition: %s", strerror(-rc));
	/* it cannot leave with that policy */
	rc = cgroup_write("", "cgroup.procs", "0");
	EXPECT(!rc, "this process to the root: %s", strerror(-rc));
	{
		char pid[16];

		snprintf(pid, sizeof(pid), "%d", w->pid);
		rc = cgroup_write("", "cgroup.procs", pid);
		EXPECT(rc < 0, "it left the partition");
		rc = cgroup_move("t_other", w->pid);
		EXPECT(rc < 0, "it went where no window is");
	}
	EXPECT(!set_policy(w->pid, SCHED_OTHER, 0), "back");
	EXPECT(!cgroup_move("t_other", w->pid), "leave");
	worker_end(w);
}

/* CPUs without a window: refused, and nothing changed */
TEST_CPUS(affinity_must_leave_a_window, 2)
{
	struct conf *f = conf_new("m", all_cpus());
	struct worker *w;
	cpu_set_t set;
	int rc;

	conf_part(f, "alpha", 0, 0);
	conf_sched(f, "one", 5 * unit(), 0);
	conf_win(f, 0, 0, 0, 2 * unit(), 0);
	start(f);
	w = a_child(spinner);
	EXPECT(!cgroup_move(cgroup_of("alpha"), w->pid), "move");
	set_cpus(w->pid, 2);
	rc = set_policy(w->pid, SCHED_A653, 50);
	EXPECT(rc == -EINVAL, "policy without a window: %s", strerror(-rc));
	EXPECT(!set_cpus(w->pid, 3), "affinity");
	EXPECT(!set_policy(w->pid, SCHED_A653, 50), "policy");
	rc = set_cpus(w->pid, 2);
	EXPECT(rc == -EINVAL, "affinity without a window: %s", strerror(-rc));
	EXPECT(!sched_getaffinity(w->pid, sizeof(set), &set) && CPU_COUNT(&set) == 2,
	       "affinity changed");
	worker_go(w);
	WAIT_FOR(atomic_load(&w->loops), "progress");
	worker_end(w);
}

/* As for SCHED_FIFO: RLIMIT_RTPRIO without the capability */
TEST(policy_needs_permission)
{
	struct rlimit none = { 0, 0 }, thirty = { 30, 30 };
	struct worker *w;
	int rc;

	start(plain(1));
	w = a_child(spinner);
	EXPECT(!cgroup_move(cgroup_of("alpha"), 0), "move");
	EXPECT(!cgroup_move(cgroup_of("alpha"), w->pid), "move");
	EXPECT(!prlimit(w->pid, RLIMIT_RTPRIO, &thirty, NULL), "rlimit");
	EXPECT(!setrlimit(RLIMIT_RTPRIO, &thirty), "rlimit");
	EXPECT(!set_policy(0, SCHED_OTHER, 0), "policy");
	ASSERT(!setresuid(65534, 65534, 65534), "setuid");
	rc = set_policy(0, SCHED_A653, 31);
	EXPECT(rc == -EPERM, "31: %s", strerror(-rc));
	rc = set_policy(0, SCHED_A653, 30);
	EXPECT(!rc, "30: %s", strerror(-rc));
	rc = set_policy(0, SCHED_A653, 10);
	EXPECT(!rc, "10: %s", strerror(-rc));
	rc = set_policy(0, SCHED_A653, 31);
	EXPECT(rc == -EPERM, "31 again: %s", strerror(-rc));
	/* that of root is not ours to change */
	rc = set_policy(w->pid, SCHED_A653, 5);
	EXPECT(rc == -EPERM, "another's: %s", strerror(-rc));
	rc = set_policy(0, SCHED_OTHER, 0);
	EXPECT(!rc, "back: %s", strerror(-rc));
	setrlimit(RLIMIT_RTPRIO, &none);
	rc = set_policy(0, SCHED_A653, 1);
	EXPECT(rc == -EPERM, "no limit: %s", strerror(-rc));
}

TEST(reset_on_fork)
{
	struct attr a = {
		.size = sizeof(a), .policy = SCHED_A653, .priority = 50,
		.flags = SCHED_FLAG_RESET_ON_FORK,
	};
	pid_t pid;

	start(plain(1));
	ASSERT(!cgroup_move(cgroup_of("alpha"), 0), "move");
	ASSERT(!set_attr(0, &a), "policy");
	ASSERT(!get_attr(0, &a) && a.flags & SCHED_FLAG_RESET_ON_FORK, "flag");
	pid = fork();
	if (!pid)
		_exit(get_attr(0, &a) || a.policy != SCHED_OTHER || a.flags || a.nice);
	int status;

	EXPECT(waitpid(pid, &status, 0) == pid && !status, "the child kept the policy");
	a.flags = 0;
	a.policy = SCHED_A653;
	a.priority = 50;
	ASSERT(!set_attr(0, &a), "policy");
	pid = fork();
	if (!pid)
		_exit(get_attr(0, &a) || a.policy != SCHED_A653 || a.priority != 50);
	EXPECT(waitpid(pid, &status, 0) == pid && !status, "the child lost the policy");
	EXPECT(!set_policy(0, SCHED_FIFO, 99), "back");
}

/* All pids that the trace knows under a worker's name */
static void add_family(struct scene *s, const char *comm, const char *part)
{
	int pid;

	for (pid = 1; pid < EV_PIDS; pid++)
		if (!strcmp(ev_comm(s->l, pid), comm))
			ora_task(s->o, pid, part, all_cpus(), ORA_DYNAMIC);
}

/* Children are in their parent's partition from their first instruction on */
TEST(lesson18_children_stay_in_the_partition)
{
	struct scene s = { .f = plain(2) };
	struct worker *w;
	int i;

	scene_start(&s);
	for (i = 0; i < 3; i++) {
		w = scene_worker(&s, i ? "alpha" : "beta", 50, 0, forker, ORA_DYNAMIC);
		w->work = 100 * US;
	}
	scene_go(&s);
	hogs(SCHED_OTHER, 0, now_ns() + 30 * SEC);
	for (i = 0; i < 3; i++)
		WAIT_FOR(atomic_load(&s.w[i]->loops) > (uint64_t)test_scale(50), "children");
	scene_end(&s);
	for (i = 0; i < 3; i++)
		add_family(&s, s.w[i]->name, s.part[i]);
	scene_judge(&s);
}

static pid_t clone_into(const char *cgroup)
{
	struct clone_args ca = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	char path[128];
	pid_t pid;
	int fd;

	snprintf(path, sizeof(path), "/sys/fs/cgroup/%s", cgroup);
	fd = open(path, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return -errno;
	ca.cgroup = fd;
	pid = syscall(SYS_clone3, &ca, sizeof(ca));
	if (pid < 0)
		pid = -errno;
	if (pid)
		close(fd);
	return pid;
}

static void cloner(struct worker *w)
{
	int status, i;
	pid_t pid;

	for (i = 0; i < test_scale(50); i++) {
		pid = clone_into(cgroup_of("beta"));
		if (!pid) {
			prctl(PR_SET_NAME, "cloned");
			spin_ns(200 * US);
			_exit(0);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			_exit(1);
		atomic_fetch_add(&w->loops, 1);
	}
	/* where no partition is, the child could not have the policy */
	pid = clone_into("t_plain");
	if (!pid)
		_exit(0);
	atomic_store(&w->value, pid);
	if (pid > 0)
		waitpid(pid, &status, 0);
}

/* A child that is born in another partition has that one's windows */
TEST(lesson18_clone_into_cgroup)
{
	struct scene s = { .f = plain(2) };
	struct worker *w;
	pid_t pid;
	int rc;

	scene_start(&s);
	cgroup_create("t_plain");
	w = scene_worker(&s, "alpha", 50, 0, cloner, ORA_DYNAMIC);
	scene_go(&s);
	WAIT_FOR(worker_gone(w), "end of the parent");
	scene_end(&s);
	EXPECT(atomic_load(&w->loops) == (uint64_t)test_scale(50), "%llu children",
	       (unsigned long long)atomic_load(&w->loops));
	EXPECT(atomic_load(&w->value) < 0, "a SCHED_A653 child without a partition: %lld",
	       (long long)atomic_load(&w->value));
	add_family(&s, "cloned", "beta");
	scene_judge(&s);

	/* an ordinary one, born in the partition, may become SCHED_A653 there */
	pid = clone_into(cgroup_of("alpha"));
	if (!pid) {
		for (;;)
			pause();
	}
	ASSERT(pid > 0, "clone: %s", strerror(-pid));
	rc = set_policy(pid, SCHED_A653, 50);
	EXPECT(!rc, "policy: %s", strerror(-rc));
	kill(pid, SIGKILL);
	EXPECT(waitpid(pid, NULL, 0) == pid, "end");
}

/*
 * Who forks before it is moved leaves the child outside: an ordinary task that
 * cannot take the policy, and that gets nothing of a window.
 */
TEST(lesson18_fork_before_move_does_not_escape)
{
	struct scene s = { .f = plain(1) };
	struct worker *child;
	struct attr a;
	int rc;

	scene_start(&s);
	child = a_child(hog);
	child->until = now_ns() + 30 * SEC;
	scene_worker(&s, "alpha", 50, 0, spinner, 0);
	rc = set_policy(child->pid, SCHED_A653, 50);
	EXPECT(rc == -EPERM, "policy outside: %s", strerror(-rc));
	EXPECT(!get_attr(child->pid, &a) && a.policy == SCHED_OTHER, "policy %u", a.policy);
	worker_go(child);
	scene_run(&s, test_scale(50) * 10 * unit(), 0);
	worker_end(child);
}

/* Between partitions: the next window is that of the new one */
TEST(moving_between_partitions)
{
	struct scene s = { .f = plain(2) };
	struct worker *w;
	uint64_t before;
	int i, rc;

	scene_start(&s);
	w = scene_worker(&s, "alpha", 50, 0, spinner, ORA_MOVES);
	scene_worker(&s, "alpha", 40, 0, spinner, 0);
	scene_worker(&s, "beta", 40, 0, spinner, 0);
	scene_go(&s);
	for (i = 0; i < test_scale(200); i++) {
		rc = cgroup_move(cgroup_of(i % 2 ? "alpha" : "beta"), w->pid);
		ASSERT(!rc, "move: %s", strerror(-rc));
		if (i % 10)
			continue;
		before = atomic_load(&w->loops);
		WAIT_FOR(atomic_load(&w->loops) > before, "progress");
	}
	scene_end(&s);
	scene_judge(&s);
}

/* Policies change in all states: queued, running, closed, asleep */
TEST(policy_changes_in_all_states)
{
	static const struct { int policy, prio; } to[] = {
		{ SCHED_FIFO, 50 }, { SCHED_A653, 50 }, { SCHED_OTHER, 0 }, { SCHED_A653, 50 },
		{ SCHED_RR, 50 }, { SCHED_A653, 51 }, { SCHED_A653, 49 }, { SCHED_BATCH, 0 },
		{ SCHED_IDLE, 0 }, { SCHED_A653, 50 },
	};
	struct worker *w[4];
	struct a653_stat st;
	uint64_t before;
	int i, k, rc;

	start(plain(1));
	for (k = 0; k < 4; k++) {
		w[k] = worker_in("alpha", 50, 0, "alpha", k < 2 ? spinner : waker);
		w[k]->period = 3 * unit();
		w[k]->work = unit() / 4;
		worker_go(w[k]);
	}
	for (i = 0; i < test_scale(600); i++) {
		k = i % 4;
		rc = set_policy(w[k]->pid, to[i / 4 % ARRAY_SIZE(to)].policy,
				to[i / 4 % ARRAY_SIZE(to)].prio);
		ASSERT(!rc, "policy: %s", strerror(-rc));
		if (i % 7 == 0)
			pass(unit() * 2 / 3);
	}
	for (k = 0; k < 4; k++) {
		/* one after the other, so that a spinner does not hide the others */
		for (i = 0; i < 4; i++)
			set_policy(w[i]->pid, SCHED_A653, i == k ? 60 : 50);
		before = atomic_load(&w[k]->loops);
		WAIT_FOR(atomic_load(&w[k]->loops) > before, "progress");
	}
	for (k = 0; k < 4; k++)
		set_policy(w[k]->pid, SCHED_OTHER, 0);
	for (k = 0; k < 4; k++)
		worker_end(w[k]);
	st = get_stat("m", 0, -1);
	EXPECT(!st.nr_queued, "%u tasks queued, and none is there", st.nr_queued);
}

/*
 * Inheritance of priorities over a futex
 */

static _Atomic int *pi_futex;

static long lock_pi(int op)
{
	return syscall(SYS_futex, pi_futex, op, 0, NULL, NULL, 0);
}

/* Takes the lock, holds it until it is told, and counts */
static void pi_owner(struct worker *w)
{
	while (!worker_should_stop(w)) {
		if (lock_pi(FUTEX_LOCK_PI))
			_exit(1);
		atomic_store(&w->value, 1);
		while (!atomic_load(&w->futex) && !worker_should_stop(w))
			atomic_fetch_add(&w->loops, 1);
		atomic_store(&w->futex, 0);
		atomic_store(&w->value, 0);
		if (lock_pi(FUTEX_UNLOCK_PI))
			_exit(1);
		/* let the other have it */
		sched_yield();
		pass(unit());
	}
}

static void pi_waiter(struct worker *w)
{
	atomic_store(&w->value, 1);
	if (lock_pi(FUTEX_LOCK_PI))
		_exit(1);
	atomic_store(&w->value, 2);
	if (lock_pi(FUTEX_UNLOCK_PI))
		_exit(1);
	atomic_store(&w->value, 3);
}

static void pi_with(int policy, int prio, int boosted)
{
	struct attr dl = {
		.size = sizeof(dl), .policy = SCHED_DEADLINE, .runtime = MS,
		.deadline = 100 * MS, .period = 100 * MS,
	};
	struct worker *owner, *waiter;
	int rc;

	owner = worker_in("alpha", 20, 0, "owner", pi_owner);
	worker_go(owner);
	WAIT_FOR(atomic_load(&owner->value) == 1, "lock");
	EXPECT(status_field(owner->pid, "sched", "prio") == 79, "prio");
	waiter = worker_new("waiter", pi_waiter);
	worker_fork(waiter);
	WAIT_FOR(atomic_load(&waiter->done), "waiter");
	if (policy == SCHED_DEADLINE)
		rc = set_attr(waiter->pid, &dl);
	else
		rc = set_policy(waiter->pid, policy, prio);
	if (rc) {
		test_note("policy %d refused: %s", policy, strerror(-rc));
		worker_end(owner);
		kill(waiter->pid, SIGKILL);
		waitpid(waiter->pid, NULL, 0);
		return;
	}
	worker_go(waiter);
	WAIT_FOR(atomic_load(&waiter->value) == 1, "attempt to lock");
	WAIT_FOR(status_field(owner->pid, "sched", "prio") == boosted, "boost");
	/* it stays what it is, in its windows */
	EXPECT(sched_getscheduler(owner->pid) == SCHED_A653, "policy");
	set_policy(owner->pid, SCHED_A653, 21);
	EXPECT(status_field(owner->pid, "sched", "prio") == boosted, "boost gone");
	pass(20 * unit());
	atomic_store(&owner->futex, 1);
	WAIT_FOR(atomic_load(&waiter->value) == 3, "lock for the waiter");
	WAIT_FOR(status_field(owner->pid, "sched", "prio") == 78, "end of the boost");
	worker_end(waiter);
	worker_end(owner);
}

TEST(priority_inheritance)
{
	pi_futex = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT(pi_futex != MAP_FAILED, "mmap");
	start(plain(1));
	pi_with(SCHED_FIFO, 80, 19);
	pi_with(SCHED_RR, 21, 78);
	/* nothing is more urgent than 0: the class is that of the policy */
	pi_with(SCHED_DEADLINE, 0, 0);
}

/*
 * Everything at once: loads, switches, binding, moves, forks, exits, readers.
 * Nothing to assert but that all goes on, and what a debug kernel says.
 *
 * None keeps a CPU for ever: those of lower priority hold locks of the kernel that
 * others, and this test, wait for, and have to come to give them back.
 */
TEST(lesson15_everything_at_once)
{
	static const char *const sched[] = { "one", "two" };
	struct conf *f = plain(2);
	char text[4096];
	struct worker *w[8];
	unsigned int r = 653;
	int c, i, k, n = 300 / test_divisor();

	conf_sched(f, "two", 6 * unit(), 0);
	for (c = 0; c < test_cpus(); c++) {
		conf_win(f, 1, c, 0, 2 * unit(), 0);
		conf_win(f, 0, c, 3 * unit(), 2 * unit(), 0);
	}
	start(f);
	for (k = 0; k < 8; k++) {
		w[k] = worker_in(k % 2 ? "alpha" : "beta", 10 + k, 0, "storm",
				 k < 4 ? forker : k < 6 ? yielder : waker);
		w[k]->work = 50 * US;
		w[k]->period = unit();
		worker_go(w[k]);
	}
	for (i = 0; i < n; i++) {
		k = rand_r(&r) % 8;
		switch (rand_r(&r) % 8) {
		case 0:
			conf_load(f, 0);
			break;
		case 1:
			switch_to("m", sched[i % 2], i % 8 ? 0 : A653_REQUEST_WAIT, 0);
			break;
		case 2:
			cgroup_move(cgroup_of(i % 2 ? "alpha" : "beta"), w[k]->pid);
			break;
		case 3:
			set_cpus(w[k]->pid, 1 + rand_r(&r) % all_cpus());
			break;
		case 4:
			set_policy(w[k]->pid, i % 3 ? SCHED_A653 : SCHED_OTHER, i % 3 ? 20 + k : 0);
			break;
		case 5:
			get_stat("m", 0, -1);
			cgroup_read(cgroup_of("alpha"), "a653.stat", text, sizeof(text));
			break;
		case 6:
			cgroup_create("t_short");
			cgroup_bind("t_short", "gamma");
			cgroup_remove("t_short");
			break;
		case 7:
			if (i % 16)
				pass(unit() / 5);
			else
				unload("m", A653_REQUEST_FORCE), conf_load(f, 0);
			break;
		}
	}
	conf_load(f, A653_CONFIG_WAIT);
	/*
	 * Nobody was lost: each comes to its end, when all may run anywhere and
	 * none keeps on running that is more urgent than others.
	 */
	for (k = 0; k < 8; k++) {
		set_cpus(w[k]->pid, all_cpus());
		worker_stop(w[k]);
	}
	for (k = 0; k < 8; k++)
		worker_end(w[k]);
	EXPECT(!unload("m", 0), "unload");
}
