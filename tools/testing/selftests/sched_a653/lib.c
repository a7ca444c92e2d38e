// SPDX-License-Identifier: GPL-2.0
/*
 * What the tests do to the kernel: modules, cgroups, tasks
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "lib.h"

#define CGROOT	"/sys/fs/cgroup"

/*
 * Time
 */

int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * SEC + ts.tv_nsec;
}

struct timespec to_timespec(int64_t ns)
{
	struct timespec ts = { .tv_sec = ns / SEC, .tv_nsec = ns % SEC };

	return ts;
}

void pass_until(int64_t ns)
{
	struct timespec ts = to_timespec(ns);

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
		;
}

void pass(int64_t ns)
{
	pass_until(now_ns() + ns);
}

void spin_ns(int64_t ns)
{
	int64_t until = now_ns() + ns;

	while (now_ns() < until)
		;
}

bool time_is_exact(void)
{
	const char *v = getenv("A653_TEST_EXACT");
	char line[4096] = "";
	FILE *f;

	if (v)
		return atoi(v);
	/* scripts/vm gives this argument with --icount */
	f = fopen("/proc/cmdline", "r");
	if (!f)
		return false;
	v = fgets(line, sizeof(line), f);
	fclose(f);
	return v && strstr(line, "nokaslr");
}

/*
 * Modules
 */

int a653_ioctl(unsigned long nr, void *arg)
{
	static int fd = -1;

	if (fd < 0)
		fd = open("/dev/a653", O_RDWR | O_CLOEXEC);
	ASSERT(fd >= 0, "/dev/a653: %s", strerror(errno));
	return ioctl(fd, nr, arg) < 0 ? -errno : 0;
}

int conf_load(struct conf *f, uint32_t flags)
{
	uint32_t kept = f->c.flags;
	int rc;

	f->c.flags |= flags;
	f->reason[0] = 0;
	rc = a653_ioctl(A653_IOC_LOAD, &f->c);
	f->c.flags = kept;
	return rc;
}

void conf_start(struct conf *f)
{
	int rc = conf_load(f, A653_CONFIG_WAIT);

	ASSERT(!rc, "load: %s (%s)", strerror(-rc), f->reason);
}

struct a653_request new_request(const char *module)
{
	struct a653_request r = { .size = sizeof(r) };

	set_name(r.module, module);
	return r;
}

int unload(const char *module, uint32_t flags)
{
	struct a653_request r = new_request(module);

	r.flags = flags;
	return a653_ioctl(A653_IOC_UNLOAD, &r);
}

int switch_to(const char *module, const char *sched, uint32_t flags, int64_t at)
{
	struct a653_request r = new_request(module);

	r.flags = flags;
	r.at_ns = at;
	set_name(r.schedule, sched);
	return a653_ioctl(A653_IOC_SWITCH, &r);
}

int get_status(const char *module, struct a653_status *st)
{
	memset(st, 0, sizeof(*st));
	st->size = sizeof(*st);
	st->stat_size = sizeof(struct a653_stat);
	set_name(st->module, module);
	return a653_ioctl(A653_IOC_STATUS, st);
}

struct a653_stat get_stat(const char *module, unsigned int part, int cpu)
{
	const unsigned int room = A653_MAX_PARTITIONS * 8;
	struct a653_stat *s = calloc(room, sizeof(*s)), sum = { .late_min_ns = UINT64_MAX };
	struct a653_status st = {
		.size = sizeof(st), .stat_size = sizeof(*s), .nr_stats = room,
		.stats = (uintptr_t)s,
	};
	unsigned int i;
	int rc;

