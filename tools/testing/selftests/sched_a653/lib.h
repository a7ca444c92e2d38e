/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests do to the kernel: modules, cgroups, tasks, traces
 *
 * Everything goes straight to the ABI: no a653ctl, no liba653. Functions that
 * can fail in the ordinary course of a test return 0 or -errno; the others
 * end the test.
 */
#ifndef SELFTEST_A653_LIB_H
#define SELFTEST_A653_LIB_H

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "conf.h"
#include "event.h"
#include "oracle.h"
#include "test.h"

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

int64_t now_ns(void);
struct timespec to_timespec(int64_t ns);
/* Not for waiting until something has happened: to let time pass */
void pass_until(int64_t ns);
void pass(int64_t ns);
/* Wait for a condition, and fail the test when it does not come */
#define WAIT_FOR(cond, what)						\
	do {								\
		int64_t until_ = now_ns() + 20 * SEC;			\
									\
		while (!(cond)) {					\
			ASSERT(now_ns() < until_, "no %s", what);	\
			pass(200 * US);					\
		}							\
	} while (0)

/*
 * Does time pass in step with instructions (QEMU's --icount, or hardware)? Else
 * the host may take a virtual CPU away at any time, and figures mean little.
 */
bool time_is_exact(void);

/* Modules */
int a653_ioctl(unsigned long nr, void *arg);
int conf_load(struct conf *f, uint32_t flags);
/* Load, wait until it is in force; ends the test if refused */
void conf_start(struct conf *f);
struct a653_request new_request(const char *module);
int unload(const char *module, uint32_t flags);
int switch_to(const char *module, const char *sched, uint32_t flags, int64_t at);
/* Without statistics */
int get_status(const char *module, struct a653_status *st);
/* Of one partition on one CPU; or, with cpu < 0, the sums */
struct a653_stat get_stat(const char *module, unsigned int part, int cpu);
int nr_modules(void);
void unload_all(void);

/* Cgroups: directly below the root, the controller enabled there */
void cgroup_create(const char *name);
int cgroup_bind(const char *name, const char *partition);
int cgroup_write(const char *name, const char *file, const char *text);
int cgroup_read(const char *name, const char *file, char *buf, size_t len);
int cgroup_move(const char *name, pid_t pid);
int cgroup_remove(const char *name);
/* All that tests have left */
void cgroup_remove_all(void);
/* Create and bind one for each partition, of the same name with "t_" before */
void cgroups_for(const struct conf *f);
const char *cgroup_of(const char *partition);

/* Scheduling */
struct attr {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
};

int set_policy(pid_t pid, int policy, int prio);
int set_attr(pid_t pid, const struct attr *a);
int get_attr(pid_t pid, struct attr *a);
int set_cpus(pid_t pid, uint64_t mask);
int set_online(int cpu, bool online);
uint64_t all_cpus(void);

/*
 * Tasks. A worker is a process that shares @w with the test. It begins when
 * the test says so, after it was moved and given its policy, and ends when
 * @stop is set, or at @until in any case, so that hogs of the highest
 * priority cannot lock the test out for ever.
 */
struct worker {
	/* set by the test before */
	void (*fn)(struct worker *w);
	char name[EV_COMM];
	int64_t until;
	int64_t period;		/* periodic ones */
	int64_t work;		/* for how long to spin each time */
	/* for both */
	_Atomic int go;
	_Atomic int stop;
	_Atomic int futex;
	_Atomic uint64_t loops;
	_Atomic int64_t first, last;
	_Atomic int64_t value;
	_Atomic int done;
	pid_t pid;
};

struct worker *worker_new(const char *name, void (*fn)(struct worker *w));
/* Fork it; it waits for worker_go() */
void worker_fork(struct worker *w);
void worker_go(struct worker *w);
void worker_stop(struct worker *w);
/* It has ended, and can be waited for */
bool worker_gone(const struct worker *w);
/* Stop and wait for its end; ends the test if it does not come */
void worker_end(struct worker *w);
/* All of the above: in the partition's cgroup, SCHED_A653, waiting to go */
struct worker *worker_in(const char *partition, int prio, uint64_t cpus,
			 const char *name, void (*fn)(struct worker *w));

void spinner(struct worker *w);
/* Spins until w->until, reading the clock */
void hog(struct worker *w);
/* Sleeps until the next multiple of w->period, spins for w->work */
void waker(struct worker *w);
void yielder(struct worker *w);
/* Counts how often it is woken by futex_post() */
void futex_waiter(struct worker *w);
/* Forks children that spin for w->work and end, one after the other */
void forker(struct worker *w);
/* Sleeps until it is stopped */
void sleeper(struct worker *w);
bool worker_should_stop(struct worker *w);
/* Without system calls */
void spin_ns(int64_t ns);

void futex_post(_Atomic int *f);
void futex_wait(_Atomic int *f, int val, int64_t timeout_ns);

/* One spinning hog of a policy per CPU, until some time; SCHED_OTHER: prio 0 */
void hogs(int policy, int prio, int64_t until);
/* SCHED_DEADLINE hogs: how many the kernel took */
int deadline_hogs(int64_t until);
void hogs_end(void);
/* Of the SCHED_OTHER hog on a CPU, the last one that there was */
pid_t hog_on(int cpu);

long status_field(pid_t pid, const char *file, const char *field);
/* Interrupts of a kind (a line of /proc/interrupts) on a CPU */
long irq_count(const char *line, int cpu);

/* Traces; what takes time is done the first time, or before */
void trace_prepare(void);
void trace_begin(void);
/* What comes from now on is not in it; reading it out can wait */
void trace_stop(void);
struct evlist *trace_end(void);

/*
 * Judge a trace: a module that was loaded while the trace ran, and workers.
 * Prints what was found; violations fail the test.
 */
void ora_worker(struct ora *o, const struct worker *w, const char *partition,
		uint64_t cpus, unsigned int flags);
void ora_judge(struct ora *o);

int lib_main(int argc, char **argv);

#endif /* SELFTEST_A653_LIB_H */