	set_name(st.module, module);
	rc = a653_ioctl(A653_IOC_STATUS, &st);
	ASSERT(!rc, "status: %s", strerror(-rc));
	for (i = 0; i < st.nr_stats; i++) {
		if (s[i].partition != part || (cpu >= 0 && s[i].cpu != (unsigned int)cpu))
			continue;
		sum.nr_queued += s[i].nr_queued;
		sum.opened += s[i].opened;
		sum.missed += s[i].missed;
		sum.run_ns += s[i].run_ns;
		sum.open_ns += s[i].open_ns;
		sum.slack_ns += s[i].slack_ns;
		sum.late_sum_ns += s[i].late_sum_ns;
		if (s[i].late_max_ns > sum.late_max_ns)
			sum.late_max_ns = s[i].late_max_ns;
		if (s[i].opened && s[i].late_min_ns < sum.late_min_ns)
			sum.late_min_ns = s[i].late_min_ns;
	}
	free(s);
	return sum;
}

int nr_modules(void)
{
	struct a653_status st;
	int n;

	for (n = 0;; n++) {
		memset(&st, 0, sizeof(st));
		st.size = sizeof(st);
		st.stat_size = sizeof(struct a653_stat);
		st.index = n;
		if (a653_ioctl(A653_IOC_STATUS, &st))
			return n;
	}
}

void unload_all(void)
{
	struct a653_status st;
	int i;

	for (i = 0; i < 100; i++) {
		memset(&st, 0, sizeof(st));
		st.size = sizeof(st);
		st.stat_size = sizeof(struct a653_stat);
		if (a653_ioctl(A653_IOC_STATUS, &st))
			return;
		unload(st.module, A653_REQUEST_FORCE);
	}
}

/*
 * Cgroups
 */

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		rc = -errno;
	close(fd);
	return rc;
}

static int read_file(const char *path, char *buf, size_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

	if (fd < 0)
		return -errno;
	rc = read(fd, buf, len - 1);
	if (rc < 0)
		rc = -errno;
	else
		buf[rc] = 0;
	close(fd);
	return rc < 0 ? rc : 0;
}

int cgroup_write(const char *name, const char *file, const char *text)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), CGROOT "/%s/%s", name, file);
	return write_file(path, text);
}

int cgroup_read(const char *name, const char *file, char *buf, size_t len)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), CGROOT "/%s/%s", name, file);
	return read_file(path, buf, len);
}

void cgroup_create(const char *name)
{
	char path[PATH_MAX];
	int rc;

	rc = write_file(CGROOT "/cgroup.subtree_control", "+a653");
	ASSERT(!rc, "a653 in cgroup.subtree_control: %s", strerror(-rc));
	snprintf(path, sizeof(path), CGROOT "/%s", name);
	ASSERT(!mkdir(path, 0755) || errno == EEXIST, "mkdir %s: %s", path, strerror(errno));
}

int cgroup_bind(const char *name, const char *partition)
{
	/* nothing at all would not reach the kernel */
	return cgroup_write(name, "a653.partition", *partition ? partition : "\n");
}

int cgroup_move(const char *name, pid_t pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	return cgroup_write(name, "cgroup.procs", text);
}

int cgroup_remove(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), CGROOT "/%s", name);
	return rmdir(path) ? -errno : 0;
}

const char *cgroup_of(const char *partition)
{
	static char name[4][A653_NAME_LEN + 3];
	static int i;

	i = (i + 1) % 4;
	snprintf(name[i], sizeof(name[i]), "t_%.31s", partition);
	return name[i];
}

void cgroups_for(const struct conf *f)
{
	unsigned int i;
	int rc;

	for (i = 0; i < f->c.nr_partitions; i++) {
		cgroup_create(cgroup_of(f->part[i].name));
		rc = cgroup_bind(cgroup_of(f->part[i].name), f->part[i].name);
		ASSERT(!rc, "bind %s: %s", f->part[i].name, strerror(-rc));
	}
}

/* Depth first; processes in them go to the root */
static void remove_below(const char *dir, bool all)
{
	char path[PATH_MAX], procs[PATH_MAX + 16], line[32];
	struct dirent *d;
	FILE *f;
	DIR *dp = opendir(dir);
	int i;

	if (!dp)
		return;
	while ((d = readdir(dp))) {
		if (d->d_type != DT_DIR || d->d_name[0] == '.' ||
		    (!all && strncmp(d->d_name, "t_", 2)))
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", dir, d->d_name) >= (int)sizeof(path))
			continue;
		remove_below(path, true);
		snprintf(procs, sizeof(procs), "%s/cgroup.procs", path);
		f = fopen(procs, "r");
		while (f && fgets(line, sizeof(line), f)) {
			kill(atoi(line), SIGKILL);
			write_file(CGROOT "/cgroup.procs", line);
		}
		if (f)
			fclose(f);
		for (i = 0; i < 5000 && rmdir(path) && errno == EBUSY; i++) {
			while (waitpid(-1, NULL, WNOHANG) > 0)
				;
			pass(1 * MS);
		}
	}
	closedir(dp);
}

void cgroup_remove_all(void)
{
	remove_below(CGROOT, false);
}

/*
 * Scheduling
 */

int set_attr(pid_t pid, const struct attr *a)
{
	return syscall(SYS_sched_setattr, pid, a, 0) ? -errno : 0;
}

int get_attr(pid_t pid, struct attr *a)
{
	memset(a, 0, sizeof(*a));
	return syscall(SYS_sched_getattr, pid, a, sizeof(*a), 0) ? -errno : 0;
}

int set_policy(pid_t pid, int policy, int prio)
{
	struct attr a = { .size = sizeof(a), .policy = policy, .priority = prio };

	return set_attr(pid, &a);
}

int set_cpus(pid_t pid, uint64_t mask)
{
	return syscall(SYS_sched_setaffinity, pid, sizeof(mask), &mask) < 0 ? -errno : 0;
}

int set_online(int cpu, bool online)
{
	char path[64];
	int fd, rc;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
	fd = open(path, O_WRONLY);
	ASSERT(fd >= 0, "%s: %s", path, strerror(errno));
	rc = write(fd, online ? "1" : "0", 1) == 1 ? 0 : -errno;
	close(fd);
	return rc;
}

uint64_t all_cpus(void)
{
	return (1ULL << test_cpus()) - 1;
}

/*
 * Workers
 */

struct worker *worker_new(const char *name, void (*fn)(struct worker *w))
{
	struct worker *w = mmap(NULL, sizeof(*w), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ASSERT(w != MAP_FAILED, "mmap: %s", strerror(errno));
	strncpy(w->name, name, sizeof(w->name) - 1);
	w->fn = fn;
	w->until = now_ns() + 40 * SEC;
	return w;
}

static long futex(_Atomic int *f, int op, int val, const struct timespec *timeout)
{
	return syscall(SYS_futex, f, op, val, timeout, NULL, 0);
}

void futex_post(_Atomic int *f)
{
	atomic_fetch_add(f, 1);
	futex(f, FUTEX_WAKE, INT_MAX, NULL);
}

void futex_wait(_Atomic int *f, int val, int64_t timeout_ns)
{
	struct timespec ts = to_timespec(timeout_ns);

	futex(f, FUTEX_WAIT, val, timeout_ns ? &ts : NULL);
}

void worker_fork(struct worker *w)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	ASSERT(pid >= 0, "fork: %s", strerror(errno));
	if (pid) {
		w->pid = pid;	/* shared with the child, so not in both */
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, w->name);
	/* no page fault shall come between a window and its task */
	mlockall(MCL_CURRENT);
	atomic_store(&w->done, -1);
	while (!atomic_load(&w->go))
		futex_wait(&w->go, 0, 0);
	atomic_store(&w->first, now_ns());
	w->fn(w);
	atomic_store(&w->last, now_ns());
	atomic_store(&w->done, 1);
	_exit(0);
}

void worker_go(struct worker *w)
{
	futex_post(&w->go);
}

void worker_stop(struct worker *w)
{
	atomic_store(&w->stop, 1);
	futex_post(&w->futex);
}

bool worker_gone(const struct worker *w)
{
	siginfo_t info = { };

	return !waitid(P_PID, w->pid, &info, WEXITED | WNOHANG | WNOWAIT) && info.si_pid;
}

void worker_end(struct worker *w)
{
	int status, i;

	worker_stop(w);
	worker_go(w);
	for (i = 0; i < 20000; i++) {
		if (waitpid(w->pid, &status, WNOHANG) == w->pid) {
			EXPECT(WIFEXITED(status) && !WEXITSTATUS(status),
			       "%s ended with status %x", w->name, status);
			return;
		}
		pass(1 * MS);
	}
	ASSERT(0, "%s:%d does not end", w->name, w->pid);
}

struct worker *worker_in(const char *partition, int prio, uint64_t cpus,
			 const char *name, void (*fn)(struct worker *w))
{
	struct worker *w = worker_new(name, fn);
	int rc;

	worker_fork(w);
	/* it has locked its memory and sleeps, or will in a moment */
	WAIT_FOR(atomic_load(&w->done), "worker");
	if (cpus) {
		rc = set_cpus(w->pid, cpus);
		ASSERT(!rc, "affinity %llx of %s: %s", (unsigned long long)cpus, name,
		       strerror(-rc));
	}
	rc = cgroup_move(cgroup_of(partition), w->pid);
	ASSERT(!rc, "move %s to %s: %s", name, partition, strerror(-rc));
	rc = set_policy(w->pid, SCHED_A653, prio);
	ASSERT(!rc, "SCHED_A653 for %s in %s: %s", name, partition, strerror(-rc));
	return w;
}

bool worker_should_stop(struct worker *w)
{
	return atomic_load_explicit(&w->stop, memory_order_relaxed);
}

void spinner(struct worker *w)
{
	uint64_t n = 0;

	while (!worker_should_stop(w))
		atomic_store_explicit(&w->loops, ++n, memory_order_relaxed);
}

void hog(struct worker *w)
{
	while (!worker_should_stop(w) && now_ns() < w->until)
		atomic_fetch_add_explicit(&w->loops, 1, memory_order_relaxed);
}

void waker(struct worker *w)
{
	int64_t next;

	while (!worker_should_stop(w)) {
		/* who was too late for one leaves it out */
		next = (now_ns() / w->period + 1) * w->period;
		if (next > w->until)
			break;
		pass_until(next);
		atomic_store(&w->value, now_ns() - next);
		spin_ns(w->work);
		atomic_fetch_add(&w->loops, 1);
	}
}

/* Who asks for it by a period leaves time to those of lower priority */
static void leave_some(struct worker *w)
{
	if (w->period)
		pass(w->period);
}

void yielder(struct worker *w)
{
	while (!worker_should_stop(w)) {
		sched_yield();
		if (!(atomic_fetch_add_explicit(&w->loops, 1, memory_order_relaxed) % 64))
			leave_some(w);
	}
}

void futex_waiter(struct worker *w)
{
	int seen = 0, v;

	while (!worker_should_stop(w)) {
		v = atomic_load(&w->futex);
		if (v == seen) {
			futex_wait(&w->futex, v, 0);
			continue;
		}
		seen = v;
		spin_ns(w->work);
		atomic_fetch_add(&w->loops, 1);
	}
}

void forker(struct worker *w)
{
	int status;
	pid_t pid;

	while (!worker_should_stop(w)) {
		pid = fork();
		if (pid < 0)
			_exit(1);
		if (!pid) {
			spin_ns(w->work);
			_exit(0);
		}
		if (waitpid(pid, &status, 0) != pid || status)
			_exit(1);
		atomic_fetch_add(&w->loops, 1);
		leave_some(w);
	}
}

void sleeper(struct worker *w)
{
	while (!worker_should_stop(w))
		futex_wait(&w->futex, 0, 0);
}

static struct worker *the_hogs[64];
static int nr_hogs;
static pid_t other_hog[EV_CPUS];

pid_t hog_on(int cpu)
{
	return other_hog[cpu];
}

static void start_hog(struct worker *w, int64_t until)
{
	ASSERT(nr_hogs < (int)ARRAY_SIZE(the_hogs), "too many hogs");
	w->until = until;
	worker_go(w);
	the_hogs[nr_hogs++] = w;
}

void hogs(int policy, int prio, int64_t until)
{
	struct worker *w[EV_CPUS];
	int c, rc;

	for (c = 0; c < test_cpus(); c++) {
		w[c] = worker_new(policy == SCHED_FIFO ? "hog-fifo" : "hog", hog);
		worker_fork(w[c]);
		set_cpus(w[c]->pid, 1ULL << c);
		rc = set_policy(w[c]->pid, policy, prio);
		ASSERT(!rc, "policy of a hog: %s", strerror(-rc));
		if (policy == SCHED_OTHER)
			other_hog[c] = w[c]->pid;
	}
	for (c = 0; c < test_cpus(); c++)
		start_hog(w[c], until);
}

int deadline_hogs(int64_t until)
{
	struct attr a = {
		.size = sizeof(a), .policy = SCHED_DEADLINE, .runtime = 4 * MS,
		.deadline = 10 * MS, .period = 10 * MS,
	};
	int c, rc, n = 0;

	for (c = 0; c < test_cpus(); c++) {
		struct worker *w = worker_new("hog-dl", hog);

		worker_fork(w);
		rc = set_attr(w->pid, &a);
		if (rc) {
			test_note("SCHED_DEADLINE hog refused: %s", strerror(-rc));
			worker_end(w);
			break;
		}
		start_hog(w, until);
		n++;
	}
	return n;
}

void hogs_end(void)
{
	while (nr_hogs)
		worker_end(the_hogs[--nr_hogs]);
}

/*
 * Counters
 */

long status_field(pid_t pid, const char *file, const char *field)
{
	char path[64], line[256];
	long v = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	f = fopen(path, "r");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, field, strlen(field)))
			continue;
		v = strtol(strchr(line, ':') + 1, NULL, 0);
		break;
	}
	fclose(f);
	return v;
}

long irq_count(const char *what, int cpu)
{
	char line[1024], *p;
	long v = -1;
	FILE *f = fopen("/proc/interrupts", "r");

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		p = line + strspn(line, " ");
		if (strncmp(p, what, strlen(what)) || p[strlen(what)] != ':')
			continue;
		for (p += strlen(what) + 1; cpu >= 0; cpu--)
			v = strtol(p, &p, 10);
		break;
	}
	fclose(f);
	return v;
}

/*
 * Judging
 */

void ora_worker(struct ora *o, const struct worker *w, const char *partition,
		uint64_t cpus, unsigned int flags)
{
	ora_task(o, w->pid, partition, cpus, flags);
}

void ora_judge(struct ora *o)
{
	const char *hard = getenv("A653_TEST_HARD_US");
	unsigned int n;

	if (hard)
		ora_hard_limit(o, atoll(hard) * US);
	n = ora_run(o);
	ora_report(o, stdout, "#   ");
	fflush(stdout);
	EXPECT(!n, "%u violations", n);
}

static void setup(void)
{
	struct attr a = {
		.size = sizeof(a), .policy = SCHED_FIFO, .priority = 99,
		.flags = SCHED_FLAG_RESET_ON_FORK,
	};

	/* Above everything but partitions, so that hogs do not stop a test */
	set_attr(0, &a);
	mlockall(MCL_CURRENT);
}

static void cleanup(void)
{
	int i, cpus = sysconf(_SC_NPROCESSORS_CONF);

	/* what is killed may have to wait for its next budget, and has it until then */
	for (i = 0; i < 5000 && waitpid(-1, NULL, WNOHANG) >= 0; i++)
		pass(1 * MS);
	/* whatever a test has done to it; not there on older kernels */
	write_file("/proc/sys/kernel/sched_a653_min_slack_pct", "5");
	for (i = 1; test_cpus() < cpus && i < cpus; i++)
		set_online(i, true);
	unload_all();
	cgroup_remove_all();
}

int lib_main(int argc, char **argv)
{
	if (access("/dev/a653", F_OK)) {
		puts("1..0 # SKIP no /dev/a653: not a kernel with SCHED_A653");
		return 4;
	}
	/*
	 * Have all of this program in memory: under --icount, time flies while
	 * a guest waits for its disk.
	 */
	mlockall(MCL_CURRENT);
	trace_prepare();
	test_setup = setup;
	test_cleanup = cleanup;
	return test_main(argc, argv);
}
